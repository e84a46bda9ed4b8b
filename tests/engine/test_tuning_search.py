"""How a search goes on: early stopping, Hyperband, completion criteria, warm start, Autotune, retries."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.jobs import channel, fresh, put
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

MINIMIZE = {"Type": "Minimize", "MetricName": "objective"}


def test_early_stopping_stops_what_is_worse_than_the_median(engine: RunningEngine) -> None:
    # One after another, the objective is 0.01 n from the first epoch to the last; the fourth and the fifth are worse than the median.
    slow = definition(engine, static={"epochs": "3", "x": "0.3"}, Environment={"SLEEP": "0.25"})
    grid = [categorical("n", "3", "2", "1", "900", "800", "0")]
    name = tune(
        engine,
        config("Grid", None, 1, *grid, TrainingJobEarlyStoppingType="Auto"),
        TrainingJobDefinition=slow,
    )
    found = finish(engine, name)
    listed = children(engine, name)
    assert [item["TrainingJobStatus"] for item in listed] == ["Completed"] * 3 + ["Stopped"] * 2 + [
        "Completed"
    ]
    assert {item["ObjectiveStatus"] for item in listed} == {"Succeeded"}
    assert found["TrainingJobStatusCounters"] == {
        "Completed": 4, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 2,
    }  # fmt: skip
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"n": "0"}
    for stopped in listed[3:5]:
        printed = jobs.lines(engine, stopped["TrainingJobName"])
        assert not any(line.startswith("epoch=2") for line in printed)


def test_hyperband_stops_losers_at_their_rungs(engine: RunningEngine) -> None:
    slow = definition(engine, static={"epochs": "9"}, Environment={"SLEEP": "0.05"})
    name = tune(
        engine, config("Hyperband", 9, 2, integer("n", 0, 1000), RandomSeed=1), TrainingJobDefinition=slow
    )
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    listed = children(engine, name)
    stopped = [item for item in listed if item["TrainingJobStatus"] == "Stopped"]
    completed = [item for item in listed if item["TrainingJobStatus"] == "Completed"]
    assert len(stopped) + len(completed) == 9
    assert stopped
    # Whoever is the best was never stopped.
    best = min(listed, key=lambda item: int(item["TunedHyperParameters"]["n"]))
    assert best["TrainingJobStatus"] == "Completed"
    assert found["BestTrainingJob"]["TrainingJobName"] == best["TrainingJobName"]


@pytest.mark.parametrize(
    ("criteria", "jobs_run"),
    [
        ({"TargetObjectiveMetricValue": 0.025}, 3),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, 7),
    ],
)
def test_completion_criteria_end_the_search(
    engine: RunningEngine, criteria: dict[str, Any], jobs_run: int
) -> None:
    grid = [categorical("n", "4", "3", "2", "1", "5", "6", "7", "8", "9", "10")]
    name = tune(
        engine,
        config("Grid", None, 1, *grid, TuningJobCompletionCriteria=criteria),
        TrainingJobDefinition=definition(engine, static={"x": "0.3"}),
    )
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert len(children(engine, name)) == jobs_run
    if "BestObjectiveNotImproving" in criteria:
        assert found["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 3


def test_convergence_is_detected_and_ends_the_search(engine: RunningEngine) -> None:
    criteria = {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
    flat = definition(engine, static={"x": "0.3"})
    name = tune(
        engine,
        config("Random", 50, 2, categorical("epochs", *map(str, range(1, 31))), categorical("n", "1", "2"),
               TuningJobCompletionCriteria=criteria, RandomSeed=2),
        TrainingJobDefinition=flat,
    )  # fmt: skip
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert (
        found["TuningJobCompletionDetails"]["ConvergenceDetectedTime"] <= found["HyperParameterTuningEndTime"]
    )
    assert 11 <= len(children(engine, name)) < 50


def test_a_running_tuning_job_ends_at_its_target_and_stops_the_others(
    engine: RunningEngine, tmp_path: Path
) -> None:
    # The second of two waits for a file that never comes; the first reaches the target.
    go = tmp_path / "go"
    several = [
        definition(engine, DefinitionName="quick", TuningObjective=MINIMIZE, static={"x": "0.3"},
                   HyperParameterRanges={"CategoricalParameterRanges": [categorical("n", "0", "1")]}),
        definition(engine, DefinitionName="stuck", TuningObjective=MINIMIZE, static={"x": "0.9"},
                   HyperParameterRanges={"CategoricalParameterRanges": [categorical("n", "5", "6")]},
                   Environment={"GO": str(go)}),
    ]  # fmt: skip
    settings = {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 0.005},
        "RandomSeed": 3,
    }
    name = tune(engine, settings, TrainingJobDefinitions=several)
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"n": "0"}
    by_definition = {
        item["TrainingJobDefinitionName"]: item["TrainingJobStatus"] for item in children(engine, name)
    }
    assert by_definition["stuck"] == "Stopped"


def warm(kind: str, *parents: str) -> dict[str, Any]:
    """A WarmStartConfig."""
    return {
        "WarmStartType": kind,
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent} for parent in parents],
    }


def test_warm_start_takes_over_what_the_parents_found(engine: RunningEngine) -> None:
    data = put(engine, f"{fresh('warm')}/a.csv", "1")
    same = definition(engine, InputDataConfig=[channel(data)])
    grid = [categorical("n", "0", "9"), categorical("x", "0.3", "0.8")]
    parent = tune(engine, config("Grid", None, 2, *grid), TrainingJobDefinition=same)
    best = finish(engine, parent)["BestTrainingJob"]
    settings = config("Random", 2, 2, categorical("n", "5", "6"), categorical("x", "0.5", "0.6"))
    for kind in ("IdenticalDataAndAlgorithm", "TransferLearning"):
        name = tune(engine, settings, TrainingJobDefinition=same, WarmStartConfig=warm(kind, parent))
        found = finish(engine, name)
        assert found["WarmStartConfig"] == warm(kind, parent)
        assert found["BestTrainingJob"]["TrainingJobName"].startswith(name)
        if kind == "TransferLearning":
            assert "OverallBestTrainingJob" not in found
        else:
            overall = found["OverallBestTrainingJob"]
            assert (overall["TrainingJobName"], overall["TuningJobName"]) == (best["TrainingJobName"], parent)

    other = put(engine, f"{fresh('warm')}/a.csv", "1")
    changed = definition(engine, InputDataConfig=[channel(other)])
    with pytest.raises(ClientError, match="Use TransferLearning instead"):
        tune(
            engine,
            settings,
            TrainingJobDefinition=changed,
            WarmStartConfig=warm("IdenticalDataAndAlgorithm", parent),
        )
    finish(
        engine,
        tune(
            engine, settings, TrainingJobDefinition=changed, WarmStartConfig=warm("TransferLearning", parent)
        ),
    )


def test_the_overall_best_outlives_its_tuning_job(engine: RunningEngine, tmp_path: Path) -> None:
    made = definition(engine, Environment={"GO": str(tmp_path / "go")})
    (tmp_path / "go").touch()
    parent = tune(engine, config("Grid", None, 1, categorical("x", "0.3")), TrainingJobDefinition=made)
    best = finish(engine, parent)["BestTrainingJob"]
    (tmp_path / "go").unlink()
    kind = "IdenticalDataAndAlgorithm"
    settings = config("Grid", None, 1, categorical("x", "0.9"))
    name = tune(engine, settings, TrainingJobDefinition=made, WarmStartConfig=warm(kind, parent))
    until(engine, name, lambda found: "OverallBestTrainingJob" in found)
    engine.client("sagemaker").delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=parent)
    (tmp_path / "go").touch()
    overall = finish(engine, name)["OverallBestTrainingJob"]
    assert (overall["TrainingJobName"], overall["TuningJobName"]) == (best["TrainingJobName"], parent)


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_a_warm_started_model_knows_from_the_start_where_it_is_good(engine: RunningEngine, kind: str) -> None:
    items = [continuous("x", 0.0, 1.0), integer("n", 0, 100)]
    parent = tune(engine, config("Random", 12, 2, *items, RandomSeed=4))
    finish(engine, parent)
    name = tune(engine, config("Bayesian", 3, 1, *items, RandomSeed=4), WarmStartConfig=warm(kind, parent))
    finish(engine, name)
    # Without the parent's trials the first ones are spread over the whole range.
    assert all(int(given["n"]) <= 50 for given in tuned(children(engine, name)))


def test_parents_that_a_tuning_job_cannot_start_from(engine: RunningEngine, tmp_path: Path) -> None:
    items = [continuous("x", 0.0, 1.0)]
    parent = tune(engine, config("Random", 1, 1, *items))
    finish(engine, parent)
    running = tune(
        engine,
        config("Random", 1, 1, *items),
        TrainingJobDefinition=definition(engine, Environment={"GO": str(tmp_path / "never")}),
    )
    more = definition(engine, static={"n": "1"})
    cases: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        (config("Random", 1, 1, *items), "nobody", {}),
        (config("Random", 1, 1, *items), running, {}),
        (
            config("Random", 1, 1, *items, HyperParameterTuningJobObjective={**MINIMIZE, "Type": "Maximize"}),
            parent,
            {},
        ),
        (config("Random", 1, 1, *items), parent, {"TrainingJobDefinition": more}),
        (config("Random", 1, 1, categorical("x", "0.1")), parent, {}),
    ]
    said = [
        "doesn't exist",
        "must be in a terminal state",
        "must be the same as",
        "total number of static",
        "type of the tunable",
    ]
    for (settings, name, changes), text in zip(cases, said, strict=True):
        with pytest.raises(ClientError, match=text):
            tune(engine, settings, WarmStartConfig=warm("TransferLearning", name), **changes)
    with pytest.raises(ClientError, match="duplicate parent"):
        tune(engine, config("Random", 1, 1, *items), WarmStartConfig=warm("TransferLearning", parent, parent))
    engine.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=running)
    finish(engine, running)


def test_changes_of_static_hyperparameters_are_counted(engine: RunningEngine) -> None:
    """The guide's example: red and blue become static, and a static red becomes blue, two changes each."""
    colours, x = [str(number) for number in range(8)], continuous("x", 0.0, 1.0)
    parent = tune(
        engine,
        config("Random", 1, 1, x, categorical("n", *colours)),
        TrainingJobDefinition=definition(engine, static={"epochs": "1", "c": "red"}),
    )
    finish(engine, parent)

    def start(**static: str) -> None:
        made = definition(engine, static={"n": "0", "epochs": "1", **static})
        given = warm("TransferLearning", parent)
        finish(
            engine, tune(engine, config("Random", 1, 1, x), TrainingJobDefinition=made, WarmStartConfig=given)
        )

    start(c="blue")
    with pytest.raises(ClientError, match=r"static hyperparameters \[11\].*exceeds the maximum of 10"):
        start(c="blue", epochs="2")


def test_autotune_chooses_ranges_limits_and_criteria(engine: RunningEngine) -> None:
    settings = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": MINIMIZE,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "AutoParameters": [
                {"Name": "x", "ValueHint": "0.2"},
                {"Name": "n", "ValueHint": "8"},
                {"Name": "c", "ValueHint": "b"},
            ]
        },
    }
    name = tune(engine, settings, Autotune={"Mode": "Enabled"})
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    chosen = found["HyperParameterTuningJobConfig"]
    [x] = chosen["ParameterRanges"]["ContinuousParameterRanges"]
    [n] = chosen["ParameterRanges"]["IntegerParameterRanges"]
    assert (float(x["MinValue"]), float(x["MaxValue"]), x["ScalingType"]) == (0.05, 0.8, "Logarithmic")
    assert (n["MinValue"], n["MaxValue"]) == ("2", "32")
    assert found["TrainingJobDefinition"]["StaticHyperParameters"]["c"] == "b"
    assert chosen["TuningJobCompletionCriteria"] == {
        "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}
    }
    assert chosen["TrainingJobEarlyStoppingType"] == "Auto"
    assert found["TrainingJobDefinition"]["RetryStrategy"] == {"MaximumRetryAttempts": 3}
    assert found["Autotune"] == {"Mode": "Enabled"}


def test_an_internal_error_costs_no_configuration(engine: RunningEngine, tmp_path: Path) -> None:
    go = tmp_path / "go"
    name = tune(
        engine,
        config("Random", 2, 1),
        TrainingJobDefinition=definition(engine, Environment={"GO": str(go)}),
    )
    until(engine, name, lambda _: len(children(engine, name)) == 1)
    [first] = children(engine, name)
    jobs.until_line(engine, first["TrainingJobName"], "epoch=1")
    shim = json.loads((engine.data_dir / "jobs" / first["TrainingJobName"] / "shim.json").read_text())
    os.kill(shim["pid"], signal.SIGKILL)
    go.touch()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["RetryableError"] == 1
    assert found["TrainingJobStatusCounters"]["Completed"] == 2
    listed = children(engine, name)
    assert listed[0]["FailureReason"].startswith("InternalServerError")
    assert listed[0]["TunedHyperParameters"] == listed[1]["TunedHyperParameters"]
    assert listed[1]["TunedHyperParameters"] != listed[2]["TunedHyperParameters"]
