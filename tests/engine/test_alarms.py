"""Alarms over real HTTP: put, described, judged by real data, set, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.deploying import refused, unique, wait_for

if TYPE_CHECKING:
    from tests.engine.conftest import RunningEngine


@pytest.fixture
def cloudwatch(engine: RunningEngine) -> Any:
    return engine.client("cloudwatch")


def put(cloudwatch: Any, name: str, **options: Any) -> str:
    """An alarm on the average of metric `name` in a minute being above 10."""
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Test",
            "MetricName": name,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **options,
        }
    )
    return name


def emit(cloudwatch: Any, name: str, *values: float) -> None:
    cloudwatch.put_metric_data(
        Namespace="Test", MetricData=[{"MetricName": name, "Value": value} for value in values]
    )


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return found


def reaches(cloudwatch: Any, name: str, state: str) -> dict[str, Any]:
    found = wait_for(lambda: (d := described(cloudwatch, name))["StateValue"] == state and d, 120)
    assert isinstance(found, dict)
    return found


def test_an_alarm_follows_its_metric(cloudwatch: Any) -> None:
    name = put(cloudwatch, unique("alarm"), DatapointsToAlarm=1)
    new = described(cloudwatch, name)
    assert (new["StateValue"], new["StateReason"]) == (
        "INSUFFICIENT_DATA",
        "Unchecked: Initial alarm creation",
    )
    emit(cloudwatch, name, 12.0)
    raised = reaches(cloudwatch, name, "ALARM")
    assert raised["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [12.0 (")
    assert raised["StateReason"].endswith(
        ")] was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    emit(cloudwatch, name, 2.0)
    assert "[7.0 (" in reaches(cloudwatch, name, "OK")["StateReason"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_a_state_can_be_set(cloudwatch: Any) -> None:
    name = put(cloudwatch, unique("alarm"))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    found = described(cloudwatch, name)
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "a drill")
    assert found["StateTransitionedTimestamp"] == found["StateUpdatedTimestamp"]
    refused(
        "ResourceNotFound", cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x"
    )
    refused(
        "InvalidFormat",
        cloudwatch.set_alarm_state,
        AlarmName=name,
        StateValue="OK",
        StateReason="x",
        StateReasonData="{",
    )
