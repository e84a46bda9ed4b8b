"""DeepAR through boto3: training with the algorithm's own metrics, an endpoint, batch transform, and a failure with its reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.algorithms.deepar import SMALL, lines, rows
from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.transforming import Transformer

IMAGE = "156387875391.dkr.ecr.us-west-2.amazonaws.com/forecasting-deepar:1"


@pytest.fixture
def transformer(engine: RunningEngine) -> Iterator[Transformer]:
    found = Transformer(engine)
    yield found
    found.clean()


def submit(engine: RunningEngine, hyperparameters: dict[str, str] | None = None, **channels: bytes) -> str:
    """Start a job with a file per channel; its name."""
    name = jobs.fresh("deepar")
    inputs = []
    for channel, content in channels.items():
        uri = jobs.put(engine, f"data/{name}/{channel}/{channel}.json", content)
        inputs.append(jobs.channel(uri.rpartition("/")[0], channel))
    texts = {key: str(value) for key, value in SMALL.items()}
    engine.client("sagemaker").create_training_job(
        **jobs.request(
            engine,
            name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters={**texts, **(hyperparameters or {})},
            InputDataConfig=inputs,
        )
    )
    return name


def model_of(transformer: Transformer, job: dict[str, Any], **environment: str) -> str:
    """A model of a job's artefact."""
    name = jobs.fresh("deepar-model")
    transformer.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=transformer.role,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            "Environment": environment,
        },
    )
    return name


def test_a_job_trains_serves_and_transforms(engine: RunningEngine, transformer: Transformer) -> None:
    name = submit(engine, train=lines(rows()), test=lines(rows(length=65)))
    job = jobs.finish(engine, name, 120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert {"train:loss", "train:final_loss", "test:RMSE", "test:mean_wQuantileLoss"} <= set(metrics)
    assert 0 < metrics["test:mean_wQuantileLoss"] < 1
    files = jobs.unpack(jobs.fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))
    assert set(files) == {"model_algo-1-0000.params", "model_algo-1-config.json", "model_algo-1-symbol.json"}

    environment = {"DEEPAR_INFERENCE_CONFIG": '{"num_samples": 20, "output_types": ["mean"]}'}
    model = model_of(transformer, job, **environment)
    endpoint = transformer.endpoint(model)
    request = {
        "instances": [{"start": "2010-01-01 00:00:00", "target": []}],
        "configuration": {
            "num_samples": 50,
            "output_types": ["quantiles"],
            "quantiles": ["0.1", "0.5", "0.9"],
        },
    }
    (found,) = transformer.invoke(endpoint, request)["predictions"]
    assert {key: len(values) for key, values in found["quantiles"].items()} == {"0.1": 5, "0.5": 5, "0.9": 5}
    with pytest.raises(ClientError) as caught:
        transformer.invoke(endpoint, {"instances": [{"target": [1.0]}]})
    response: Any = caught.value.response
    assert response["OriginalStatusCode"] == 400
    assert "instances[0]: the key 'start' is missing" in response["OriginalMessage"]

    series = rows(4, 30)
    outputs = transformer.run(
        model,
        transformer.put({"series.json": lines(series)}),
        input={"ContentType": "application/jsonlines"},
        BatchStrategy="SingleRecord",
    )
    predictions = [json.loads(line) for line in outputs["series.json.out"].splitlines()]
    assert [list(item) for item in predictions] == [["mean"]] * 4
    # Order is kept: the series' levels differ by far more than a forecast errs.
    means = [sum(item["mean"]) for item in predictions]
    assert means == sorted(means)


def test_a_failed_job_tells_file_line_and_remedy(engine: RunningEngine) -> None:
    broken = lines(rows(4, 90)) + b'{"start": "2021-01-04"}\n'
    job = jobs.finish(engine, submit(engine, train=broken), 60)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: Unable to read data channel 'train', file train.json, line 5: "
    )
    job = jobs.finish(engine, submit(engine, {"mini_batch_siz": "3"}, train=lines(rows())), 60)
    assert "Additional properties are not allowed ('mini_batch_siz' was unexpected)" in job["FailureReason"]


def test_a_stopped_job_leaves_its_best_model_so_far(engine: RunningEngine, transformer: Transformer) -> None:
    name = submit(engine, {"epochs": "100000"}, train=lines(rows()))
    logs = engine.client("logs")
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline
        try:
            found = logs.filter_log_events(
                logGroupName="/aws/sagemaker/TrainingJobs",
                logStreamNamePrefix=name,
                filterPattern='"Saved checkpoint"',
            )["events"]
        except ClientError:
            found = []
        if found:
            break
        time.sleep(0.1)
    engine.client("sagemaker").stop_training_job(TrainingJobName=name)
    job = jobs.finish(engine, name, 60)
    assert job["TrainingJobStatus"] == "Stopped"
    endpoint = transformer.endpoint(model_of(transformer, job))
    assert transformer.invoke(endpoint, {"instances": rows(1, 20)})["predictions"]
