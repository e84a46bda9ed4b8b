"""Heat maps: a grid of values as coloured cells with their numbers, or as glyphs where there is no colour or no room."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from console.formatting import crop, number, right
from console.widgets.canvas import Lines, Run, append, cut
from console.widgets.frame import heading
from console.widgets.tint import HIGH, LOW, NEUTRAL, Ground, ink, mix

SHADES, RINGS = " ░▒▓█", " ·∘○●"
"""From 0 to the largest value, and from 0 to the smallest: the sign is seen without colour."""
LEAST_CELL, MOST_CELL, FILLED_CELL = 5, 14, 24
LEAST_NAME = 4
LEAST_MARGIN = 6


def heatmap(
    z: Sequence[Sequence[float]],
    columns: Sequence[str],
    rows: Sequence[str],
    width: int,
    height: int = 0,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    ground: Ground = "",
) -> Lines:
    """The grid with a line per row, or two or three of them where the ``height`` (0: any) has room. ``z[row][column]`` are the values, NaN where there is none.

    Columns whose names find no room are numbered and named below. A value of 0 is neutral; where nothing is below 0 the
    scale begins at the smallest value.
    """
    finite = [value for line in z for value in line if math.isfinite(value)]
    lines = heading(title, [], width)
    if not finite or not columns:
        return [*lines, [("no values", "dim")]]
    margin = min(max([LEAST_MARGIN, *(cell_len(name) for name in rows)]), max(LEAST_MARGIN, width // 4))
    if hidden := max(0, len(columns) - (width - margin - 1)):
        columns = columns[:-hidden]
    cell = max(1, min(MOST_CELL if not height else FILLED_CELL, (width - margin - 1) // len(columns)))
    low, high = min(finite), max(finite)
    scale = Scale(low, high)
    texts = _texts(z, cell - (2 if ground else 3)) if cell >= LEAST_CELL else None
    if texts is None:
        cell = min(cell, 2)
    head, notes = _names(columns, cell, margin, width)
    around = " · ".join(
        part for part in (f"{y_label} ↓" if y_label else "", f"{x_label} →" if x_label else "") if part
    )
    lines += [[(around, "dim")]] if around else []
    lines.append([(head, "dim")])
    thick = max(1, min(3, (height - len(lines) - len(notes) - 1) // len(z)))
    for at, values in enumerate(z):
        blank: list[Run] = [(" " * (margin + 1), "")]
        line: list[Run] = [(crop(rows[at] if at < len(rows) else "", margin) + " ", "")]
        for column, value in enumerate(values[: len(columns)]):
            for text, role in _cell(value, texts[at][column] if texts else "", cell, scale, ground):
                append(line, text, role)
            for text, role in _cell(value, "", cell, scale, ground) if thick > 1 else ():
                append(blank, text if ground or not texts else " " * cell, role)
        lines += [blank] * ((thick - 1) // 2) + [line] + [blank] * (thick - 1 - (thick - 1) // 2)
    if hidden:
        notes = [*notes, [(f"+{hidden} columns: enlarge the terminal", "wait")]]
    return [cut(line, width) for line in (*lines, *notes, _scale(scale, ground))]


class Scale:
    """Where a value stands between the smallest and the largest: -1 to 1 around zero, or 0 to 1 where all are of one side."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.both = low < 0 < high
        self.most = max(abs(low), abs(high)) or 1.0

    def part(self, value: float) -> float:
        """-1 to 1; with the sign of the value where there are values on both sides."""
        if self.both:
            return value / self.most
        if self.high <= 0 and self.low < 0:
            return -((self.high - value) / ((self.high - self.low) or 1))
        return (value - self.low) / ((self.high - self.low) or 1)


def _cell(value: float, text: str, cell: int, scale: Scale, ground: Ground) -> list[Run]:
    """One value: its number on its colour, or behind its glyph."""
    if not math.isfinite(value):
        return [(right("–" if cell > 2 else " ", cell - 1) + " " if cell > 1 else " ", "dim")]
    part = scale.part(value)
    glyph = _glyph(part)
    role = "series-1" if part >= 0 else "series-2"
    if ground:
        colour = mix(NEUTRAL[ground], HIGH if part >= 0 else LOW, abs(part))
        shown = right(text, cell - 1) + " " if text else " " * cell
        return [(shown, f"{ink(colour)}/{colour}")]
    if not text:
        return [(glyph * cell, role)]
    return [(" " * (cell - len(text) - 2), ""), (glyph, role), (text + " ", "")]


def _glyph(part: float) -> str:
    glyphs = SHADES if part >= 0 else RINGS
    return glyphs[min(len(glyphs) - 1, math.ceil(abs(part) * (len(glyphs) - 1) - 0.25))]


def _texts(z: Sequence[Sequence[float]], room: int) -> list[list[str]] | None:
    """The numbers with as many decimals as find room in every cell; None where none do."""
    finite = [value for line in z for value in line if math.isfinite(value)]
    whole = all(value == int(value) and abs(value) < 1e15 for value in finite)
    most = max(abs(value) for value in finite)
    wanted = 0 if whole or most >= 1000 else 1 if most >= 100 else 2 if most >= 1 else 3
    for decimals in range(wanted, -1, -1):
        if decimals == 0 and not whole and most < 10:
            return None  # rounded to whole numbers they would say nothing
        texts = [[f"{value:z.{decimals}f}" if math.isfinite(value) else "–" for value in line] for line in z]
        if all(len(text) <= room for line in texts for text in line):
            return texts
    return None


def _names(columns: Sequence[str], cell: int, margin: int, width: int) -> tuple[str, Lines]:
    """The line of the columns' names, and what they stand for where they are numbered."""
    longest = max(cell_len(name) for name in columns)
    cut = [crop(name, cell - 1).rstrip() for name in columns]
    if longest < cell or (cell > LEAST_NAME + 1 and len(set(cut)) == len(cut)):
        return " " * (margin + 1) + "".join(right(name, cell - 1) + " " for name in cut), []
    step = max(1, -(-(len(str(len(columns))) + 1) // cell))
    head = " " * (margin + 1)
    for at in range(0, len(columns), step):
        head += right(str(at + 1), cell * step - 1) + " " if cell * step > 1 else str(at + 1)
    notes: Lines = []
    line = ""
    for at, name in enumerate(columns):
        entry = f"{at + 1} {name}"
        if line and cell_len(line) + cell_len(entry) + 3 > width:
            notes.append([(line, "dim")])
            line = ""
        line += ("   " if line else "") + entry
    return head, [*notes, [(line, "dim")]]


def _scale(scale: Scale, ground: Ground) -> list[Run]:
    """From the smallest to the largest value in colours or glyphs."""
    ends = (-1.0, 1.0) if scale.both else (scale.part(scale.low), scale.part(scale.high))
    parts = [ends[0] + (ends[1] - ends[0]) * at / 8 for at in range(9)]
    shown: tuple[float, float] = (-scale.most, scale.most) if scale.both else (scale.low, scale.high)
    line: list[Run] = [(f"{number(shown[0])} ", "dim")]
    for part in parts:
        if ground:
            colour = mix(NEUTRAL[ground], HIGH if part >= 0 else LOW, abs(part))
            append(line, "  ", f"{ink(colour)}/{colour}")
        else:
            append(line, _glyph(part) * 2, "series-1" if part >= 0 else "series-2")
    return [*line, (f" {number(shown[1])}", "dim")]
