"""The data points that an alarm looks at: one statistic for each of the last periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.alarms.rules import SPARE_PERIODS, Point
from engine.metricstore.bins import Bin
from engine.metricstore.statistics import parse
from engine.series import MetricStore

GROWING = ("Sum", "SampleCount")
"""Statistics that grow with the length of a period."""


class Metric(NamedTuple):
    """The metric and statistic of an alarm; ``unit`` None takes all units together."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    unit: str | None
    statistic: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Metric:
        """The metric of an alarm as PutMetricAlarm takes it."""
        return cls(
            document["Namespace"],
            document["MetricName"],
            {item["Name"]: item["Value"] for item in document.get("Dimensions") or ()},
            document.get("Unit"),
            document.get("Statistic") or document["ExtendedStatistic"],
        )


def read(
    store: MetricStore, metric: Metric, end: int, declared: int, width: int, periods: int
) -> list[Point | None]:
    """One data point for each of the ``periods`` (and two more) before ``end``, oldest first; reads files.

    Args:
        end: Epoch seconds; what happened in that second and later is left out.
        declared: The alarm's period in seconds.
        width: How long a period is here: less than the declared one where its seconds are scaled. Sums and counts are
            then scaled up to what the declared period would have.
    """
    parsed = parse(metric.statistic)
    if parsed is None:
        raise ValueError(f"no such statistic: {metric.statistic}")
    compute, distribution = parsed
    count = periods + SPARE_PERIODS
    start = end - count * width
    units = store.bins(
        metric.namespace,
        metric.name,
        metric.dimensions,
        start,
        end,
        width,
        unit=metric.unit,
        distribution=distribution,
        phase=end % width,
    ).values()
    merged: dict[int, Bin] = {}
    for bins in units:
        for timestamp, found in bins.items():
            if timestamp in merged:
                merged[timestamp].merge(found)
            else:
                merged[timestamp] = found
    scale = declared / width if metric.statistic in GROWING else 1.0
    points: list[Point | None] = []
    for timestamp in range(start, end, width):
        value = compute(merged[timestamp]) if timestamp in merged else None
        points.append(None if value is None else Point(timestamp, value * scale, merged[timestamp].count))
    return points
