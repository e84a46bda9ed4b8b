"""Charts drawn with characters: pure functions from data and a size to lines of styled text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.formatting import crop, number, right
from console.widgets.axis import Axis, Scale, short
from console.widgets.canvas import Canvas, append, cut, exactly
from console.widgets.canvas import Lines as Lines
from console.widgets.canvas import Run as Run
from console.widgets.frame import APART, POINTS
from console.widgets.frame import SERIES_ROLES as SERIES_ROLES
from console.widgets.tint import mix

LEGEND_SIGN, LEAST_NAME = 5, 4
"""Cells that a legend needs for a series beside its name, and the fewest in which a name is told."""
SHADES = " ░▒▓█"


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart: ``points`` are (x, y) with growing x. One that is ``broken`` has no number where it ends, as a loss that
    diverged; else NaN is where nothing is known. What is ``counted`` is drawn from 0 on: a fifth more calls must not look like twice as many."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str = ""
    broken: bool = False
    counted: bool = False

    @property
    def last(self) -> float | None:
        return next((y for _, y in reversed(self.points) if math.isfinite(y)), None)

    @property
    def value(self) -> str:
        """The last value with its unit, as a legend tells it."""
        return "NaN" if self.broken else f"{number(self.last)} {self.unit}".rstrip()


def legend(series: Sequence[Series], width: int, title: str = "", *, values: bool = True) -> list[Run]:
    """One line that names each series with its sign, in its colour, with its last value and unit as far as there is room; a title stays."""
    if len(series) == 1 and values:
        one = series[0]
        value = one.value if one.points else "no data"
        if one.broken and one.last is not None:
            value += f", before it {number(one.last)} {one.unit}".rstrip()
        return [
            (crop(title or one.name, max(0, width - len(value) - 2)).rstrip() + "  ", "strong"),
            (value, "bad" if one.broken else SERIES_ROLES[0]),
        ]
    names = [one.name for one in series]
    common = _common_ending(names)
    shorter = [name.removesuffix(common).rstrip(":_- ") for name in names] if common else names
    none = [""] * len(series)
    last = [f" {one.value}" if one.points and values else "" for one in series]
    common = title or common
    attempts = [(title, names, last), (common, shorter, last), (common, shorter, none)]
    room = (width - cell_len(title) - 2) // len(series) - LEGEND_SIGN
    if title and room >= LEAST_NAME:
        attempts.append((title, [crop(name, room).rstrip() for name in shorter], none))
    attempts.append((title, shorter, none))
    for head, labels, numbers in attempts:
        line: list[Run] = [(head.strip(":_- ") + "  ", "strong")] if head else []
        for index, (label, value) in enumerate(zip(labels, numbers, strict=True)):
            line.append(
                (f"{POINTS[index % len(POINTS)]} {label}{value}   ", SERIES_ROLES[index % len(SERIES_ROLES)])
            )
        if sum(cell_len(text) for text, _ in line) <= width + 3:
            return line
    return cut(line, width)


def _common_ending(names: Sequence[str]) -> str:
    """What all names end in, from a separator on: ``:loss`` of train:loss and validation:loss."""
    for separator in ":_-":
        endings = {name[name.find(separator) :] if separator in name else "" for name in names}
        if len(endings) == 1 and (ending := endings.pop()):
            return ending
    return ""


LEAST_PLOT = 4
"""Columns that a plot has at least, whatever its labels need."""


def chart(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    x_format: Callable[[float], str] = short,
    markers: bool = False,
    scale: Scale = "linear",
) -> Lines:
    """A line chart with a legend, a labelled y axis and an x axis, in exactly ``height`` lines.

    ``markers`` draws points without lines between them. With a logarithmic ``scale`` points
    that are not above 0 have no place; where there are no others the axis stays linear.
    """
    if height < 4 or width < 16:
        return [legend(series, width, title)][:height]
    drawn = [one for one in series if one.points]
    lines: Lines = [legend(series, width, title, values=not markers)]
    if not drawn:
        lines += [[] for _ in range((height - 2) // 2)]
        lines.append([("no points yet".center(width), "dim")])
        return exactly(lines, height)
    vertical = Axis.around(
        [y for one in drawn for _, y in one.points] + ([0.0] if any(one.counted for one in drawn) else []),
        scale,
    )
    horizontal = Axis.between([x for one in drawn for x, _ in one.points])
    plot_height = height - 3
    at_rows = vertical.rows(plot_height)
    labels = {row: short(value) for row, value in at_rows.items()}
    if max(map(len, labels.values())) > width - 2 - LEAST_PLOT:  # 100 000 000 in 16 columns
        labels = {row: f"{value:.1e}" for row, value in at_rows.items()}
    gutter = max(len(text) for text in labels.values())
    canvas = Canvas(max(LEAST_PLOT, width - gutter - 2), plot_height)
    across, up = canvas.width * 2 - 1, canvas.height * 4 - 1
    marks: dict[tuple[int, int], Run] = {}
    for index, one in enumerate(series):
        role = SERIES_ROLES[index % len(SERIES_ROLES)]
        sign = (POINTS[index % len(POINTS)], role)
        cells: list[tuple[int, int]] = []
        previous: tuple[int, int] | None = None
        joined = True
        for x, y in one.points:
            right_part, up_part = horizontal.part(x), vertical.part(y)
            if right_part is None or up_part is None:
                if not joined:
                    marks[cells[-1]] = sign
                previous, joined = None, True
                continue
            joined = previous is not None
            at = (round(right_part * across), round(up_part * up))
            if markers or previous is None:
                canvas.dot(*at, role)
            else:
                canvas.line(*previous, *at, role)
            previous = at
            cells.append((at[0] // 2, canvas.height - 1 - at[1] // 4))
        if not joined:  # a point without a neighbour is one dot, which nobody sees
            marks[cells[-1]] = sign
        if len(series) > 1 or markers:  # colours alone tell nothing to who sees none
            apart = max(8, min(APART, canvas.width // 3))
            chosen = cells if markers else spread(cells, apart, (index + 0.5) / len(series))
            marks |= dict.fromkeys(chosen, sign)
    for row, cells_of_row in enumerate(canvas.rows(marks)):
        label = right(labels.get(row, ""), gutter)
        lines.append([(label, "dim"), (" ┤" if row in labels else " │", "dim"), *cells_of_row])
    lines.append([(" " * gutter + " └" + "─" * canvas.width, "dim")])
    several = any(x != horizontal.low for one in drawn for x, _ in one.points)
    ends = x_format(horizontal.low), x_format(horizontal.high) if several else ""
    lines.append([(x_axis(gutter + 2, canvas.width, ends[0], x_label, ends[1]), "dim")])
    return exactly(lines, height)


def spread(cells: Sequence[tuple[int, int]], apart: int, phase: float) -> list[tuple[int, int]]:
    """Cells of a line's points that stand about ``apart`` columns from each other, to carry its sign; ``phase`` (0 to 1) keeps those of
    several lines apart."""
    if not cells:
        return []
    first, last = cells[0][0], cells[-1][0]
    number_of = max(1, round((last - first) / apart))
    targets = [first + (last - first) * (place + phase) / number_of for place in range(number_of)]
    return [min(cells, key=lambda cell: abs(cell[0] - target)) for target in targets]


def x_axis(gutter: int, width: int, first: str, label: str, last: str) -> str:
    """The line below a chart: where the axis begins, what it is, where it ends."""
    room = width - len(first) - len(last)
    if room < 2:
        return " " * gutter + right(last, width)
    middle = label if len(label) + 2 <= room else ""
    return " " * gutter + first + middle.center(max(1, room)) + last


def field_plot(
    z: Sequence[Sequence[float]],
    x: Sequence[float],
    y: Sequence[float],
    points: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    colours: tuple[str, str] | None = None,
) -> Lines:
    """A grid of values between 0 and 1 as shades or colours, with the points of named groups over it.

    ``z[row][column]`` belongs to ``y[row]`` and ``x[column]``. With ``colours`` (the two ends, ``#rrggbb``) each cell gets a
    background; without, one of five shades of grey. Points are drawn in a character of their group.
    """
    if height < 6 or width < 24 or not z or not z[0]:
        return exactly([[(title, "strong")]], height)
    lows, highs = (min(x), min(y)), (max(x), max(y))
    gutter = max(len(short(lows[1])), len(short(highs[1])))
    columns, rows = width - gutter - 2, height - 4
    rows_up = y[0] <= y[-1]
    columns_right = x[0] <= x[-1]

    def value(column: int, row: int) -> float:
        i = (
            round((1 - (row + 0.5) / rows) * (len(z) - 1))
            if rows_up
            else round((row + 0.5) / rows * (len(z) - 1))
        )
        j = round((column + 0.5) / columns * (len(z[0]) - 1))
        return float(z[i][j if columns_right else len(z[0]) - 1 - j])

    over: dict[tuple[int, int], int] = {}
    for group, (_, xs, ys) in enumerate(points):
        for px, py in zip(xs, ys, strict=False):
            column = int((px - lows[0]) / ((highs[0] - lows[0]) or 1) * columns)
            row = int((1 - (py - lows[1]) / ((highs[1] - lows[1]) or 1)) * rows)
            if 0 <= column < columns and 0 <= row < rows:
                over[column, row] = group
    head: list[Run] = [(title + "  ", "strong")]
    for group, (name, *_rest) in enumerate(points):
        head.append((f"{POINTS[group % len(POINTS)]} {name}   ", SERIES_ROLES[group % len(SERIES_ROLES)]))
    lines: Lines = [head]
    for row in range(rows):
        label = short(highs[1]) if row == 0 else short(lows[1]) if row == rows - 1 else ""
        line: list[Run] = [(right(label, gutter), "dim"), (" ┤" if label else " │", "dim")]
        for column in range(columns):
            part = value(column, row)
            group = over.get((column, row), -1)
            if colours:
                ground = mix(colours[0], colours[1], part)
                ink = "#ffffff" if group % 2 else "#000000"
                append(line, POINTS[group % len(POINTS)] if group >= 0 else " ", f"{ink}/{ground}")
            elif group >= 0:
                append(line, POINTS[group % len(POINTS)], SERIES_ROLES[group % len(SERIES_ROLES)])
            else:
                append(line, SHADES[min(4, int(max(0.0, part) * 4.999))], "dim")
        lines.append(line)
    lines.append([(" " * gutter + " └" + "─" * columns, "dim")])
    lines.append([(x_axis(gutter + 2, columns, short(lows[0]), x_label, short(highs[0])), "dim")])
    return exactly(lines, height)
