"""Endpoints: list, describe, invoke, delete with what belongs to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Unpack

from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import Listing, not_found, pages_of, plain, seconds
from workflows.observe.rows import (
    DeletionPlan,
    EndpointDetail,
    EndpointRow,
    Invocation,
    PendingFleet,
    VariantRow,
)
from workflows.problem import Problem
from workflows.safety.changes import change


def list_pages(gateway: Gateway, **listing: Unpack[Listing]) -> Iterator[tuple[EndpointRow, ...]]:
    """Endpoints page by page, the newest first unless another order is asked for.

    Raises:
        Problem: The list cannot be had.
    """
    for page in pages_of(gateway, "list_endpoints", **listing):
        yield tuple(_row(item) for item in page.get("Endpoints") or ())


def describe(gateway: Gateway, name: str, raw_config: dict[str, Any] | None = None) -> EndpointDetail:
    """One endpoint with its configuration.

    Args:
        raw_config: The answer of DescribeEndpointConfig when it is known already: configurations never change.

    Raises:
        Problem: There is no such endpoint, or it cannot be had.
    """
    try:
        raw = answered(gateway, "sagemaker", "describe_endpoint", EndpointName=name)
    except Problem as problem:
        raise _missing(problem, name) from problem
    config_name = str(raw.get("EndpointConfigName") or "")
    if raw_config is None or raw_config.get("EndpointConfigName") != config_name:
        raw_config = _config(gateway, config_name)
    variants = _variants(raw, raw_config, "ProductionVariants")
    total = sum(variant.current_weight for variant in variants)
    return EndpointDetail(
        row=_row(raw),
        arn=str(raw.get("EndpointArn") or ""),
        config=config_name,
        failure_reason=str(raw.get("FailureReason") or ""),
        variants=_shared(variants, total),
        shadows=_shared(_variants(raw, raw_config, "ShadowProductionVariants"), total),
        pending=_pending(raw.get("PendingDeploymentSummary") or {}),
        raw=plain(raw),
        raw_config=plain(raw_config),
    )


def invoke(
    gateway: Gateway,
    name: str,
    payload: bytes,
    *,
    content_type: str = "text/csv",
    accept: str = "",
    target_variant: str = "",
    inference_id: str = "",
) -> Invocation:
    """One answer of an endpoint.

    Raises:
        Problem: The endpoint is not there or not in service, or its model answered with an error.
    """
    asked: dict[str, Any] = {"EndpointName": name, "Body": payload, "ContentType": content_type}
    if accept:
        asked["Accept"] = accept
    if target_variant:
        asked["TargetVariant"] = target_variant
    if inference_id:
        asked["InferenceId"] = inference_id
    began = time.perf_counter()
    try:
        with change("InvokeEndpoint", name, asked, target=gateway.target):
            answer = answered(gateway, "sagemaker-runtime", "invoke_endpoint", **asked)
    except Problem as problem:
        if not_found(problem):
            raise _unanswered(gateway, name, target_variant, problem) from problem
        raise _missing(problem, name) from problem
    body = answer["Body"].read()
    return Invocation(
        body=body,
        content_type=str(answer.get("ContentType") or ""),
        variant=str(answer.get("InvokedProductionVariant") or ""),
        milliseconds=(time.perf_counter() - began) * 1000,
        inference_id=inference_id,
    )


def plan_deletion(gateway: Gateway, name: str) -> DeletionPlan:
    """What `delete` with everything that belongs to the endpoint would delete; nothing is changed.

    A configuration or model that another endpoint uses is kept.

    Raises:
        Problem: There is no such endpoint.
    """
    found = describe(gateway, name)
    kept: list[str] = []
    others = configs_of_others(gateway, name)
    config = found.config
    if found.config_deleted:
        kept.append(f"models: endpoint configuration {config}, which named them, is deleted")
        config = ""
    elif config in others:
        kept.append(f"endpoint configuration {config}: endpoint {others[config]} uses it")
        config = ""
    in_use: dict[str, str] = {}
    for other, endpoint in others.items():
        for item in _config(gateway, other).get("ProductionVariants") or ():
            in_use.setdefault(str(item.get("ModelName") or ""), endpoint)
    models = []
    for model in dict.fromkeys(variant.model for variant in found.variants if variant.model):
        if model in in_use:
            kept.append(f"model {model}: endpoint {in_use[model]} uses it")
        else:
            models.append(model)
    return DeletionPlan(endpoint=name, config=config, models=tuple(models), kept=tuple(kept))


def delete(gateway: Gateway, plan: DeletionPlan) -> tuple[str, ...]:
    """Carry out a plan: the endpoint, then its configuration, then its models. What is gone already is not an error.

    Returns:
        One sentence per thing that was deleted.

    Raises:
        Problem: Something was refused; what came before it is deleted.
    """
    done = []
    steps = [("endpoint", "delete_endpoint", "EndpointName", plan.endpoint)]
    if plan.config:
        steps.append(("endpoint configuration", "delete_endpoint_config", "EndpointConfigName", plan.config))
    steps += [("model", "delete_model", "ModelName", model) for model in plan.models]
    for what, method, member, value in steps:
        try:
            answered(gateway, "sagemaker", method, **{member: value})
        except Problem as problem:
            if not_found(problem):
                continue
            raise
        done.append(f"Deleted {what} {value}.")
    return tuple(done)


def configs_of_others(gateway: Gateway, name: str) -> dict[str, str]:
    """Configuration name -> the other endpoint that uses it."""
    used: dict[str, str] = {}
    for page in list_pages(gateway):
        for row in page:
            if row.name == name:
                continue
            try:
                raw = answered(gateway, "sagemaker", "describe_endpoint", EndpointName=row.name)
            except Problem as problem:
                if not_found(problem):
                    continue
                raise
            used.setdefault(str(raw.get("EndpointConfigName") or ""), row.name)
    return used


def _config(gateway: Gateway, name: str) -> dict[str, Any]:
    """The configuration, or an empty one: it may be deleted while its endpoint serves on."""
    if not name:
        return {}
    try:
        return answered(gateway, "sagemaker", "describe_endpoint_config", EndpointConfigName=name)
    except Problem as problem:
        if not_found(problem):
            return {"EndpointConfigName": name}
        raise


def _row(item: dict[str, Any]) -> EndpointRow:
    created = seconds(item.get("CreationTime")) or 0.0
    return EndpointRow(
        name=str(item["EndpointName"]),
        status=str(item.get("EndpointStatus") or ""),
        created=created,
        modified=seconds(item.get("LastModifiedTime")) or created,
    )


def _variants(raw: dict[str, Any], raw_config: dict[str, Any], member: str) -> list[VariantRow]:
    """The variants of one kind, as they run and as they were planned; their shares are not worked out yet."""
    planned = {item.get("VariantName"): item for item in raw_config.get(member) or ()}
    running = {item.get("VariantName"): item for item in raw.get(member) or ()}
    return [
        _variant(str(variant), planned.get(variant, {}), running.get(variant, {}))
        for variant in planned | running
    ]


def _shared(variants: list[VariantRow], total: float) -> tuple[VariantRow, ...]:
    """With each one's share of a sum of weights; a shadow variant gets a copy of each request at most once."""
    return tuple(
        replace(variant, share=min(1.0, variant.current_weight / total) if total else 0.0)
        for variant in variants
    )


def _pending(summary: dict[str, Any]) -> PendingFleet | None:
    """The new fleet that an update builds; None where none is under way."""
    if not summary:
        return None
    variants = _variants(summary, {}, "ProductionVariants")
    total = sum(variant.current_weight for variant in variants)
    return PendingFleet(
        config=str(summary.get("EndpointConfigName") or ""),
        started=seconds(summary.get("StartTime")) or 0.0,
        variants=_shared(variants, total),
        shadows=_shared(_variants(summary, {}, "ShadowProductionVariants"), total),
    )


def _variant(name: str, planned: dict[str, Any], running: dict[str, Any]) -> VariantRow:
    images = running.get("DeployedImages") or [{}]
    statuses = running.get("VariantStatus") or [{}]
    weight = float(running.get("CurrentWeight", planned.get("InitialVariantWeight", 0.0)))
    serverless = running.get("CurrentServerlessConfig") or planned.get("ServerlessConfig") or {}
    return VariantRow(
        name=name,
        model=str(planned.get("ModelName") or ""),
        image=str(images[0].get("SpecifiedImage") or images[0].get("ResolvedImage") or ""),
        instance_type=str(planned.get("InstanceType") or running.get("InstanceType") or ""),
        current_weight=weight,
        desired_weight=float(running.get("DesiredWeight", weight)),
        current_count=int(running.get("CurrentInstanceCount") or 0),
        desired_count=int(running.get("DesiredInstanceCount") or planned.get("InitialInstanceCount") or 0),
        status=str(statuses[0].get("Status") or ""),
        message=str(statuses[0].get("StatusMessage") or ""),
        memory=int(serverless.get("MemorySizeInMB") or 0),
    )


def _unanswered(gateway: Gateway, name: str, variant: str, problem: Problem) -> Problem:
    """Why something is not found that is invoked: SageMaker says that of endpoints that are there but not in service, and of variants."""
    try:
        raw = answered(gateway, "sagemaker", "describe_endpoint", EndpointName=name)
    except Problem as other:
        return _missing(problem, name) if not_found(other) else problem
    status = str(raw.get("EndpointStatus") or "")
    names = [str(item.get("VariantName") or "") for item in raw.get("ProductionVariants") or ()]
    if variant and names and variant not in names:
        return Problem(
            f"Endpoint {name} has no variant {variant}.", f"It has {', '.join(names)}.", "not-found"
        )
    if status == "InService":
        return problem
    return Problem(
        f"Endpoint {name} is {status}: it takes requests once it is InService.",
        f"`mlconsole endpoints show {name}` tells more of it.",
        problem.code,
    )


def _missing(problem: Problem, name: str) -> Problem:
    if not_found(problem):
        return Problem(f"There is no endpoint {name}.", "`mlconsole endpoints ls` lists them.", "not-found")
    return Problem(problem.sentence, problem.remedy.replace(" NAME", f" {name}"), problem.code)
