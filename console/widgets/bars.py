"""Horizontal bars: one series or several side by side, to the right of zero and to the left of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.formatting import bar, crop, number, right
from console.widgets.canvas import Lines, Run, cut
from console.widgets.frame import Sign, heading, sign


@dataclass(frozen=True, slots=True)
class Bars:
    """The values of a series, one per label; NaN where there is none."""

    name: str
    values: tuple[float, ...]


def bars(labels: Sequence[str], series: Sequence[Bars], width: int, *, title: str = "") -> Lines:
    """One line for each label and series. Where several series are compared, each bar begins with the sign of its series."""
    signs = [sign(index, one.name) for index, one in enumerate(series)]
    several = len(series) > 1
    lines: Lines = heading(title, signs if several else [], width) if title or several else []
    numbers = [value for one in series for value in one.values if math.isfinite(value)]
    left, most = max([-value for value in numbers] + [0.0]), max([*numbers, 0.0])
    name_width = min(max((cell_len(label) for label in labels), default=0), width // 3)
    value_width = max((len(number(value)) for value in numbers), default=1)
    room = max(1, width - name_width - value_width - 4 - 2 * several)
    leftwards = round(room * left / ((left + most) or 1)) if left else 0
    if left:
        leftwards = min(room - 1, max(1, leftwards))
    for at, label in enumerate(labels):
        if several and at and len(series) > 2:
            lines.append([])
        for index, (one, shown) in enumerate(zip(series, signs, strict=True)):
            value = one.values[at] if at < len(one.values) else math.nan
            line: list[Run] = [(crop(label if index == 0 else "", name_width) + "  ", "")]
            if several:
                line.append((f"{shown.glyph} ", shown.role))
            line += _bar(value, left, most, leftwards, room, shown)
            lines.append(cut([*line, ("  " + right(number(value), value_width), "strong")], width))
    return lines


def _bar(value: float, left: float, most: float, leftwards: int, room: int, shown: Sign) -> list[Run]:
    """A bar on both sides of zero; half a cell is the resolution to the left, an eighth to the right."""
    runs: list[Run] = []
    known = value if math.isfinite(value) else 0.0
    if leftwards:
        halves = round(max(0.0, -known) / (left or 1) * leftwards * 2)
        drawn = ("▐" if halves % 2 else "") + "█" * (halves // 2)
        runs += [(drawn.rjust(leftwards), shown.role), ("│", "dim")]
    rightwards = room - leftwards - bool(leftwards)
    return [*runs, (bar(max(0.0, known) / (most or 1), rightwards), shown.role)]
