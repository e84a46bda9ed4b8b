"""The moons study as a run: killed, resumed, stopped, refused, answered, compared, on a lost engine. Launches are in tests/studies."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.stopping import stop_engine
from tests.workflows.conftest import everything
from tests.workflows.told import completed, end, of_kind, printed
from workflows import embedded, events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform

QUICK: dict[str, Any] = {"epochs": 60, "patience": 0, "seeds": 2}
LONG: dict[str, Any] = {"epochs": 5000, "patience": 0, "seeds": 1}


def until_epoch(run: runs.Run, seconds: float = 120) -> list[events.Event]:
    """The events up to the first epoch of the training job."""
    seen = []
    for event in runs.follow(run, timeout=seconds):
        seen.append(event)
        if isinstance(event, events.Metric) and event.name == "train:loss":
            return seen
    raise AssertionError(f"no epoch was seen: {seen[-1]} {run.log.read_text()[-2000:]}")


def test_a_killed_run_is_resumed_and_finds_its_training_job_again(on_engine: Path) -> None:
    run = runs.start("moons", {"epochs": 120, "patience": 0, "seeds": 1}, interface="low")
    seen = until_epoch(run)
    os.kill(runs.read(run.folder).pid, signal.SIGKILL)
    rest = list(runs.follow(run, offset=len(seen), timeout=60))
    interrupted = end(rest)
    assert interrupted.status == "interrupted"
    assert run.id in interrupted.message
    assert runs.find(run.id).status == "interrupted"
    with (run.work / "test.csv").open("a") as file:
        file.write("1.0,0.0,0.0\n")
    older = runs.read(run.folder)  # as a version wrote it that did not know these parameters
    for name in ("shuffle", "validation-share", "parallel"):
        del older.parameters[name]
    runs.save(older)
    count = len(run.events_file.read_text().splitlines())
    again = runs.resume(run)
    found = list(runs.follow(again, offset=count, timeout=180))
    last = end(found)
    assert last.status == "completed", (last.message, run.log.read_text()[-3000:])
    statuses = {event.step: event.status for event in of_kind(events.StepFinished, found)}
    refused = [event.message for event in of_kind(events.Log, found, "prepare") if event.level == "warning"]
    assert ["test.csv changed since" in message for message in refused] == [True]
    assert statuses["audit"] == statuses["baseline"] == "reused"
    assert statuses["prepare"] == statuses["train"] == statuses["cleanup"] == "done"
    assert any("Found training job" in event.message for event in of_kind(events.Log, found))
    jobs = open_platform(Configuration()).client("sagemaker").list_training_jobs(NameContains=run.id)
    assert len(jobs["TrainingJobSummaries"]) == 1
    assert last.metrics["accuracy"] > 0.86
    assert {"shuffle", "validation-share", "parallel"} <= runs.read(run.folder).parameters.keys()
    with pytest.raises(runs.RunError, match="completed"):
        runs.resume(run)
    assert float(printed(run).rpartition("accuracy=")[2].split()[0]) > 0.86


def test_stopping_a_run_stops_its_job_and_deletes_what_it_made(on_engine: Path) -> None:
    run = runs.start("moons", LONG, interface="low")
    seen = until_epoch(run)
    runs.stop(run)
    last = end(list(runs.follow(run, offset=len(seen), timeout=120)))
    assert last.status == "stopped"
    assert last.left_behind == []
    assert runs.read(run.folder).status == "stopped"
    platform = open_platform(Configuration())
    job = platform.client("sagemaker").describe_training_job(TrainingJobName=run.id)
    assert job["TrainingJobStatus"] == "Stopped"
    listed = platform.client("s3").list_objects_v2(Bucket=platform.bucket, Prefix=f"mlconsole/{run.id}/")
    assert listed["KeyCount"] == 0
    with pytest.raises(runs.RunError, match="not running"):
        runs.stop(run)


def test_stopping_an_interrupted_run_cleans_up_after_it(on_engine: Path) -> None:
    run = runs.start("moons", LONG, interface="low")
    seen = until_epoch(run)
    os.kill(runs.read(run.folder).pid, signal.SIGKILL)
    assert end(list(runs.follow(run, offset=len(seen), timeout=60))).status == "interrupted"
    count = len(run.events_file.read_text().splitlines())
    runs.stop(run)
    last = end(list(runs.follow(run, offset=count, timeout=120)))
    assert last.status == "stopped"
    job = open_platform(Configuration()).client("sagemaker").describe_training_job(TrainingJobName=run.id)
    assert job["TrainingJobStatus"] == "Stopped"
    assert runs.left(runs.read(run.folder)) == []


def test_a_dead_net_waits_for_a_person_and_is_refused(on_engine: Path) -> None:
    dead = {"final-activation": "relu", "hidden": 20, "learning-rate": 1}
    run = runs.start("moons", dead, interface="low", interactive=True)
    found: list[events.Event] = []
    for event in runs.follow(run, timeout=120):
        found.append(event)
        if isinstance(event, events.Question):
            waiting = runs.find(run.id)
            assert waiting.status == "waiting"
            assert waiting.question is not None
            with pytest.raises(runs.RunError, match="no answer"):
                runs.answer(run, event.question, "perhaps")
            with pytest.raises(runs.RunError, match="does not ask 'else'"):
                runs.answer(run, "else", "deploy")
            runs.answer(run, event.question, "refuse")
    last = end(found)
    assert last.status == "refused"
    assert "ln 2 = 0.6931 is what guessing gives" in last.message
    assert "ReLU before the sigmoid: all 600 points get exactly 1/2" in last.message
    given_up = [
        event for event in of_kind(events.Log, found, "train") if "training was given up" in event.message
    ]
    assert [event.level for event in given_up] == ["warning"]
    assert 10 <= last.metrics["epochs"] < 100
    assert of_kind(events.Answered, found)[0].by == "a person"
    assert not [event for event in of_kind(events.ApiCall, found) if event.operation == "CreateEndpoint"]
    assert last.left_behind == []


def test_a_run_outlives_the_death_of_its_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(tmp_path / "engine"))
    try:
        run = runs.start("moons", {"epochs": 120, "patience": 0, "seeds": 1}, interface="low")
        seen = until_epoch(run)
        engine = embedded.connection()
        assert engine is not None
        os.kill(engine.pid, signal.SIGKILL)
        last = end(list(runs.follow(run, offset=len(seen), timeout=120)))
        assert last.status == "completed", (last.message, run.log.read_text()[-3000:])
        revived = embedded.connection()
        assert revived is not None
        assert revived.pid != engine.pid
        assert last.metrics["epochs"] == 120
    finally:
        stop_engine(tmp_path / "engine")


def test_an_unreachable_engine_fails_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(blocked / "engine"))
    run = runs.start("moons", QUICK)
    last = end(everything(run))
    assert last.status == "failed"
    assert last.message.startswith("The embedded SageMaker did not start")
    assert "Traceback" not in last.message
    with pytest.raises(runs.RunError, match="nothing to delete"):
        runs.stop(run)
    runs.delete(run)
    assert not run.folder.exists()


@pytest.mark.slow
def test_the_notebooks_settings_lose_to_the_baseline_and_say_so(on_engine: Path) -> None:
    run = runs.start("moons", interface="low", preset="as-in-notebook")
    found = everything(run)
    last = end(found)
    assert last.status == "refused"
    assert last.metrics["accuracy"] == pytest.approx(0.807, abs=0.02)
    assert last.metrics["lift"] < 0
    table = of_kind(events.Table, found, "evaluate")[0]
    assert ["the notebook's net, as printed there", 0.807, 0.861, 0.791, 53, 18, 11, 68] in table.rows
    (beside,) = [
        item for item in of_kind(events.Table, found, "evaluate") if item.title == "As in the notebook"
    ]
    assert [row[:2] for row in beside.rows][2] == ["accuracy", 0.8067]
    assert abs(beside.rows[3][2] - 0.4225) < 0.02
    overruled = runs.start(
        "moons", interface="low", preset="as-in-notebook", auto_answers={"deploy-anyway": "deploy"}
    )
    hosted = end(everything(overruled))
    assert hosted.status == "completed"
    assert hosted.metrics["accuracy"] == pytest.approx(last.metrics["accuracy"])


def test_nets_are_compared_on_held_out_points_and_only_the_best_is_hosted(on_engine: Path) -> None:
    given = {"widths": "2,20", "epochs": 40, "seeds": 2, "boundary-every": 20}
    found = everything(runs.start("moons", given, interface="low"), 240)
    last = end(found)
    assert last.status == "completed", last.message
    (board,) = [
        item for item in of_kind(events.Table, found, "train") if item.title.startswith("Nets compared")
    ]
    assert [row[0] for row in board.rows] == [20, 2]
    assert board.rows[0][3] < board.rows[1][3]
    assert [row[-1] for row in board.rows] == ["chosen", ""]
    assert "train:loss" not in {event.name for event in of_kind(events.Metric, found)}
    assert {"h2 e40 train:loss", "h20 e40 validation:loss"} <= {
        event.name for event in of_kind(events.Metric, found)
    }
    assert {event.key for event in of_kind(events.Figure, found) if event.key} == {
        "boundary h0002-e0040", "boundary h0020-e0040",
    }  # fmt: skip
    called = [event.operation for event in of_kind(events.ApiCall, found)]
    assert (called.count("CreateTrainingJob"), called.count("CreateEndpoint")) == (2, 1)
    refused = end(everything(runs.start("moons", {"widths": "8,many"}, interface="low")))
    assert refused.status == "failed"
    assert "widths cannot be '8,many': it is whole numbers from 1 to 1024" in refused.message


@pytest.mark.slow
def test_a_stopped_run_can_be_resumed_and_trains_again(on_engine: Path) -> None:
    run = runs.start("moons", {"epochs": 400, "patience": 0}, interface="low")
    seen = until_epoch(run)
    runs.stop(run)
    assert end(list(runs.follow(run, offset=len(seen), timeout=60))).status == "stopped"
    count = len(run.events_file.read_text().splitlines())
    last = end(list(runs.follow(runs.resume(run), offset=count, timeout=180)))
    assert (last.status, last.left_behind) == ("completed", []), last.message
    jobs = open_platform(Configuration()).client("sagemaker").list_training_jobs(NameContains=run.id)
    assert {job["TrainingJobStatus"] for job in jobs["TrainingJobSummaries"]} == {"Stopped", "Completed"}


@pytest.mark.slow
def test_a_kept_endpoint_answers_until_the_run_is_stopped(on_engine: Path) -> None:
    run = runs.start("moons", QUICK, interface="low", keep=True)
    found = everything(run)
    assert end(found).status == "completed"
    assert [event.status for event in of_kind(events.StepFinished, found, "cleanup")] == ["skipped"]
    platform = open_platform(Configuration())
    answer = platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=run.id,
        Body=json.dumps([[0.0, 1.0]]),
        ContentType="application/json",
        Accept="application/json",
    )
    assert json.loads(answer["Body"].read())["predictions"][0] < 0.5
    count = len(run.events_file.read_text().splitlines())
    runs.stop(run)
    last = end(list(runs.follow(run, offset=count, timeout=60)))
    assert (last.status, last.left_behind) == ("completed", [])
    assert last.metrics["accuracy"] > 0.86
    assert platform.client("sagemaker").list_endpoints(NameContains=run.id)["Endpoints"] == []


@pytest.mark.slow
def test_the_sdk_script_of_a_run_runs_as_printed(on_engine: Path) -> None:
    run = runs.start("moons", QUICK, interface="high")
    completed(run)
    assert float(printed(run).rpartition("accuracy=")[2].split()[0]) > 0.86


@pytest.mark.slow
def test_a_low_level_run_completes_undisturbed(on_engine: Path) -> None:
    last = end(everything(runs.start("moons", interface="low")))
    assert last.status == "completed"
    assert last.metrics["accuracy"] >= 0.86
