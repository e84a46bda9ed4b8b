"""Scatter plots: every point a character that says what it is, over lines of braille dots and a shaded band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.formatting import crop, right
from console.widgets.axis import Axis, Scale, short, tick_line
from console.widgets.canvas import Canvas, Lines, Run, exactly
from console.widgets.drawing import Series

LEAST_WIDTH, LEAST_HEIGHT = 24, 6
BAND = "░"


@dataclass(frozen=True, slots=True)
class Mark:
    """A point. Without a ``y`` it stands in a row of its own below the others; later marks stand over earlier ones."""

    x: float
    y: float | None
    glyph: str = "●"
    role: str = "series-1"


@dataclass(frozen=True, slots=True)
class Plane:
    """How a scatter plot is laid out.

    ``ticks`` are labels below the x axis at their values (categories); without them the axis labels itself. ``band`` is a
    range of y that is shaded, ``below`` the label of the row of points without a value.
    """

    head: tuple[Run, ...] = ()
    x: Axis | None = None
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    x_format: Callable[[float], str] = short
    ticks: tuple[tuple[float, str], ...] = ()
    band: tuple[float, float] | None = None
    below: str = "none"


def scatter(
    marks: Sequence[Mark], width: int, height: int, plane: Plane, steps: Sequence[tuple[Series, str]] = ()
) -> Lines:
    """Points, and below them lines that keep their value until the next point (each with its role), in exactly ``height`` lines."""
    lines: Lines = [_fitting(plane.head, width)]
    if height < LEAST_HEIGHT or width < LEAST_WIDTH:
        return exactly(lines, height)
    found = [mark.y for mark in marks if mark.y is not None]
    values = found + [y for series, _ in steps for _, y in series.points] + list(plane.band or ())
    if not values:
        lines += [[] for _ in range((height - 2) // 2)]
        return exactly([*lines, [("no value yet".center(width), "dim")]], height)
    orphans = [mark for mark in marks if mark.y is None]
    vertical = Axis.around(values, plane.y_scale)
    horizontal = plane.x or Axis.between(
        [mark.x for mark in marks] + [x for series, _ in steps for x, _ in series.points], plane.x_scale
    )
    rows = height - 3 - bool(orphans)
    labels = {row: short(value) for row, value in vertical.rows(rows).items()}
    gutter = max([len(text) for text in labels.values()] + [cell_len(plane.below)] * bool(orphans))
    canvas = Canvas(max(4, width - gutter - 2), rows)
    for series, role in steps:
        _stairs(canvas, series, role, horizontal, vertical)
    over: dict[tuple[int, int], Run] = {}
    beneath: dict[tuple[int, int], Run] = {}
    for mark in marks:
        part = horizontal.part(mark.x)
        if part is None or not -1e-9 <= part <= 1 + 1e-9:
            continue
        column = round(part * (canvas.width - 1))
        if mark.y is None:
            beneath[column, 0] = (mark.glyph, mark.role)
        elif (up := vertical.part(mark.y)) is not None:
            over[column, round((1 - up) * (rows - 1))] = (mark.glyph, mark.role)
    if plane.band is not None:
        over = _shade(canvas, plane.band, vertical) | over
    for row, cells in enumerate(canvas.rows(over)):
        label = right(labels.get(row, ""), gutter)
        lines.append([(label, "dim"), (" ┤" if row in labels else " │", "dim"), *cells])
    if orphans:
        row_of_none = Canvas(canvas.width, 1).rows(beneath)[0]
        lines.append([(right(plane.below, gutter) + " ┊", "dim"), *row_of_none])
    lines.append([(" " * gutter + " └" + "─" * canvas.width, "dim")])
    ticks = plane.ticks or _ticks(horizontal, canvas.width, plane.x_format)
    lines.append([(" " * (gutter + 2) + tick_line(horizontal, ticks, canvas.width), "dim")])
    return exactly(lines, height)


def _shade(canvas: Canvas, band: tuple[float, float], vertical: Axis) -> dict[tuple[int, int], Run]:
    """The cells of a band in which no dot is set."""
    low, high = (vertical.part(value) for value in sorted(band))
    if low is None or high is None:
        return {}
    last = canvas.height - 1
    first, end = round((1 - min(1.0, high)) * last), round((1 - max(0.0, low)) * last)
    return {
        (column, row): (BAND, "dim")
        for row in range(first, end + 1)
        for column in range(canvas.width)
        if not canvas.dots[row][column]
    }


def _stairs(canvas: Canvas, series: Series, role: str, horizontal: Axis, vertical: Axis) -> None:
    """A line that keeps its value until the next point, and then to the end of the axis."""
    across, up = canvas.width * 2 - 1, canvas.height * 4 - 1
    before: tuple[int, int] | None = None
    for x, y in series.points:
        parts = horizontal.part(x), vertical.part(y)
        if parts[0] is None or parts[1] is None:
            continue
        at = (round(parts[0] * across), round(parts[1] * up))
        if before is not None:
            canvas.line(*before, at[0], before[1], role)
            canvas.line(at[0], before[1], *at, role)
        before = at
    if before is not None:
        canvas.line(*before, across, before[1], role)


def _ticks(axis: Axis, width: int, shown: Callable[[float], str]) -> list[tuple[float, str]]:
    """The ends, and round values between them; a label that stands there already is none."""
    places: dict[str, float] = {}
    for value in (axis.low, axis.high, *axis.labels(max(0, width // 14 - 1))):
        places.setdefault(shown(value), value)
    return [(value, text) for text, value in places.items()]


def _fitting(runs: Sequence[Run], width: int) -> list[Run]:
    """As many whole parts as find room; at least the first, cut."""
    kept: list[Run] = []
    room = width
    for text, role in runs:
        if kept and cell_len(text.rstrip()) > room:
            break
        kept.append((crop(text, room).rstrip() if cell_len(text) > room else text, role))
        room -= cell_len(text)
    return kept
