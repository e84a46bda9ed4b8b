"""CloudWatch alarms: put, described, set, enabled and deleted; `engine.alarms` watches them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.registry import operation
from engine.services import alarm_checks
from engine.services.sagemaker import tags

_PAGE = 100
_KEPT = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit",
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
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
