"""Application auto scaling: requests, and instances that really come and go under load."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from engine.alarms.rules import Point
from engine.scaling import tracking
from engine.scaling.decision import Moment, Wish, decide
from tests.engine.deploying import Deployer, refused, wait_for

if TYPE_CHECKING:
    from tests.engine.conftest import RunningEngine

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
PER_INSTANCE = {
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
}

WHO = """
import os, time
def model_fn(model_dir): return os.getpid()
def transform_fn(model, data, content_type, accept):
    time.sleep(0.05)
    return str(model)
"""


def of(endpoint: str, variant: str = "A") -> dict[str, str]:
    return {**DIMENSION, "ResourceId": f"endpoint/{endpoint}/variant/{variant}"}


def tracked(target: float, **options: Any) -> dict[str, Any]:
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": target, **PER_INSTANCE, **options},
    }


def counts(deployer: Deployer, endpoint: str) -> tuple[int, int]:
    (variant,) = deployer.status(endpoint)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


@pytest.fixture(scope="module")
def deployer(engine: RunningEngine) -> Iterator[Deployer]:
    found = Deployer(engine)
    yield found
    found.clean()


@pytest.fixture(scope="module")
def endpoint(deployer: Deployer) -> str:
    return deployer.endpoint(deployer.model(WHO))


@pytest.fixture
def scaling(engine: RunningEngine) -> Any:
    return engine.client("application-autoscaling")


@pytest.fixture
def target(scaling: Any, endpoint: str) -> Iterator[dict[str, str]]:
    scaling.register_scalable_target(**of(endpoint), MinCapacity=1, MaxCapacity=2, Tags={"team": "a"})
    yield of(endpoint)
    if scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        scaling.deregister_scalable_target(**of(endpoint))


def test_a_target_and_its_policies(
    engine: RunningEngine, scaling: Any, endpoint: str, target: dict[str, str]
) -> None:
    cloudwatch = engine.client("cloudwatch")
    (found,) = scaling.describe_scalable_targets(**DIMENSION, ResourceIds=[target["ResourceId"]])[
        "ScalableTargets"
    ]
    arn = found["ScalableTargetARN"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 2)
    assert found["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "b"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "b"}
    again = scaling.register_scalable_target(
        **target, MaxCapacity=3, SuspendedState={"DynamicScalingInSuspended": True}
    )
    assert again["ScalableTargetARN"] == arn
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 3)
    assert found["SuspendedState"]["DynamicScalingInSuspended"]

    put = scaling.put_scaling_policy(PolicyName="load", **target, **tracked(70.0, ScaleInCooldown=60))
    prefix = f"TargetTracking-endpoint/{endpoint}/variant/A-Alarm"
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == [alarm["AlarmName"] for alarm in put["Alarms"]]
    high, low = alarms
    assert (high["EvaluationPeriods"], high["Period"], high["Threshold"], high["ComparisonOperator"]) == (
        3, 60, 70.0, "GreaterThanThreshold",
    )  # fmt: skip
    assert (low["EvaluationPeriods"], low["Threshold"], low["ComparisonOperator"]) == (
        15, pytest.approx(63.0), "LessThanThreshold",
    )  # fmt: skip
    assert high["AlarmActions"] == [put["PolicyARN"]]
    assert (high["Namespace"], high["MetricName"], high["Statistic"]) == (
        "AWS/SageMaker", "InvocationsPerInstance", "Sum",
    )  # fmt: skip
    (policy,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 70.0, **PER_INSTANCE, "ScaleInCooldown": 60,
    }  # fmt: skip
    custom = {
        "CustomizedMetricSpecification": {
            "MetricName": "Queue", "Namespace": "Mine", "Statistic": "Average",
            "Dimensions": [{"Name": "q", "Value": "1"}],
        }
    }  # fmt: skip
    overwritten = scaling.put_scaling_policy(
        PolicyName="load", **target, PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, **custom, "DisableScaleIn": True},
    )  # fmt: skip
    assert overwritten["PolicyARN"] == put["PolicyARN"]
    (alarm,) = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["MetricName"]) == (high["AlarmName"], "Queue")
    scaling.delete_scaling_policy(PolicyName="load", **target)
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"] == []
    text = refused("ObjectNotFoundException", scaling.delete_scaling_policy, PolicyName="load", **target)
    assert text.startswith("No scaling policy found for service namespace: sagemaker, resource ID: ")


def test_policies_are_paged(scaling: Any, target: dict[str, str]) -> None:
    for number in range(5):
        scaling.put_scaling_policy(PolicyName=f"p{number}", **target, **tracked(70.0))
    pages = scaling.get_paginator("describe_scaling_policies").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 2}
    )
    found = [policy["PolicyName"] for page in pages for policy in page["ScalingPolicies"]]
    assert found == [f"p{number}" for number in range(5)]
    some = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["p3"])
    assert [policy["PolicyName"] for policy in some["ScalingPolicies"]] == ["p3"]


def test_what_is_refused(scaling: Any, endpoint: str, target: dict[str, str]) -> None:
    register = scaling.register_scalable_target
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    code = "ValidationException"
    other = {**target, "ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}
    assert "Unsupported" in refused(code, register, **other, **bounds)
    assert "doesn't exist" in refused(code, register, **of("none"), **bounds)
    assert "doesn't exist" in refused(code, register, **of(endpoint, "B"), **bounds)
    assert "endpoint/<endpoint>" in refused(code, register, **{**target, "ResourceId": "x"}, **bounds)
    assert "less than minimum" in refused(code, register, **target, MinCapacity=3)
    assert "at least 1" in refused(code, register, **target, MinCapacity=0)
    policy = scaling.put_scaling_policy
    missing = refused("ObjectNotFoundException", policy, PolicyName="p", **of("none"), **tracked(1.0))
    assert missing == (
        "No scalable target registered for service namespace: sagemaker, resource ID: endpoint/none/variant/A, "
        "scalable dimension: sagemaker:variant:DesiredInstanceCount"
    )
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
    assert "StepScaling" in refused(
        code, policy, PolicyName="p", **target, PolicyType="StepScaling", StepScalingPolicyConfiguration=steps
    )
    both = tracked(1.0, CustomizedMetricSpecification={"MetricName": "m", "Namespace": "n"})
    assert "Just one" in refused(code, policy, PolicyName="p", **target, **both)
    assert "greater than 0" in refused(code, policy, PolicyName="p", **target, **tracked(0.0))
    for value in (float("nan"), float("inf"), 1e-300):
        assert "between" in refused(code, policy, PolicyName="p", **target, **tracked(value))
    assert "scheduled actions" in refused(
        code, scaling.put_scheduled_action, **target, ScheduledActionName="s", Schedule="rate(1 day)"
    )
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_who_may_have_no_instances(engine: RunningEngine, deployer: Deployer, scaling: Any) -> None:
    output = {"OutputConfig": {"S3OutputPath": f"s3://{deployer.bucket}/scaled"}}
    model = deployer.model(WHO)
    endpoint = deployer.endpoint(model, AsyncInferenceConfig=output)
    scaling.register_scalable_target(**of(endpoint), MinCapacity=0, MaxCapacity=2)
    backlog = {
        "MetricName": "ApproximateBacklogSizePerInstance", "Namespace": "AWS/SageMaker", "Statistic": "Average",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
    }  # fmt: skip
    put = scaling.put_scaling_policy(
        PolicyName="backlog", **of(endpoint), PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, "CustomizedMetricSpecification": backlog},
    )  # fmt: skip
    engine.client("cloudwatch").set_alarm_state(
        AlarmName=put["Alarms"][1]["AlarmName"], StateValue="ALARM", StateReason="a drill",
        StateReasonData='{"recentDatapoints":[0.0]}',
    )  # fmt: skip
    wait_for(lambda: counts(deployer, endpoint) == (0, 0))
    name = f"{endpoint}-config"
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "A", "ModelName": model, "ServerlessConfig": serverless}
    deployer.sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    other = deployer.create(name)
    register = scaling.register_scalable_target
    assert "is serverless" in refused(
        "ValidationException", register, **of(other), MinCapacity=1, MaxCapacity=2
    )


class Load:
    """Requests, four at a time, while it is open; which processes answered them."""

    def __init__(self, deployer: Deployer, endpoint: str) -> None:
        self.pids: list[str] = []
        self._deployer, self._endpoint = deployer, endpoint
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def _run(self) -> None:
        while not self._ended.is_set():
            answer = self._deployer.runtime.invoke_endpoint(EndpointName=self._endpoint, Body=b"x")
            self.pids.append(answer["Body"].read().decode())

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def test_instances_come_with_the_load_and_go_with_the_endpoint(
    start_engine: Callable[..., RunningEngine],
) -> None:
    engine = start_engine()
    deployer, scaling = Deployer(engine), engine.client("application-autoscaling")
    cloudwatch = engine.client("cloudwatch")
    endpoint = deployer.endpoint(deployer.model(WHO))
    scaling.register_scalable_target(**of(endpoint), MinCapacity=2, MaxCapacity=3)
    wait_for(lambda: counts(deployer, endpoint) == (2, 2))

    scaling.register_scalable_target(**of(endpoint), MinCapacity=1)
    policy = scaling.put_scaling_policy(PolicyName="load", **of(endpoint), **tracked(30.0))
    low = policy["Alarms"][1]["AlarmName"]
    cloudwatch.set_alarm_state(
        AlarmName=low,
        StateValue="ALARM",
        StateReason="a drill",
        StateReasonData='{"recentDatapoints":[9.0]}',
    )
    wait_for(lambda: counts(deployer, endpoint) == (1, 1))

    with Load(deployer, endpoint) as load:
        wait_for(lambda: counts(deployer, endpoint) == (3, 3), 120)
        seen = len(load.pids)
        wait_for(lambda: len(set(load.pids[seen:])) == 3)
    activities = scaling.describe_scaling_activities(**of(endpoint))["ScalingActivities"]
    assert {item["StatusCode"] for item in activities} == {"Successful"}
    done = [item["Description"] for item in activities]
    # A machine that is busy with other things may take two steps to three.
    assert (done[0], done[-2:]) == (
        "Setting desired instance count to 3.",
        ["Setting desired instance count to 1.", "Setting desired instance count to 2."],
    )
    high = policy["Alarms"][0]["AlarmName"]
    assert activities[0]["Cause"] == f"monitor alarm {high} in state ALARM triggered policy load"
    assert activities[0]["StatusMessage"] == (
        "Successfully set desired instance count to 3. Change successfully fulfilled by sagemaker."
    )
    assert activities[-1]["Cause"] == "minimum capacity was set to 2"
    acted = cloudwatch.describe_alarm_history(AlarmName=high, HistoryItemType="Action")["AlarmHistoryItems"]
    assert acted[0]["HistorySummary"] == f"Successfully executed action {policy['PolicyARN']}"

    engine.kill()
    engine = start_engine()
    deployer, scaling = Deployer(engine), engine.client("application-autoscaling")
    cloudwatch = engine.client("cloudwatch")
    (kept,) = scaling.describe_scaling_policies(**of(endpoint))["ScalingPolicies"]
    assert kept["Alarms"] == policy["Alarms"]
    assert scaling.describe_scaling_activities(**of(endpoint))["ScalingActivities"] == activities
    deployer.delete(endpoint)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.slow
def test_instances_go_when_the_load_has_ended(own_engine: RunningEngine) -> None:
    deployer, scaling = Deployer(own_engine), own_engine.client("application-autoscaling")
    endpoint = deployer.endpoint(deployer.model(WHO))
    scaling.register_scalable_target(**of(endpoint), MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(PolicyName="load", **of(endpoint), **tracked(30.0))
    with Load(deployer, endpoint):
        wait_for(lambda: counts(deployer, endpoint) == (3, 3), 120)
    wait_for(lambda: counts(deployer, endpoint) == (1, 1), 180)


@pytest.mark.parametrize(
    ("current", "metric", "wanted"), [(1, 140.0, 2), (2, 105.0, 3), (4, 35.0, 2), (3, 0.0, 0), (2, 70.0, 2), (3, 70.0 * (1 + 1e-12), 3), (0, 100.0, 2), (0, 0.0, 0)]
)  # fmt: skip
def test_the_capacity_at_which_the_metric_meets_its_target(current: int, metric: float, wanted: int) -> None:
    assert tracking.wanted(current, metric, 70.0) == wanted


def test_only_what_came_after_the_last_change_counts() -> None:
    points = [None, Point(10, 500.0, 1), Point(20, 90.0, 1), Point(30, 70.0, 1)]
    assert tracking.measured(points, 15.0, high=True) == 70.0
    assert tracking.measured(points, 15.0, high=False) == 80.0
    assert tracking.measured(points, 31.0, high=True) is None
    assert tracking.measured([], 0.0, high=True) is None


class Variant:
    """A target with policies whose alarms have the states and values that a test says."""

    def __init__(self, **target: Any) -> None:
        suspended = {f"DynamicScaling{way}Suspended": False for way in ("In", "Out")}
        self.target = {"MinCapacity": 1, "MaxCapacity": 8, "SuspendedState": suspended, **target}
        self.policies: list[dict[str, Any]] = []
        self.values: dict[str, tuple[str, float]] = {}

    def policy(self, name: str, high: str, low: str, value: float, **config: Any) -> Variant:
        """One with a target of 10; its two alarms' states, and the value of both."""
        names = {part: f"TargetTracking-x-{part}-{name}" for part in (tracking.HIGH, tracking.LOW)}
        if config.get("DisableScaleIn"):
            del names[tracking.LOW]
        self.policies.append(
            {
                "PolicyName": name,
                "Alarms": [{"AlarmName": alarm} for alarm in names.values()],
                "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 10.0, **config},
            }
        )
        states = {tracking.HIGH: high, tracking.LOW: low}
        self.values |= {alarm: (states[part], value) for part, alarm in names.items()}
        return self

    def wish(self, instances: int = 4, now: float = 1000.0) -> Wish | None:
        moment = Moment(
            now, 0.01, lambda name: self.values[name][0], lambda name: [Point(990, self.values[name][1], 1.0)]
        )
        return decide(self.target, self.policies, instances, moment)

    def desired(self, **options: Any) -> int | None:
        found = self.wish(**options)
        return found.desired if found else None


def test_what_policies_ask_for() -> None:
    assert Variant().policy("a", "OK", "OK", 10.0).wish() is None
    wish = Variant().policy("a", "ALARM", "OK", 15.0).wish()
    assert wish == (6, "monitor alarm TargetTracking-x-AlarmHigh-a in state ALARM triggered policy a")
    assert Variant().policy("a", "ALARM", "OK", 95.0).desired() == 8
    assert Variant().policy("a", "OK", "ALARM", 4.0).desired() == 2
    assert Variant(MinCapacity=3).policy("a", "OK", "ALARM", 4.0).desired() == 3
    assert Variant(MinCapacity=4).policy("a", "OK", "ALARM", 4.0).wish() is None
    # An alarm to scale out never scales in, whatever its newest value.
    assert Variant().policy("a", "ALARM", "OK", 5.0).wish() is None


def test_the_largest_capacity_wins_and_all_must_agree_to_shrink() -> None:
    assert Variant().policy("a", "ALARM", "OK", 12.0).policy("b", "ALARM", "OK", 20.0).desired() == 8
    assert Variant().policy("a", "OK", "ALARM", 1.0).policy("b", "ALARM", "OK", 12.0).desired() == 5
    assert Variant().policy("a", "OK", "ALARM", 1.0).policy("b", "OK", "OK", 9.5).wish() is None
    assert Variant().policy("a", "OK", "ALARM", 1.0).policy("b", "OK", "ALARM", 6.0).desired() == 3
    fixed = Variant().policy("a", "OK", "ALARM", 1.0).policy("b", "OK", "OK", 9.5, DisableScaleIn=True)
    assert fixed.desired() == 1


def test_cooldowns_suspensions_and_what_was_measured_before() -> None:
    cooling = Variant(_scaledOut=985.0).policy("a", "ALARM", "OK", 15.0, ScaleOutCooldown=2000)
    assert cooling.wish(now=1000.0) is None  # 20 s here.
    assert cooling.desired(now=1005.0) == 6
    assert Variant(_scaledOut=991.0).policy("a", "ALARM", "OK", 15.0).wish(now=2000.0) is None
    assert Variant(_scaledIn=985.0).policy("a", "ALARM", "OK", 15.0, ScaleInCooldown=9000).desired() == 6
    held = {"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": False}
    assert Variant(SuspendedState=held).policy("a", "ALARM", "OK", 15.0).wish() is None
    assert Variant(SuspendedState=held).policy("a", "OK", "ALARM", 4.0).desired() == 2
