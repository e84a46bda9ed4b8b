"""Alarms over real HTTP: put, described, judged by real data, set, deleted; what they tell of themselves, and restarts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from engine.protocol import cbor
from tests.engine.deploying import refused, unique, wait_for
from tests.engine.raw import signed

if TYPE_CHECKING:
    from tests.engine.conftest import RunningEngine


@pytest.fixture
def cloudwatch(engine: RunningEngine) -> Any:
    return engine.client("cloudwatch")


def put(cloudwatch: Any, name: str, **options: Any) -> str:
    """An alarm on the average of the metric of its own name in ten seconds being above 10."""
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Test",
            "MetricName": name,
            "Statistic": "Average",
            "Period": 10,
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
    name = put(cloudwatch, unique("alarm"), DatapointsToAlarm=1, TreatMissingData="ignore")
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
    data = json.loads(raised["StateReasonData"])
    assert (data["recentDatapoints"], data["threshold"], data["period"]) == ([12.0], 10.0, 10)
    emit(cloudwatch, name, 2.0, 2.0)
    assert "was not greater than" in reaches(cloudwatch, name, "OK")["StateReason"]
    cloudwatch.delete_alarms(AlarmNames=[name, "none"])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
    summaries = [item["HistorySummary"] for item in history(cloudwatch, name)]
    assert summaries == [
        f'Alarm "{name}" deleted',
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f'Alarm "{name}" created',
    ]


def history(cloudwatch: Any, name: str, **options: Any) -> list[dict[str, Any]]:
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName=name, PaginationConfig={"PageSize": 2}, **options
    )
    return [item for page in pages for item in page["AlarmHistoryItems"]]


def test_missing_data_is_treated_as_asked(cloudwatch: Any) -> None:
    bad = put(cloudwatch, unique("alarm"), TreatMissingData="breaching", EvaluationPeriods=2)
    good = put(cloudwatch, unique("alarm"), TreatMissingData="notBreaching")
    text = "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."
    assert reaches(cloudwatch, bad, "ALARM")["StateReason"] == text
    assert reaches(cloudwatch, good, "OK")["StateReason"].endswith(
        "1 missing datapoint was treated as [NonBreaching]."
    )


def test_a_percentile_of_one_unit_is_watched(cloudwatch: Any) -> None:
    name = unique("alarm")
    data = [{"MetricName": name, "Value": 2.0, "Unit": "Count"}] * 9
    cloudwatch.put_metric_data(
        Namespace="Test", MetricData=[*data, {"MetricName": name, "Value": 99.0, "Unit": "Seconds"}]
    )
    for unit in ("Count", "Seconds"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{name}-{unit}", Namespace="Test", MetricName=name, ExtendedStatistic="p90", Unit=unit,
            Period=60, EvaluationPeriods=1, Threshold=10.0, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    reaches(cloudwatch, f"{name}-Seconds", "ALARM")
    reaches(cloudwatch, f"{name}-Count", "OK")


def test_a_state_can_be_set(cloudwatch: Any) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:topic"
    name = put(
        cloudwatch, unique("alarm"), AlarmActions=[topic], OKActions=[topic], TreatMissingData="ignore"
    )
    cloudwatch.set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData='{"by":"hand"}'
    )
    found = described(cloudwatch, name)
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "a drill")
    assert found["StateTransitionedTimestamp"] == found["StateUpdatedTimestamp"]
    cloudwatch.disable_alarm_actions(AlarmNames=[name, "none"])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="over")
    assert described(cloudwatch, name)["ActionsEnabled"] is False
    (action,) = history(cloudwatch, name, HistoryItemType="Action")
    assert action["HistorySummary"].startswith(f"Failed to execute action {topic}. Received error: ")
    assert json.loads(action["HistoryData"])["notificationResource"] == topic
    changes = history(cloudwatch, name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    assert [json.loads(item["HistoryData"]) for item in changes[:2]] == [
        {
            "version": "1.0",
            "oldState": {
                "stateValue": "INSUFFICIENT_DATA",
                "stateReason": "Unchecked: Initial alarm creation",
            },
            "newState": {
                "stateValue": "ALARM",
                "stateReason": "a drill",
                "stateReasonData": {"by": "hand"},
            },
        },
        {
            "version": "1.0",
            "oldState": {
                "stateValue": "ALARM",
                "stateReason": "a drill",
                "stateReasonData": {"by": "hand"},
            },
            "newState": {"stateValue": "OK", "stateReason": "over"},
        },
    ]
    refused(
        "ResourceNotFound", cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x"
    )
    wrong = {"AlarmName": name, "StateValue": "OK", "StateReason": "x", "StateReasonData": "{"}
    refused("InvalidFormat", cloudwatch.set_alarm_state, **wrong)


def test_an_update_keeps_the_state_and_the_tags(cloudwatch: Any) -> None:
    name = put(cloudwatch, unique("alarm"), Tags=[{"Key": "team", "Value": "a"}], TreatMissingData="ignore")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    put(cloudwatch, name, Threshold=5.0, AlarmDescription="new", Tags=[], TreatMissingData="ignore")
    found = described(cloudwatch, name)
    assert (found["StateValue"], found["Threshold"], found["AlarmDescription"]) == ("ALARM", 5.0, "new")
    arn = found["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team", "none"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "b"}]
    refused("ResourceNotFoundException", cloudwatch.list_tags_for_resource, ResourceARN=arn + "x")
    first, second = history(cloudwatch, name, HistoryItemType="ConfigurationUpdate")
    assert json.loads(first["HistoryData"])["updatedAlarm"]["threshold"] == 5.0
    assert json.loads(second["HistoryData"])["type"] == "Create"


def test_filters_and_pages(cloudwatch: Any) -> None:
    prefix = unique("filtered")
    action = f"arn:aws:sns:us-east-1:123456789012:{prefix}"
    dimensions = [{"Name": "EndpointName", "Value": prefix}]
    names = [
        put(
            cloudwatch, f"{prefix}-{number}", MetricName=prefix, Dimensions=dimensions if number else [],
            TreatMissingData="ignore", OKActions=[action] if number == 2 else [],
        )
        for number in range(5)
    ]  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=names[3], StateValue="OK", StateReason="so")

    def found(**options: Any) -> list[str]:
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            PaginationConfig={"PageSize": 2}, **options
        )
        return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]

    assert found(AlarmNamePrefix=prefix) == names
    assert found(AlarmNames=[names[4], names[1], "none"]) == [names[1], names[4]]
    assert found(AlarmNamePrefix=prefix, StateValue="OK") == [names[3]]
    assert found(ActionPrefix=action) == [names[2]]
    assert found(AlarmNamePrefix=prefix, AlarmTypes=["CompositeAlarm"]) == []
    assert found(AlarmNamePrefix=prefix, AlarmTypes=["CompositeAlarm", "MetricAlarm"]) == names
    for more, wanted in ({}, names[1:]), ({"Period": 60}, []), ({"Statistic": "Average"}, names[1:]):
        answer = cloudwatch.describe_alarms_for_metric(
            Namespace="Test", MetricName=prefix, Dimensions=dimensions, **more
        )
        assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == wanted
    both = {"AlarmNames": names, "AlarmNamePrefix": prefix}
    refused("ValidationError", cloudwatch.describe_alarms, **both)
    refused("InvalidNextToken", cloudwatch.describe_alarms, NextToken="x")
    cloudwatch.delete_alarms(AlarmNames=names)


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"Period": 45}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "ValidationError", "across more than a day"),
        ({"Period": 86400, "EvaluationPeriods": 8}, "ValidationError", "across more than a week"),
        ({"DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm must be less"),
        ({"ExtendedStatistic": "p90"}, "InvalidParameterCombination", "mutually exclusive"),
        ({"Statistic": None}, "MissingParameter", "Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "ValidationError", "p101"),
        ({"Threshold": None}, "MissingParameter", "Threshold"),
        ({"MetricName": None}, "MissingParameter", "MetricName"),
        ({"TreatMissingData": "good"}, "ValidationError", "Option good is not supported"),
        ({"Threshold": float("nan")}, "ValidationError", "nan for parameter Threshold is not a number"),
        ({"AlarmActions": ["topic"]}, "ValidationError", "Invalid arn syntax: topic"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "ValidationError", "anomaly detection"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "ValidationError", "percentiles only"),
        ({"Metrics": [{"Id": "a", "Expression": "1"}]}, "ValidationError", "metric math"),
        ({"EvaluationWindow": {"WallClockWindow": {}}}, "ValidationError", "wall clock"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "ValidationError", "reserved"),
    ],
)
def test_what_is_refused(cloudwatch: Any, options: dict[str, Any], code: str, text: str) -> None:
    whole = {
        "AlarmName": unique("alarm"), "Namespace": "Test", "MetricName": "m", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", **options,
    }  # fmt: skip
    given = {name: value for name, value in whole.items() if value is not None}
    assert text in refused(code, cloudwatch.put_metric_alarm, **given)
    assert cloudwatch.describe_alarms(AlarmNames=[whole["AlarmName"]])["MetricAlarms"] == []


def test_composite_alarms_are_refused(cloudwatch: Any) -> None:
    text = refused("ValidationError", cloudwatch.put_composite_alarm, AlarmName="c", AlarmRule="ALARM(x)")
    assert "no composite alarms" in text


def test_the_other_two_protocols(engine: RunningEngine, cloudwatch: Any) -> None:
    name = unique("alarm")
    form = {
        "Action": "PutMetricAlarm", "Version": "2010-08-01", "AlarmName": name, "Namespace": "Test", "MetricName": name,
        "Statistic": "Sum", "Period": "60", "EvaluationPeriods": "1", "Threshold": "1.5",
        "ComparisonOperator": "LessThanThreshold", "AlarmActions.member.1": "arn:aws:sns:us-east-1:1:t",
        "Dimensions.member.1.Name": "a", "Dimensions.member.1.Value": "b",
    }  # fmt: skip

    def query(form: dict[str, str]) -> ElementTree.Element:
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = urlencode(form).encode()
        answer = signed(engine.connection, "POST", "/", scope="monitoring", headers=headers, body=body)
        assert answer.status == 200, answer.body
        return ElementTree.fromstring(answer.body)

    query(form)
    told = query({"Action": "DescribeAlarms", "Version": "2010-08-01", "AlarmNames.member.1": name})
    space = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
    (member,) = told.findall(f".//{space}MetricAlarms/{space}member")
    assert [member.findtext(space + key) for key in ("AlarmName", "Threshold", "StateValue")] == [
        name,
        "1.5",
        "INSUFFICIENT_DATA",
    ]
    answer = signed(
        engine.connection,
        "POST",
        "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
        scope="monitoring",
        headers={"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"},
        body=cbor.encode({"AlarmNames": [name]}),
    )
    (alarm,) = cbor.decode(answer.body)["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["Dimensions"]) == (name, [{"Name": "a", "Value": "b"}])


def test_states_and_history_survive(start_engine: Callable[..., RunningEngine]) -> None:
    engine = start_engine()
    cloudwatch = engine.client("cloudwatch")
    kept = put(cloudwatch, "kept", TreatMissingData="ignore")
    cloudwatch.set_alarm_state(AlarmName=kept, StateValue="ALARM", StateReason="a drill")
    before, told = described(cloudwatch, kept), history(cloudwatch, kept)
    engine.kill()
    engine = start_engine()
    cloudwatch = engine.client("cloudwatch")
    assert described(cloudwatch, kept) == before
    assert history(cloudwatch, kept) == told
    emit(cloudwatch, kept, 1.0)
    assert "[1.0 (" in reaches(cloudwatch, kept, "OK")["StateReason"]
