"""Values with what is not known of them: bars with an interval, and strips of single values against a spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from console.formatting import crop, right
from console.widgets.axis import Axis, short, tick_line
from console.widgets.canvas import Lines, Run, append


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the ends of its interval."""

    label: str
    value: float
    low: float
    high: float
    role: str = "series-1"


def interval_bars(intervals: Sequence[Interval], width: int, *, most: float | None = None) -> Lines:
    """One line each: the label, a bar from 0 to the value, whiskers over its interval, the numbers."""
    known = [abs(end) for one in intervals for end in (one.high, one.value) if math.isfinite(end)]
    top = most or max(known, default=0.0) or 1.0
    label_width = min(max((len(one.label) for one in intervals), default=0), max(8, width // 3))
    texts = [f"{one.value:.2f}  {one.low:.2f} to {one.high:.2f}" for one in intervals]
    text_width = max((len(text) for text in texts), default=0)
    room = width - label_width - text_width - 4
    if room < 8:  # the numbers tell more than a bar of a few cells
        room = 0
    lines: Lines = []
    for one, text in zip(intervals, texts, strict=True):
        line: list[Run] = [(crop(one.label, label_width) + "  ", "")]
        if room:
            for char, role in _whiskered(one, top, room):
                append(line, char, role)
            line.append(("  ", ""))
        value, _, rest = text.partition("  ")
        lines.append([*line, (value, "strong"), (right(rest, text_width - len(value)), "dim")])
    return lines


def _whiskered(one: Interval, top: float, room: int) -> list[Run]:
    """The cells of a bar: filled up to the value, with whiskers from the low to the high end over it."""

    def cell(value: float) -> int:
        return round(min(1.0, max(0.0, value / top)) * (room - 1))

    value, low, high = cell(one.value), cell(one.low), cell(one.high)
    if round(one.value / top * 2 * room) < 1:
        value = -1  # less than half a cell is not drawn as a whole one
    cells: list[Run] = [("█" if at <= value else " ", one.role) for at in range(room)]
    if high > low:
        for at in range(max(low, value + 1), high + 1):
            cells[at] = ("─", "dim")
        for at in range(low, min(value, high) + 1):
            cells[at] = ("▓", one.role)
        cells[high] = ("┤", "dim") if high > value else ("▓", one.role)
    return cells


@dataclass(frozen=True, slots=True)
class Strip:
    """Single values on one line."""

    label: str
    values: tuple[float, ...]
    glyph: str = "●"
    role: str = "series-1"


def strips(rows: Sequence[Strip], width: int, *, spread: tuple[float, float] | None = None) -> Lines:
    """A line of points per strip over one axis; the spread is shaded on all of them, the axis labelled below."""
    values = [value for row in rows for value in row.values if math.isfinite(value)] + list(spread or ())
    if not values or width < 30:
        return []
    axis = Axis.around(values)
    label_width = min(max(len(row.label) for row in rows), width // 3)
    room = width - label_width - 4
    shaded = [axis.part(end) or 0.0 for end in sorted(spread)] if spread else None
    lines: Lines = []
    for row in rows:
        cells: list[Run] = [(" ", "")] * room
        if shaded:
            for at in range(round(shaded[0] * (room - 1)), round(shaded[1] * (room - 1)) + 1):
                cells[at] = ("░", "dim")
        for value in row.values:
            if (part := axis.part(value)) is not None:
                cells[round(part * (room - 1))] = (row.glyph, row.role)
        line: list[Run] = [(crop(row.label, label_width) + "  ", ""), ("│", "dim")]
        for char, role in cells:
            append(line, char, role)
        lines.append([*line, ("│", "dim")])
    edge = " " * (label_width + 2)
    ticks = [(axis.low, short(axis.low)), (axis.high, short(axis.high))]
    ticks += [(value, short(value)) for value in axis.labels(max(0, room // 14))]
    return [
        *lines,
        [(edge + "└" + "─" * room + "┘", "dim")],
        [(edge + " " + tick_line(axis, ticks, room), "dim")],
    ]
