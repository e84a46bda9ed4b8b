"""What is there: endpoints, configurations, models and what hangs on them, listed once for a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.costs.overview import CostView, Survey
from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import ABSENT
from workflows.observe.reading import moment, not_found, pages, pages_of, seconds
from workflows.problem import Problem
from workflows.webapp import parts

PREFIX = "mlconsole/"
"""Below this key prefix of the bucket each run has a folder of its own."""
ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"
SERVING = ("AWS/SageMaker", "/aws/sagemaker/Endpoints")
MOST_OBJECTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Something with a name, an ARN and an age."""

    name: str
    arn: str = ""
    created: float | None = None
    octets: int | None = None
    endpoint: str = ""


@dataclass(slots=True, kw_only=True)
class Inventory:
    """Everything a plan looks at. ``config_of`` maps endpoints to the configurations they use (both during an update),
    ``models_of`` configurations to their models, ``data_of`` models to where their files lie, ``busy_models`` those that a
    running transform job uses."""

    billed: CostView = field(default_factory=CostView)
    config_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    configs: dict[str, Listed] = field(default_factory=dict)
    models_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    models: dict[str, Listed] = field(default_factory=dict)
    busy_models: set[str] = field(default_factory=set)
    alarms: list[Listed] = field(default_factory=list)
    targets: list[Listed] = field(default_factory=list)
    log_groups: list[Listed] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    webapps: list[Listed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def endpoints(self) -> set[str]:
        """The names of all endpoints."""
        return set(self.config_of)


def take(
    gateway: Gateway, now: float, idle: float, *, bucket: str, everything: bool, logs: bool
) -> Inventory:
    """List what is there.

    Args:
        idle: Seconds without a call after which an endpoint counts as idle.
        bucket: Where runs keep their objects; empty: none are looked for.
        everything: Also what hangs on no endpoint; otherwise endpoints and what they use.
        logs: Also log groups.

    Raises:
        Problem: Endpoints, configurations, models or running transform jobs cannot be listed. The rest goes into the notes.
    """
    found = Inventory()
    survey = Survey(idle)
    found.billed = survey.look(gateway, now)
    found.notes += found.billed.notes
    for row in found.billed.rows:
        if row.bill.kind == "endpoint":
            found.config_of[row.bill.name] = _configs_of(gateway, row.bill.name)
    for page in pages_of(gateway, "list_endpoint_configs"):
        for item in page.get("EndpointConfigs") or ():
            name = str(item["EndpointConfigName"])
            found.configs[name] = Listed(
                name=name,
                arn=str(item.get("EndpointConfigArn") or ""),
                created=seconds(item.get("CreationTime")),
            )
    for name in found.configs:
        found.models_of[name] = _models_of(gateway, name)
    for page in pages_of(gateway, "list_models"):
        for item in page.get("Models") or ():
            name = str(item["ModelName"])
            found.models[name] = Listed(
                name=name, arn=str(item.get("ModelArn") or ""), created=seconds(item.get("CreationTime"))
            )
    found.busy_models.update(_busy(gateway))
    if everything:
        _rest(gateway, found, bucket, logs)
    return found


def data_of_models(gateway: Gateway, found: Inventory) -> dict[str, str]:
    """Model -> S3 URI of its files; a model without any is left out.

    Raises:
        Problem: A model cannot be described.
    """
    places = {}
    for name in found.models:
        try:
            raw = answered(gateway, "sagemaker", "describe_model", ModelName=name)
        except Problem as problem:
            if not_found(problem):
                continue
            raise
        for container in (raw.get("PrimaryContainer") or {}, *(raw.get("Containers") or ())):
            source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
            uri = container.get("ModelDataUrl") or source.get("S3Uri")
            if uri:
                places[name] = str(uri)
    return places


def _configs_of(gateway: Gateway, endpoint: str) -> tuple[str, ...]:
    try:
        raw = answered(gateway, "sagemaker", "describe_endpoint", EndpointName=endpoint)
    except Problem as problem:
        if not_found(problem):
            return ()
        raise
    pending = raw.get("PendingDeploymentSummary") or {}
    return tuple(
        str(name) for name in (raw.get("EndpointConfigName"), pending.get("EndpointConfigName")) if name
    )


def _models_of(gateway: Gateway, config: str) -> tuple[str, ...]:
    try:
        raw = answered(gateway, "sagemaker", "describe_endpoint_config", EndpointConfigName=config)
    except Problem as problem:
        if not_found(problem):
            return ()
        raise
    return tuple(
        dict.fromkeys(
            str(item["ModelName"])
            for member in ("ProductionVariants", "ShadowProductionVariants")
            for item in raw.get(member) or ()
            if item.get("ModelName")
        )
    )


def _rest(gateway: Gateway, found: Inventory, bucket: str, logs: bool) -> None:
    looks: list[tuple[str, Callable[[], None]]] = [
        ("Alarms", lambda: found.alarms.extend(alarms(gateway))),
        ("Scalable targets", lambda: found.targets.extend(targets(gateway))),
        ("Web apps", lambda: found.webapps.extend(webapps(gateway))),
    ]
    if bucket:
        looks.append(("S3 objects of runs", lambda: found.folders.extend(_folders(gateway, bucket))))
    if logs:
        looks.append(("Log groups", lambda: found.log_groups.extend(log_groups(gateway))))
    for what, take_part in looks:
        try:
            take_part()
        except Problem as problem:
            if problem.code == "UnknownOperationException" or "not offered" in problem.sentence:
                continue  # this target has no such thing at all
            found.notes.append(f"{what} could not be looked at: {problem.sentence}")


def _busy(gateway: Gateway) -> Iterator[str]:
    for page in pages_of(gateway, "list_transform_jobs", status="InProgress"):
        for item in page.get("TransformJobSummaries") or ():
            raw = answered(
                gateway, "sagemaker", "describe_transform_job", TransformJobName=item["TransformJobName"]
            )
            yield str(raw.get("ModelName") or "")


def alarms(gateway: Gateway) -> Iterator[Listed]:
    """Alarms on metrics of endpoints."""
    for page in pages(gateway, "cloudwatch", "describe_alarms", AlarmTypes=["MetricAlarm"]):
        for item in page.get("MetricAlarms") or ():
            endpoint = _endpoint_of(item)
            if endpoint:
                yield Listed(
                    name=str(item["AlarmName"]),
                    arn=str(item.get("AlarmArn") or ""),
                    created=seconds(item.get("AlarmConfigurationUpdatedTimestamp")),
                    endpoint=endpoint,
                )


def _endpoint_of(alarm: Mapping[str, Any]) -> str:
    """The endpoint whose metric an alarm watches; empty for every other alarm."""
    metrics = [alarm, *((item.get("MetricStat") or {}).get("Metric") or {} for item in alarm.get("Metrics") or ())]  # fmt: skip
    for metric in metrics:
        if metric.get("Namespace") in SERVING:
            for dimension in metric.get("Dimensions") or ():
                if dimension.get("Name") == "EndpointName":
                    return str(dimension.get("Value"))
    return ""


def targets(gateway: Gateway) -> Iterator[Listed]:
    """Endpoint variants that application auto scaling knows."""
    service = "application-autoscaling"
    for page in pages(gateway, service, "describe_scalable_targets", ServiceNamespace="sagemaker"):
        for item in page.get("ScalableTargets") or ():
            kind, _, rest = str(item["ResourceId"]).partition("/")
            if kind == "endpoint":
                yield Listed(
                    name=str(item["ResourceId"]),
                    arn=str(item.get("ScalableTargetARN") or ""),
                    created=seconds(item.get("CreationTime")),
                    endpoint=rest.partition("/")[0],
                )


def webapps(gateway: Gateway) -> Iterator[Listed]:
    """Web apps with the endpoint that they ask; empty where the function, which knows it, is not there."""
    for app in parts.look_at_all(gateway).values():
        if not app.present:
            continue  # somebody else's parts under such a name
        changed = str((app.function or {}).get("LastModified") or "")
        yield Listed(
            name=app.name,
            created=datetime.fromisoformat(changed).timestamp() if changed else None,
            endpoint=app.environment.get("ENDPOINT", ""),
        )


def _folders(gateway: Gateway, bucket: str) -> Iterator[str]:
    try:
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": PREFIX, "Delimiter": "/"}
        while True:
            page = answered(gateway, "s3", "list_objects_v2", **asked)
            for item in page.get("CommonPrefixes") or ():
                yield str(item["Prefix"])[len(PREFIX) :].rstrip("/")
            if not page.get("NextContinuationToken"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]
    except Problem as problem:
        if problem.code not in ABSENT:
            raise


def log_groups(gateway: Gateway) -> Iterator[Listed]:
    """Log groups of endpoints."""
    for page in pages(
        gateway, "logs", "describe_log_groups", token="nextToken", logGroupNamePrefix=ENDPOINT_LOGS
    ):
        for item in page.get("logGroups") or ():
            made = item.get("creationTime")
            yield Listed(
                name=str(item["logGroupName"]),
                arn=str(item.get("logGroupArn") or item.get("arn") or ""),
                created=moment(made / 1000).timestamp() if isinstance(made, int | float) else None,
                octets=int(item.get("storedBytes") or 0),
                endpoint=str(item["logGroupName"])[len(ENDPOINT_LOGS) :],
            )
