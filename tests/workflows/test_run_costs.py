"""What a run bills: from billable seconds where SageMaker told them, else from what was seen of a job or an endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workflows import costs
from workflows.costs.runs import bill
from workflows.events import ApiCall
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.transcript import Transcript


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "work").mkdir()
    return Run(
        id="r", folder=tmp_path, study="moons", interface="low", status="completed", created=0.0,
        parameters={"hosting-instance-type": "ml.t2.medium"}, configuration={"target": "aws"}, ended=4000.0,
    )  # fmt: skip


def call(operation: str, time: float, error: str = "", **parameters: Any) -> ApiCall:
    return ApiCall(
        time=time, service="sagemaker", operation=operation, parameters=parameters, seconds=0.1, error=error
    )


def test_jobs_cost_their_billable_seconds_and_endpoints_their_life(run: Run) -> None:
    ledger = Ledger(run.folder)
    ledger.begin("train", {})
    ledger.finish("train", {"job": "told", "billable_seconds": 360}, [], "", 1.0)
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    told = Transcript.of(
        [
            call("CreateTrainingJob", 0, TrainingJobName="told", ResourceConfig=machine),
            call("CreateTrainingJob", 10, TrainingJobName="seen", ResourceConfig=machine),
            call("CreateTrainingJob", 12, "ResourceLimitExceeded", TrainingJobName="no", ResourceConfig=machine),
            call("DescribeTrainingJob", 110, TrainingJobName="seen"),
            call("CreateTransformJob", 200, TransformJobName="t", TransformResources={"InstanceType": "ml.nowhere"}),
            call("DescribeTransformJob", 230, TransformJobName="t"),
            call("CreateEndpoint", 400, EndpointName="e"),
            call("DeleteEndpoint", 4000, EndpointName="e"),
        ]
    )  # fmt: skip
    found = bill(run, told, now=9000.0)
    assert [(line.what, line.name, line.seconds) for line in found.lines] == [
        ("training job", "told", 720.0),
        ("training job", "seen", 200.0),
        ("transform job", "t", 30.0),
        ("endpoint", "e", 3600.0),
    ]
    hourly = costs.per_hour("ml.m5.large", costs.TRAINING)
    hosting = costs.per_hour("ml.t2.medium")
    assert hourly is not None
    assert hosting is not None
    assert found.lines[0].dollars == pytest.approx(hourly * 0.2)
    assert found.lines[2].dollars is None
    assert found.dollars == pytest.approx(hourly * (0.2 + 200 / 3600) + hosting)
    assert found.real
    assert not found.open


def test_an_endpoint_that_is_kept_bills_until_now(run: Run) -> None:
    Ledger(run.folder).made("endpoint", "e")
    found = bill(run, Transcript.of([call("CreateEndpoint", 400, EndpointName="e")]), now=7600.0)
    assert found.open
    assert [line.seconds for line in found.lines] == [7200.0]
    assert bill(run, Transcript(), now=0.0).dollars == 0
