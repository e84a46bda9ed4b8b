"""The metrics of a training job as charts: the same metric of training and validation in one, over epochs or over time."""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Sequence

from console.widgets.drawing import Series
from workflows.observe.curves import Curve
from workflows.observe.rows import SeriesData

_SPLIT = re.compile(r"(?:^|(?<=[:_\-/. ]))(?:training|train|validation|valid|val|test|eval)(?=[:_\-/. ]|$)[:_\-/. ]*", re.I)  # fmt: skip

Charts = list[tuple[str, tuple[Series, ...]]]


def base(name: str) -> str:
    """A metric's name without the part of the data it was measured on: ``train:loss`` and ``validation:loss`` are one metric."""
    return _SPLIT.sub("", name, count=1).strip(":_-/. ") or name


def charts(series: Sequence[SeriesData], curves: Sequence[Curve] = (), *, by_time: bool = True) -> Charts:
    """One chart per metric. The log's values are taken where it has them, CloudWatch's for all others. Of a long log the end is read: what
    came before it CloudWatch tells, over time.

    Over epochs a metric whose lines name none is drawn over its order, and one that only CloudWatch has at the epochs of its times. A metric with a single value is no curve: it is left
    out where there are curves.
    """
    units = {one.name: "" if one.unit == "None" else one.unit for one in series}
    logged = {one.name: one for one in curves if len(one.points) > 1 or one.name not in units}
    start = min(
        [one.points[0][0] for one in series if one.points]
        + [one.points[0][0] for one in curves if one.points],
        default=0.0,
    )
    found: dict[str, tuple[tuple[float, float], ...]] = {}
    for name, curve in logged.items():
        found[name] = _placed(curve, start, by_time)
        if by_time:
            found[name] = tuple((x - start, y) for x, y in earlier(series, curve)) + found[name]
    clock = next((curve for curve in logged.values() if curve.steps), None)
    for one in series:
        if one.name in found or not one.points:
            continue
        if by_time:
            found[one.name] = tuple((x - start, y) for x, y in one.points)
        elif clock is not None:
            placed = ((_step_at(x, clock), y) for x, y in one.points)
            found[one.name] = tuple((x, y) for x, y in placed if x is not None)
        else:
            found[one.name] = tuple((float(i), y) for i, (_, y) in enumerate(one.points, 1))
    if any(len(points) > 1 for points in found.values()):
        found = {name: points for name, points in found.items() if len(points) > 1}
    groups: dict[str, list[Series]] = {}
    drawn: set[tuple[tuple[float, float], ...]] = set()
    for name in sorted(found, key=lambda name: (name == "ObjectiveMetric", name)):
        if found[name] in drawn and name == "ObjectiveMetric":
            continue  # tuning adds a copy of the objective under this name
        drawn.add(found[name])
        broken = name in logged and not math.isfinite(found[name][-1][1])
        groups.setdefault(base(name), []).append(Series(name, found[name], units.get(name, ""), broken))
    return [(group[0].name if len(group) == 1 else "", tuple(group)) for group in groups.values()]


def earlier(series: Sequence[SeriesData], curve: Curve) -> tuple[tuple[float, float], ...]:
    """What CloudWatch has of a metric from before the first line that was read; the period that holds that line is left out."""
    points = next((one.points for one in series if one.name == curve.name), ())
    period = min((b[0] - a[0] for a, b in itertools.pairwise(points)), default=math.inf)
    return tuple(point for point in points if point[0] + period <= curve.points[0][0])


def _placed(curve: Curve, start: float, by_time: bool) -> tuple[tuple[float, float], ...]:
    values = [y for _, y in curve.points]
    if by_time:
        return tuple((x - start, y) for x, y in curve.points)
    steps = curve.steps or tuple(float(i) for i in range(1, len(values) + 1))
    return tuple(zip(steps, values, strict=True))


def _step_at(time: float, curve: Curve) -> float | None:
    """The epoch that a curve was in at a time: between two of its points in proportion; None before and after it."""
    times = [x for x, _ in curve.points]
    after = bisect.bisect_left(times, time)
    if after < len(times) and times[after] == time:
        return curve.steps[after]
    if after in (0, len(times)):
        return None
    part = (time - times[after - 1]) / (times[after] - times[after - 1])
    return curve.steps[after - 1] + part * (curve.steps[after] - curve.steps[after - 1])


def axis_label(curves: Sequence[Curve], by_time: bool, series: Sequence[SeriesData] = ()) -> str:
    """What the x axis is, and whether the log goes back farther than its lines that were read."""
    if by_time:
        return "time since its first point"
    label = "epoch" if any(curve.steps for curve in curves) else "point"
    return f"{label}, earlier ones over time only" if any(earlier(series, one) for one in curves) else label
