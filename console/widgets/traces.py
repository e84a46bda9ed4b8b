"""Line charts and fans of a figure: lines of braille dots that carry the sign of their series, over shaded bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from console.widgets.axis import Axis
from console.widgets.canvas import Canvas, Lines, Run, exactly
from console.widgets.frame import APART, LEAST_HEIGHT, LEAST_WIDTH, Sign, framed, gutter, heading, sign
from console.widgets.ruler import Ruler

BANDS = "░▒▓"


@dataclass(frozen=True, slots=True)
class Trace:
    """A line: y by x as it stands on the ruler, in the order of x; NaN breaks it."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of y by x: the interval of a forecast."""

    name: str
    x: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def traces(
    lines: Sequence[Trace],
    bands: Sequence[Band],
    ruler: Ruler,
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Lines:
    """Lines over bands (the widest first) in exactly ``height`` lines."""
    signs = [sign(index, line.name) for index, line in enumerate(lines)]
    shades = [BANDS[min(index, len(BANDS) - 1)] for index in range(len(bands))]
    alone = len(lines) == 1 and not bands
    legend = [] if alone and lines[0].name in ("", title) else signs
    legend = legend + [Sign(shade * 2, band.name, "dim") for shade, band in zip(shades, bands, strict=True)]
    head = heading(title, legend, width, most=max(1, height // 5) + 1)
    if height < LEAST_HEIGHT or width < LEAST_WIDTH:
        return exactly(head, height)
    values = [y for line in lines for y in line.y]
    values += [y for band in bands for side in (band.low, band.high) for y in side]
    if not any(math.isfinite(value) for value in values):
        return exactly([*head, [], [("no values".center(width), "dim")]], height)
    vertical = Axis.around(values)
    above = y_label if height - len(head) >= 10 else ""
    rows = height - len(head) - 2 - bool(above)
    labels, margin = gutter(vertical, rows)
    canvas = Canvas(width - margin - 2, rows)
    for line, one in zip(lines, signs, strict=True):
        _draw(canvas, line, ruler.axis, vertical, one.role)
    marks: dict[tuple[int, int], Run] = {}
    for band, shade in zip(bands, shades, strict=True):
        marks |= _shaded(canvas, band, shade, ruler.axis, vertical)
    for index, (line, one) in enumerate(zip(lines, signs, strict=True)):
        if not alone or len(line.x) == 1:
            _put_signs(canvas, marks, line, one, ruler.axis, vertical, (index + 0.5) / len(lines))
    return exactly([*head, *framed(canvas, marks, labels, ruler, x_label=x_label, y_label=above)], height)


def _draw(canvas: Canvas, line: Trace, across: Axis, up: Axis, role: str) -> None:
    before: tuple[int, int] | None = None
    for x, y in zip(line.x, line.y, strict=False):
        right, high = across.part(x), up.part(y)
        if right is None or high is None:
            before = None
            continue
        at = round(right * (canvas.width * 2 - 1)), round(high * (canvas.height * 4 - 1))
        if before is None:
            canvas.dot(*at, role)
        else:
            canvas.line(*before, *at, role)
        before = at


def between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The value at ``x`` of a line through points in the order of x; NaN outside of it."""
    if not xs or not xs[0] <= x <= xs[-1]:
        return math.nan
    for index in range(1, len(xs)):
        if x <= xs[index]:
            width = xs[index] - xs[index - 1]
            part = (x - xs[index - 1]) / width if width else 1.0
            return ys[index - 1] + (ys[index] - ys[index - 1]) * part
    return ys[0]


def _shaded(canvas: Canvas, band: Band, shade: str, across: Axis, up: Axis) -> dict[tuple[int, int], Run]:
    """The cells of a band in which no dot is set; in each of its columns there is at least one row of it."""
    found: dict[tuple[int, int], Run] = {}
    last = canvas.width - 1
    for column in range(canvas.width):
        x = across.low + (across.high - across.low) * (column / last if last else 0.5)
        ends = [up.part(between(band.x, side, x)) for side in (band.low, band.high)]
        if ends[0] is None or ends[1] is None:
            continue
        low, high = sorted(1 - min(1.0, max(0.0, end)) for end in ends if end is not None)
        first = math.ceil(low * canvas.height - 0.5)
        final = math.floor(high * canvas.height - 0.5)
        if final < first:
            first = final = min(canvas.height - 1, int((low + high) / 2 * canvas.height))
        for row in range(max(0, first), min(canvas.height - 1, final) + 1):
            if not canvas.dots[row][column]:
                found[column, row] = (shade, "dim")
    return found


def _put_signs(
    canvas: Canvas,
    marks: dict[tuple[int, int], Run],
    line: Trace,
    one: Sign,
    across: Axis,
    up: Axis,
    phase: float,
) -> None:
    """The sign of a series on its line, every `APART` cells, each series in its own places."""
    points = [(x, y) for x, y in zip(line.x, line.y, strict=False) if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return
    xs, ys = zip(*points, strict=True)
    first, last = (across.part(x) or 0.0 for x in (xs[0], xs[-1]))
    span = (last - first) * (canvas.width - 1)
    number = max(1, round(span / APART))
    for place in range(number):
        part = first + (last - first) * (place + phase) / number
        column = round(part * (canvas.width - 1))
        at = across.part(between(xs, ys, across.low + (across.high - across.low) * part))
        high = up.part(between(xs, ys, across.low + (across.high - across.low) * part))
        if at is None or high is None:
            high = up.part(ys[len(ys) // 2])
        if high is not None:
            row = canvas.height - 1 - round(high * (canvas.height * 4 - 1)) // 4
            marks[column, row] = (one.glyph, one.role)
