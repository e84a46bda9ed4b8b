"""CloudWatch metrics through boto3, in the JSON and in the query protocol."""

from __future__ import annotations

import math
import random
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine

# The begin of a minute of some time ago, so that no data point slips into another period while a test runs.
BEGIN = datetime.fromtimestamp(int(time.time()) // 3600 * 3600 - 3600, UTC)
HOUR = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(hours=1)}


@pytest.fixture(scope="module")
def cloudwatch(engine: RunningEngine) -> Any:
    return engine.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Test/{uuid4().hex[:12]}"


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    code: str = caught.value.response["Error"]["Code"]
    return code


def put(cloudwatch: Any, namespace: str, name: str, second: float, value: float, **more: Any) -> None:
    datum = {"MetricName": name, "Timestamp": BEGIN + timedelta(seconds=second), "Value": value, **more}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def query(
    namespace: str, name: str, stat: str, identity: str = "q", period: int = 60, **more: Any
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": more.pop("Dimensions", [])}
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def test_periods_follow_each_other_from_the_start_time_on(cloudwatch: Any, namespace: str) -> None:
    """One period as long as the window is the window; what was put before it is not in it."""
    for second, value in ((0, 100.0), (420, 1.0), (899, 2.0), (900, 3.0), (1319, 4.0), (1320, 100.0)):
        put(cloudwatch, namespace, "m", second, value)
    begin, end = BEGIN + timedelta(seconds=420), BEGIN + timedelta(seconds=1320)
    window = {"StartTime": begin + timedelta(seconds=12), "EndTime": end}
    filled = {"Id": "f", "Expression": "FILL(few, 0)"}
    asked = [query(namespace, "m", "Sum", "whole", 900), query(namespace, "m", "Sum", "few", 300), filled]
    whole, few, full = cloudwatch.get_metric_data(
        MetricDataQueries=asked, ScanBy="TimestampAscending", **window
    )["MetricDataResults"]
    assert (whole["Timestamps"], whole["Values"]) == ([begin], [10.0])
    assert few["Values"] == [1.0, 5.0, 4.0]
    assert full["Timestamps"] == [begin + timedelta(seconds=300 * place) for place in range(3)]
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="m", Period=900, Statistics=["Maximum"], **window
    )["Datapoints"]
    assert [(point["Timestamp"], point["Maximum"]) for point in points] == [(begin, 4.0)]


def test_statistics_of_one_metric(cloudwatch: Any, namespace: str) -> None:
    for second, value in ((0, 1.0), (59.9, 3.0), (60, 5.0), (300, 7.0)):
        put(cloudwatch, namespace, "m", second, value, Unit="Seconds")
    put(cloudwatch, namespace, "m", 0, 100.0, Unit="Count")
    about = {"Namespace": namespace, "MetricName": "m", **HOUR}
    every = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    got = cloudwatch.get_metric_statistics(**about, Period=60, Statistics=every, Unit="Seconds")
    assert got["Label"] == "m"
    first = got["Datapoints"][0]
    assert first == {
        "Timestamp": BEGIN,
        "SampleCount": 2.0,
        "Sum": 4.0,
        "Average": 2.0,
        "Minimum": 1.0,
        "Maximum": 3.0,
        "Unit": "Seconds",
    }
    assert [point["Timestamp"] for point in got["Datapoints"]] == [
        BEGIN + timedelta(minutes=minute) for minute in (0, 1, 5)
    ]
    extended = cloudwatch.get_metric_statistics(**about, Period=3600, ExtendedStatistics=["p50", "tm99"])
    assert {point["Unit"]: point["ExtendedStatistics"]["p50"] for point in extended["Datapoints"]} == {
        "Seconds": 4.0,
        "Count": 100.0,
    }
    statistics = cloudwatch.get_metric_statistics
    assert statistics(**{**about, "MetricName": "none"}, Period=60, Statistics=["Sum"])["Datapoints"] == []
    assert refusal(statistics, **about, Period=61, Statistics=["Sum"]) == "InvalidParameterValue"
    assert refusal(statistics, **about, Period=60) == "InvalidParameterCombination"
    assert refusal(statistics, **about, Period=1, Statistics=["Sum"]) == "InvalidParameterCombination"
    assert refusal(statistics, **about, Period=60, ExtendedStatistics=["p101"]) == "InvalidParameterValue"
    turned = {**about, "EndTime": BEGIN}
    assert refusal(statistics, **turned, Period=60, Statistics=["Sum"]) == "InvalidParameterValue"


def test_values_with_counts_and_statistic_sets(cloudwatch: Any, namespace: str) -> None:
    moment = {"MetricName": "m", "Timestamp": BEGIN, "Unit": "Milliseconds"}
    data = [
        {**moment, "Values": [1.0, 2.0, 3.0], "Counts": [2, 1, 1]},
        {
            **moment,
            "MetricName": "set",
            "StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4},
        },
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries = [
        query(namespace, "m", "Average", "a"),
        query(namespace, "m", "p75", "b"),
        query(namespace, "set", "Average", "c"),
        query(namespace, "set", "p50", "d"),
    ]
    got = cloudwatch.get_metric_data(MetricDataQueries=queries, **HOUR)["MetricDataResults"]
    assert [result["Values"] for result in got] == [[1.75], [2.25], [2.5], []]
    assert [result["Label"] for result in got] == ["m Average", "m p75", "set Average", "set p50"]


def test_many_percentiles_are_right_to_one_percent(cloudwatch: Any, namespace: str) -> None:
    source = random.Random(5)
    values = [source.lognormvariate(3, 1.5) for _ in range(3000)]
    for start in range(0, len(values), 150):
        datum = {
            "MetricName": "m",
            "Timestamp": BEGIN + timedelta(seconds=start % 60),
            "Values": values[start : start + 150],
        }
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    ordered = sorted(values)
    names = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
    queries = [query(namespace, "m", name, f"q{i}") for i, name in enumerate(names)]
    got = cloudwatch.get_metric_data(MetricDataQueries=queries, **HOUR)["MetricDataResults"]
    for result, fraction in zip(got, names.values(), strict=True):
        rank = fraction * (len(ordered) - 1)
        assert ordered[math.floor(rank)] * 0.99 <= result["Values"][0] <= ordered[math.ceil(rank)] * 1.0101


def test_orders_pages_and_periods(cloudwatch: Any, namespace: str) -> None:
    for second in range(0, 600, 10):
        put(cloudwatch, namespace, "m", second, second, StorageResolution=1)
    for period, count in ((1, 60), (10, 60), (30, 20), (60, 10), (300, 2)):
        got = cloudwatch.get_metric_data(
            MetricDataQueries=[query(namespace, "m", "Sum", period=period)], **HOUR
        )
        (result,) = got["MetricDataResults"]
        assert len(result["Values"]) == count
        assert sum(result["Values"]) == sum(range(0, 600, 10))
        assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
        assert all(int(moment.timestamp()) % period == 0 for moment in result["Timestamps"])
    queries = [query(namespace, "m", "Sum", "a", 60), query(namespace, "m", "Maximum", "b", 60)]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, ScanBy="TimestampAscending", MaxDatapoints=7, **HOUR
    )
    found: dict[str, list[datetime]] = {"a": [], "b": []}
    for page in pages:
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 7
        for result in page["MetricDataResults"]:
            found[result["Id"]] += result["Timestamps"]
    assert found["a"] == found["b"] == [BEGIN + timedelta(minutes=minute) for minute in range(10)]


def test_expressions_and_labels(cloudwatch: Any, namespace: str) -> None:
    for second, errors, calls in ((0, 1.0, 10.0), (60, 0.0, 20.0), (120, 3.0, 30.0)):
        put(cloudwatch, namespace, "errors", second, errors)
        put(cloudwatch, namespace, "calls", second, calls)
    queries = [
        query(namespace, "errors", "Sum", "m1", ReturnData=False),
        query(namespace, "calls", "Sum", "m2", Label="calls, at most ${MAX} per ${PROP('Period')} s"),
        {"Id": "rate", "Expression": "100 * m1 / m2", "Label": "error rate"},
        {"Id": "twice", "Expression": "rate * 2"},
    ]
    got = cloudwatch.get_metric_data(MetricDataQueries=queries, ScanBy="TimestampAscending", **HOUR)
    results = {result["Id"]: result for result in got["MetricDataResults"]}
    assert set(results) == {"m2", "rate", "twice"}
    assert results["rate"]["Values"] == [10.0, 0.0, 10.0]
    assert results["twice"]["Values"] == [20.0, 0.0, 20.0]
    assert results["rate"]["Label"] == "error rate"
    assert results["m2"]["Label"] == "calls, at most 30 per 60 s"
    data = cloudwatch.get_metric_data
    for wrong in (
        [{"Id": "a", "Expression": "SEARCH('x', 'Sum', 60)"}],
        [{"Id": "a", "Expression": "a + 1"}],
        [{"Id": "a", "Expression": "1 + 1"}],
        [{"Id": "A", "Expression": "1"}],
        [query(namespace, "calls", "Sum"), query(namespace, "calls", "Sum")],
        [query(namespace, "calls", "p200")],
        [{"Id": "a"}],
    ):
        assert refusal(data, MetricDataQueries=wrong, **HOUR) == "ValidationError"


def test_listing(cloudwatch: Any, namespace: str) -> None:
    def dimensions(**pairs: str) -> list[dict[str, str]]:
        return [{"Name": name, "Value": value} for name, value in pairs.items()]

    put(cloudwatch, namespace, "a", 0, 1, Dimensions=dimensions(Endpoint="e", Variant="v1"))
    put(cloudwatch, namespace, "a", 0, 1, Dimensions=dimensions(Variant="v2", Endpoint="e"), Unit="Count")
    put(cloudwatch, namespace, "a", 0, 1, Dimensions=dimensions(Endpoint="e", Variant="v2"))
    put(cloudwatch, namespace, "b", 0, 1)

    def listed(**filters: Any) -> list[tuple[str, list[str]]]:
        metrics = cloudwatch.list_metrics(Namespace=namespace, **filters)["Metrics"]
        return [(item["MetricName"], [pair["Value"] for pair in item["Dimensions"]]) for item in metrics]

    assert listed() == [("a", ["e", "v1"]), ("a", ["e", "v2"]), ("b", [])]
    assert listed(MetricName="b") == [("b", [])]
    assert listed(Dimensions=dimensions(Variant="v2")) == [("a", ["e", "v2"])]
    assert len(listed(Dimensions=[{"Name": "Endpoint"}], RecentlyActive="PT3H")) == 2
    exact = query(namespace, "a", "Sum", Dimensions=dimensions(Endpoint="e"))
    got = cloudwatch.get_metric_data(MetricDataQueries=[exact], **HOUR)["MetricDataResults"]
    assert got[0]["Values"] == []
    for start in range(0, 600, 300):
        data = [{"MetricName": f"many{start + i:03d}", "Value": 1.0} for i in range(300)]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 103]


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 7}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": datetime.now(UTC) + timedelta(hours=3)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": datetime.now(UTC) - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "1"}] * 2}, "InvalidParameterValue"),
    ],
)
def test_data_that_is_refused(cloudwatch: Any, namespace: str, datum: dict[str, Any], code: str) -> None:
    data = [{"MetricName": "good", "Value": 1.0}, {"MetricName": "m", **datum}]
    assert refusal(cloudwatch.put_metric_data, Namespace=namespace, MetricData=data) == code
    assert cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []
    reserved = {"Namespace": "AWS/SageMaker", "MetricData": data[:1]}
    assert refusal(cloudwatch.put_metric_data, **reserved) == "InvalidParameterValue"


def test_the_query_protocol(engine: RunningEngine, cloudwatch: Any, namespace: str) -> None:
    """What botocore sent before it changed to JSON, and what other clients still send."""

    def call(**form: str) -> ElementTree.Element:
        body = urlencode({"Version": "2010-08-01", **form}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest("POST", engine.url + "/", headers=headers, data=body)
        told = engine.connection
        SigV4Auth(Credentials(told.access_key, told.secret_key), "monitoring", told.region).add_auth(request)
        plain = urllib.request.Request(engine.url + "/", body, dict(request.headers.items()), method="POST")
        with urllib.request.urlopen(plain) as answer:
            return ElementTree.fromstring(answer.read())

    stamp = BEGIN.strftime("%Y-%m-%dT%H:%M:%SZ")
    datum = "MetricData.member.1."
    call(
        Action="PutMetricData",
        Namespace=namespace,
        **{
            datum + "MetricName": "m",
            datum + "Timestamp": stamp,
            datum + "Value": "2.5",
            datum + "Unit": "Count",
            datum + "Dimensions.member.1.Name": "d",
            datum + "Dimensions.member.1.Value": "1",
        },
    )
    name = {"n": "{http://monitoring.amazonaws.com/doc/2010-08-01/}"}["n"]
    listed = call(Action="ListMetrics", Namespace=namespace)
    assert [item.text for item in listed.iter(f"{name}MetricName")] == ["m"]
    got = call(
        Action="GetMetricStatistics",
        Namespace=namespace,
        MetricName="m",
        StartTime=stamp,
        EndTime=(BEGIN + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        Period="60",
        **{"Dimensions.member.1.Name": "d", "Dimensions.member.1.Value": "1", "Statistics.member.1": "Sum"},
    )
    assert [item.text for item in got.iter(f"{name}Sum")] == ["2.5"]
    assert [item.text for item in got.iter(f"{name}Timestamp")] == [stamp]


def test_data_survives_restart_and_kill(start_engine: Callable[..., RunningEngine]) -> None:
    running = start_engine()
    put(running.client("cloudwatch"), "N", "m", 0, 4.0)
    running.stop()
    running = start_engine()
    put(running.client("cloudwatch"), "N", "m", 0, 6.0)
    deadline = time.monotonic() + 60
    journals = running.data_dir / "metrics"
    while (
        not any(path.stat().st_size for path in journals.glob("journal-*.bin"))
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    running.kill()
    cloudwatch = start_engine().client("cloudwatch")
    got = cloudwatch.get_metric_data(MetricDataQueries=[query("N", "m", "p50")], **HOUR)
    assert got["MetricDataResults"][0]["Values"] == [5.0]
