"""Tuning against ``kill -9``: the search goes on where it was, no training is lost and none is run twice."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.tuning import (
    categorical,
    children,
    config,
    continuous,
    definition,
    finish,
    integer,
    tune,
    tuned,
    until,
)

Start = Callable[..., RunningEngine]


def names(engine: RunningEngine) -> list[str]:
    """All training jobs of an engine."""
    pages = engine.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return sorted(item["TrainingJobName"] for page in pages for item in page["TrainingJobSummaries"])


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_killing_the_engine_loses_and_repeats_no_training(start_engine: Start, strategy: str) -> None:
    engine = start_engine()
    items = [continuous("x", 0.0, 1.0), integer("n", 0, 10)]
    quick = definition(engine, static={"epochs": "3"}, Environment={"SLEEP": "0.05"})
    name = tune(engine, config(strategy, 8, 2, *items, RandomSeed=6), TrainingJobDefinition=quick)
    for round_ in range(2):
        until(
            engine,
            name,
            lambda found, least=round_: found["ObjectiveStatusCounters"]["Succeeded"] > 2 * least,
        )
        before = {item["TrainingJobName"]: item["TunedHyperParameters"] for item in children(engine, name)}
        engine.kill()
        engine = start_engine()
        after = {item["TrainingJobName"]: item["TunedHyperParameters"] for item in children(engine, name)}
        assert before.items() <= after.items()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    listed = children(engine, name)
    assert [item["TrainingJobName"].split("-")[-2] for item in listed] == [f"{n:03d}" for n in range(1, 9)]
    assert {item["ObjectiveStatus"] for item in listed} == {"Succeeded"}
    assert len({tuple(item.items()) for item in tuned(listed)}) == 8
    assert names(engine) == sorted(item["TrainingJobName"] for item in listed)
    if strategy == "Random":
        # The seed's sequence was not disturbed either.
        again = tune(engine, config(strategy, 8, 2, *items, RandomSeed=6), TrainingJobDefinition=quick)
        finish(engine, again)
        assert tuned(children(engine, again)) == tuned(listed)


def test_a_kill_at_any_moment_of_the_start_leaves_a_whole_tuning_job(start_engine: Start) -> None:
    engine = start_engine()
    grid = [categorical("n", *map(str, range(6)))]
    name = ""
    for round_ in range(4):
        name = tune(engine, config("Grid", None, 2, *grid))
        time.sleep(0.01 * round_)
        engine.kill()
        engine = start_engine()
        found = finish(engine, name)
        assert found["HyperParameterTuningJobStatus"] == "Completed"
        assert [item["n"] for item in tuned(children(engine, name))] == [str(n) for n in range(6)]
    assert len(names(engine)) == 24


def test_a_stop_goes_on_after_a_kill(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    stuck = definition(engine, Environment={"GO": str(tmp_path / "never")})
    name = tune(engine, config("Random", 10, 2), TrainingJobDefinition=stuck)
    until(engine, name, lambda _: len(children(engine, name)) == 2)
    engine.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    engine.kill()
    engine = start_engine()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert {item["TrainingJobStatus"] for item in children(engine, name)} == {"Stopped"}


def test_the_advisor_does_not_outlive_a_killed_engine(start_engine: Start) -> None:
    engine = start_engine()
    items = [continuous("x", 0.0, 1.0)]
    name = tune(engine, config("Bayesian", 6, 1, *items))

    running: list[psutil.Process] = []

    def advising(_: object) -> bool:
        for process in psutil.Process(engine.process.pid).children():
            with contextlib.suppress(psutil.Error):  # one that has just ended
                if "engine.tuning.advisor" in process.cmdline():
                    running.append(process)
        return bool(running)

    until(engine, name, advising)
    engine.kill()
    _, alive = psutil.wait_procs(running, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    engine = start_engine()
    assert finish(engine, name)["HyperParameterTuningJobStatus"] == "Completed"


def test_early_stopping_decides_on_what_was_logged_before_a_kill(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    go.touch()
    own = definition(
        engine,
        static={"x": "0.3", "epochs": "2"},
        Environment={"GO": str(go), "SLEEP": "0.1"},
    )
    grid = [categorical("n", "1", "2", "3", "0", "900")]
    name = tune(
        engine,
        config("Grid", None, 1, *grid, TrainingJobEarlyStoppingType="Auto"),
        TrainingJobDefinition=own,
    )
    until(engine, name, lambda found: found["TrainingJobStatusCounters"]["Completed"] >= 3)
    go.unlink()
    until(engine, name, lambda _: len(children(engine, name)) >= 4)
    engine.kill()
    engine = start_engine()
    go.touch()
    finish(engine, name)
    assert [item["TrainingJobStatus"] for item in children(engine, name)] == ["Completed"] * 4 + ["Stopped"]


def test_the_longest_runtime_ends_the_search(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine()
    go = tmp_path / "go"
    go.touch()
    own = definition(engine, Environment={"GO": str(go)})
    settings = config("Random", None, 1)
    settings["ResourceLimits"]["MaxRuntimeInSeconds"] = 3600
    name = tune(engine, settings, TrainingJobDefinition=own)
    until(engine, name, lambda found: found["ObjectiveStatusCounters"]["Succeeded"] >= 1)
    go.unlink()
    engine.kill()
    # An hour later.
    with contextlib.closing(sqlite3.connect(engine.data_dir / "store.db")) as store, store:
        where = ("hyper-parameter-tuning-job", name)
        [text] = store.execute("SELECT document FROM resources WHERE kind=? AND name=?", where).fetchone()
        document = json.loads(text)
        document["CreationTime"] -= 3600
        store.execute(
            "UPDATE resources SET document=? WHERE kind=? AND name=?", (json.dumps(document), *where)
        )
    engine = start_engine()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["ConsumedResources"]["RuntimeInSeconds"] >= 3600
    assert children(engine, name)[-1]["TrainingJobStatus"] in ("Stopped", "Completed")
    assert all(item["TrainingJobStatus"] != "InProgress" for item in children(engine, name))


def test_a_damaged_record_fails_its_tuning_job_and_not_the_engine(
    start_engine: Start, tmp_path: Path
) -> None:
    engine = start_engine()
    own = definition(engine, Environment={"GO": str(tmp_path / "never")})
    name = tune(engine, config("Random", 2, 1), TrainingJobDefinition=own)
    engine.kill()
    with contextlib.closing(sqlite3.connect(engine.data_dir / "store.db")) as store, store:
        where = ("hyper-parameter-tuning-job", name)
        [text] = store.execute("SELECT document FROM resources WHERE kind=? AND name=?", where).fetchone()
        document = json.loads(text)
        del document["_seed"]
        store.execute(
            "UPDATE resources SET document=? WHERE kind=? AND name=?", (json.dumps(document), *where)
        )
    engine = start_engine()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert "its record cannot be read" in found["FailureReason"]
