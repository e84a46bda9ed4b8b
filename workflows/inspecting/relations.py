"""What belongs together: job, tuning job, model, endpoint configuration, endpoint, alarms, and what lies in S3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.inspecting.documents import describe
from workflows.observe import alarms
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.problem import Problem

MOST_LOOKED = {"embedded": 60, "aws": 8}
"""Resources that are described to find who uses this one: AWS has no call for it, and a budget of one call in two seconds."""


@dataclass(frozen=True, slots=True)
class Related:
    """Something that a resource belongs together with: a kind of `kinds`, or ``s3`` with a URI as its name."""

    kind: str
    name: str
    why: str


def named(kind: str, document: Mapping[str, Any]) -> tuple[Related, ...]:
    """What a resource's own document names, in the order in which the work goes: where from, then where to."""
    found = list(_NAMED[kind](document)) if kind in _NAMED else []
    return tuple(dict.fromkeys(one for one in found if one.name))


def using(
    gateway: Gateway, kind: str, name: str, document: Mapping[str, Any]
) -> tuple[tuple[Related, ...], bool]:
    """Who uses a resource and what an endpoint serves by its configuration, and whether all that could use it were looked at. The newest of the account are, up to `MOST_LOOKED`.

    Raises:
        Problem: They cannot be had.
    """
    most = MOST_LOOKED.get(gateway.target, 8)
    if kind == "job":
        artefact = (document.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
        if not artefact:
            return (), True
        names, more = _newest(gateway, "list_models", "Models", "ModelName", most)
        users = [other for other in names if artefact in _artefacts(describe(gateway, "model", other))]
        return tuple(Related("model", other, "made of its artefact") for other in users), not more
    if kind == "model":
        names, more = _newest(gateway, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", most)
        users = [other for other in names if name in _models(describe(gateway, "endpoint-config", other))]
        return tuple(Related("endpoint-config", other, "serves it") for other in users), not more
    if kind == "endpoint-config":
        names, more = _newest(gateway, "list_endpoints", "Endpoints", "EndpointName", most)
        users = [
            other for other in names if describe(gateway, "endpoint", other).get("EndpointConfigName") == name
        ]
        return tuple(Related("endpoint", other, "is configured by it") for other in users), not more
    if kind == "endpoint":
        watching = alarms.of_endpoint(gateway, name)
        return (
            *_served(gateway, str(document.get("EndpointConfigName") or "")),
            *(Related("alarm", row.name, f"watches it · {row.state}") for row in watching),
        ), True
    return (), True


def _served(gateway: Gateway, config: str) -> list[Related]:
    """The models of a configuration; none where it is deleted, which an endpoint that serves by it does not mind."""
    try:
        document = describe(gateway, "endpoint-config", config) if config else {}
    except Problem as problem:
        if not_found(problem):
            return []
        raise
    return [one for one in named("endpoint-config", document) if one.kind == "model"]


def _newest(gateway: Gateway, method: str, member: str, name: str, most: int) -> tuple[list[str], bool]:
    answer = answered(
        gateway, "sagemaker", method, SortBy="CreationTime", SortOrder="Descending", MaxResults=min(100, most)
    )
    names = [str(item[name]) for item in answer.get(member) or ()]
    return names, bool(answer.get("NextToken"))


def _job(document: Mapping[str, Any]) -> Iterator[Related]:
    yield Related("tuning-job", _last(document.get("TuningJobArn")), "tuned by")
    yield from _channels(document.get("InputDataConfig") or ())
    yield Related("s3", str((document.get("CheckpointConfig") or {}).get("S3Uri") or ""), "checkpoints")
    yield Related(
        "s3", str((document.get("ModelArtifacts") or {}).get("S3ModelArtifacts") or ""), "its artefact"
    )
    yield Related("s3", str((document.get("OutputDataConfig") or {}).get("S3OutputPath") or ""), "output")


def _tuning(document: Mapping[str, Any]) -> Iterator[Related]:
    for parent in (document.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs") or ():
        yield Related("tuning-job", str(parent.get("HyperParameterTuningJobName") or ""), "learned from")
    definition = document.get("TrainingJobDefinition") or {}
    yield from _channels(definition.get("InputDataConfig") or ())
    yield Related(
        "job", str((document.get("BestTrainingJob") or {}).get("TrainingJobName") or ""), "its best trial"
    )
    yield Related("s3", str((definition.get("OutputDataConfig") or {}).get("S3OutputPath") or ""), "output")


def _transform(document: Mapping[str, Any]) -> Iterator[Related]:
    yield Related("model", str(document.get("ModelName") or ""), "answers")
    source = ((document.get("TransformInput") or {}).get("DataSource") or {}).get("S3DataSource") or {}
    yield Related("s3", str(source.get("S3Uri") or ""), "input")
    yield Related("s3", str((document.get("TransformOutput") or {}).get("S3OutputPath") or ""), "output")


def _model(document: Mapping[str, Any]) -> Iterator[Related]:
    for uri in _artefacts(document):
        # SageMaker puts a training job's artefact below OUTPUT/JOB/output/.
        trained = re.fullmatch(r"s3://.+/([a-zA-Z0-9][a-zA-Z0-9-]{0,62})/output/model\.tar\.gz", uri)
        if trained:
            yield Related("job", trained[1], "trained it, by the path of its artefact")
        yield Related("s3", uri, "its artefact")


def _config(document: Mapping[str, Any]) -> Iterator[Related]:
    for member, why in (("ProductionVariants", "variant"), ("ShadowProductionVariants", "shadow variant")):
        for variant in document.get(member) or ():
            yield Related(
                "model",
                str(variant.get("ModelName") or ""),
                f"{why} {variant.get('VariantName', '')}".strip(),
            )
    yield Related(
        "s3",
        str((document.get("DataCaptureConfig") or {}).get("DestinationS3Uri") or ""),
        "captured requests",
    )
    output = (document.get("AsyncInferenceConfig") or {}).get("OutputConfig") or {}
    yield Related("s3", str(output.get("S3OutputPath") or ""), "asynchronous answers")


def _endpoint(document: Mapping[str, Any]) -> Iterator[Related]:
    yield Related("endpoint-config", str(document.get("EndpointConfigName") or ""), "its configuration")
    pending = document.get("PendingDeploymentSummary") or {}
    yield Related(
        "endpoint-config",
        str(pending.get("EndpointConfigName") or ""),
        "configuration it is being updated to",
    )
    rollback = (document.get("LastDeploymentConfig") or {}).get("AutoRollbackConfiguration") or {}
    for alarm in rollback.get("Alarms") or ():
        yield Related("alarm", str(alarm.get("AlarmName") or ""), "takes an update back")
    yield Related(
        "s3",
        str((document.get("DataCaptureConfig") or {}).get("DestinationS3Uri") or ""),
        "captured requests",
    )


def _alarm(document: Mapping[str, Any]) -> Iterator[Related]:
    metrics = [
        document,
        *((item.get("MetricStat") or {}).get("Metric") or {} for item in document.get("Metrics") or ()),
    ]
    for metric in metrics:
        for dimension in metric.get("Dimensions") or ():
            if dimension.get("Name") == "EndpointName":
                yield Related("endpoint", str(dimension.get("Value") or ""), "is watched")


_NAMED = {
    "job": _job, "tuning-job": _tuning, "transform": _transform, "model": _model, "endpoint-config": _config,
    "endpoint": _endpoint, "alarm": _alarm,
}  # fmt: skip


def _channels(channels: Sequence[Mapping[str, Any]]) -> Iterator[Related]:
    for channel in channels:
        source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
        yield Related(
            "s3", str(source.get("S3Uri") or ""), f"channel {channel.get('ChannelName', '')}".strip()
        )


def _artefacts(document: Mapping[str, Any]) -> list[str]:
    containers = [document.get("PrimaryContainer") or {}, *(document.get("Containers") or ())]
    found = []
    for container in containers:
        source = ((container.get("ModelDataSource") or {}).get("S3DataSource") or {}).get("S3Uri")
        found += [str(uri) for uri in (container.get("ModelDataUrl"), source) if uri]
    return found


def _models(document: Mapping[str, Any]) -> set[str]:
    variants = [
        *(document.get("ProductionVariants") or ()),
        *(document.get("ShadowProductionVariants") or ()),
    ]
    return {str(variant.get("ModelName") or "") for variant in variants}


def _last(arn: object) -> str:
    return str(arn or "").rpartition("/")[2]
