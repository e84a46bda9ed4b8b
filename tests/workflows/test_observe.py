"""Observing a real engine: jobs that train, endpoints that serve, logs that grow, and the hub on top of it."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.hosted import archive, start_endpoint
from workflows import embedded, topics
from workflows.configuration import Configuration
from workflows.hub import Hub
from workflows.observe import endpoints, jobs
from workflows.observe.logs import LogReader
from workflows.platform import Platform
from workflows.problem import Problem
from workflows.topics import HubStatus, Snapshot

TRAINING_IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312"

TRAIN = """
import json, os, sys, time
for epoch in range(5):
    print(f"epoch={epoch} loss={1 / (epoch + 1):.3f}", flush=True)
    time.sleep(float(os.environ.get("PAUSE", "0.05")))
if os.environ.get("BREAK"):
    raise SystemExit("the data is broken")
open(os.path.join(os.environ["SM_MODEL_DIR"], "answer.txt"), "w").write("42")
"""
SERVE = """
import os
def model_fn(folder): return open(os.path.join(folder, "answer.txt")).read()
def input_fn(body, content_type): return body if isinstance(body, str) else body.decode()
def predict_fn(data, model):
    if data == "break": raise ValueError("cannot answer that")
    return model + data
def output_fn(value, accept): return value, "text/plain"
"""


def until(condition: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def start_job(platform: Platform, **environment: str) -> str:
    name = f"observed-{uuid.uuid4().hex[:8]}"
    platform.client("s3").put_object(
        Bucket=platform.bucket, Key=f"{name}/sourcedir.tar.gz", Body=archive(train_py=TRAIN)
    )
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=platform.role_arn,
        AlgorithmSpecification={
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{platform.bucket}/{name}/sourcedir.tar.gz",
            "epochs": "5",
        },
        Environment=environment,
        OutputDataConfig={"S3OutputPath": f"s3://{platform.bucket}/{name}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return name


def ended(platform: Platform, name: str) -> Any:
    def look() -> Any:
        found = jobs.describe(platform, name)
        return None if found.row.active else found

    return until(look)


def test_a_job_is_listed_described_and_its_whole_log_read(platform: Platform) -> None:
    name = start_job(platform)
    detail = ended(platform, name)
    assert detail.row.status == "Completed", detail.failure_reason
    assert (detail.row.instance_type, detail.row.instance_count) == ("ml.m5.large", 1)
    assert [item.status for item in detail.transitions][-2:] == ["Uploading", "Completed"]
    assert {metric.name: metric.value for metric in detail.final_metrics} == {"loss": pytest.approx(0.2)}
    assert detail.metric_definitions == {"loss": "loss=([0-9.]+)"}
    assert detail.model_artifact.endswith("model.tar.gz") and detail.hyperparameters["epochs"] == "5"
    assert detail.raw["TrainingJobName"] == name and "ResponseMetadata" not in detail.raw

    listed = [row for page in jobs.list_pages(platform, name_contains=name) for row in page]
    assert [(row.name, row.status) for row in listed] == [(name, "Completed")]
    assert [
        row for page in jobs.list_pages(platform, name_contains=name, status="Failed") for row in page
    ] == []
    assert [row for page in jobs.list_pages(platform, modified_after=time.time() + 60) for row in page] == []

    reader = LogReader.of_job(name)
    texts = [line.text for line in reader.read(platform).lines]
    assert next(text for text in texts if text.startswith("epoch=")) == "epoch=0 loss=1.000"
    assert reader.read(platform).lines == ()
    last = LogReader.of_job(name, tail=3).read(platform).lines
    assert [line.text for line in last] == texts[-3:]

    with pytest.raises(Problem):
        jobs.stop(platform, name)


def test_a_job_that_fails_says_why(platform: Platform) -> None:
    detail = ended(platform, start_job(platform, BREAK="1"))
    assert detail.row.status == "Failed"
    assert "the data is broken" in detail.failure_reason


def test_a_running_job_can_be_stopped_and_then_deleted(platform: Platform) -> None:
    name = start_job(platform, PAUSE="60")
    until(lambda: jobs.describe(platform, name).row.secondary_status == "Training")
    jobs.stop(platform, name)
    assert ended(platform, name).row.status == "Stopped"
    jobs.delete(platform, name)
    until(lambda: name not in {row.name for page in jobs.list_pages(platform) for row in page})


def test_an_endpoint_is_described_invoked_and_deleted_with_what_belongs_to_it(platform: Platform) -> None:
    name = f"observed-{uuid.uuid4().hex[:8]}"
    deploy(platform, name)
    found = until(
        lambda: (d := endpoints.describe(platform, name)).row.status in ("InService", "Failed") and d
    )
    assert found.row.status == "InService", found.failure_reason
    (variant,) = found.variants
    assert (variant.name, variant.model, variant.share) == ("only", name, 1.0)

    answer = endpoints.invoke(platform, name, b"!", content_type="text/plain", accept="text/plain")
    assert (answer.text, answer.variant) == ("42!", "only")
    assert answer.milliseconds > 0
    with pytest.raises(Problem) as broken:
        endpoints.invoke(platform, name, b"break", content_type="text/plain")
    assert broken.value.code == "ModelError" and "cannot answer that" in broken.value.sentence
    with pytest.raises(Problem):
        endpoints.invoke(platform, name, b"!", content_type="text/plain", target_variant="nope")

    plan = endpoints.plan_deletion(platform, name)
    assert (plan.config, plan.models) == (name, (name,))
    endpoints.delete(platform, plan)
    until(lambda: name not in {row.name for page in endpoints.list_pages(platform) for row in page})
    with pytest.raises(Problem, match="There is no endpoint"):
        endpoints.invoke(platform, name, b"!")
    assert endpoints.delete(platform, plan) == ()


def deploy(platform: Platform, name: str) -> None:
    start_endpoint(platform, name, {"only": SERVE}, {"answer_txt": "42"})


def test_the_hub_follows_a_job_from_its_start_to_its_end(platform: Platform) -> None:
    hub = Hub.of(Configuration())
    lists: list[Snapshot[Any]] = []
    details: list[Snapshot[Any]] = []
    logs: list[Snapshot[Any]] = []
    try:
        hub.subscribe(topics.JOBS, lists.append)
        until(lambda: any(shot.complete for shot in lists))
        name = start_job(platform, PAUSE="60")
        hub.subscribe(topics.job(name), details.append)
        hub.subscribe(topics.job_logs(name), logs.append)

        def row() -> Any:
            return next((row for row in lists[-1].value if row.name == name), None)

        until(lambda: row() and row().instance_type == "ml.m5.large")
        assert row().status == "InProgress"
        until(lambda: any("epoch=0" in line.text for line in (logs[-1].value.lines if logs else ())))
        assert details[-1].value.row.secondary_status == "Training"
        hub.use(lambda gateway: jobs.stop(gateway, name), lambda value, problem: None)
        until(lambda: details[-1].value.row.status == "Stopped")
        until(lambda: row().status == "Stopped")
        assert details[-1].next_at is None
        texts = [line.text for line in logs[-1].value.lines]
        assert sum(text.startswith("epoch=0") for text in texts) == 1
        assert all(shot.error is None for shot in lists + details + logs)
        assert hub.status().backend == "ok" and hub.status().calls > 3
    finally:
        hub.close()


def test_the_hub_outlives_its_engine_and_does_not_start_what_a_person_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(tmp_path / "engine"))
    hub = Hub.of(Configuration())
    shots: list[Snapshot[Any]] = []
    states: list[HubStatus] = []
    try:
        hub.subscribe_status(states.append)
        hub.subscribe(topics.ENDPOINTS, shots.append)
        until(lambda: shots and shots[-1].value is not None and shots[-1].error is None)
        first = embedded.connection()
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        until(
            lambda: (
                states[-1].backend == "lost" and states[-1].problem and states[-1].problem.code == "engine"
            )
        )
        assert shots[-1].value == () and shots[-1].stale
        assert "mlconsole engine start" in states[-1].problem.remedy  # type: ignore[union-attr]
        assert embedded.connection() is None
        hub.refresh()
        until(lambda: states[-1].backend == "ok" and shots[-1].error is None)
        second = embedded.connection()
        assert second is not None and second.pid != first.pid
    finally:
        hub.close()
        running = embedded.connection()
        if running is not None:
            os.kill(running.pid, signal.SIGTERM)
