"""CloudWatch metrics of jobs and endpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workflows.observe.gateway import Gateway
from workflows.observe.reading import moment, pages, seconds
from workflows.observe.rows import EndpointTraffic, JobDetail, Meter, SeriesData, VariantTraffic

TRAINING = "/aws/sagemaker/TrainingJobs"
SERVING = "AWS/SageMaker"
MOST_QUERIES = 500
"""Metrics per GetMetricData call."""
MOST_POINTS = 1_400
"""Points per series that are asked for; the period grows for longer spans."""

_TRAFFIC = (
    ("Invocations", "Invocations", "Sum", 1.0),
    ("p50", "ModelLatency", "p50", 0.001),
    ("p90", "ModelLatency", "p90", 0.001),
    ("p99", "ModelLatency", "p99", 0.001),
    ("mean", "ModelLatency", "Average", 0.001),
    ("4xx", "Invocation4XXErrors", "Sum", 1.0),
    ("5xx", "Invocation5XXErrors", "Sum", 1.0),
    ("model errors", "InvocationModelErrors", "Sum", 1.0),
)
"""(series, metric, statistic, factor): CloudWatch keeps ModelLatency in microseconds."""


def job_series(gateway: Gateway, job: JobDetail, *, period: int, now: float) -> tuple[SeriesData, ...]:
    """The training metrics of a job over its whole life: one series per metric definition.

    Args:
        period: Seconds per point; it grows when the job is too long for that.
        now: Epoch seconds.

    Raises:
        Problem: The metrics cannot be had.
    """
    names = list(job.metric_definitions) or [metric.name for metric in job.final_metrics]
    if not names:
        names = _listed(gateway, job.name)
    if not names:
        return ()
    begin = math.floor(job.started or job.row.created) - 60
    end = (job.row.ended or now) + 60
    period = fitting(period, end - begin)
    dimensions = [{"Name": "TrainingJobName", "Value": job.name}]
    queries = [
        query(f"m{number}", TRAINING, name, dimensions, "Average", period)
        for number, name in enumerate(names)
    ]
    found = data(gateway, queries, begin, end)
    return tuple(
        SeriesData(name, found.get(f"m{number}", ()))
        for number, name in enumerate(names)
        if found.get(f"m{number}")
    )


def endpoint_traffic(
    gateway: Gateway, name: str, meters: Sequence[Meter], *, window: float, period: int, now: float
) -> EndpointTraffic:
    """What each variant served within the last ``window`` seconds.

    The percentiles of the whole window are asked for as such, because percentiles of points cannot be averaged. They are unknown
    where nothing was called in it, and where a service begins that one long period before the window.

    Raises:
        Problem: The metrics cannot be had.
    """
    period = fitting(period, window)
    # On full minutes: from there on CloudWatch counts a period as long as the window, which it stamps before one that begins between them.
    grain = max(60, period)
    end = (math.floor(now / grain) + 1) * grain
    begin = end - math.ceil(window / grain) * grain
    span = int(end - begin)
    queries = []
    for index, one in enumerate(meters):
        dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": one.variant}]
        if one.config:
            dimensions.append({"Name": "EndpointConfigName", "Value": one.config})
        for number, (_, metric, statistic, _) in enumerate(_TRAFFIC):
            queries.append(query(f"s{index}x{number}", SERVING, metric, dimensions, statistic, period))
            if statistic.startswith("p") or statistic == "Average":
                queries.append(query(f"w{index}x{number}", SERVING, metric, dimensions, statistic, span))
    found = data(gateway, queries, begin, end)
    rows, series = [], []
    for index, one in enumerate(meters):
        totals: dict[str, float] = {}
        whole: dict[str, float] = {}
        for number, (title, _, _, factor) in enumerate(_TRAFFIC):
            points = tuple((at, value * factor) for at, value in found.get(f"s{index}x{number}", ()))
            totals[title] = sum(value for _, value in points)
            if within := [value for at, value in found.get(f"w{index}x{number}", ()) if at >= begin]:
                whole[title] = within[-1] * factor
            series.append(SeriesData(title, points, "ms" if factor != 1 else "", one.variant, one.config))
        rows.append(
            VariantTraffic(
                variant=one.variant,
                invocations=totals["Invocations"],
                errors_4xx=totals["4xx"],
                errors_5xx=totals["5xx"],
                per_minute=totals["Invocations"] / (span / 60),
                latency_mean=whole.get("mean"),
                latency_p50=whole.get("p50"),
                latency_p99=whole.get("p99"),
                latency_p90=whole.get("p90"),
                model_errors=totals["model errors"],
                config=one.config,
                shadow=one.shadow,
            )
        )
    return EndpointTraffic(window=span, period=period, variants=tuple(rows), series=tuple(series))


def fitting(period: int, span: float) -> int:
    """The shortest period, from ``period`` on, with at most `MOST_POINTS` points in a span, as CloudWatch allows it."""
    for allowed in (1, 5, 10, 30, 60):
        if allowed >= period and span / allowed <= MOST_POINTS:
            return allowed
    return max(60, math.ceil(span / MOST_POINTS / 60) * 60, math.ceil(period / 60) * 60)


def _listed(gateway: Gateway, job: str) -> list[str]:
    found = [
        str(metric["MetricName"])
        for page in pages(
            gateway,
            "cloudwatch",
            "list_metrics",
            Namespace=TRAINING,
            Dimensions=[{"Name": "TrainingJobName", "Value": job}],
        )
        for metric in page.get("Metrics") or ()
    ]
    return sorted(set(found))


def query(
    key: str, namespace: str, metric: str, dimensions: list[dict[str, str]], statistic: str, period: int
) -> dict[str, Any]:
    """One metric of a GetMetricData call; ``key`` begins with a small letter."""
    return {
        "Id": key,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions},
            "Period": period,
            "Stat": statistic,
        },
        "ReturnData": True,
    }


def data(
    gateway: Gateway, queries: list[dict[str, Any]], begin: float, end: float
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Points by query id, oldest first.

    Raises:
        Problem: The metrics cannot be had.
    """
    points: dict[str, dict[float, float]] = {}
    for first in range(0, len(queries), MOST_QUERIES):
        asked: dict[str, Any] = {
            "MetricDataQueries": queries[first : first + MOST_QUERIES],
            "StartTime": moment(begin),
            "EndTime": moment(end),
            "ScanBy": "TimestampAscending",
        }
        for page in pages(gateway, "cloudwatch", "get_metric_data", **asked):
            for result in page.get("MetricDataResults") or ():
                kept = points.setdefault(str(result.get("Id")), {})
                for at, value in zip(
                    result.get("Timestamps") or (), result.get("Values") or (), strict=False
                ):
                    kept[seconds(at) or 0.0] = float(value)
    return {key: tuple(sorted(kept.items())) for key, kept in points.items()}
