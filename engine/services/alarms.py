"""CloudWatch alarms: put, described, set, enabled and deleted; `engine.alarms` watches them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from engine.alarms import history
from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.registry import operation
from engine.services import alarm_checks
from engine.services.cloudwatch import dimensions_of
from engine.services.sagemaker import tags
from engine.store import Filter

_PAGE = 100
_KEPT = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit",
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
    "EvaluateLowSampleCountPercentile", "EvaluationWindow", "ActionConfiguration",
)  # fmt: skip
_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions")
_BAD_TOKEN = "The next token specified is invalid."


@operation("cloudwatch", "PutMetricAlarm")
async def put_metric_alarm(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Create an alarm, or overwrite one's configuration; its tags are taken when it is new only."""
    alarm_checks.check(params)
    given = params.get("Tags") or []
    name = params["AlarmName"]
    if engine.alarms.state(name) is None:
        tags.check(given)
    config = {key: params[key] for key in _KEPT if params.get(key) is not None}
    config.setdefault("ActionsEnabled", True)
    for key in _LISTS:
        config.setdefault(key, [])
    if engine.alarms.put(config):
        tags.add(engine, arn_of(engine, name), given)
    return {}


@operation("cloudwatch", "PutCompositeAlarm")
async def put_composite_alarm(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Refused: there are no composite alarms here."""
    raise alarm_checks.invalid(
        "This engine has no composite alarms. Name the metric alarms themselves where an alarm is asked for."
    )


@operation("cloudwatch", "DescribeAlarms")
async def describe_alarms(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Metric alarms by name, a page at a time."""
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names and prefix:
        raise alarm_checks.invalid("AlarmNamePrefix and AlarmNames cannot be specified together.")
    answer: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
    if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]):
        return answer
    if params.get("ChildrenOfAlarmName") or params.get("ParentsOfAlarmName"):
        return answer  # Only composite alarms have any.
    wanted = frozenset(names or ())
    found = [
        document
        for document in engine.alarms.documents()
        if (not wanted or document["AlarmName"] in wanted)
        and document["AlarmName"].startswith(prefix or "")
        and params.get("StateValue") in (None, document["StateValue"])
        and _acts(document, params.get("ActionPrefix"))
    ]
    if params.get("NextToken"):
        after = _decoded(engine, "DescribeAlarms", params)
        found = [document for document in found if document["AlarmName"] > after]
    limit = params.get("MaxRecords") or _PAGE
    answer["MetricAlarms"] = found[:limit]
    if len(found) > limit:
        answer["NextToken"] = engine.tokens.encode("DescribeAlarms", params, found[limit - 1]["AlarmName"])
    return answer


@operation("cloudwatch", "SetAlarmState")
async def set_alarm_state(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Put an alarm into a state until it is judged again."""
    name = params["AlarmName"]
    data = params.get("StateReasonData")
    if data:
        try:
            json.loads(data)
        except ValueError as error:
            raise ServiceError(
                "InvalidFormatFault", f"StateReasonData is not valid JSON: {error}."
            ) from error
    _must_exist(engine, name)
    engine.alarms.set_state(name, params["StateValue"], params["StateReason"], data or None)
    return {}


@operation("cloudwatch", "DeleteAlarms")
async def delete_alarms(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete alarms; names that are not there do not matter."""
    engine.alarms.delete(params["AlarmNames"])
    return {}


@operation("cloudwatch", "DescribeAlarmHistory")
async def describe_alarm_history(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """What happened to one alarm or to all, newest first unless asked otherwise; deleted alarms too."""
    answer: dict[str, Any] = {"AlarmHistoryItems": []}
    if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]) or params.get("AlarmContributorId"):
        return answer
    filters = [Filter("created", ">=", engine.clock.time() - history.KEPT_SECONDS)]
    if params.get("AlarmName"):
        filters.append(Filter("parent", "=", params["AlarmName"]))
    if params.get("HistoryItemType"):
        filters.append(Filter("status", "=", params["HistoryItemType"]))
    if params.get("StartDate"):
        filters.append(Filter("created", ">=", params["StartDate"].timestamp()))
    if params.get("EndDate"):
        filters.append(Filter("created", "<=", params["EndDate"].timestamp()))
    after: tuple[float | str, str] | None = None
    if params.get("NextToken"):
        moment, key = _decoded(engine, "DescribeAlarmHistory", params)
        after = (moment, key)
    limit = params.get("MaxRecords") or _PAGE
    found = engine.store.select(
        history.KIND,
        filters,
        descending=params.get("ScanBy") != "TimestampAscending",
        limit=limit + 1,
        after=after,
    )
    answer["AlarmHistoryItems"] = [row.document for row in found[:limit]]
    if len(found) > limit:
        last = found[limit - 1]
        answer["NextToken"] = engine.tokens.encode("DescribeAlarmHistory", params, [last.created, last.name])
    return answer


@operation("cloudwatch", "DescribeAlarmsForMetric")
async def describe_alarms_for_metric(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """The alarms on just this metric."""
    dimensions = dimensions_of(params.get("Dimensions"))
    exact = ("Namespace", "MetricName")
    narrowing = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    found = [
        document
        for document in engine.alarms.documents()
        if all(document[name] == params[name] for name in exact)
        and dimensions_of(document["Dimensions"]) == dimensions
        and all(params.get(name) in (None, document.get(name)) for name in narrowing)
    ]
    return {"MetricAlarms": found}


@operation("cloudwatch", "EnableAlarmActions")
async def enable_alarm_actions(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Let alarms act again; names that are not there do not matter."""
    return _switch(engine, params["AlarmNames"], enabled=True)


@operation("cloudwatch", "DisableAlarmActions")
async def disable_alarm_actions(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Keep alarms from acting; names that are not there do not matter."""
    return _switch(engine, params["AlarmNames"], enabled=False)


def _switch(engine: Engine, names: Iterable[str], *, enabled: bool) -> dict[str, Any]:
    for name in names:
        found = engine.alarms.find(name)
        if found is not None and found["ActionsEnabled"] is not enabled:
            engine.alarms.amend(name, ActionsEnabled=enabled)
    return {}


@operation("cloudwatch", "TagResource")
async def tag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite an alarm's tags."""
    tags.add(engine, _tagged(engine, params["ResourceARN"]), params["Tags"])
    return {}


@operation("cloudwatch", "UntagResource")
async def untag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Remove an alarm's tags by their keys."""
    tags.remove(engine, _tagged(engine, params["ResourceARN"]), params["TagKeys"])
    return {}


@operation("cloudwatch", "ListTagsForResource")
async def list_tags_for_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """An alarm's tags."""
    return {"Tags": tags.of(engine, _tagged(engine, params["ResourceARN"]))}


def _tagged(engine: Engine, arn: str) -> str:
    """The ARN, when it is that of an alarm here.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    name = arn.rpartition(":alarm:")[2]
    if arn != arn_of(engine, name) or engine.alarms.state(name) is None:
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} does not exist.", 404)
    return arn


def arn_of(engine: Engine, name: str) -> str:
    """An alarm's ARN."""
    return engine.settings.arn("cloudwatch", f"alarm:{name}")


def _must_exist(engine: Engine, name: str) -> None:
    if engine.alarms.state(name) is None:
        raise ServiceError("ResourceNotFound", f"The alarm {name} does not exist.", 404)


def _acts(document: Mapping[str, Any], prefix: str | None) -> bool:
    actions: Iterable[str] = (
        action
        for key in ("OKActions", "AlarmActions", "InsufficientDataActions")
        for action in document.get(key) or ()
    )
    return prefix is None or any(action.startswith(prefix) for action in actions)


def _decoded(engine: Engine, operation_name: str, params: Mapping[str, Any]) -> Any:
    return engine.tokens.decode(
        operation_name, params, params["NextToken"], code="InvalidNextToken", message=_BAD_TOKEN
    )
