"""Target tracking: the alarms of a policy, and the capacity that its metric asks for."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from engine.alarms.rules import Point
from engine.scaling.record import variant_of

PREDEFINED = "SageMakerVariantInvocationsPerInstance"
HIGH, LOW = "AlarmHigh", "AlarmLow"
COOLDOWN = 300
PERIOD = 60
_HIGH_PERIODS, _LOW_PERIODS = 3, 15
_LOW_SHARE = 0.9


def alarms(policy: Mapping[str, Any], known: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The configurations of a policy's alarms: high, and low unless scaling in is disabled. ``known`` ones keep their names."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    target = config["TargetValue"]
    names = {
        part: item["AlarmName"] for item in known for part in (HIGH, LOW) if f"-{part}-" in item["AlarmName"]
    }
    sides = [(HIGH, "GreaterThanThreshold", target, _HIGH_PERIODS)]
    if not config.get("DisableScaleIn"):
        sides.append((LOW, "LessThanThreshold", target * _LOW_SHARE, _LOW_PERIODS))
    return [
        {
            "AlarmName": names.get(part) or f"TargetTracking-{policy['ResourceId']}-{part}-{uuid.uuid4()}",
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [policy["PolicyARN"]],
            "InsufficientDataActions": [],
            **_metric(policy),
            "Period": PERIOD,
            "EvaluationPeriods": periods,
            "Threshold": threshold,
            "ComparisonOperator": comparison,
        }
        for part, comparison, threshold, periods in sides
    ]


def _metric(policy: Mapping[str, Any]) -> dict[str, Any]:
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    custom = config.get("CustomizedMetricSpecification")
    if custom:
        names = ("MetricName", "Namespace", "Dimensions", "Statistic", "Unit")
        return {"Dimensions": [], **{name: custom[name] for name in names if custom.get(name) is not None}}
    found = variant_of(policy["ResourceId"])
    assert found is not None
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": "InvocationsPerInstance",
        "Dimensions": [
            {"Name": "EndpointName", "Value": found.endpoint},
            {"Name": "VariantName", "Value": found.variant},
        ],
        "Statistic": "Sum",
    }


def silence(policy: Mapping[str, Any]) -> float | None:
    """What no data means: no invocations for the predefined metric, nothing for another."""
    custom = policy["TargetTrackingScalingPolicyConfiguration"].get("CustomizedMetricSpecification")
    return None if custom else 0.0


def wanted(current: int, metric: float, target: float) -> int:
    """The capacity at which the metric, being shared by the instances, would lie at its target.

    Without instances the metric is that of one: a backlog has nobody to be shared by.
    """
    return math.ceil(max(1, current) * metric / target - 1e-9)


def measured(points: Sequence[Point | None], since: float, *, high: bool) -> float | None:
    """The metric's value to act on, from periods that began after the last change of capacity; None when there is none yet.

    To scale out it is that of the newest period. To scale in it is the mean of all of them, so that one quiet period does not take away
    what the next one needs.
    """
    fresh = [point.value for point in points if point is not None and point.timestamp >= since]
    if not fresh:
        return None
    return fresh[-1] if high else sum(fresh) / len(fresh)
