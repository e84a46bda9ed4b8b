"""PCA and K-Means over boto3, from records in S3 to predictions, and through SDK v3 with the records it lacks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from algorithms.formats import ndarray, recordio, records
from algorithms.formats.message import record_class
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique
from tests.engine.jobs import fetch, finish, fresh, lines, request, unpack
from workflows.records import RecordSet, upload

ACCOUNT = "174872318107.dkr.ecr.us-west-2.amazonaws.com"
ROWS = (
    np.random.default_rng(0).normal(size=(300, 5)) @ np.random.default_rng(1).normal(size=(5, 5)) + 3
).astype("f4")
PCA = {"feature_dim": "5", "mini_batch_size": "50", "num_components": "3"}


def start(engine: RunningEngine, image: str, hyperparameters: dict[str, str], *channels: Any) -> str:
    """A training job of a built-in algorithm; its name."""
    name = fresh(image)
    engine.client("sagemaker").create_training_job(
        **request(
            engine,
            name,
            AlgorithmSpecification={"TrainingImage": f"{ACCOUNT}/{image}:1", "TrainingInputMode": "File"},
            HyperParameters=hyperparameters,
            InputDataConfig=list(channels),
        )
    )
    return name


def model_of(engine: RunningEngine, job: dict[str, Any]) -> Any:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    archive = unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))
    assert list(archive) == ["model_algo-1"]
    return ndarray.decode(archive["model_algo-1"])


@pytest.fixture(scope="module")
def uploaded(engine: RunningEngine) -> RecordSet:
    return upload(
        engine.client("s3"), f"s3://{engine.connection.default_bucket}/first-party/rows", ROWS, shards=2
    )


@pytest.fixture(scope="module")
def pca(engine: RunningEngine, uploaded: RecordSet) -> dict[str, Any]:
    """A finished PCA job on a manifest with two shards."""
    return finish(engine, start(engine, "pca", PCA, uploaded.channel()))


@pytest.fixture(scope="module")
def deploy(engine: RunningEngine) -> Iterator[Callable[[str, dict[str, Any]], str]]:
    """Deploys a job's artefact; the endpoint's name."""
    deployer = Deployer(engine)

    def make(image: str, job: dict[str, Any]) -> str:
        name = unique("first")
        deployer.sm.create_model(
            ModelName=name,
            ExecutionRoleArn=deployer.role,
            PrimaryContainer={
                "Image": f"{ACCOUNT}/{image}:1",
                "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            },
        )
        return deployer.endpoint(name)

    yield make
    deployer.clean()


@pytest.fixture(scope="module")
def projecting(deploy: Callable[[str, dict[str, Any]], str], pca: dict[str, Any]) -> str:
    return deploy("pca", pca)


def invoke(
    engine: RunningEngine, endpoint: str, body: bytes, kind: str, accept: str = ""
) -> tuple[bytes, str]:
    answer = engine.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType=kind, Body=body, **({"Accept": accept} if accept else {})
    )
    return answer["Body"].read(), answer["ContentType"]


def test_pca_finds_the_singular_values_of_all_shards(engine: RunningEngine, pca: dict[str, Any]) -> None:
    arrays = model_of(engine, pca)
    expected = np.linalg.svd(ROWS - ROWS.mean(axis=0), compute_uv=False)[:3][::-1]
    assert np.allclose(arrays["s"], expected, rtol=1e-4)
    assert arrays["v"].shape == (5, 3)


def test_pca_answers_in_all_formats(engine: RunningEngine, pca: dict[str, Any], projecting: str) -> None:
    arrays = model_of(engine, pca)
    expected = (ROWS[:2] - arrays["mean"]) @ arrays["v"]
    text = "\n".join(",".join(map(repr, row)) for row in ROWS[:2].tolist()).encode()
    body, kind = invoke(engine, projecting, text, "text/csv")
    assert kind == "application/json"
    assert np.allclose([row["projection"] for row in json.loads(body)["projections"]], expected, atol=1e-4)
    instances = [{"features": row} for row in ROWS[:2].tolist()]
    sent = {
        "application/json": json.dumps({"instances": instances}).encode(),
        "application/jsonlines": b"\n".join(json.dumps(one).encode() for one in instances),
        "application/x-recordio-protobuf": b"".join(records.dense(ROWS[:2])),
    }
    for content_type, raw in sent.items():
        assert invoke(engine, projecting, raw, content_type)[0] == body
    raw, _ = invoke(engine, projecting, text, "text/csv", "application/x-recordio-protobuf")
    found = [
        record_class().FromString(one).label["projection"].float32_tensor.values
        for one in recordio.payloads(io.BytesIO(raw))
    ]
    assert np.allclose(found, expected, atol=1e-4)


def test_a_bad_request_reaches_the_caller_as_a_model_error(engine: RunningEngine, projecting: str) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(engine, projecting, b"1,2", "text/csv")
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 400  # type: ignore[typeddict-item]
    assert "row 1 has 2 features, the model takes 5" in answer["Error"]["Message"]


def test_k_means_reports_its_test_metrics_and_serves(
    engine: RunningEngine, uploaded: RecordSet, deploy: Callable[[str, dict[str, Any]], str]
) -> None:
    hyper = {"feature_dim": "5", "k": "4", "eval_metrics": '["msd","ssd"]'}
    name = start(
        engine, "kmeans", hyper, uploaded.channel(), uploaded.channel("test", "FullyReplicated")
    )  # fmt: skip
    job = finish(engine, name)
    (centers,) = model_of(engine, job)
    squares = ((ROWS[:, None] - centers[None]) ** 2).sum(axis=2)
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert final["test:msd"] == pytest.approx(squares.min(axis=1).mean(), rel=1e-3)
    assert final["test:ssd"] == pytest.approx(squares.min(axis=1).sum(), rel=1e-3)
    assert any("shrinking 40 centers into 4" in line for line in lines(engine, name))
    endpoint = deploy("kmeans", job)
    body, _ = invoke(engine, endpoint, b"".join(records.dense(ROWS[:3])), "application/x-recordio-protobuf")
    for row, distances in zip(json.loads(body)["predictions"], squares[:3], strict=True):
        assert row["closest_cluster"] == distances.argmin()
        assert row["distance_to_cluster"] == pytest.approx(np.sqrt(distances.min()), rel=1e-3)


def test_bad_data_is_the_jobs_failure_reason(engine: RunningEngine) -> None:
    bucket = engine.connection.default_bucket
    engine.client("s3").put_object(Bucket=bucket, Key="first-party/bad/a.csv", Body=b"1,2,3,4,5\n1,2,x,4,5\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/first-party/bad/"}
    channel = {
        "ChannelName": "train",
        "ContentType": "text/csv;label_size=0",
        "DataSource": {"S3DataSource": source},
    }
    job = finish(engine, start(engine, "pca", PCA, channel))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Unable to read data channel 'train'.")
    assert "a.csv, row 2: field 3 ('x') is not a number" in job["FailureReason"]


PROGRAM = """
import sys
import numpy as np
from sagemaker.core.resources import Endpoint
from workflows.records import RecordDeserializer, RecordSerializer

endpoint = Endpoint.get(sys.argv[1])
endpoint.serializer, endpoint.deserializer = RecordSerializer(), RecordDeserializer()
rows = np.arange(10, dtype="float32").reshape(2, 5)
answer = endpoint.invoke(
    body=rows, content_type="application/x-recordio-protobuf", accept="application/x-recordio-protobuf"
)
print("FOUND", [list(record.label["projection"].float32_tensor.values) for record in answer.body])
"""


def test_sdk_v3_sends_and_reads_records(engine: RunningEngine, pca: dict[str, Any], projecting: str) -> None:
    connection = engine.connection
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": connection.url,
        "AWS_DEFAULT_REGION": connection.region,
        "AWS_REGION": connection.region,
        "AWS_ACCESS_KEY_ID": connection.access_key,
        "AWS_SECRET_ACCESS_KEY": connection.secret_key,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, projecting],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    arrays = model_of(engine, pca)
    rows = np.arange(10, dtype="f4").reshape(2, 5)
    found = json.loads(done.stdout.partition("FOUND ")[2])
    assert np.allclose(found, (rows - arrays["mean"]) @ arrays["v"], atol=1e-3)
