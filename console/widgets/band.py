"""A confidence sequence over the sample size: an estimate between its two ends, which come together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from console.formatting import right
from console.widgets.axis import Axis, bounds, short
from console.widgets.canvas import Canvas, Lines, Run, exactly
from console.widgets.drawing import x_axis

Bound = tuple[float, float, float, float]
"""Sample size, low end, estimate, high end."""
BEGIN = 0.2
"""Part of the sample whose interval decides how much of the funnel is seen: what came before is cut off."""
FIRST = 0.02
"""Part of the sample that is not drawn: a handful of requests swing from end to end."""


def band(
    points: Sequence[Bound],
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    y_format: Callable[[float], str] = short,
    margin: float = 0.0,
) -> Lines:
    """The funnel in exactly ``height`` lines: its ends as lines, the estimate between them, 0 as a rule, ``margin`` as dots."""
    marks: list[Run] = [("━ difference  ", "series-1"), ("━ its sequence  ", "series-2"), ("─ 0", "dim")]
    if margin:
        marks.append(("  ┄ margin", "dim"))
    head: list[Run] = [(f"{title}  ", "strong")] if title else []
    if sum(len(text) for text, _ in (*head, *marks)) <= width:
        head += marks
    if height < 6 or width < 24:
        return exactly([head], height)
    seen = [point for point in points if all(math.isfinite(value) for value in point)]
    last = max((point[0] for point in seen), default=0.0)
    seen = [point for point in seen if point[0] >= last * FIRST]
    if len(seen) < 2:
        lines: Lines = [
            head,
            *([] for _ in range((height - 2) // 2)),
            [("no interval yet".center(width), "dim")],
        ]
        return exactly(lines, height)
    # A damaged history may go back: of a line that leaves the canvas each dot beyond it would be gone through.
    horizontal = Axis(min(point[0] for point in seen), last)
    vertical = Axis(*_limits(seen, margin))
    rows = height - 3
    zero = rows - 1 - round((vertical.part(0.0) or 0.0) * (rows * 4 - 1)) // 4
    labels = {row: y_format(value) for row, value in vertical.rows(rows).items() if abs(row - zero) > 1}
    labels[zero] = y_format(0.0)
    gutter = max(len(text) for text in labels.values())
    canvas = Canvas(max(4, width - gutter - 2), rows)
    across, up = canvas.width * 2 - 1, canvas.height * 4 - 1

    def place(x: float, y: float) -> tuple[int, int]:
        return round((horizontal.part(x) or 0.0) * across), round((vertical.part(y) or 0.0) * up)

    for index, role in ((1, "series-2"), (3, "series-2"), (2, "series-1")):
        before: tuple[float, float] | None = None
        for point in seen:
            here = point[0], point[index]
            if before is not None and (part := _clipped(before, here, vertical)) is not None:
                canvas.line(*place(*part[0]), *place(*part[1]), role)
            before = here
    over: dict[tuple[int, int], Run] = {}
    for value, char in ((margin, "┄"), (-margin, "┄"), (0.0, "─")):
        at = vertical.part(value)
        if at is not None and 0 <= at <= 1 and (value or char == "─"):
            row = rows - 1 - round(at * up) // 4
            for column in range(canvas.width):
                if not canvas.dots[row][column]:
                    over[column, row] = (char, "dim")
    lines = [head]
    for row, cells in enumerate(canvas.rows(over)):
        label = right(labels.get(row, ""), gutter)
        lines.append([(label, "dim"), (" ┤" if row in labels else " │", "dim"), *cells])
    lines.append([(" " * gutter + " └" + "─" * canvas.width, "dim")])
    ends = short(horizontal.low), short(horizontal.high)
    lines.append([(x_axis(gutter + 2, canvas.width, ends[0], x_label, ends[1]), "dim")])
    return exactly(lines, height)


def _limits(points: Sequence[Bound], margin: float) -> tuple[float, float]:
    """Round ends of the y axis: the intervals from `BEGIN` on, 0 and the margin."""
    first = points[-1][0] * BEGIN
    late = [point for point in points if point[0] >= first] or list(points[-1:])
    values = [value for point in late for value in (point[1], point[3])] + [0.0, margin, -margin]
    return bounds(values)


def _clipped(
    a: tuple[float, float], b: tuple[float, float], axis: Axis
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The part of a line that lies between the ends of the y axis, or None."""
    if a[1] > b[1]:
        turned = _clipped(b, a, axis)
        return (turned[1], turned[0]) if turned else None
    if b[1] < axis.low or a[1] > axis.high:
        return None

    def at(y: float) -> tuple[float, float]:
        return a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]), y

    return (at(axis.low) if a[1] < axis.low else a), (at(axis.high) if b[1] > axis.high else b)
