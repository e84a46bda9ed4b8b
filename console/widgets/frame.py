"""What stands around the plot of a figure: title, signs of its series, a labelled y axis, and the ruler below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.formatting import crop, right
from console.widgets.axis import Axis, short, tick_line
from console.widgets.canvas import Canvas, Lines, Run
from console.widgets.ruler import Ruler

POINTS = "●○▲△■□◆◇▼▽◉◎"
SERIES_ROLES = ("series-1", "series-2", "series-3", "series-4", "series-5", "series-6")
LEAST_WIDTH, LEAST_HEIGHT = 24, 7
APART = 24
"""Cells between two signs on one line."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How a series is told apart: by its glyph as much as by its colour."""

    glyph: str
    name: str
    role: str


def sign(index: int, name: str) -> Sign:
    """The sign of the series of a number."""
    return Sign(POINTS[index % len(POINTS)], name, SERIES_ROLES[index % len(SERIES_ROLES)])


def heading(title: str, signs: Sequence[Sign], width: int, *, most: int = 3) -> Lines:
    """The title, and the signs behind it where they fit, else below it; the last of ``most`` lines counts those left out."""
    title = crop(title, width).rstrip() if cell_len(title) > width else title
    entries = [(f"{one.glyph} {one.name}", one.role) for one in signs]
    length = sum(cell_len(text) + 3 for text, _ in entries) - 3
    if not entries:
        return [[(title, "strong")]]
    if title and cell_len(title) + 3 + length <= width:
        return [[(title + "   ", "strong"), *_spaced(entries)]]
    lines: Lines = [[(title, "strong")]] if title else []
    row: list[Run] = []
    used = 0
    for index, (text, role) in enumerate(entries):
        text = crop(text, width - 10).rstrip() if cell_len(text) > width - 10 else text
        last = len(lines) + 1 == most
        room = width - (10 if last and index < len(entries) - 1 else 0)
        if row and used + cell_len(text) > room:
            if last:
                row.append((f"+{len(entries) - index} more", "dim"))
                break
            lines.append(row)
            row, used = [], 0
        row.append((text, role))
        row.append(("   ", ""))
        used += cell_len(text) + 3
    return [*lines, row]


def _spaced(entries: Sequence[Run]) -> list[Run]:
    runs: list[Run] = []
    for index, entry in enumerate(entries):
        runs += ([("   ", "")] if index else []) + [entry]
    return runs


def gutter(vertical: Axis, rows: int) -> tuple[dict[int, str], int]:
    """The labels of the y axis by row from the top, and the width of the longest."""
    labels = {row: short(value) for row, value in vertical.rows(rows).items()}
    return labels, max(len(text) for text in labels.values())


def framed(
    canvas: Canvas,
    marks: dict[tuple[int, int], Run],
    labels: dict[int, str],
    ruler: Ruler,
    *,
    x_label: str = "",
    y_label: str = "",
) -> Lines:
    """The plot with its axes; the label of y stands above its axis, that of x in the rule."""
    margin = max(len(text) for text in labels.values())
    lines: Lines = [[(crop(y_label, margin + canvas.width).rstrip(), "dim")]] if y_label else []
    for row, cells in enumerate(canvas.rows(marks)):
        label = right(labels.get(row, ""), margin)
        lines.append([(label, "dim"), (" ┤" if row in labels else " │", "dim"), *cells])
    name = f" {x_label} " if x_label and cell_len(x_label) + 6 <= canvas.width else ""
    rule = "─" * (canvas.width - cell_len(name) - 3 * bool(name))
    lines.append([(" " * margin + " └" + rule + name + "───" * bool(name), "dim")])
    ticks = tick_line(ruler.axis, ruler.ticks(canvas.width), canvas.width)
    return [*lines, [(" " * (margin + 2) + ticks, "dim")]]
