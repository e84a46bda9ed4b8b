"""Hyperparameter tuning jobs over the wire: create, describe, list, stop, delete, and what becomes of their training jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.jobs import fresh
from tests.engine.tuning import (
    METRICS,
    categorical,
    children,
    config,
    continuous,
    definition,
    finish,
    integer,
    ranges,
    tune,
    tuned,
    until,
)


def objective(given: dict[str, str]) -> float:
    """What the tests' script ends with."""
    extra = {"a": 0.0, "b": 0.5}.get(given.get("c", "a"), 1.0)
    return (float(given.get("x", 0)) - 0.3) ** 2 + 0.01 * int(given.get("n", 0)) + extra


def counted(engine: RunningEngine, name: str) -> int:
    """How many of its training jobs run."""
    return sum(item["TrainingJobStatus"] in ("InProgress", "Stopping") for item in children(engine, name))


def test_a_random_search_from_request_to_best_training_job(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    items = [continuous("x", 0.0, 1.0), integer("n", 0, 10), categorical("c", "a", "b")]
    name = tune(engine, config("Random", 5, 2, *items), Tags=[{"Key": "team", "Value": "blue"}])
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"] == {
        "Completed": 5, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    assert found["CreationTime"] < found["HyperParameterTuningEndTime"] <= found["LastModifiedTime"]
    assert found["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"
    listed = children(engine, name)
    assert [item["TrainingJobName"][:-8] for item in listed] == [f"{name}-{n:03d}-" for n in range(1, 6)]
    assert len({tuple(item["TunedHyperParameters"].items()) for item in listed}) == 5
    for item in listed:
        final = item["FinalHyperParameterTuningJobObjectiveMetric"]
        assert (final["MetricName"], final["Type"]) == ("objective", "Minimize")
        # The last value, not the first or the least.
        assert final["Value"] == pytest.approx(objective(item["TunedHyperParameters"]))
        assert item["ObjectiveStatus"] == "Succeeded"
    best = min(listed, key=lambda item: item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    assert found["BestTrainingJob"] == best
    assert "OverallBestTrainingJob" not in found

    job = client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    static = found["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static["_tuning_objective_metric"] == "objective"
    assert job["HyperParameters"] == {**static, **best["TunedHyperParameters"]}
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [
        *METRICS, {"Name": "ObjectiveMetric", "Regex": METRICS[0]["Regex"]},
    ]  # fmt: skip
    final_metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert final_metrics["ObjectiveMetric"] == final_metrics["objective"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(
        f"/{best['TrainingJobName']}/output/model.tar.gz"
    )
    assert client.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "blue"}]
    everything = client.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert {item["TrainingJobName"] for item in everything} == {item["TrainingJobName"] for item in listed}


def test_the_same_seed_tries_the_same_configurations(engine: RunningEngine) -> None:
    items = [continuous("x", 0.001, 1.0), integer("n", 0, 10)]
    seen = []
    for seed in (11, 11, 12):
        name = tune(engine, config("Random", 3, 2, *items, RandomSeed=seed))
        finish(engine, name)
        seen.append(tuned(children(engine, name)))
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_a_grid_tries_everything_once(engine: RunningEngine) -> None:
    items = [categorical("c", "a", "b"), categorical("n", "1", "2", "3")]
    name = tune(engine, config("Grid", None, 2, *items))
    found = finish(engine, name)
    assert found["TrainingJobStatusCounters"]["Completed"] == 6
    expected = [{"c": c, "n": n} for c in "ab" for n in "123"]
    assert tuned(children(engine, name)) == expected
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"c": "a", "n": "1"}


def test_a_bayesian_search_asks_its_advisor(engine: RunningEngine) -> None:
    items = [continuous("x", 0.0, 1.0), integer("n", 0, 10)]
    name = tune(engine, config("Bayesian", 9, 2, *items, RandomSeed=3))
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    listed = tuned(children(engine, name))
    assert len({tuple(item.items()) for item in listed}) == 9
    # Four of nine see a spread first; the model then finds out that small n are good.
    assert found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] < 0.05


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_run_at_once_than_allowed(engine: RunningEngine, tmp_path: Path, parallel: int) -> None:
    go = tmp_path / "go"
    name = tune(
        engine,
        config("Random", 5, parallel),
        TrainingJobDefinition=definition(engine, Environment={"GO": str(go)}),
    )
    until(engine, name, lambda found: found["TrainingJobStatusCounters"]["InProgress"] == parallel)
    found = until(engine, name, lambda found: counted(engine, name) == parallel)
    assert found["HyperParameterTuningJobStatus"] == "InProgress"
    assert found["ObjectiveStatusCounters"]["Pending"] == parallel
    go.touch()
    finish(engine, name)
    listed = children(engine, name)
    for item in listed:
        running = [
            other for other in listed
            if other["CreationTime"] <= item["CreationTime"] < other["TrainingEndTime"]
        ]  # fmt: skip
        assert len(running) <= parallel


def test_stopping_stops_the_training_jobs_and_keeps_the_best(engine: RunningEngine, tmp_path: Path) -> None:
    client = engine.client("sagemaker")
    go = tmp_path / "go"
    go.touch()
    name = tune(
        engine,
        config("Random", 50, 2),
        TrainingJobDefinition=definition(engine, Environment={"GO": str(go)}),
    )
    until(engine, name, lambda found: found["ObjectiveStatusCounters"]["Succeeded"] >= 2)
    go.unlink()
    with pytest.raises(ClientError, match="cannot be deleted"):
        client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    try:
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    except ClientError as error:
        # While it stops it accepts; it may have stopped by now.
        assert "is in status Stopped" in str(error)
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert found["BestTrainingJob"]["ObjectiveStatus"] == "Succeeded"
    assert found["TrainingJobStatusCounters"]["InProgress"] == 0
    listed = children(engine, name)
    assert len(listed) < 50
    assert {item["TrainingJobStatus"] for item in listed} <= {"Completed", "Stopped"}
    with pytest.raises(ClientError, match="is in status Stopped"):
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_a_deleted_tuning_job_leaves_its_training_jobs(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = tune(engine, config("Random", 1, 1), Tags=[{"Key": "a", "Value": "b"}])
    arn = finish(engine, name)["HyperParameterTuningJobArn"]
    [child] = children(engine, name)
    client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(ClientError) as raised:
        client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert raised.value.response["Error"]["Code"] == "ResourceNotFound"
    assert f"can't find a tuning job called {name}" in str(raised.value)
    assert client.describe_training_job(TrainingJobName=child["TrainingJobName"])["TuningJobArn"] == arn
    assert tune(engine, config("Random", 1, 1), name) == name
    assert client.list_tags(ResourceArn=arn)["Tags"] == []
    finish(engine, name)


@pytest.mark.parametrize(
    "call",
    ["describe_hyper_parameter_tuning_job", "stop_hyper_parameter_tuning_job", "delete_hyper_parameter_tuning_job",
     "list_training_jobs_for_hyper_parameter_tuning_job"],
)  # fmt: skip
def test_tuning_jobs_that_are_not_there(engine: RunningEngine, call: str) -> None:
    with pytest.raises(ClientError, match="can't find a tuning job called nobody") as raised:
        getattr(engine.client("sagemaker"), call)(HyperParameterTuningJobName="nobody")
    assert raised.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_name_is_taken_once(engine: RunningEngine) -> None:
    name = tune(engine, config("Random", 1, 1))
    with pytest.raises(ClientError, match="already exists") as raised:
        tune(engine, config("Random", 1, 1), name)
    assert raised.value.response["Error"]["Code"] == "ResourceInUse"
    finish(engine, name)


def test_of_creates_at_once_one_wins_and_keeps_its_tags(engine: RunningEngine) -> None:
    name, made, client = fresh("t")[:32], definition(engine), engine.client("sagemaker")

    def create(number: int) -> int | None:
        try:
            client.create_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=name,
                HyperParameterTuningJobConfig=config("Random", 1, 1),
                TrainingJobDefinition=made,
                Tags=[{"Key": "number", "Value": str(number)}],
            )
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceInUse"
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        (winner,) = [number for number in pool.map(create, range(8)) if number is not None]
    found = finish(engine, name)
    child = children(engine, name)[0]
    for arn in (found["HyperParameterTuningJobArn"], child["TrainingJobArn"]):
        assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "number", "Value": str(winner)}]


def test_when_all_fail_the_tuning_job_fails(engine: RunningEngine) -> None:
    broken = definition(engine, Environment={"FAIL": "out of luck"})
    name = tune(engine, config("Random", 3, 2), TrainingJobDefinition=broken)
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("All training jobs failed.")
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 3
    assert found["ObjectiveStatusCounters"]["Failed"] == 3
    assert "BestTrainingJob" not in found
    for item in children(engine, name):
        assert (item["TrainingJobStatus"], item["ObjectiveStatus"]) == ("Failed", "Failed")
        assert "out of luck" in item["FailureReason"]


def test_a_tuning_job_without_any_success_gives_up_after_five(engine: RunningEngine) -> None:
    broken = definition(engine, Environment={"FAIL": "out of luck"})
    name = tune(engine, config("Random", 100, 1), TrainingJobDefinition=broken)
    found = finish(engine, name)
    assert found["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert len(children(engine, name)) == 5


def test_without_metric_lines_there_is_no_objective(engine: RunningEngine) -> None:
    silent = definition(engine, Environment={"SILENT": "1"})
    name = tune(engine, config("Random", 2, 2), TrainingJobDefinition=silent)
    found = finish(engine, name)
    assert found["FailureReason"].startswith("No objective metrics found after running 2 training jobs.")
    assert found["TrainingJobStatusCounters"]["Completed"] == 2
    for item in children(engine, name):
        assert (item["TrainingJobStatus"], item["ObjectiveStatus"]) == ("Completed", "Failed")
        assert "FinalHyperParameterTuningJobObjectiveMetric" not in item


def test_a_training_job_that_a_person_stops_is_one_of_many(engine: RunningEngine, tmp_path: Path) -> None:
    client = engine.client("sagemaker")
    go = tmp_path / "go"
    name = tune(
        engine,
        config("Random", 3, 1),
        TrainingJobDefinition=definition(engine, Environment={"GO": str(go)}),
    )
    [first] = until_children(engine, name, 1)
    jobs.until_line(engine, first["TrainingJobName"], "epoch=1")
    client.stop_training_job(TrainingJobName=first["TrainingJobName"])
    go.touch()
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Stopped"] == 1
    [stopped] = children(engine, name, StatusEquals="Stopped")
    assert stopped["TrainingJobName"] == first["TrainingJobName"]
    assert stopped["ObjectiveStatus"] == "Succeeded"


def until_children(engine: RunningEngine, name: str, count: int) -> list[dict[str, Any]]:
    """The training jobs of a tuning job once there are so many."""
    found: list[dict[str, Any]] = []

    def enough(_: object) -> bool:
        found[:] = children(engine, name)
        return len(found) >= count

    until(engine, name, enough)
    return found


def test_lists_of_training_jobs_sort_filter_and_page(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = tune(engine, config("Random", 5, 2, continuous("x", 0.0, 1.0), RandomSeed=5))
    finish(engine, name)

    def values(**options: Any) -> list[Any]:
        return [
            item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
            for item in children(engine, name, **options)
        ]

    ascending = values(SortBy="FinalObjectiveMetricValue")
    assert ascending == sorted(ascending)
    assert values(SortBy="FinalObjectiveMetricValue", SortOrder="Descending") == ascending[::-1]
    paged = values(SortBy="FinalObjectiveMetricValue", PaginationConfig={"PageSize": 2})
    assert paged == ascending
    names = [item["TrainingJobName"] for item in children(engine, name)]
    assert names == sorted(names)
    for sort_by in ("Name", "CreationTime", "Status"):
        found = children(
            engine, name, SortBy=sort_by, SortOrder="Descending", PaginationConfig={"PageSize": 2}
        )
        assert [item["TrainingJobName"] for item in found] == names[::-1]
    assert children(engine, name, StatusEquals="Failed") == []
    page = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=2
    )
    with pytest.raises(ClientError, match="pagination token"):
        client.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, SortBy="Status", NextToken=page["NextToken"]
        )


def test_lists_of_tuning_jobs_sort_filter_and_page(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    prefix = fresh("l")[:24]
    for index, strategy in ((2, "Random"), (1, "Random"), (3, "Grid")):
        grid = strategy == "Grid"
        items = [categorical("c", "a")] if grid else [continuous("x", 0.0, 1.0)]
        finish(engine, tune(engine, config(strategy, None if grid else 1, 1, *items), f"{prefix}-{index}"))

    def names(**options: Any) -> list[str]:
        pages = client.get_paginator("list_hyper_parameter_tuning_jobs").paginate(
            NameContains=prefix, **options
        )
        found = [item for page in pages for item in page["HyperParameterTuningJobSummaries"]]
        return [item["HyperParameterTuningJobName"][-1] for item in found]

    assert names() == ["1", "2", "3"]
    assert names(SortOrder="Descending", PaginationConfig={"PageSize": 1}) == ["3", "2", "1"]
    assert names(SortBy="CreationTime") == ["2", "1", "3"]
    assert names(SortBy="Status") == ["1", "2", "3"]
    assert names(StatusEquals="Completed", PaginationConfig={"PageSize": 2}) == ["1", "2", "3"]
    assert names(StatusEquals="Failed") == []
    second = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=f"{prefix}-1")
    assert names(CreationTimeAfter=second["CreationTime"]) == ["3"]
    assert names(CreationTimeBefore=second["CreationTime"]) == ["2"]
    assert names(LastModifiedTimeAfter=second["LastModifiedTime"]) == ["3"]
    [summary] = client.list_hyper_parameter_tuning_jobs(NameContains=f"{prefix}-1")[
        "HyperParameterTuningJobSummaries"
    ]
    for key in ("HyperParameterTuningJobArn", "HyperParameterTuningEndTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters"):  # fmt: skip
        assert summary[key] == second[key]
    assert summary["Strategy"] == "Random"
    assert summary["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}


def test_tuning_jobs_can_be_searched_for(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = tune(engine, config("Random", 1, 1), Tags=[{"Key": "project", "Value": fresh("p")}])
    arn = finish(engine, name)["HyperParameterTuningJobArn"]
    [tag] = client.list_tags(ResourceArn=arn)["Tags"]
    filters = [
        {"Name": "Tags.project", "Operator": "Equals", "Value": tag["Value"]},
        {"Name": "HyperParameterTuningJobConfig.Strategy", "Operator": "Equals", "Value": "Random"},
    ]
    found = client.search(Resource="HyperParameterTuningJob", SearchExpression={"Filters": filters})
    [result] = found["Results"]
    assert result["HyperParameterTuningJob"]["HyperParameterTuningJobName"] == name
    assert result["HyperParameterTuningJob"]["BestTrainingJob"]["ObjectiveStatus"] == "Succeeded"


def test_several_algorithms_share_one_budget(engine: RunningEngine) -> None:
    wanted = {"Type": "Minimize", "MetricName": "objective"}
    several = [
        definition(engine, DefinitionName="first", TuningObjective=wanted,
                   HyperParameterRanges=ranges(continuous("x", 0.0, 1.0))),
        definition(engine, DefinitionName="second", TuningObjective=wanted, static={"c": "b"},
                   HyperParameterRanges=ranges(integer("n", 0, 5))),
    ]  # fmt: skip
    settings = {
        key: value for key, value in config("Random", 5, 2).items()
        if key not in ("ParameterRanges", "HyperParameterTuningJobObjective")
    }  # fmt: skip
    name = tune(engine, settings, TrainingJobDefinitions=several)
    found = finish(engine, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    listed = children(engine, name)
    assert [item["TrainingJobDefinitionName"] for item in listed] == [
        "first",
        "second",
        "first",
        "second",
        "first",
    ]
    assert [set(item["TunedHyperParameters"]) for item in listed] == [{"x"}, {"n"}, {"x"}, {"n"}, {"x"}]
    assert found["BestTrainingJob"]["TrainingJobDefinitionName"] == "first"
    assert [item["DefinitionName"] for item in found["TrainingJobDefinitions"]] == ["first", "second"]


def test_a_child_has_a_resource_config_whatever_the_definition_has(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    for given in (
        {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 7},
        {
            "AllocationStrategy": "Prioritized",
            "InstanceConfigs": [
                {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 7},
                {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 9},
            ],
        },
    ):
        flexible = definition(engine, ResourceConfig=None, HyperParameterTuningResourceConfig=given)
        name = tune(engine, config("Random", 1, 1), TrainingJobDefinition=flexible)
        found = finish(engine, name)
        assert found["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] == given
        best = found["BestTrainingJob"]["TrainingJobName"]
        resources = client.describe_training_job(TrainingJobName=best)["ResourceConfig"]
        assert resources == {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 7}
