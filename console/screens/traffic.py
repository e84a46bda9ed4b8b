"""The traffic of an endpoint as charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.formatting import clock, span
from console.screens.endpoint_facts import endpoint_facts
from console.widgets import charts
from console.widgets.drawing import Lines, Series

if TYPE_CHECKING:
    from workflows.observe.rows import EndpointDetail, EndpointRow, EndpointTraffic, SeriesData

COUNTED = frozenset({"Invocations", "4xx", "5xx", "model errors"})
Points = tuple[tuple[float, float], ...]


def _times(traffic: EndpointTraffic, now: float) -> tuple[float, ...]:
    """The beginnings of all periods from the first call in the window to the last complete period."""
    known = [x for one in traffic.series for x, _ in one.points]
    if not known:
        return ()
    last = max(*known, (now // traffic.period - 1) * traffic.period)
    first = max(min(known), last - traffic.window)
    return tuple(first + traffic.period * i for i in range(int((last - first) // traffic.period) + 1))


def _gapless(points: Points, times: tuple[float, ...], missing: float) -> Points:
    """The points with ``missing`` at the times that have none."""
    known = {x for x, _ in points}
    return tuple(sorted((*points, *((x, missing) for x in times if x not in known))))


def traffic_charts(traffic: EndpointTraffic, now: float) -> list[tuple[str, tuple[Series, ...]]]:
    """Calls per period, the two latencies and the errors: a chart each, with one line per variant, all over the same time.

    CloudWatch has no point where nothing was called: that is 0 calls, and a gap in a latency.
    """
    titles = {
        "Invocations": f"calls per {span(traffic.period)}",
        "p50": "median ms",
        "p90": "p90 ms",
        "p99": "p99 ms",
        "4xx": "errors 4xx",
        "5xx": "errors 5xx",
        "model errors": "model errors",
    }
    found = []
    times = _times(traffic, now)
    drawn = _drawn(traffic)
    several = len({(one.variant, one.config) for one in drawn}) > 1
    for name, title in titles.items():
        lines = tuple(
            Series(
                _called(one, drawn) if several else title,
                _gapless(one.points, times, 0.0 if name in COUNTED else math.nan),
                counted=name in COUNTED,
            )
            for one in drawn
            if one.name == name and one.points
        )
        silent = name in COUNTED - {"Invocations"} and not any(y for line in lines for _, y in line.points)
        if lines and not silent:
            found.append((title, lines))
    return found


def _drawn(traffic: EndpointTraffic) -> list[SeriesData]:
    """The series of the variants; during an update those of the fleets instead, of each variant whose fleets have any."""
    split = {one.variant for one in traffic.series if one.config and one.points}
    return [one for one in traffic.series if bool(one.config) == (one.variant in split)]


def _called(one: SeriesData, drawn: Sequence[SeriesData]) -> str:
    """A variant; its fleets are blue (in service, observed first) and green, as in the table of the variants."""
    if not one.config:
        return one.variant
    fleets = list(dict.fromkeys(other.config for other in drawn if other.config))
    fleet = "blue" if one.config == fleets[0] else "green"
    return fleet if len({other.variant for other in drawn}) == 1 else f"{fleet} {one.variant}"


def preview(
    detail: EndpointDetail | None,
    row: EndpointRow | None,
    traffic: EndpointTraffic | None,
    now: float,
    width: int,
) -> Lines:
    """The facts of an endpoint with its first charts below: what stands beside a list."""
    lines = endpoint_facts(detail, row, traffic, now, width)
    drawn = traffic_charts(traffic, now)[:2] if traffic is not None else []
    if drawn:
        lines += [[], *charts.grid(drawn, width, 9 * len(drawn), x_format=clock)]
    return lines
