"""What DescribeEndpoint answers: the fleet in service, the one that is on its way, and what each variant is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.hosting import progress as stages
from engine.hosting.progress import Progress, active, course, ended, gone_part
from engine.hosting.strategy import Step, down, up
from engine.hosting.variant import declared
from engine.services.sagemaker import inference_checks
from engine.store import Resource


def described(name: str, found: Resource, cores: int) -> dict[str, Any]:
    """The answer for a stored endpoint on a machine with so many cores."""
    document = found.document
    output: dict[str, Any] = {
        "EndpointName": name,
        "EndpointArn": document["EndpointArn"],
        "EndpointConfigName": document["EndpointConfigName"],
        "EndpointStatus": found.status,
        "CreationTime": found.created,
        "LastModifiedTime": found.modified,
        "FailureReason": document.get("FailureReason"),
        "LastDeploymentConfig": document.get("LastDeploymentConfig"),
        "MetricsConfig": document["config"].get("MetricsConfig"),
        "AsyncInferenceConfig": document["config"].get("AsyncInferenceConfig"),
        "DataCaptureConfig": inference_checks.capture_summary(document["config"].get("DataCaptureConfig")),
    }
    if found.status == "Creating":
        output["PendingDeploymentSummary"] = _pending(document, stages.begin(found.created))
    if found.status in ("Creating", "Failed"):
        return output
    wanted = document.get("update") or {}
    changing = {} if "config" in wanted else wanted
    output["ShadowProductionVariants"] = [
        _variant(document, changing, each["VariantName"], found.modified)
        for each in document["config"].get("ShadowProductionVariants", ())
    ] or None
    mixed = document.get("mixed")
    if "config" in wanted:
        made: Progress = wanted.get("progress") or stages.begin(found.modified)
        output["ProductionVariants"] = _old(document, wanted, made)
        output["PendingDeploymentSummary"] = _pending(wanted, made)
    else:
        output["ProductionVariants"] = [
            _variant(document, wanted, each["VariantName"], found.modified)
            for each in document["config"]["ProductionVariants"]
        ]
        if mixed is not None:
            output["PendingDeploymentSummary"] = _left_behind(mixed, found.modified, cores)
    if mixed is not None:
        for variant in output["ProductionVariants"]:
            variant["CurrentInstanceCount"] = _counted(document, mixed["blue"], variant["VariantName"], cores)
    return output


def _variant(
    document: Mapping[str, Any], wanted: Mapping[str, Any], name: str, since: float
) -> dict[str, Any]:
    """A variant whose weight or number of instances may be changing."""
    planned = _planned(document, name)
    count, desired = document["counts"][name], wanted.get("counts", document["counts"])[name]
    status = None
    if desired != count:
        way = "out" if desired > count else "in"
        status = [_status("Updating", f"Scaling {way} desired instance count to {desired}.", since)]
    return {
        "VariantName": name,
        "DeployedImages": document["images"][name],
        "CurrentWeight": document["weights"][name],
        "DesiredWeight": wanted.get("weights", document["weights"])[name],
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": desired,
        "RoutingConfig": planned.get("RoutingConfig"),
        "VariantStatus": status,
        **_serverless(document, wanted, name),
    }


def _serverless(document: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a serverless variant has instead of a wanted number of instances."""
    current = document.get("serverless", {}).get(name)
    if not current:
        return {}
    desired = wanted.get("serverless", {}).get(name, current)
    return {
        "CurrentServerlessConfig": current,
        "DesiredServerlessConfig": desired if desired != current else None,
        "DesiredInstanceCount": None,
    }


def _old(document: Mapping[str, Any], wanted: Mapping[str, Any], made: Progress) -> list[dict[str, Any]]:
    """The variants that another configuration is replacing."""
    gone = ended(wanted, made)
    found = []
    for each in document["config"]["ProductionVariants"]:
        name = each["VariantName"]
        variant = _variant(document, {}, name, made["since"])
        count = document["counts"][name]
        left = count - down(gone_part(wanted, gone, name), count)
        variant["CurrentInstanceCount"] = left
        if made["stage"] == stages.PROMOTING:
            variant["VariantStatus"] = [_ending(left, made)]
        elif made["stage"] == stages.TERMINATING:
            before = ended(wanted, {**made, "stage": stages.BAKING})
            ending = count - down(gone_part(wanted, before, name), count) - left
            if ending:
                variant["VariantStatus"] = [_ending(ending, made)]
        found.append(variant)
    return found


def _pending(wanted: Mapping[str, Any], made: Progress) -> dict[str, Any]:
    """The fleet that is on its way."""
    plan = course(wanted)
    step = plan.steps[made["step"]]
    running = active(wanted, made)
    variants = []
    for each in wanted["config"]["ProductionVariants"]:
        name = each["VariantName"]
        count = up(running[name], wanted["counts"][name])
        variants.append(
            {
                "VariantName": name,
                "DeployedImages": wanted["images"][name],
                "CurrentWeight": wanted["weights"][name] if count else 0.0,
                "DesiredWeight": wanted["weights"][name],
                "CurrentInstanceCount": count,
                "DesiredInstanceCount": wanted["counts"][name] or None,
                "DesiredServerlessConfig": each.get("ServerlessConfig"),
                "InstanceType": each.get("InstanceType"),
                "RoutingConfig": each.get("RoutingConfig"),
                "VariantStatus": _doing(wanted, made, step, name, plan.rolling),
            }
        )
    return {
        "EndpointConfigName": wanted["EndpointConfigName"],
        "StartTime": made["start"],
        "ProductionVariants": variants,
        "ShadowProductionVariants": [
            {
                "VariantName": each["VariantName"],
                "DeployedImages": wanted["images"][each["VariantName"]],
                "DesiredWeight": wanted["weights"][each["VariantName"]],
                "DesiredInstanceCount": wanted["counts"][each["VariantName"]],
                "InstanceType": each.get("InstanceType"),
            }
            for each in wanted["config"].get("ShadowProductionVariants", ())
        ]
        or None,
    }


def _doing(
    wanted: Mapping[str, Any], made: Progress, step: Step, name: str, rolling: bool
) -> list[dict[str, Any]] | None:
    """A new variant's status: AWS's sentences, and the part of the traffic where instances do not tell it."""
    stage, count = made["stage"], wanted["counts"][name]
    if not count:
        return None  # Serverless: there are no instances to speak of.
    if stage == stages.CREATING:
        before = active(wanted, made)[name] if rolling else 0.0
        wished = up(step.active[name], count) if rolling else count
        more = wished - up(before, count)
        return [_status("Creating", f"Launching {more} instance(s).", made["since"])] if more else None
    if stage == stages.ROLLING_BACK:
        return [_ending(up(step.active[name], count) if rolling else count, made)]
    instances = up(step.active[name], count)
    what = f"{step.extent} of {instances} instance(s)"
    if abs(step.share - instances / count) > 1e-6:
        what += f" ({step.share:.1%} of traffic)".replace(".0%", "%")
    if stage == stages.ACTIVATING:
        return [_status("ActivatingTraffic", f"Activating traffic on {what}.", made["since"])]
    if stage == stages.BAKING:
        message = f"Baking for {step.wait} seconds ({step.declared}) with traffic enabled on {what}."
        return [_status("Baking", message, made["since"])]
    return None


def _left_behind(mixed: Mapping[str, Any], since: float, cores: int) -> dict[str, Any]:
    """The new fleet of a rolling update whose rollback failed: it still serves."""
    green = mixed["green"]
    variants = []
    for each in green["config"]["ProductionVariants"]:
        name = each["VariantName"]
        weight = green["weights"][name]
        variants.append(
            {
                "VariantName": name,
                "DeployedImages": green["images"][name],
                "CurrentWeight": weight,
                "DesiredWeight": weight,
                "CurrentInstanceCount": _counted(green, green["instances"], name, cores),
                "DesiredInstanceCount": green["counts"][name],
                "InstanceType": each.get("InstanceType"),
            }
        )
    return {
        "EndpointConfigName": green["EndpointConfigName"],
        "StartTime": since,
        "ProductionVariants": variants,
    }


def _counted(document: Mapping[str, Any], running: Mapping[str, list[str]], name: str, cores: int) -> int:
    """The declared instances that a variant's running processes stand for."""
    return declared(document["counts"][name], len(running[name]), cores)


def _planned(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        each
        for kind in ("ProductionVariants", "ShadowProductionVariants")
        for each in document["config"].get(kind) or ()
        if each["VariantName"] == name
    )
    return found


def _ending(count: int, made: Progress) -> dict[str, Any]:
    return _status("Deleting", f"Terminating {count} instance(s).", made["since"])


def _status(status: str, message: str, since: float) -> dict[str, Any]:
    return {"Status": status, "StatusMessage": message, "StartTime": since}
