"""Whether anybody calls an endpoint: its invocations in CloudWatch, variant by variant.

CloudWatch has no series by EndpointName alone: who asks for that gets nothing, and takes every endpoint for idle.
Asynchronous endpoints publish no Invocations at all: theirs are the processed requests and the backlog.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from workflows.costs.bills import of_endpoint
from workflows.observe.gateway import Gateway
from workflows.observe.metrics import SERVING, data, query
from workflows.observe.rows import EndpointDetail

WINDOW = 86_400.0
"""Seconds without a call after which an endpoint counts as idle."""
PROCESSED = ("InvocationsProcesssed", "InvocationsProcessed")
"""CloudWatch's own name has three s; the other one is asked for as well."""
BACKLOG = "ApproximateBacklogSize"
Verdict = Literal["used", "idle", "young", "free"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What was called in the last ``window`` seconds.

    ``verdict``: ``used``; ``idle`` (it bills by the hour and nobody called it); ``young`` (nobody called it, but it or its
    configuration is younger than the window); ``free`` (nobody called it, and it bills nothing while nobody does).
    """

    verdict: Verdict
    reason: str
    window: float
    calls: float = 0.0
    last: float | None = None


def of_endpoints(
    gateway: Gateway, details: Iterable[EndpointDetail], *, now: float, window: float = WINDOW
) -> dict[str, Activity]:
    """By endpoint name; one GetMetricData call for up to 500 series.

    Raises:
        Problem: The metrics cannot be had.
    """
    endpoints = list(details)
    period = _period(window)
    end = math.ceil(now / 60) * 60
    begin = math.floor((now - window) / period) * period
    queries: list[dict[str, Any]] = []
    owners: dict[str, str] = {}
    for index, detail in enumerate(endpoints):
        for number, (metric, statistic, dimensions) in enumerate(_series(detail)):
            key = f"e{index}x{number}"
            owners[key] = detail.name
            queries.append(query(key, SERVING, metric, dimensions, statistic, period))
    points = data(gateway, queries, begin, end) if queries else {}
    calls: dict[str, float] = {}
    last: dict[str, float] = {}
    for key, found in points.items():
        for at, value in found:
            if value > 0:
                name = owners[key]
                calls[name] = calls.get(name, 0.0) + value
                last[name] = max(last.get(name, 0.0), min(now, at + period))
    return {
        detail.name: _judged(detail, calls.get(detail.name, 0.0), last.get(detail.name), now, window)
        for detail in endpoints
    }


def _series(detail: EndpointDetail) -> list[tuple[str, str, list[dict[str, str]]]]:
    """(metric, statistic, dimensions) whose sum is zero only when nobody called. Shadows get copies: they do not count."""
    endpoint = {"Name": "EndpointName", "Value": detail.name}
    variants = dict.fromkeys(fleet.variant for fleet in detail.fleets if fleet.role != "shadow")
    by_variant = [[endpoint, {"Name": "VariantName", "Value": variant}] for variant in variants]
    found = [("Invocations", "Sum", dimensions) for dimensions in by_variant]
    if any(fleet.asynchronous for fleet in detail.fleets):
        found += [(metric, "Sum", dimensions) for metric in PROCESSED for dimensions in by_variant]
        found.append((BACKLOG, "Maximum", [endpoint]))
    return found


def _judged(detail: EndpointDetail, calls: float, last: float | None, now: float, window: float) -> Activity:
    span = _words(window)
    if calls:
        return Activity(verdict="used", reason=f"called within {span}", window=window, calls=calls, last=last)
    bill = of_endpoint(detail)
    if not bill.hourly:
        return Activity(
            verdict="free",
            reason=f"nobody called it for {span}; it bills nothing by the hour",
            window=window,
        )
    changed = max(detail.row.created, detail.row.modified)
    if now - changed < window:
        what = "created" if detail.row.modified - detail.row.created < 1 else "changed"
        return Activity(
            verdict="young",
            reason=f"nobody called it yet; {what} {_words(now - changed)} ago, and idle means {span}",
            window=window,
        )
    return Activity(
        verdict="idle",
        reason=f"no variant was called for {span}, and it bills by the hour",
        window=window,
    )


def _period(window: float) -> int:
    """Seconds per point: coarse, but never so coarse that much before the window is counted; CloudWatch keeps 5-minute points
    for 63 days and hours for 15 months."""
    if window <= 6 * 3600:
        return 60
    return 300 if window <= 2 * 86_400 else 3600


def _words(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            amount = seconds / size
            return f"{amount:.0f} {unit}" if amount >= 10 or amount == int(amount) else f"{amount:.1f} {unit}"
    return f"{seconds:.0f} s"
