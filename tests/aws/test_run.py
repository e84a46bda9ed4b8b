"""A study's run and commands against moto: as far as a fake goes whose jobs end at once and leave nothing."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from console.cli.failures import FAILED, guarded
from tests.aws.account import ALARM, BUCKET, ENDPOINT, JOB, ROLE, TRANSFORM, TUNING
from tests.aws.validity import violations
from workflows import run_process, runs
from workflows.events import ApiCall, StepFinished
from workflows.interfaces import waiting
from workflows.studies import training

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def run(account: Any, aws: pytest.MonkeyPatch) -> runs.Run:
    """A run of the moons study on moto that was carried out here, without AWS's waits."""
    aws.setattr(runs, "_spawn", lambda run, options: run)
    aws.setattr(waiting, "AWS", waiting.Pace(shortest=0.02, longest=0.1, factor=1.3))
    aws.setattr(training, "LATE_LOG", 0.5)
    begun = runs.start("moons", interface="low")
    carried_out = run_process._carry_out(run_process.Recorder(begun), threading.Event(), False)
    assert carried_out == 1
    return runs.read(begun.folder)


def test_a_run_fails_where_the_model_is_missing_and_cleans_up(run: runs.Run, account: Any) -> None:
    events = list(runs.follow(run, timeout=0))
    ended = {event.step: event.status for event in events if isinstance(event, StepFinished)}
    assert ended == {
        "prepare": "done",
        "audit": "done",
        "baseline": "done",
        "train": "failed",
        "cleanup": "done",
    }
    assert run.status == "failed"
    assert run.message.startswith(f"There is no object s3://{BUCKET}/mlconsole/{run.id}/output/")
    assert "start a new run" in run.message
    assert run.left_behind == [] and runs.left(run) == []

    calls = [event for event in events if isinstance(event, ApiCall)]
    operations = {call.operation for call in calls}
    assert {"CreateTrainingJob", "DescribeTrainingJob", "PutObject", "DeleteObjects"} <= operations
    wrong = [text for one in calls for text in violations(one.service, one.operation, one.parameters)]
    assert wrong == []
    request = next(call.parameters for call in calls if call.operation == "CreateTrainingJob")
    assert request["RoleArn"].endswith(f":role/{ROLE}")
    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in request["AlgorithmSpecification"]["TrainingImage"]
    storage = account.client("s3")
    kept = [item["Key"] for item in storage.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    assert kept == ["fraud/data/train.csv"]
    models = account.client("sagemaker").list_models()["Models"]
    assert {item["ModelName"] for item in models} == {"fraud-model", "churn-model"}


COMMANDS = {
    ("jobs", "ls"): JOB,
    ("jobs", "show", JOB): "num_round",
    ("endpoints", "show", ENDPOINT): "AllTraffic",
    ("costs",): "ml.m5.large",
}
"""Commands, and what their JSON has somewhere."""
OTHERS = {
    ("tuning", "ls"): TUNING,
    ("jobs", "metrics", JOB): "",
    ("endpoints", "ls"): ENDPOINT,
    ("endpoints", "metrics", ENDPOINT): "AllTraffic",
    ("endpoints", "alarms", ENDPOINT): ALARM,
    ("endpoints", "scaling", ENDPOINT): "",
    ("transform", "ls"): TRANSFORM,
    ("transform", "show", TRANSFORM): "fraud-model",
    ("ab", "ls"): "",
    ("rollout", "ls"): "",
    ("traffic", "ls"): "",
    ("webapp", "ls"): "",
    ("runs", "ls"): "",
    ("studies", "ls"): "moons",
    ("data", "ls"): "housing",
    ("prices", "ls"): "ml.m5.large",
    ("sweep",): "",
    ("doctor",): "eu-west-1 through http://127.0.0.1",
}


@pytest.mark.parametrize("commands", [COMMANDS, pytest.param(OTHERS, marks=pytest.mark.slow)])
def test_commands_answer_in_json(
    commands: dict[tuple[str, ...], str], account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, wanted in commands.items():
        status = guarded([*command, "--json"])
        told = capsys.readouterr()
        assert status == 0, f"{command}: {told.err}{told.out}"
        assert wanted in json.dumps(json.loads(told.out)), command


def test_what_is_not_there_or_not_to_be_had_is_said(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["endpoints", "show", "nobody"]) == FAILED
    assert "nobody" in capsys.readouterr().err
    assert guarded(["jobs", "show", "nobody", "--json"]) == FAILED
    assert "nobody" in json.loads(capsys.readouterr().out)["error"]
    assert guarded(["tuning", "trials", TUNING]) == FAILED  # moto fails inside
    assert (
        "ListTrainingJobsForHyperParameterTuningJob failed inside the service (HTTP 500)"
        in capsys.readouterr().err
    )


def test_an_endpoint_is_deleted_with_what_belongs_to_it(
    account: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert guarded(["--read-only", "endpoints", "rm", ENDPOINT, "--yes"]) != 0
    sagemaker = account.client("sagemaker")
    assert len(sagemaker.list_endpoints()["Endpoints"]) == 2
    capsys.readouterr()
    assert guarded(["endpoints", "rm", ENDPOINT, "--yes"]) == 0
    assert [item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]] == ["churn-live"]
    names = {item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    assert names == {"churn-live-config"}
