"""How the instances of an endpoint's variants are scaled: Application Auto Scaling's targets, policies and activities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflows.observe.gateway import Gateway
from workflows.observe.reading import pages, seconds
from workflows.observe.watch_rows import EndpointScaling, ScalableTarget, ScalingActivity, ScalingPolicy

SERVICE = "application-autoscaling"
NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
MOST_ACTIVITIES = 50
"""Per variant, and the most that one call gives."""
_SUSPENDED = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "schedules",
}


def of_endpoint(gateway: Gateway, endpoint: str, variants: Iterable[str]) -> EndpointScaling:
    """Targets, policies and activities. Where no variant is a scalable target that takes one call.

    Raises:
        Problem: They cannot be had.
    """
    resources = [resource(endpoint, variant) for variant in variants]
    if not resources:
        return EndpointScaling()
    targets = [
        _target(item)
        for page in pages(
            gateway, SERVICE, "describe_scalable_targets", ServiceNamespace=NAMESPACE, ResourceIds=resources
        )
        for item in page.get("ScalableTargets") or ()
        if item.get("ScalableDimension", DIMENSION) == DIMENSION
    ]
    policies: list[ScalingPolicy] = []
    activities: list[ScalingActivity] = []
    more = False
    for target in targets:
        asked = {"ServiceNamespace": NAMESPACE, "ResourceId": resource(endpoint, target.variant)}
        policies += [
            _policy(item)
            for page in pages(gateway, SERVICE, "describe_scaling_policies", **asked)
            for item in page.get("ScalingPolicies") or ()
        ]
        done: list[dict[str, Any]] = []
        for page in pages(
            gateway, SERVICE, "describe_scaling_activities", MaxResults=MOST_ACTIVITIES, **asked
        ):
            done += page.get("ScalingActivities") or ()
            if len(done) >= MOST_ACTIVITIES:
                more = more or len(done) > MOST_ACTIVITIES or bool(page.get("NextToken"))
                break
        activities += [_activity(item) for item in done[:MOST_ACTIVITIES]]
    return EndpointScaling(
        targets=tuple(targets),
        policies=tuple(policies),
        activities=tuple(sorted(activities, key=lambda item: -item.started)),
        more=more,
    )


def resource(endpoint: str, variant: str) -> str:
    """A variant's resource id."""
    return f"endpoint/{endpoint}/variant/{variant}"


def _target(item: dict[str, Any]) -> ScalableTarget:
    state = item.get("SuspendedState") or {}
    return ScalableTarget(
        variant=_variant(item),
        least=int(item.get("MinCapacity") or 0),
        most=int(item.get("MaxCapacity") or 0),
        created=seconds(item.get("CreationTime")) or 0.0,
        suspended=tuple(words for name, words in _SUSPENDED.items() if state.get(name)),
    )


def _policy(item: dict[str, Any]) -> ScalingPolicy:
    tracking = item.get("TargetTrackingScalingPolicyConfiguration") or {}
    predefined = tracking.get("PredefinedMetricSpecification") or {}
    customised = tracking.get("CustomizedMetricSpecification") or {}
    return ScalingPolicy(
        name=str(item.get("PolicyName") or ""),
        variant=_variant(item),
        kind=str(item.get("PolicyType") or ""),
        metric=str(predefined.get("PredefinedMetricType") or customised.get("MetricName") or ""),
        target=None if tracking.get("TargetValue") is None else float(tracking["TargetValue"]),
        scale_in_cooldown=tracking.get("ScaleInCooldown"),
        scale_out_cooldown=tracking.get("ScaleOutCooldown"),
        scale_in_disabled=bool(tracking.get("DisableScaleIn")),
        alarms=tuple(str(alarm.get("AlarmName")) for alarm in item.get("Alarms") or ()),
    )


def _activity(item: dict[str, Any]) -> ScalingActivity:
    return ScalingActivity(
        variant=_variant(item),
        status=str(item.get("StatusCode") or ""),
        description=str(item.get("Description") or ""),
        cause=str(item.get("Cause") or ""),
        message=str(item.get("StatusMessage") or ""),
        started=seconds(item.get("StartTime")) or 0.0,
        ended=seconds(item.get("EndTime")),
    )


def _variant(item: dict[str, Any]) -> str:
    return str(item.get("ResourceId") or "").rpartition("/variant/")[2]
