"""What is observed of an endpoint against answers that no service gives on demand: fleets, shadows, captures, alarms, scaling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.scripted import Scripted, moment
from workflows import weights
from workflows.budget import PACES
from workflows.observe import alarms, captures, endpoints, metrics, scaling
from workflows.observe.rows import EndpointDetail, EndpointRow, Meter, VariantRow
from workflows.pollers import poller
from workflows.problem import Problem
from workflows.topics import endpoint_metrics, endpoint_scaling


def variant(name: str, weight: float, **more: Any) -> dict[str, Any]:
    return {"VariantName": name, "CurrentWeight": weight, "DesiredWeight": weight, "CurrentInstanceCount": 1, "DesiredInstanceCount": 1, **more}  # fmt: skip


def account(**more: Any) -> Scripted:
    """An endpoint with two variants, a shadow, and a green fleet beside it."""
    described = {
        "EndpointName": "e",
        "EndpointConfigName": "blue",
        "EndpointStatus": "Updating",
        "ProductionVariants": [variant("a", 3.0), variant("b", 1.0)],
        "ShadowProductionVariants": [variant("s", 2.0)],
        "PendingDeploymentSummary": {
            "EndpointConfigName": "green",
            "StartTime": moment(50),
            "ProductionVariants": [
                variant("a", 3.0, InstanceType="ml.m5.large", VariantStatus=[{"Status": "Baking", "StatusMessage": "for 60 seconds"}]),
                variant("b", 1.0),
            ],
        },
    }  # fmt: skip
    config = {
        "EndpointConfigName": "blue",
        "ProductionVariants": [
            {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
            {"VariantName": "b", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}},
        ],
        "ShadowProductionVariants": [{"VariantName": "s", "ModelName": "m", "InstanceType": "ml.m5.large"}],
    }  # fmt: skip
    return Scripted(
        **{"describe_endpoint": lambda **_: described, "describe_endpoint_config": lambda **_: config} | more
    )


def test_fleets_and_shadows_are_told_apart() -> None:
    found = endpoints.describe(account(), "e")
    assert [(item.name, item.share, item.memory) for item in found.variants] == [
        ("a", 0.75, 0),
        ("b", 0.25, 2048),
    ]
    assert [(item.name, item.share) for item in found.shadows] == [("s", 0.5)]
    assert found.pending is not None
    assert (found.pending.config, found.pending.started) == ("green", 50)
    assert (found.pending.variants[0].status, found.pending.variants[0].message) == (
        "Baking",
        "for 60 seconds",
    )
    assert found.instances == (("ml.m5.large", 3),)  # both fleets and the shadow are billed
    assert found.meters == (
        Meter("a"), Meter("b"), Meter("s", shadow=True),
        Meter("a", "blue"), Meter("b", "blue"), Meter("a", "green"), Meter("b", "green"),
    )  # fmt: skip


def test_all_metrics_of_all_fleets_come_from_one_call() -> None:
    def data(**parameters: Any) -> dict[str, Any]:
        found = []
        for query in parameters["MetricDataQueries"]:
            stat = query["MetricStat"]
            told = {item["Name"]: item["Value"] for item in stat["Metric"]["Dimensions"]}
            name = stat["Metric"]["MetricName"]
            value = {"Invocations": 4.0, "InvocationModelErrors": 3.0}.get(name, 1.0)
            if told.get("EndpointConfigName") == "blue":
                value = 0.0
            found.append({"Id": query["Id"], "Timestamps": [moment(60)], "Values": [value]})
        return {"MetricDataResults": found}

    gateway = account(get_metric_data=data)
    poll = poller(endpoint_metrics("e"), None, PACES["aws"])
    traffic = poll.poll(gateway, lambda _: None, 1000.0)
    assert gateway.count("get_metric_data") == 1
    assert [(one.variant, one.config, one.shadow) for one in traffic.variants][:4] == [
        ("a", "", False),
        ("b", "", False),
        ("s", "", True),
        ("a", "blue", False),
    ]
    whole, green = traffic.variants[0], traffic.variants[-1]
    assert (whole.invocations, whole.errors_5xx, whole.model_errors, whole.failed) == (4, 1, 3, 4)
    assert whole.latency_p90 == pytest.approx(0.001)
    assert (green.config, green.invocations) == ("green", 4)
    assert {one.config for one in traffic.series} == {"", "blue", "green"}
    for _ in range(4):
        poll.poll(gateway, lambda _: None, 1001.0)
    assert gateway.count("describe_endpoint") == 1
    assert gateway.count("describe_endpoint_config") == 1
    assert metrics.MOST_QUERIES >= 12 * 7


# --- alarms and scaling


def alarm(name: str, **more: Any) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "a"}]
    return {
        "AlarmName": name, "StateValue": "OK", "MetricName": "ModelLatency", "ExtendedStatistic": "p99", "Period": 60,
        "Dimensions": dimensions, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 100000.0,
        "ComparisonOperator": "GreaterThanThreshold", **more,
    }  # fmt: skip


def test_alarms_are_found_by_their_dimensions_also_within_metric_math() -> None:
    math = {
        "AlarmName": "math", "StateValue": "INSUFFICIENT_DATA", "EvaluationPeriods": 1, "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Metrics": [
            {"Id": "rate", "Expression": "errors / calls"},
            {"Id": "errors", "MetricStat": {"Stat": "Sum", "Period": 60, "Metric": {
                "MetricName": "Invocation5XXErrors", "Dimensions": [{"Name": "EndpointName", "Value": "e"}]}}},
        ],
    }  # fmt: skip
    elsewhere = alarm("other", Dimensions=[{"Name": "EndpointName", "Value": "e2"}])
    firing = alarm(
        "fires",
        StateValue="ALARM",
        StateReasonData=json.dumps({"recentDatapoints": [1.0, None, 3.0]}),
        StateUpdatedTimestamp=moment(7),
    )
    pages = [{"MetricAlarms": [alarm("fine"), elsewhere], "NextToken": "t"}, {"MetricAlarms": [math, firing]}]
    gateway = Scripted(describe_alarms=lambda **asked: pages[1 if "NextToken" in asked else 0])
    found = alarms.of_endpoint(gateway, "e")
    assert [row.name for row in found] == ["fires", "math", "fine"]
    assert (found[0].value, found[0].updated, found[0].variant) == (3.0, 7.0, "a")
    assert found[0].condition == "p99 > 100000 in 2 of 3 periods of 60 s"
    assert (found[1].metric, found[1].condition) == ("Invocation5XXErrors", "Sum ≥ 0.1 for 1 period of 60 s")
    assert found[2].value is None


@pytest.mark.parametrize("told", ["", "not json", "[]", '{"recentDatapoints": "x"}'])
def test_a_state_without_readable_data_has_no_value(told: str) -> None:
    gateway = Scripted(describe_alarms=lambda **_: {"MetricAlarms": [alarm("x", StateReasonData=told)]})
    assert alarms.of_endpoint(gateway, "e")[0].value is None


def test_where_nothing_is_scaled_one_call_tells_it() -> None:
    gateway = account(describe_scalable_targets=lambda **_: {"ScalableTargets": []})
    poll = poller(endpoint_scaling("e"), None, PACES["aws"])
    assert poll.poll(gateway, lambda _: None, 0.0) == scaling.EndpointScaling()
    assert [method for method, _ in gateway.calls if "scal" in method] == ["describe_scalable_targets"]


def test_scaling_is_told_per_variant() -> None:
    target = {"ResourceId": "endpoint/e/variant/a", "MinCapacity": 1, "MaxCapacity": 4, "SuspendedState": {"DynamicScalingInSuspended": True}}  # fmt: skip
    policy = {
        "PolicyName": "p", "PolicyType": "TargetTrackingScaling", "ResourceId": "endpoint/e/variant/a",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70.0, "ScaleOutCooldown": 60,
            "CustomizedMetricSpecification": {"MetricName": "CPUUtilization"}},
        "Alarms": [{"AlarmName": "high"}],
    }  # fmt: skip
    done = {"ResourceId": "endpoint/e/variant/a", "StatusCode": "Failed", "Description": "Setting", "StatusMessage": "no"}  # fmt: skip
    gateway = Scripted(
        describe_scalable_targets=lambda **_: {"ScalableTargets": [target]},
        describe_scaling_policies=lambda **_: {"ScalingPolicies": [policy]},
        describe_scaling_activities=lambda **_: {
            "ScalingActivities": [done | {"StartTime": moment(5)}, done | {"StartTime": moment(9)}]
        },
    )
    found = scaling.of_endpoint(gateway, "e", ["a", "b"])
    assert (found.targets[0].variant, found.targets[0].suspended) == ("a", ("scaling in",))
    assert (found.policies[0].metric, found.policies[0].target) == ("CPUUtilization", 70.0)
    assert (found.policies[0].scale_in_cooldown, found.policies[0].scale_out_cooldown) == (None, 60)
    assert [item.started for item in found.activities] == [9, 5] and not found.more


def test_activities_and_changes_that_are_left_out_are_told() -> None:
    target = {"ResourceId": "endpoint/e/variant/a", "MinCapacity": 1, "MaxCapacity": 4}
    done = {"ResourceId": "endpoint/e/variant/a", "StatusCode": "Successful", "StartTime": moment(5)}
    change = {"Timestamp": moment(7), "HistoryItemType": "StateUpdate", "HistorySummary": "Alarm updated"}

    def activities(MaxResults: int, NextToken: str = "", **_: Any) -> Any:
        return {"ScalingActivities": [done] * MaxResults} | ({} if NextToken else {"NextToken": "t"})

    gateway = Scripted(
        describe_scalable_targets=lambda **_: {"ScalableTargets": [target]},
        describe_scaling_policies=lambda **_: {"ScalingPolicies": []},
        describe_scaling_activities=activities,
        describe_alarm_history=lambda MaxRecords, **_: {
            "AlarmHistoryItems": [change] * MaxRecords, "NextToken": "t"},
    )  # fmt: skip
    scaled = scaling.of_endpoint(gateway, "e", ["a"])
    assert [method for method, _ in gateway.calls].count("describe_scaling_activities") == 1
    assert len(scaled.activities) == scaling.MOST_ACTIVITIES and scaled.more
    changes = alarms.history(gateway, "fires")
    assert len(changes.changes) == alarms.MOST_CHANGES and changes.more


# --- captures


class Stored:
    """Objects by key, listed as S3 lists them."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.read: list[str] = []

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        prefix = asked["Prefix"]
        below = [key for key in sorted(self.objects) if key.startswith(prefix)]
        folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in below if "/" in key[len(prefix) :]}  # fmt: skip
        files = [key for key in below if "/" not in key[len(prefix) :]]
        return {
            "CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)],
            "Contents": [{"Key": key, "Size": len(self.objects[key])} for key in files],
        }

    def get_object(self, **asked: Any) -> dict[str, Any]:
        import io

        self.read.append(asked["Key"])
        body = self.objects[asked["Key"]]
        return {"Body": io.BytesIO(body), "ContentLength": len(body)}


def line(event: str, second: int, data: str = "1,2", encoding: str = "CSV") -> bytes:
    side = {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": encoding}
    meta = {"eventId": event, "inferenceTime": f"2027-01-15T07:59:{second:02d}Z"}
    return (
        json.dumps({"captureData": {"endpointInput": side}, "eventMetadata": meta, "eventVersion": "0"})
        + "\n"
    ).encode()


def test_captures_come_newest_first_over_variants_and_folders_and_in_pages() -> None:
    stored = Stored(
        {
            "c/e/a/2027/01/14/23/59-00.jsonl": line("old", 1),
            "c/e/a/2027/01/15/07/10-00.jsonl": line("a1", 10) + line("a2", 11),
            "c/e/b/2027/01/15/07/20-00.jsonl": line("b1", 20) + line("b2", 21),
            "c/e/b/2027/01/15/07/readme.txt": b"not a capture",
        }
    )
    config = {"DataCaptureConfig": {"EnableCapture": True, "DestinationS3Uri": "s3://bucket/c/", "InitialSamplingPercentage": 50, "CaptureOptions": [{"CaptureMode": "Input"}]}}  # fmt: skip
    gateway = account(
        describe_endpoint_config=lambda **_: config,
        list_objects_v2=stored.list_objects_v2,
        get_object=stored.get_object,
    )
    first = captures.page(gateway, "e", most=3)
    assert first.place == captures.Place(uri="s3://bucket/c/e", enabled=True, percent=50, sides=("Input",))
    assert [(item.event_id, item.variant) for item in first.captures] == [
        ("b2", "b"),
        ("b1", "b"),
        ("a2", "a"),
    ]
    assert first.more
    assert stored.read == ["c/e/b/2027/01/15/07/20-00.jsonl", "c/e/a/2027/01/15/07/10-00.jsonl"]
    stored.objects["c/e/a/2027/01/15/08/00-00.jsonl"] = line("newer", 30)
    rest = captures.page(gateway, "e", most=3, after=first.captures[-1])
    assert [item.event_id for item in rest.captures] == ["a1", "old"]
    assert not rest.more
    only = captures.page(gateway, "e", "b")
    assert [item.event_id for item in only.captures] == ["b2", "b1"]


def test_a_captured_line_is_decoded_and_another_one_refused() -> None:
    found = captures.parse(line("x", 5, "AAH/", "BASE64"), "a")
    assert found.request is not None and found.request.body == b"\x00\x01\xff"
    assert found.answer is None
    assert found.time == pytest.approx(1_800_000_000 - 55)
    for wrong in (b"{}", b"[1]", b"no", line("x", 5, "?", "BASE64").replace(b'"?"', b'"a"')):
        with pytest.raises(Problem, match="something else"):
            captures.parse(wrong)


def test_an_endpoint_that_captures_nothing_says_how_to_change_that() -> None:
    assert captures.page(account(), "e") == captures.CapturePage(None)
    with pytest.raises(Problem) as told:
        captures.place(account(), "e")
    assert told.value.code == "no-capture" and "DataCaptureConfig" in told.value.remedy


# --- weights


def detail(status: str = "InService", **split: float) -> EndpointDetail:
    return EndpointDetail(
        row=EndpointRow(name="e", status=status, created=0, modified=0),
        variants=tuple(
            VariantRow(name=name, desired_weight=weight, desired_count=1, instance_type="ml.m5.large")
            for name, weight in split.items()
        ),
    )


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1e6), min_size=1))
def test_shares_add_up_to_the_whole_traffic(split: dict[str, float]) -> None:
    found = weights.shares(split)
    assert sum(found.values()) == pytest.approx(1 if any(split.values()) else 0)
    assert all(0 <= share <= 1 for share in found.values())


def test_a_change_tells_what_moves_and_asks_only_for_what_changes() -> None:
    change = weights.change(detail(a=0.9, b=0.1), {"b": 0.9}, {"a": 3})
    assert (change.weights, change.counts) == ({"b": 0.9}, {"a": 3})
    assert change.sentences[0] == "a: weight 0.9, traffic 90.0% → 50.0%; instances 1 → 3."
    assert change.sentences[1] == "b: weight 0.1 → 0.9, traffic 10.0% → 50.0%."
    assert "$0.230/h before and $0.460/h after" in change.sentences[2]
    assert not weights.change(detail(a=1.0), {"a": 1.0})


@pytest.mark.parametrize(
    ("split", "counts", "words"),
    [
        ({"x": 1.0}, {}, "no variant 'x'"),
        ({"a": -1.0}, {}, "not possible"),
        ({"a": float("nan")}, {}, "not possible"),
        ({"a": 0.0, "b": 0.0}, {}, "nothing could be routed"),
        ({}, {"a": -1}, "not possible"),
    ],
)
def test_changes_that_cannot_be_are_told(split: dict[str, float], counts: dict[str, int], words: str) -> None:
    with pytest.raises(Problem, match=words):
        weights.change(detail(a=1.0, b=1.0), split, counts)


def test_an_endpoint_that_is_being_updated_is_left_alone() -> None:
    with pytest.raises(Problem, match="is Updating"):
        weights.change(detail("Updating", a=1.0, b=1.0), {"a": 2.0})
