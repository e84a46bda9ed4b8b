"""What is stored of scalable targets, scaling policies and scaling activities, and how they are named."""

from __future__ import annotations

import re
import uuid
from typing import Any, NamedTuple

from engine.settings import Settings

TARGET, POLICY, ACTIVITY = "scalable-target", "scaling-policy", "scaling-activity"
"""Kinds in the store. A target's name is its resource id, which is also its policies' and activities' parent."""
NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
KEPT_SECONDS = 42 * 86400
"""How long activities are told: six weeks."""
UNDER_WAY, DONE, FAILED = "InProgress", "Successful", "Failed"

_RESOURCE = re.compile(r"endpoint/(?P<endpoint>[a-zA-Z0-9-]+)/variant/(?P<variant>[a-zA-Z0-9-]+)")


class VariantName(NamedTuple):
    """The production variant that a resource id names."""

    endpoint: str
    variant: str


def variant_of(resource_id: str) -> VariantName | None:
    """The variant of ``endpoint/<endpoint>/variant/<variant>``; None when it is not such a resource id."""
    found = _RESOURCE.fullmatch(resource_id)
    return VariantName(found["endpoint"], found["variant"]) if found else None


def identity(resource_id: str) -> dict[str, Any]:
    """The three members by which a target and all that belongs to it is named."""
    return {"ServiceNamespace": NAMESPACE, "ResourceId": resource_id, "ScalableDimension": DIMENSION}


def new_target(settings: Settings, resource_id: str, now: float) -> dict[str, Any]:
    """A target's document, without its capacities."""
    role = f"role/aws-service-role/{NAMESPACE}.application-autoscaling.amazonaws.com"
    return {
        **identity(resource_id),
        "RoleARN": f"arn:aws:iam::{settings.account_id}:{role}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "CreationTime": now,
        "ScalableTargetARN": settings.arn(
            "application-autoscaling", f"scalable-target/{uuid.uuid4().hex[:27]}"
        ),
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }


def policy_arn(settings: Settings, resource_id: str, name: str) -> str:
    """A new policy's ARN."""
    return settings.arn(
        "autoscaling", f"scalingPolicy:{uuid.uuid4()}:resource/{NAMESPACE}/{resource_id}:policyName/{name}"
    )


def policy_key(resource_id: str, name: str) -> str:
    """A policy's name in the store."""
    return f"{resource_id}/{name}"


def new_activity(resource_id: str, desired: int, cause: str, now: float) -> dict[str, Any]:
    """An activity that has just begun."""
    return {
        **identity(resource_id),
        "ActivityId": str(uuid.uuid4()),
        "Description": f"Setting desired instance count to {desired}.",
        "Cause": cause,
        "StartTime": now,
        "StatusCode": UNDER_WAY,
        "StatusMessage": f"Successfully set desired instance count to {desired}. "
        "Waiting for change to be fulfilled by sagemaker.",
    }
