"""LinearLearner over boto3: records in S3, a training job with its metrics, an endpoint, failures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from algorithms.formats import recordio, records
from algorithms.formats.message import record_class
from tests.algorithms.linear import binary, csv, pbr
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique
from tests.engine.jobs import channel, fetch, finish, fresh, lines, put, request, unpack

IMAGE = "174872318107.dkr.ecr.us-west-2.amazonaws.com/linear-learner:1"
RECORDIO = "application/x-recordio-protobuf"
GIVEN = {
    "predictor_type": "binary_classifier",
    "epochs": "4",
    "mini_batch_size": "200",
    "binary_classifier_model_selection_criteria": "precision_at_target_recall",
    "target_recall": "0.9",
}


def start(engine: RunningEngine, given: dict[str, str], *inputs: Any) -> str:
    name = fresh("linear")
    engine.client("sagemaker").create_training_job(
        **request(
            engine,
            name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters=given,
            InputDataConfig=list(inputs),
        )
    )
    return name


@pytest.fixture(scope="module")
def job(engine: RunningEngine) -> dict[str, Any]:
    """A finished job with validation and test data."""
    train, validation, test = binary(1500), binary(600, 1), binary(600, 2)
    inputs = [
        channel(put(engine, f"ll/{name}/part.pbr", pbr(*data)), name, ContentType=RECORDIO)
        for name, data in (("train", train), ("validation", validation))
    ]
    inputs.append(channel(put(engine, "ll/test/part.csv", csv(*test)), "test", ContentType="text/csv"))
    return finish(engine, start(engine, GIVEN, *inputs))


@pytest.fixture(scope="module")
def endpoint(engine: RunningEngine, job: dict[str, Any]) -> Iterator[str]:
    deployer = Deployer(engine)
    name = unique("linear")
    deployer.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=deployer.role,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
    )
    yield deployer.endpoint(name)
    deployer.clean()


def invoke(
    engine: RunningEngine, endpoint: str, body: bytes, kind: str, accept: str = ""
) -> tuple[bytes, str]:
    answer = engine.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType=kind, Body=body, **({"Accept": accept} if accept else {})
    )
    return answer["Body"].read(), answer["ContentType"]


def test_the_job_has_the_final_metrics_of_its_log(engine: RunningEngine, job: dict[str, Any]) -> None:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert list(unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))) == ["model_algo-1"]
    metrics = {entry["MetricName"]: entry["Value"] for entry in job["FinalMetricDataList"]}
    for name in (
        "train:objective_loss",
        "train:progress",
        "train:throughput",
        "validation:objective_loss",
        "validation:objective_loss:final",
        "validation:precision",
        "validation:recall",
        "validation:binary_f_beta",
        "test:binary_classification_accuracy",
        "test:objective_loss",
    ):
        assert name in metrics, name
    assert metrics["validation:recall"] >= 0.9
    assert metrics["train:progress"] == 100
    assert any(
        "Best model found for hyperparameters" in line for line in lines(engine, job["TrainingJobName"])
    )


def test_the_endpoint_scores_and_labels(engine: RunningEngine, endpoint: str) -> None:
    x, y = binary(600, 2)
    body, kind = invoke(engine, endpoint, b"".join(records.dense(x)), RECORDIO)
    assert kind == "application/json"
    predictions = json.loads(body)["predictions"]
    guess = np.array([row["predicted_label"] for row in predictions])
    assert [set(row) for row in predictions[:1]] == [{"score", "predicted_label"}]
    assert (guess[y > 0] == 1).mean() > 0.85
    threshold = min(row["score"] for row in predictions if row["predicted_label"])
    assert all(row["score"] <= threshold for row in predictions if not row["predicted_label"])
    answered, kind = invoke(engine, endpoint, b"".join(records.dense(x)), RECORDIO, RECORDIO)
    labels = [
        record_class().FromString(one).label["predicted_label"].float32_tensor.values[0]
        for one in recordio.payloads(io.BytesIO(answered))
    ]
    assert labels == guess.tolist()


def test_a_label_outside_the_classes_fails_the_job_with_file_and_row(engine: RunningEngine) -> None:
    x, y = binary(50)
    data = put(engine, "ll/bad/part.csv", csv(x, y * 3))
    job = finish(engine, start(engine, GIVEN, channel(data, "train", ContentType="text/csv")))
    assert job["TrainingJobStatus"] == "Failed"
    row = int(np.flatnonzero(y)[0]) + 1
    assert f"part.csv, row {row} of channel 'train' has the label 3" in job["FailureReason"]
    assert job["FailureReason"].startswith("ClientError: ")
