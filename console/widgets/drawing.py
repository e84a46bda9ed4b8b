"""Charts drawn with characters: pure functions from data and a size to lines of styled text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from console.formatting import bar, crop, number, right

Run = tuple[str, str]
"""Text and its role. A role ``#rrggbb/#rrggbb`` is a foreground and a background of a field."""
Lines = list[list[Run]]

SERIES_ROLES = ("series-1", "series-2", "series-3", "series-4")
SHADES = " ░▒▓█"
POINTS = "●○▲△■□"

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart: ``points`` are (x, y) with growing x."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str = ""

    @property
    def last(self) -> float | None:
        return next((y for _, y in reversed(self.points) if math.isfinite(y)), None)


@dataclass(slots=True)
class _Canvas:
    """Cells of braille dots, 2 across and 4 down per cell; the last series to touch a cell gives its colour."""

    width: int
    height: int
    dots: list[list[int]] = field(init=False)
    roles: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.dots = [[0] * self.width for _ in range(self.height)]
        self.roles = [[""] * self.width for _ in range(self.height)]

    def dot(self, x: int, y: int, role: str) -> None:
        """Set the dot x from the left and y from the bottom."""
        if 0 <= x < self.width * 2 and 0 <= y < self.height * 4:
            row, column = self.height - 1 - y // 4, x // 2
            self.dots[row][column] |= _DOTS[x % 2][3 - y % 4]
            self.roles[row][column] = role

    def line(self, x0: int, y0: int, x1: int, y1: int, role: str) -> None:
        """Set the dots between two points (Bresenham)."""
        dx, dy = abs(x1 - x0), -abs(y1 - y0)
        step_x, step_y = (1 if x0 < x1 else -1), (1 if y0 < y1 else -1)
        error = dx + dy
        while True:
            self.dot(x0, y0, role)
            if (x0, y0) == (x1, y1):
                return
            twice = 2 * error
            if twice >= dy:
                error, x0 = error + dy, x0 + step_x
            if twice <= dx:
                error, y0 = error + dx, y0 + step_y

    def rows(self) -> Lines:
        lines: Lines = []
        for dots, roles in zip(self.dots, self.roles, strict=True):
            line: list[Run] = []
            for bits, role in zip(dots, roles, strict=True):
                _append(line, chr(0x2800 + bits) if bits else " ", role if bits else "")
            lines.append(line)
        return lines


def _append(line: list[Run], text: str, role: str) -> None:
    if line and line[-1][1] == role:
        line[-1] = (line[-1][0] + text, role)
    else:
        line.append((text, role))


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Limits of an axis that holds the values, on round numbers."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    step = _nice((high - low) / 4)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _nice(step: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(step))
    for factor in (1, 2, 2.5, 5, 10):
        if step <= factor * magnitude * 1.0001:
            return float(factor * magnitude)
    return float(10 * magnitude)


def short(value: float) -> str:
    """A label of an axis, free of the noise of floating point."""
    rounded = round(value, 10) + 0.0
    return number(rounded)


def legend(series: Sequence[Series], width: int, title: str = "", *, values: bool = True) -> list[Run]:
    """One line that names each series in its colour, with its last value and unit as far as there is room."""
    if len(series) == 1 and values:
        one = series[0]
        value = f"{number(one.last)} {one.unit}".rstrip() if one.points else "no data"
        return [
            (crop(title or one.name, max(0, width - len(value) - 2)).rstrip() + "  ", "strong"),
            (value, SERIES_ROLES[0]),
        ]
    names = [one.name for one in series]
    common = _common_ending(names)
    shorter = [name.removesuffix(common).rstrip(":_- ") for name in names] if common else names
    none = [""] * len(series)
    last = [f" {number(one.last)} {one.unit}".rstrip() if one.points and values else "" for one in series]
    common = title or common
    attempts = (
        (title, names, last),
        (common, shorter, last),
        (common, shorter, none),
        ("", shorter, none),
    )
    for head, labels, numbers in attempts:
        line: list[Run] = [(head.strip(":_- ") + "  ", "strong")] if head else []
        for index, (label, value) in enumerate(zip(labels, numbers, strict=True)):
            line.append((f"━━ {label}{value}   ", SERIES_ROLES[index % len(SERIES_ROLES)]))
        if sum(len(text) for text, _ in line) <= width + 3:
            return line
    return _cut(line, width)


def _cut(line: list[Run], width: int) -> list[Run]:
    """The line without what stands beyond ``width`` cells."""
    kept: list[Run] = []
    for text, role in line:
        if width <= 0:
            break
        kept.append((text[:width], role))
        width -= len(text)
    return kept


def _common_ending(names: Sequence[str]) -> str:
    """What all names end in, from a separator on: ``:loss`` of train:loss and validation:loss."""
    for separator in ":_-":
        endings = {name[name.find(separator) :] if separator in name else "" for name in names}
        if len(endings) == 1 and (ending := endings.pop()):
            return ending
    return ""


def chart(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    x_format: Callable[[float], str] = short,
    zero: bool = False,
    markers: bool = False,
) -> Lines:
    """A line chart with a legend, a labelled y axis and an x axis, in exactly ``height`` lines.

    ``zero`` begins the y axis at 0, ``markers`` draws points without lines between them.
    """
    if height < 4 or width < 16:
        return [legend(series, width, title)][:height]
    drawn = [one for one in series if one.points]
    lines: Lines = [legend(series, width, title, values=not markers)]
    if not drawn:
        lines += [[] for _ in range((height - 2) // 2)]
        lines.append([("no points yet".center(width), "dim")])
        return _exactly(lines, height)
    low, high = bounds([y for one in drawn for _, y in one.points] + ([0.0] if zero else []))
    left, end = _x_bounds([x for one in drawn for x, _ in one.points])
    plot_height = height - 3
    labels = {row: short(value) for row, value in _ticks(low, high, plot_height).items()}
    gutter = max(len(text) for text in labels.values())
    canvas = _Canvas(max(4, width - gutter - 2), plot_height)
    across, up = canvas.width * 2 - 1, canvas.height * 4 - 1
    for index, one in enumerate(series):
        role = SERIES_ROLES[index % len(SERIES_ROLES)]
        previous: tuple[int, int] | None = None
        for x, y in one.points:
            if not (math.isfinite(x) and math.isfinite(y)):
                previous = None
                continue
            at = (round((x - left) / (end - left) * across), round((y - low) / (high - low) * up))
            if markers or previous is None:
                canvas.dot(*at, role)
            else:
                canvas.line(*previous, *at, role)
            previous = at
    for row, cells in enumerate(canvas.rows()):
        label = right(labels.get(row, ""), gutter)
        lines.append([(label, "dim"), (" ┤" if row in labels else " │", "dim"), *cells])
    lines.append([(" " * gutter + " └" + "─" * canvas.width, "dim")])
    lines.append([(_x_axis(gutter + 2, canvas.width, x_format(left), x_label, x_format(end)), "dim")])
    return _exactly(lines, height)


def _ticks(low: float, high: float, height: int) -> dict[int, float]:
    """Values of the y axis by row: its ends, and between them round numbers at equal distances, where there is room."""
    last = height - 1
    found = {0: high, last: low}
    for parts in range(min(5, last // 2), 1, -1):
        step = (high - low) / parts
        if abs(step - _nice(step)) < 1e-6 * step:
            found |= {round((1 - i / parts) * last): low + i * step for i in range(1, parts)}
            break
    return found


def _x_bounds(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return (low, high) if high > low else (low, low + 1)


def _x_axis(gutter: int, width: int, first: str, label: str, last: str) -> str:
    room = width - len(first) - len(last)
    if room < 2:
        return " " * gutter + right(last, width)
    middle = label if len(label) + 2 <= room else ""
    return " " * gutter + first + middle.center(max(1, room)) + last


def bars(
    labels: Sequence[str], values: Sequence[float], width: int, height: int, *, title: str = ""
) -> Lines:
    """Horizontal bars with their labels and values, longest at the full width."""
    lines: Lines = [[(title, "strong")]] if title else []
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0) or 1.0
    name_width = min(max((len(label) for label in labels), default=0), width // 3)
    value_width = max((len(number(value)) for value in values), default=0)
    room = max(4, width - name_width - value_width - 4)
    for label, value in zip(labels, values, strict=False):
        drawn = bar(abs(value) / most if math.isfinite(value) else 0, room)
        lines.append(
            [
                (crop(label, name_width) + "  ", ""),
                (drawn, "series-1"),
                ("  " + right(number(value), value_width), "strong"),
            ]
        )
    return _exactly(lines, height)


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
        return _exactly([[(title, "strong")]], height)
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
                ground = _mix(colours[0], colours[1], part)
                ink = "#ffffff" if group % 2 else "#000000"
                _append(line, POINTS[group % len(POINTS)] if group >= 0 else " ", f"{ink}/{ground}")
            elif group >= 0:
                _append(line, POINTS[group % len(POINTS)], SERIES_ROLES[group % len(SERIES_ROLES)])
            else:
                _append(line, SHADES[min(4, int(max(0.0, part) * 4.999))], "dim")
        lines.append(line)
    lines.append([(" " * gutter + " └" + "─" * columns, "dim")])
    lines.append([(_x_axis(gutter + 2, columns, short(lows[0]), x_label, short(highs[0])), "dim")])
    return _exactly(lines, height)


def _mix(low: str, high: str, part: float) -> str:
    """A colour between two, in 16 steps so that neighbours share a run; a fainter middle shows the boundary."""
    part = round(min(1.0, max(0.0, part if math.isfinite(part) else 0.5)) * 16) / 16
    a, b = (tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in (low, high))
    return "#" + "".join(f"{round(one + (other - one) * part):02x}" for one, other in zip(a, b, strict=True))


def _exactly(lines: Lines, height: int) -> Lines:
    return (lines + [[] for _ in range(height - len(lines))])[:height]
