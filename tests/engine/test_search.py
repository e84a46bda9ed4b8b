"""Search: expressions against documents, and the operation over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from engine.services.sagemaker.search import holds
from tests.engine import jobs
from tests.engine.conftest import RunningEngine, engine_process

JOB: dict[str, Any] = {
    "TrainingJobName": "moons-1",
    "TrainingJobStatus": "Completed",
    "CreationTime": 1_700_000_000.0,
    "BillableTimeInSeconds": 42,
    "EnableManagedSpotTraining": False,
    "HyperParameters": {"lr": "0.01", "net.hidden": "32", "optimizer": "adam"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train"}}},
        {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/test"}}},
    ],
    "FinalMetricDataList": [{"MetricName": "test:accuracy", "Value": 0.93}],
    "Tags": [{"Key": "team", "Value": "blue"}, {"Key": "a.b", "Value": "dotted"}],
}


def one(name: str, operator: str | None, value: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": name}
    if operator is not None:
        found["Operator"] = operator
    if value is not None:
        found["Value"] = value
    return found


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("TrainingJobName", None, "moons-1", True),
        ("TrainingJobName", "Equals", "moons", False),
        ("TrainingJobName", "Contains", "oon", True),
        ("TrainingJobName", "NotEquals", "moons-1", False),
        ("TrainingJobName", "In", "x, moons-1", True),
        ("TrainingJobName", "In", "x,y", False),
        ("HyperParameters.lr", "LessThan", "0.1", True),
        ("HyperParameters.lr", "GreaterThan", "0.1", False),
        ("HyperParameters.net.hidden", "GreaterThanOrEqualTo", "32", True),
        ("HyperParameters.optimizer", "Exists", None, True),
        ("HyperParameters.momentum", "Exists", None, False),
        ("HyperParameters.momentum", "NotExists", None, True),
        ("HyperParameters.momentum", "NotEquals", "0.9", True),
        ("BillableTimeInSeconds", "LessThanOrEqualTo", "42", True),
        ("BillableTimeInSeconds", "LessThan", "9", False),
        ("Metrics.test:accuracy", "GreaterThan", "0.9", True),
        ("Metrics.test:loss", "GreaterThan", "0", False),
        ("Tags.team", "Equals", "blue", True),
        ("Tags.a.b", "Equals", "dotted", True),
        ("EnableManagedSpotTraining", "Equals", "false", True),
        ("EnableManagedSpotTraining", "Equals", "true", False),
        ("CreationTime", "GreaterThan", "2023-11-14T22:13:19", True),
        ("CreationTime", "LessThan", "2023-11-14T22:13:19Z", False),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "test", True),
        ("ResourceConfig.InstanceType", "Equals", "ml.m5.large", True),
    ],
)
def test_one_filter(name: str, operator: str | None, value: str | None, expected: bool) -> None:
    assert holds({"Filters": [one(name, operator, value)]}, JOB) is expected


def test_nested_filters_hold_for_one_element_together() -> None:
    def nested(channel: str, uri: str) -> dict[str, Any]:
        filters = [
            one("InputDataConfig.ChannelName", "Equals", channel),
            one("InputDataConfig.DataSource.S3DataSource.S3Uri", "Equals", uri),
        ]
        return {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters}]}

    assert holds(nested("train", "s3://b/train"), JOB)
    assert not holds(nested("train", "s3://b/test"), JOB)


@given(st.lists(st.booleans(), max_size=5), st.sampled_from(["And", "Or", None]), st.integers(0, 3))
def test_operators_join_as_logic_does(parts: list[bool], operator: str | None, depth: int) -> None:
    expression: dict[str, Any] = {
        "Filters": [one("TrainingJobName", "Equals", "moons-1" if part else "other") for part in parts]
    }
    if operator is not None:
        expression["Operator"] = operator
    expected = True if not parts else any(parts) if operator == "Or" else all(parts)
    for _ in range(depth):
        expression = {"SubExpressions": [expression]}
    assert holds(expression, JOB) is expected


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """Five jobs with losses 4, 3, 2, 1, 0 and learning rates 0.0 to 0.4; the last one is tagged."""
    with engine_process(tmp_path_factory.mktemp("search") / "data") as running:
        for number in range(5):
            name = jobs.submit(
                running,
                f"print('loss={4 - number}')",
                name=f"run-{number}",
                hyperparameters={"lr": str(number / 10)},
                metrics={"loss": "loss=([0-9]+)"},
                Tags=[{"Key": "best", "Value": "yes"}] if number == 4 else [],
            )
            jobs.finish(running, name)
        yield running


def names(answer: dict[str, Any]) -> list[str]:
    return [item["TrainingJob"]["TrainingJobName"] for item in answer["Results"]]


def test_jobs_are_found_sorted_and_counted(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    found = client.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [one("Metrics.loss", "LessThan", "3")]},
        SortBy="Metrics.loss",
        SortOrder="Ascending",
    )
    assert names(found) == ["run-4", "run-3", "run-2"]
    assert found["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
    assert found["Results"][0]["TrainingJob"]["Tags"] == [{"Key": "best", "Value": "yes"}]
    assert names(client.search(Resource="TrainingJob"))[0] == "run-4"
    tagged = {"Filters": [one("Tags.best", "Exists")]}
    assert names(client.search(Resource="TrainingJob", SearchExpression=tagged)) == ["run-4"]


def test_pages_follow_each_other(engine: RunningEngine) -> None:
    pages = (
        engine.client("sagemaker")
        .get_paginator("search")
        .paginate(
            Resource="TrainingJob",
            SortBy="HyperParameters.lr",
            SortOrder="Ascending",
            PaginationConfig={"PageSize": 2},
        )
    )
    assert [names(page) for page in pages] == [["run-0", "run-1"], ["run-2", "run-3"], ["run-4"]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Resource": "Experiment"}, "Search of Experiment is not offered"),
        (
            {"Resource": "TrainingJob", "SearchExpression": {"Filters": [one("Nonsense", "Exists")]}},
            "Unknown property name: 'Nonsense'",
        ),
        (
            {"Resource": "TrainingJob", "SearchExpression": {"Filters": [one("TrainingJobName", "Equals")]}},
            "needs a Value",
        ),
        (
            {
                "Resource": "TrainingJob",
                "SearchExpression": {"Filters": [one("TrainingJobName", "Exists", "x")]},
            },
            "cannot be specified",
        ),
        ({"Resource": "TrainingJob", "SortBy": "Colour"}, "Unknown property name: 'Colour'"),
        ({"Resource": "TrainingJob", "NextToken": "forged"}, "token"),
    ],
)
def test_what_cannot_be_searched_is_named(
    engine: RunningEngine, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        engine.client("sagemaker").search(**parameters)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]
