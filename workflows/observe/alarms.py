"""CloudWatch alarms that watch an endpoint, and their history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import pages, seconds
from workflows.observe.watch_rows import AlarmChange, AlarmHistory, AlarmRow

_SIGNS = {
    "GreaterThanOrEqualToThreshold": "≥",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}
_ORDER = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}
MOST_CHANGES = 100
"""Entries of a history that one call gives at most."""


def of_endpoint(gateway: Gateway, endpoint: str) -> tuple[AlarmRow, ...]:
    """The metric alarms with an endpoint in their dimensions, those in ALARM first.

    CloudWatch finds alarms by name only, so all of the account are read.

    Raises:
        Problem: They cannot be had.
    """
    found = [
        _row(item)
        for page in pages(
            gateway, "cloudwatch", "describe_alarms", AlarmTypes=["MetricAlarm"], MaxRecords=100
        )
        for item in page.get("MetricAlarms") or ()
        if any(dimensions.get("EndpointName") == endpoint for dimensions in _dimensions(item))
    ]
    return tuple(sorted(found, key=lambda row: (_ORDER.get(row.state, 1), row.name)))


def history(gateway: Gateway, alarm: str, most: int = MOST_CHANGES) -> AlarmHistory:
    """What became of an alarm, newest first, as one call gives it.

    Raises:
        Problem: It cannot be had.
    """
    page = answered(
        gateway,
        "cloudwatch",
        "describe_alarm_history",
        AlarmName=alarm,
        MaxRecords=min(most, MOST_CHANGES),
        ScanBy="TimestampDescending",
    )
    changes = (
        AlarmChange(
            seconds(item.get("Timestamp")) or 0.0,
            str(item.get("HistoryItemType") or ""),
            str(item.get("HistorySummary") or ""),
        )
        for item in page.get("AlarmHistoryItems") or ()
    )
    return AlarmHistory(tuple(changes), more=bool(page.get("NextToken")))


def _row(item: dict[str, Any]) -> AlarmRow:
    metrics = [stat for stat in _statistics(item) if stat.get("MetricName")]
    metric = metrics[0] if metrics else {}
    dimensions = next(iter(_dimensions(item)), {})
    threshold = item.get("Threshold")
    return AlarmRow(
        name=str(item["AlarmName"]),
        state=str(item.get("StateValue") or ""),
        reason=str(item.get("StateReason") or ""),
        # The other time moves while the state stays, too: when AWS finds out that an alarm evaluates part of its data.
        updated=seconds(item.get("StateTransitionedTimestamp"))
        or seconds(item.get("StateUpdatedTimestamp"))
        or 0.0,
        metric=str(metric.get("MetricName") or "metric math"),
        condition=_condition(item, metric),
        threshold=None if threshold is None else float(threshold),
        value=_value(item),
        variant=dimensions.get("VariantName", ""),
        config=dimensions.get("EndpointConfigName", ""),
        description=str(item.get("AlarmDescription") or ""),
        actions_enabled=bool(item.get("ActionsEnabled", True)),
    )


def _condition(item: dict[str, Any], metric: dict[str, Any]) -> str:
    """``p99 > 100 in 2 of 3 periods of 60 s``."""
    statistic = metric.get("Statistic") or metric.get("ExtendedStatistic") or metric.get("Stat") or "value"
    sign = _SIGNS.get(str(item.get("ComparisonOperator")), str(item.get("ComparisonOperator") or ""))
    periods = int(item.get("EvaluationPeriods") or 1)
    needed = int(item.get("DatapointsToAlarm") or periods)
    threshold = item.get("Threshold")
    limit = "its band" if threshold is None else f"{float(threshold):g}"
    period = int(metric.get("Period") or 0)
    within = f"in {needed} of {periods} periods" if needed != periods else f"for {periods} periods"
    if periods == 1:
        within = "for 1 period"
    return f"{statistic} {sign} {limit} {within}" + (f" of {period} s" if period else "")


def _value(item: dict[str, Any]) -> float | None:
    """The newest value that the state was decided by."""
    try:
        told = json.loads(item.get("StateReasonData") or "{}")
        recent = [value for value in told.get("recentDatapoints") or () if value is not None]
        return float(recent[-1]) if recent else None
    except (ValueError, TypeError, AttributeError):
        return None


def _statistics(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What an alarm computes: of its own metric, or of those in its metric math; members as at an alarm's top level."""
    if item.get("MetricName"):
        yield item
    for part in item.get("Metrics") or ():
        stat = part.get("MetricStat") or {}
        if stat:
            yield {**(stat.get("Metric") or {}), "Stat": stat.get("Stat"), "Period": stat.get("Period")}


def _dimensions(item: dict[str, Any]) -> Iterator[dict[str, str]]:
    for stat in _statistics(item):
        yield {str(one.get("Name")): str(one.get("Value")) for one in stat.get("Dimensions") or ()}
