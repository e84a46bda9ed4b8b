"""The five lessons at a size that tests afford, and what each must have told once it was taken, whichever way it was launched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.workflows.told import of_kind
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.lessons.catalog import find
from workflows.platform import open_platform
from workflows.webapp import parts as webapps

Found = list[events.Event]

SMALL: dict[str, Any] = {"data": "synthetic", "rows": 1500, "num-round": 40}
TINY_LSTM: dict[str, Any] = {
    "epochs": 3, "embedding-dim": 8, "hidden-dim": 8, "length": 60, "learning-rate": 0.03,
}  # fmt: skip
"""An LSTM of reviews that is trained in seconds."""
SIZES: dict[str, dict[str, Any]] = {
    "introduction": {},
    "building": SMALL,
    "deploying": {"data": "synthetic", "rows": 600, "num-round": 10, "chunk": 64, "mishap": "wrong-vocabulary"},
    "tuning": SMALL | {"jobs": 3, "runs": 2, "num-round": 20},
    "updating": {
        "data": "synthetic", "rows": 1500, "num-round": 30, "requests": 400, "labels": 50, "least": 0.6,
    },
}  # fmt: skip
"""Settings other than by default, by the names of the lessons."""


def taken(run: runs.Run, given: Mapping[str, Any], found: Found, last: events.RunFinished) -> None:
    """A completed lesson had these settings, has said what it teaches at each step, its scores are sane, and nothing of it is left."""
    known = {item.name: item for item in find(run.study).parameters}
    changed = {name: known[name].parse(str(value)) for name, value in given.items()}
    assert run.parameters == {name: item.default for name, item in known.items()} | changed
    explained(run, found)
    TOLD[run.study](run, found, last)
    nothing_left(run)


def explained(run: runs.Run, found: Found) -> None:
    """Each step was done, but cleaning up where the run keeps what it made; each began with what there is to learn."""
    info = find(run.study)
    assert info.lesson is not None
    said = [note.step for note in of_kind(events.Note, found) if note.text == info.lesson.explains[note.step]]
    assert said == [step for step, _ in info.steps]
    ends = [(event.step, event.status) for event in of_kind(events.StepFinished, found)]
    kept = {"cleanup"} if run.keep else set()
    assert ends == [(step, "skipped" if step in kept else "done") for step in said]


def nothing_left(run: runs.Run) -> None:
    """No endpoint, configuration, model, alarm and web app has the run's name."""
    platform = open_platform(Configuration())
    sagemaker = platform.client("sagemaker")
    assert sagemaker.list_endpoints(NameContains=run.id)["Endpoints"] == []
    assert sagemaker.list_endpoint_configs(NameContains=run.id)["EndpointConfigs"] == []
    assert sagemaker.list_models(NameContains=run.id)["Models"] == []
    alarms = platform.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [one["AlarmName"] for one in alarms if run.id in one["AlarmName"]] == []
    assert [name for name in webapps.names(platform) if run.id in name] == []


def introduction(run: runs.Run, found: Found, last: events.RunFinished) -> None:
    """The files, the container and the call, as they are."""
    shown = exhibited(found)
    tree = shown["/opt/ml on the training machine"]
    for name in ("hyperparameters.json", "inputdataconfig.json", "resourceconfig.json", "train.csv"):
        assert name in tree
    assert "model.joblib" in shown["model.tar.gz"] and "code/inference.py" in shown["model.tar.gz"]
    assert "def predict_fn" in shown["inference.py"] and "SM_CHANNEL_TRAIN" in shown["train.py"]
    assert "algorithms.container.serve" in shown["the process and its parents"]
    (ping, call) = [
        (asked["text"], answered["text"])
        for event in of_kind(events.Note, found)
        for asked, answered in zip(event.shown, event.shown[1:], strict=False)
        if (asked["title"], answered["title"]) == ("asked", "answered")
    ]
    assert ping[0].startswith("GET /ping") and ping[1].startswith("HTTP/1.1 200")
    assert call[0].startswith(f"POST /endpoints/{run.id}/invocations") and call[0].endswith("0.5,0.25")
    secret = open_platform(Configuration()).environment()["AWS_SECRET_ACCESS_KEY"]
    assert secret not in run.events_file.read_text() and "Signature=(not shown)" in call[0]
    assert last.metrics["train_accuracy"] > 0.8 and last.metrics["status"] == 200
    assert 0 < last.metrics["probability"] < 1 and str(last.metrics["probability"]) in call[1]


def building(run: runs.Run, found: Found, last: events.RunFinished) -> None:
    """A score with its error that beats what is free (of 500 made-up reviews: that beats chance), without an endpoint."""
    houses = run.parameters["subject"] == "housing"
    assert last.metrics["score"] < last.metrics["baseline_score"] if houses else last.metrics["score"] > 0.6
    assert 0 < last.metrics["score_error"] < 0.2
    operations = called(found)
    assert {"CreateTrainingJob", "CreateModel", "CreateTransformJob"} <= operations
    assert "CreateEndpoint" not in operations
    (table,) = [event for event in of_kind(events.Table, found, "evaluate") if "Test rows" in event.title]
    assert last.metrics["score"] in [pytest.approx(row[1], abs=1e-4) for row in table.rows]


def deploying(run: runs.Run, found: Found, last: events.RunFinished) -> None:
    """Endpoint and batch transform agree, the page answers as the endpoint does, what is broken on purpose is told, all goes."""
    assert last.metrics["apart"] <= 1e-6 and last.metrics["requests"] >= 2 and last.metrics["status"] == 409
    assert last.metrics["checks"] == 8 and 0 < last.metrics["probability"] < 1 and last.metrics["score"] > 0.6
    verdicts = {event.name: event.verdict for event in of_kind(events.Gate, found)}
    for name in (
        "endpoint and batch agree",
        "wrong calls are refused",
        "CORS preflight",
        "it is the endpoint's own answer",
    ):
        assert verdicts[name] == "pass"
    shown = exhibited(found)
    assert "vocabulary.json" in shown["the package"] and "def handle" in shown["handler.py"]
    assert "was trained with vocabulary" in shown["mlconsole webapp create"]
    made = {"CreateEndpoint", "CreateTransformJob", "CreateFunction", "CreateRestApi", "AddPermission"}
    assert made <= called(found)
    (gone,) = of_kind(events.Table, found, "cleanup")
    states = {row[0]: row[2] for row in gone.rows}
    for part in ("function", "REST API", "role", "permission", "log group", "stage", "endpoint", "model"):
        assert states[part] == "deleted", gone.rows


def tuning(run: runs.Run, found: Found, last: events.RunFinished) -> None:
    """All trials by their scores, and a difference with its error and its verdict."""
    (trials,) = [event for event in of_kind(events.Table, found, "tune") if event.title.startswith("Trials")]
    assert len(trials.rows) == run.parameters["jobs"] == last.metrics["trials"]
    assert trials.rows == sorted(trials.rows, key=lambda row: row[1])
    metrics = last.metrics
    gain = metrics["default_score"] - metrics["tuned_score"]
    assert metrics["gain"] == pytest.approx(gain, abs=1e-4) and metrics["gain_error"] > 0
    verdicts = {event.name: event.verdict for event in of_kind(events.Gate, found)}
    assert {"more than luck", "tuning was worth it"} <= verdicts.keys()
    assert bool(metrics["gain_is_real"]) == (verdicts["tuning was worth it"] != "warn")


def updating(run: runs.Run, found: Found, last: events.RunFinished) -> None:
    """The new word is the first that is found, within 200 reviews; the new model goes out, back, and out again."""
    gates = {(event.step, event.name): event.verdict for event in of_kind(events.Gate, found)}
    assert gates["rollout", "rolled back"] == gates["rollout", "rolled out"] == "pass"
    assert 0 < last.metrics["drift_found_after"] <= 200
    assert last.metrics["ab_answers"] <= run.parameters["requests"]
    assert last.metrics["wrong_vocabulary_on_old"] < last.metrics["new_model_on_old"]
    assert last.metrics["old_model_on_new"] < last.metrics["old_model_on_old"]
    assert last.metrics["new_model_on_old"] >= run.parameters["least"]
    (words,) = of_kind(events.Table, found, "drift")
    assert words.rows[-1][1] == run.parameters["word"] and words.rows[-1][3] == 1
    operations = [event.operation for event in of_kind(events.ApiCall, found)]
    assert operations.count("UpdateEndpoint") == 3 and "SetAlarmState" in operations


TOLD: dict[str, Callable[[runs.Run, Found, events.RunFinished], None]] = {
    "introduction": introduction,
    "building": building,
    "deploying": deploying,
    "tuning": tuning,
    "updating": updating,
}


def exhibited(found: Found) -> dict[str, str]:
    """The files, folders and exchanges that a lesson has shown, by their titles."""
    return {item["title"]: item["text"] for event in of_kind(events.Note, found) for item in event.shown}


def called(found: Found) -> set[str]:
    """The AWS operations of a run."""
    return {event.operation for event in of_kind(events.ApiCall, found)}


def asked_by_curl(found: Found, last: events.RunFinished) -> None:
    """The curl command that the tour prints is one: it gets the endpoint's answer, which must be there still."""
    if shutil.which("curl"):
        done = subprocess.run(
            ["sh", "-c", exhibited(found)["curl"]], env=dict(os.environ) | open_platform(Configuration()).environment(),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.stdout == f"[{last.metrics['probability']}]", (done.stdout, done.stderr)
