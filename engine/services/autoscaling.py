"""Application Auto Scaling: scalable targets, policies and activities of endpoint variants; `engine.scaling` steers them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError, validation
from engine.http import Request
from engine.registry import operation
from engine.scaling import record, tracking
from engine.services.sagemaker import tags
from engine.store import Filter

SERVICE = "application-autoscaling"
_MOST_TARGETS, _MOST_POLICIES = 50, 10
_TAG_LIMIT = 50
_LEAST_TARGET, _LARGEST_TARGET = 8.515920e-109, 1.174271e108
"""What the API documents for TargetValue."""
_BAD_TOKEN = "The next token is not valid."


@operation(SERVICE, "RegisterScalableTarget")
async def register_scalable_target(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Make a variant a scalable target, or change one."""
    resource_id = _scalable(params)
    known = engine.scaling.targets.get(resource_id)
    if known is None:
        _variant_must_exist(engine, resource_id)
        for name in ("MinCapacity", "MaxCapacity"):
            if params.get(name) is None:
                raise validation(f"{name} is required when registering a new scalable target")
    low, high = ({**(known or {}), **params}[name] for name in ("MinCapacity", "MaxCapacity"))
    if low < 0 or (low == 0 and not _asynchronous(engine, resource_id)):
        raise validation(
            "MinCapacity must be at least 1: only an asynchronous endpoint can have no instances, as its requests wait."
        )
    if high < low:
        raise validation("Maximum capacity cannot be less than minimum capacity")
    given = _listed(params.get("Tags") or {})
    if known is None:
        _check_tags(given)
    document = engine.scaling.register(resource_id, params)
    if known is None:
        tags.add(engine, document["ScalableTargetARN"], given)
    return {"ScalableTargetARN": document["ScalableTargetARN"]}


@operation(SERVICE, "DescribeScalableTargets")
async def describe_scalable_targets(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Scalable targets in order of their resource ids."""
    wanted = frozenset(params.get("ResourceIds") or ())
    _dimension_needs(params, "ResourceIds")
    found = {
        name: document
        for name, document in engine.scaling.targets.items()
        if _told(params) and (not wanted or name in wanted)
    }
    page, token = _page(engine, "DescribeScalableTargets", params, found, _MOST_TARGETS)
    return {"ScalableTargets": page, "NextToken": token}


@operation(SERVICE, "DeregisterScalableTarget")
async def deregister_scalable_target(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Forget a target with its policies and their alarms; its instances stay."""
    engine.scaling.deregister(_registered(engine, params))
    return {}


@operation(SERVICE, "PutScalingPolicy")
async def put_scaling_policy(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Make or overwrite a target tracking policy."""
    resource_id = _registered(engine, params)
    config = params.get("TargetTrackingScalingPolicyConfiguration")
    kind = params.get("PolicyType") or ("TargetTrackingScaling" if config else "StepScaling")
    if kind != "TargetTrackingScaling":
        raise validation(
            f"This engine does not offer policies of type {kind}. Use TargetTrackingScaling, or set the instance count by "
            "UpdateEndpointWeightsAndCapacities."
        )
    if not config:
        raise validation(
            "TargetTrackingScalingPolicyConfiguration is required for a policy of type TargetTrackingScaling"
        )
    if params.get("StepScalingPolicyConfiguration") or params.get("PredictiveScalingPolicyConfiguration"):
        raise validation("Only one type of policy configuration can be given.")
    _check_tracking(config)
    document = engine.scaling.put(resource_id, params["PolicyName"], config)
    return {"PolicyARN": document["PolicyARN"], "Alarms": document["Alarms"]}


@operation(SERVICE, "DescribeScalingPolicies")
async def describe_scaling_policies(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Policies in order of their targets and names."""
    _dimension_needs(params, "ResourceId")
    names = frozenset(params.get("PolicyNames") or ())
    found = {
        name: document
        for name, document in engine.scaling.policies.items()
        if _told(params)
        and (not names or document["PolicyName"] in names)
        and params.get("ResourceId") in (None, document["ResourceId"])
    }
    page, token = _page(engine, "DescribeScalingPolicies", params, found, _MOST_POLICIES)
    return {"ScalingPolicies": page, "NextToken": token}


@operation(SERVICE, "DeleteScalingPolicy")
async def delete_scaling_policy(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete a policy and its alarms; the instances stay."""
    resource_id = _registered(engine, params)
    try:
        engine.scaling.remove(resource_id, params["PolicyName"])
    except KeyError as error:
        raise _missing("scaling policy found", params, f", policy name: {params['PolicyName']}") from error
    return {}


@operation(SERVICE, "DescribeScalingActivities")
async def describe_scaling_activities(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """What was done in the last six weeks, the newest first."""
    _dimension_needs(params, "ResourceId")
    if not _told(params):
        return {"ScalingActivities": []}
    engine.scaling.prune()
    filters = [Filter("parent", "=", params["ResourceId"])] if params.get("ResourceId") else []
    after: tuple[float | str, str] | None = None
    if params.get("NextToken"):
        moment, key = _decoded(engine, "DescribeScalingActivities", params)
        after = (moment, key)
    limit = min(params.get("MaxResults") or _MOST_TARGETS, _MOST_TARGETS)
    found = engine.store.select(record.ACTIVITY, filters, descending=True, limit=limit + 1, after=after)
    answer: dict[str, Any] = {"ScalingActivities": [row.document for row in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        answer["NextToken"] = engine.tokens.encode(
            "DescribeScalingActivities", params, [last.created, last.name]
        )
    return answer


@operation(SERVICE, "PutScheduledAction")
async def put_scheduled_action(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Refused: nothing is scheduled here."""
    raise validation(
        "This engine does not offer scheduled actions. Call RegisterScalableTarget at that time with other capacities."
    )


@operation(SERVICE, "DescribeScheduledActions")
async def describe_scheduled_actions(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """None: none can be made."""
    return {"ScheduledActions": []}


@operation(SERVICE, "TagResource")
async def tag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite a target's tags."""
    arn = _tagged(engine, params["ResourceARN"])
    given = _listed(params["Tags"])
    merged = {tag["Key"] for tag in (*tags.of(engine, arn), *given)}
    _check_tags([{"Key": key} for key in merged])
    tags.add(engine, arn, given)
    return {}


@operation(SERVICE, "UntagResource")
async def untag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Remove a target's tags by their keys."""
    tags.remove(engine, _tagged(engine, params["ResourceARN"]), params["TagKeys"])
    return {}


@operation(SERVICE, "ListTagsForResource")
async def list_tags_for_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A target's tags."""
    found = tags.of(engine, _tagged(engine, params["ResourceARN"]))
    return {"Tags": {tag["Key"]: tag["Value"] for tag in found}}


def _scalable(params: Mapping[str, Any]) -> str:
    """The resource id, when it is one that is scaled here.

    Raises:
        ServiceError: ``ValidationException``.
    """
    resource_id: str = params["ResourceId"]
    if (params["ServiceNamespace"], params["ScalableDimension"]) != (record.NAMESPACE, record.DIMENSION):
        raise validation(
            f"Unsupported service namespace, resource type or scalable dimension: this engine scales {record.DIMENSION} "
            f"of {record.NAMESPACE} only."
        )
    if record.variant_of(resource_id) is None:
        raise validation(
            f"Resource ID {resource_id} is not of the form endpoint/<endpoint>/variant/<variant>."
        )
    return resource_id


def _variant_must_exist(engine: Engine, resource_id: str) -> None:
    name = record.variant_of(resource_id)
    found = engine.store.find("endpoint", name.endpoint) if name else None
    if name is None or found is None or name.variant not in found.document["counts"]:
        raise validation(f"SageMaker endpoint variant doesn't exist: {resource_id}")
    if name.variant in found.document.get("serverless", {}):
        raise validation(f"Variant {resource_id} is serverless: it has no {record.DIMENSION} to scale.")


def _asynchronous(engine: Engine, resource_id: str) -> bool:
    name = record.variant_of(resource_id)
    found = engine.store.find("endpoint", name.endpoint) if name else None
    return found is not None and bool(found.document["config"].get("AsyncInferenceConfig"))


def _registered(engine: Engine, params: Mapping[str, Any]) -> str:
    """The resource id of a registered target.

    Raises:
        ServiceError: ``ObjectNotFoundException``.
    """
    resource_id: str = params["ResourceId"]
    if not _told(params) or resource_id not in engine.scaling.targets:
        raise _missing("scalable target registered", params)
    return resource_id


def _missing(what: str, params: Mapping[str, Any], more: str = "") -> ServiceError:
    return ServiceError(
        "ObjectNotFoundException",
        f"No {what} for service namespace: {params['ServiceNamespace']}, resource ID: {params['ResourceId']}, "
        f"scalable dimension: {params['ScalableDimension']}{more}",
    )


def _told(params: Mapping[str, Any]) -> bool:
    """Whether a request asks for what can be here at all."""
    return params["ServiceNamespace"] == record.NAMESPACE and params.get("ScalableDimension") in (
        None,
        record.DIMENSION,
    )


def _dimension_needs(params: Mapping[str, Any], name: str) -> None:
    if params.get("ScalableDimension") and not params.get(name):
        raise validation(f"{name} is required when ScalableDimension is specified")


def _check_tracking(config: Mapping[str, Any]) -> None:
    predefined = config.get("PredefinedMetricSpecification")
    custom = config.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(custom):
        raise validation(
            "Just one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if config["TargetValue"] <= 0:
        raise validation("TargetValue must be greater than 0")
    if not _LEAST_TARGET <= config["TargetValue"] <= _LARGEST_TARGET:
        raise validation(f"TargetValue must be between {_LEAST_TARGET} and {_LARGEST_TARGET}")
    if predefined and predefined["PredefinedMetricType"] != tracking.PREDEFINED:
        raise validation(
            f"This engine does not have the metric {predefined['PredefinedMetricType']}. Use {tracking.PREDEFINED}, or a "
            "CustomizedMetricSpecification."
        )
    if custom and custom.get("Metrics"):
        raise validation(
            "This engine does not offer metric math in a CustomizedMetricSpecification. Name one metric."
        )
    for name in ("MetricName", "Namespace", "Statistic"):
        if custom and not custom.get(name):
            raise validation(f"{name} is required in a CustomizedMetricSpecification")
    for name in ("ScaleOutCooldown", "ScaleInCooldown"):
        if config.get(name, 0) < 0:
            raise validation(f"{name} must not be negative")


def _page(
    engine: Engine, name: str, params: Mapping[str, Any], found: Mapping[str, dict[str, Any]], most: int
) -> tuple[list[dict[str, Any]], str | None]:
    """The documents of a page, in order of their keys, and the token of the next."""
    limit = params.get("MaxResults") or most
    if not 1 <= limit <= most:
        raise validation(f"MaxResults must be between 1 and {most}")
    after = _decoded(engine, name, params) if params.get("NextToken") else ""
    keys = sorted(key for key in found if key > after)
    page = [found[key] for key in keys[:limit]]
    return page, engine.tokens.encode(name, params, keys[limit - 1]) if len(keys) > limit else None


def _decoded(engine: Engine, name: str, params: Mapping[str, Any]) -> Any:
    return engine.tokens.decode(
        name, params, params["NextToken"], code="InvalidNextTokenException", message=_BAD_TOKEN
    )


def _tagged(engine: Engine, arn: str) -> str:
    if not any(target["ScalableTargetARN"] == arn for target in engine.scaling.targets.values()):
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} does not exist.")
    return arn


def _listed(found: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.items()]


def _check_tags(given: Sequence[Mapping[str, str]]) -> None:
    if len(given) > _TAG_LIMIT:
        raise ServiceError(
            "TooManyTagsException", f"A scalable target can have at most {_TAG_LIMIT} tags, not {len(given)}."
        )
    reserved = [tag["Key"] for tag in given if re.match("aws:", tag["Key"], re.IGNORECASE)]
    if reserved:
        raise validation(f"Tag keys starting with 'aws:' are reserved for system use: {', '.join(reserved)}")
