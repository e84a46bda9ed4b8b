"""What a rollout is planned upon: the endpoint as it is, what blue served, and what is to be deployed. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.observe import endpoints, jobs, metrics
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.observe.rows import JobDetail
from workflows.problem import Problem
from workflows.rollout.request import GAUGES, SOURCES, SourceKind

BASELINE = 3600
"""Seconds of blue's past that limits are taken from."""
LEAST_INVOCATIONS = 20
"""Requests below which blue's numbers are too few to take a limit from."""

_CONFIG = (
    "ProductionVariants", "DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants",
    "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation", "MetricsConfig",
)  # fmt: skip
"""What CreateEndpointConfig takes of what DescribeEndpointConfig answers."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a variant served in the last `BASELINE` seconds. ``values`` by the key of the gauge: shares and milliseconds."""

    invocations: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def enough(self) -> bool:
        """Whether limits can be taken from it."""
        return self.invocations >= LEAST_INVOCATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One variant of the endpoint as it serves now. ``count`` and ``weight`` are the desired ones."""

    variant: str
    model: str
    instance_type: str
    count: int
    weight: float
    serverless: bool = False
    baseline: Baseline = Baseline()


@dataclass(frozen=True, slots=True)
class KnownAlarm:
    """An alarm that exists already: its state (OK, ALARM, INSUFFICIENT_DATA) and why."""

    name: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An endpoint before its rollout. ``config_document`` is what CreateEndpointConfig would take to make its configuration again.

    ``target`` and ``scale`` (seconds that pass for a declared one) are the platform's; ``alarms`` those that were asked about.
    """

    endpoint: str
    status: str
    config: str
    fleets: tuple[Fleet, ...]
    config_document: Mapping[str, Any]
    target: str = "embedded"
    scale: float = 1.0
    alarms: Mapping[str, KnownAlarm] = field(default_factory=dict)
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is deployed. A model, or a configuration, that exists; else (``document``) what CreateModel is asked for first.

    ``config_document`` is set for a configuration: as CreateEndpointConfig would take it.
    """

    kind: SourceKind
    name: str
    model: str = ""
    document: Mapping[str, Any] | None = None
    config_document: Mapping[str, Any] | None = None


def facts_of(gateway: Gateway, endpoint: str, now: float, alarms: tuple[str, ...] = ()) -> Facts:
    """The endpoint with what its variants served in the last hour.

    Args:
        now: Epoch seconds.
        alarms: Names of alarms whose states matter.

    Raises:
        Problem: There is no such endpoint, or something cannot be read.
    """
    found = endpoints.describe(gateway, endpoint)
    if not found.raw_config.get("ProductionVariants"):
        raise Problem(
            f"Endpoint {endpoint} serves with configuration {found.config}, which was deleted.",
            "Make a configuration of that name again, or update the endpoint by hand first.",
            "config",
        )
    raw = found.raw_config
    serverless = {item["VariantName"] for item in raw["ProductionVariants"] if "ServerlessConfig" in item}
    past = _baselines(gateway, endpoint, [variant.name for variant in found.variants], now)
    return Facts(
        endpoint=endpoint,
        status=found.row.status,
        config=found.config,
        fleets=tuple(
            Fleet(
                variant=variant.name,
                model=variant.model,
                instance_type=variant.instance_type,
                count=variant.desired_count or variant.current_count,
                weight=variant.desired_weight,
                serverless=variant.name in serverless,
                baseline=past[variant.name],
            )
            for variant in found.variants
        ),
        config_document={name: raw[name] for name in _CONFIG if raw.get(name) is not None},
        target=gateway.target,
        scale=float(getattr(gateway, "time_scale", 1.0)),
        alarms=known_alarms(gateway, alarms),
    )


def source_of(gateway: Gateway, given: str, facts: Facts, kind: SourceKind = "", variant: str = "") -> Source:
    """What a name means: a model, a training job, an artefact in S3 or an endpoint configuration, in this order.

    Args:
        variant: The one whose container serves an artefact; empty: the first.

    Raises:
        Problem: There is no such thing, or it cannot be deployed.
    """
    if given.startswith("s3://") or kind == "artifact":
        return _artifact(gateway, given, facts, variant)
    kinds = (kind,) if kind else tuple(item for item in SOURCES if item != "artifact")
    found = model_source(gateway, given, kinds)
    if found is not None:
        return found
    if "config" in kinds:
        raw = _exists(gateway, "describe_endpoint_config", EndpointConfigName=given)
        if raw:
            document = {name: raw[name] for name in _CONFIG if raw.get(name) is not None}
            return Source(kind="config", name=given, config_document=document)
    named = {"model": "model", "training-job": "training job", "config": "endpoint configuration"}
    tried = ", ".join(named[item] for item in kinds)
    raise Problem(
        f"There is no {tried} {given}." if len(kinds) == 1 else f"{given} is none of: {tried}.",
        "`mlconsole jobs ls` lists training jobs; an artefact is given as s3://bucket/path/model.tar.gz.",
        "source",
    )


def model_source(
    gateway: Gateway, given: str, kinds: tuple[SourceKind, ...] = ("model", "training-job")
) -> Source | None:
    """The model of that name, or else that of the training job of that name; None where there is neither.

    Raises:
        Problem: The training job has no artefact, or they cannot be read.
    """
    if "model" in kinds and _exists(gateway, "describe_model", ModelName=given):
        return Source(kind="model", name=given, model=given)
    if "training-job" in kinds:
        job = _job(gateway, given)
        if job is not None:
            return _trained(job)
    return None


def known_alarms(gateway: Gateway, names: tuple[str, ...]) -> dict[str, KnownAlarm]:
    """Those of the alarms that exist, by name."""
    if not names:
        return {}
    answer = answered(gateway, "cloudwatch", "describe_alarms", AlarmNames=list(names))
    found = [*(answer.get("MetricAlarms") or ()), *(answer.get("CompositeAlarms") or ())]
    return {
        str(item["AlarmName"]): KnownAlarm(
            str(item["AlarmName"]), str(item.get("StateValue") or ""), str(item.get("StateReason") or "")
        )
        for item in found
    }


def _baselines(gateway: Gateway, endpoint: str, variants: list[str], now: float) -> dict[str, Baseline]:
    """What each variant served; one call."""
    end = (int(now) // 60 + 1) * 60
    queries = []
    for number, variant in enumerate(variants):
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
        queries.append(
            metrics.query(f"n{number}", metrics.SERVING, "Invocations", dimensions, "Sum", BASELINE)
        )
        for index, gauge in enumerate(GAUGES.values()):
            queries.append(
                metrics.query(
                    f"g{number}x{index}", metrics.SERVING, gauge.metric, dimensions, gauge.statistic, BASELINE
                )
            )
    found = metrics.data(gateway, queries, end - BASELINE, end)

    def last(key: str) -> float | None:
        points = found.get(key)
        return points[-1][1] if points else None

    made = {}
    for number, variant in enumerate(variants):
        values = {}
        for index, gauge in enumerate(GAUGES.values()):
            value = last(f"g{number}x{index}")
            if value is not None:
                values[gauge.key] = value / gauge.factor
        made[variant] = Baseline(sum(value for _, value in found.get(f"n{number}", ())), values)
    return made


def _exists(gateway: Gateway, method: str, **name: str) -> dict[str, Any] | None:
    try:
        return answered(gateway, "sagemaker", method, **name)
    except Problem as problem:
        if not_found(problem):
            return None
        raise


def _job(gateway: Gateway, name: str) -> JobDetail | None:
    raw = _exists(gateway, "describe_training_job", TrainingJobName=name)
    return jobs.detail(raw) if raw else None


def _trained(job: JobDetail) -> Source:
    """The model of a training job: the one of its name, which is made where there is none."""
    from workflows.interfaces.hosting import model_document
    from workflows.transforms.operations import model_of

    request = model_of(job, job.name)
    return Source(kind="training-job", name=job.name, model=job.name, document=model_document(request))


def _artifact(gateway: Gateway, given: str, facts: Facts, variant: str) -> Source:
    """The container of the model that serves now, with another artefact."""
    if not given.startswith("s3://") or not given.endswith((".tar.gz", ".tgz")):
        raise Problem(
            f"{given} is no model artefact.", "Give a packed one: s3://bucket/path/model.tar.gz.", "source"
        )
    fleet = next((item for item in facts.fleets if item.variant == variant), facts.fleets[0])
    raw = _exists(gateway, "describe_model", ModelName=fleet.model)
    if not raw or "PrimaryContainer" not in raw:
        raise Problem(
            f"The model {fleet.model} that serves now was deleted or has several containers: "
            "an artefact cannot take its place.",
            "Make a model of the artefact, and deploy that.",
            "source",
        )
    container = {
        name: value
        for name, value in raw["PrimaryContainer"].items()
        if name not in ("ModelDataUrl", "ModelDataSource", "ModelPackageName")
    }
    document: dict[str, Any] = {
        "ExecutionRoleArn": raw.get("ExecutionRoleArn"),
        "PrimaryContainer": {**container, "ModelDataUrl": given},
    }
    for name in ("VpcConfig", "EnableNetworkIsolation"):
        if raw.get(name):
            document[name] = raw[name]
    return Source(kind="artifact", name=given, document=document)
