"""Fields and heat maps: values on a grid as colours in steps, with the key to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from workflows.events import Figure
from workflows.report.figures import palette, words
from workflows.report.figures.canvas import CHARACTER, SERIES, WIDTH, Canvas, legend_height, mark
from workflows.report.figures.palette import LEVELS
from workflows.report.figures.scales import Numbers, finite, round_values

TEXTS = 16
"""Columns of a heat map whose values are written into its cells."""


def field(figure: Figure) -> Canvas:
    """A surface of values with points above it; of a probability also the line of one half."""
    grid = next(entry for entry in figure.series if "z" in entry)
    points = [entry for entry in figure.series if "z" not in entry]
    xs, ys = ([number for value in grid[axis] if (number := finite(value)) is not None] for axis in "xy")
    low, high, _ = extent(grid["z"])
    names = [str(entry.get("name", "")) for entry in points]
    left = 16 + max((len(text) for _, text in round_values(ys[0], ys[-1])), default=1) * CHARACTER + 18
    top = 12 + legend_height([name for name in names if name], left)
    canvas = Canvas(left=left, bottom=46, top=top, right=92, height=420 + top)
    canvas.root.set("class", "plot field")
    x = Numbers(xs[0], xs[-1], canvas.left, canvas.right, 8)
    y = Numbers(ys[0], ys[-1], canvas.bottom, canvas.top)
    across = [x.place(value) or 0.0 for value in edges(xs)]
    along = [y.place(value) or 0.0 for value in edges(ys)]
    across[0], across[-1], along[0], along[-1] = canvas.left, canvas.right, canvas.bottom, canvas.top
    paths: dict[int, list[str]] = {}
    for row, values in enumerate(grid["z"]):
        for start, end, step in _runs(values, low, high):
            box = f"M{across[start]:.1f} {along[row]:.1f}H{across[end]:.1f}V{along[row + 1]:.1f}H{across[start]:.1f}z"
            paths.setdefault(step, []).append(box)
    for step, boxes in sorted(paths.items()):
        canvas.add("path", class_=f"d{step}", d="".join(boxes), shape_rendering="crispEdges")
    if low == 0.0 and high == 1.0:
        line = contour(grid["z"], xs, ys, 0.5)
        path = "".join(
            f"M{x.place(a[0]):.1f} {y.place(a[1]):.1f}L{x.place(b[0]):.1f} {y.place(b[1]):.1f}"
            for a, b in line
        )
        if path:
            canvas.add("path", class_="contour", d=path)
    for number, entry in enumerate(points):
        places = [
            (x.place(px), y.place(py)) for px, py in zip(entry.get("x", ()), entry.get("y", ()), strict=False)
        ]
        path = "".join(mark(px, py, number) for px, py in places if px is not None and py is not None)
        canvas.add("path", class_=f"mark s{number % SERIES}", d=path)
    canvas.axes(x, y, figure.x_label, figure.y_label, grid="")
    canvas.legend([(name, "mark", number) for number, name in enumerate(names) if name])
    _key(canvas, low, high, "d", str(grid.get("name", "")))
    return canvas


def heatmap(figure: Figure) -> Canvas:
    """Cells by row and column; what has no value is hatched."""
    grid = next(entry for entry in figure.series if "z" in entry)
    columns, rows = ([str(value) for value in grid[axis]] for axis in "xy")
    low, high, kind = extent(grid["z"])
    left = min(260.0, 16 + max(map(len, rows), default=1) * CHARACTER) + (18 if figure.y_label else 0)
    right = 92
    band = (WIDTH - right - left) / max(1, len(columns))
    slanted = max(map(len, columns), default=0) * CHARACTER > band - 4
    above = min(150.0, 16 + max(map(len, columns), default=1) * CHARACTER * 0.7) if slanted else 24.0
    size = max(7.0, min(26.0, 900 / max(1, len(rows))))
    bottom = 30 if figure.x_label else 10
    canvas = Canvas(
        left=left, bottom=bottom, top=above, right=right, height=above + max(size * len(rows), 110) + bottom
    )
    size = (canvas.bottom - canvas.top) / max(1, len(rows))
    most = max(abs(low), abs(high))
    digits = 2 if most < 10 else 1 if most < 1000 else 0
    written = len(columns) <= TEXTS and size >= 15 and band >= 34
    for row, values in enumerate(grid["z"]):
        top = canvas.top + row * size
        if size >= 9 or row % 2 == 0:
            canvas.text(canvas.left - 7, top + size / 2 + 4, _short(rows[row], 38), "end")
        for column, value in enumerate(values):
            number = finite(value)
            box = {"x": canvas.left + column * band, "y": top, "width": band - 1, "height": size - 1}
            step = level(number, low, high) if number is not None else 0
            made = canvas.add("rect", class_=f"{kind}{step}" if number is not None else "missing", **box)
            canvas.hint(made, f"{rows[row]}, {columns[column]}: {words.number(number)}")
            if written and number is not None:
                canvas.text(
                    box["x"] + band / 2, top + size / 2 + 4, f"{number:.{digits}f}", "middle",
                    class_="on-dark" if palette.is_dark(kind, step) else "on-light",
                )  # fmt: skip
    for column, name in enumerate(columns):
        middle = canvas.left + (column + 0.5) * band
        if slanted:
            if band >= 10 or column % 2 == 0:
                turned = f"rotate(-45 {middle:.1f} {canvas.top - 6:.1f})"
                canvas.text(middle, canvas.top - 6, _short(name, 24), "start", transform=turned)
        else:
            canvas.text(middle, canvas.top - 8, name, "middle")
    if figure.x_label:
        canvas.text(
            (canvas.left + canvas.right) / 2, canvas.height - 8, figure.x_label, "middle", class_="label"
        )
    if figure.y_label:
        at = (canvas.top + canvas.bottom) / 2
        canvas.text(13, at, figure.y_label, "middle", class_="label", transform=f"rotate(-90 13 {at:.1f})")
    _key(canvas, low, high, kind, "")
    return canvas


def extent(rows: Sequence[Sequence[Any]]) -> tuple[float, float, str]:
    """The ends of the colours and their kind: ``d`` away from a middle in two hues, ``q`` from little to much in one.

    Shares and probabilities run from 0 to 1; what has both signs is symmetric about 0.
    """
    values = [number for row in rows for value in row if (number := finite(value)) is not None] or [0.0, 1.0]
    low, high = min(values), max(values)
    if low < 0 < high:
        most = max(-low, high)
        return -most, most, "d"
    if low >= 0 and high <= 1 and high > 0.5:
        return 0.0, 1.0, "q"
    return low, high if high > low else low + 1, "q"


def level(value: float, low: float, high: float) -> int:
    """The colour of a value: 0 to `LEVELS` - 1."""
    return max(0, min(LEVELS - 1, int((value - low) / ((high - low) or 1.0) * LEVELS)))


def edges(middles: Sequence[float]) -> list[float]:
    """The edges of cells whose middles are given."""
    if len(middles) < 2:
        return [middles[0] - 0.5, middles[0] + 0.5]
    between = [(a + b) / 2 for a, b in pairwise(middles)]
    return [2 * middles[0] - between[0], *between, 2 * middles[-1] - between[-1]]


def contour(
    rows: Sequence[Sequence[Any]], xs: Sequence[float], ys: Sequence[float], at: float
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The line of one value as pieces, by marching squares (Lorensen and Cline's cubes in two dimensions) with linear edges."""
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            corners = [
                (xs[column + dx], ys[row + dy], finite(rows[row + dy][column + dx]))
                for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))
            ]
            crossed = []
            for (ax, ay, a), (bx, by, b) in zip(corners, [*corners[1:], corners[0]], strict=True):
                if a is not None and b is not None and (a < at) != (b < at):
                    part = (at - a) / (b - a)
                    crossed.append((ax + part * (bx - ax), ay + part * (by - ay)))
            yield from zip(crossed[::2], crossed[1::2], strict=False)


def _runs(values: Sequence[Any], low: float, high: float) -> Iterator[tuple[int, int, int]]:
    """Stretches of one colour along a row: (first column, column after the last, colour)."""
    start, known = 0, -1
    for column, value in enumerate([*values, None]):
        number = finite(value)
        step = level(number, low, high) if number is not None else -1
        if step != known:
            if known >= 0:
                yield start, column, known
            start, known = column, step


def _key(canvas: Canvas, low: float, high: float, kind: str, name: str) -> None:
    """The colours with their values, at the right."""
    x, tall = canvas.right + 18, canvas.bottom - canvas.top
    size = tall / LEVELS
    for step in range(LEVELS):
        canvas.add(
            "rect", class_=f"{kind}{step}", x=x, y=canvas.bottom - (step + 1) * size, width=14, height=size + 0.4
        )  # fmt: skip
    scale = Numbers(low, high, canvas.bottom, canvas.top, 4 if tall < 160 else 5)
    for tick in scale.ticks:
        canvas.text(x + 20, tick.at + 4, tick.text)
    if name:
        middle = (canvas.top + canvas.bottom) / 2
        canvas.text(
            WIDTH - 6,
            middle,
            name,
            "middle",
            class_="label",
            transform=f"rotate(-90 {WIDTH - 6} {middle:.1f})",
        )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
