"""Scatter plots of a figure: dots of one group, signs of several, and the names of points that stand apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.widgets.axis import Axis
from console.widgets.canvas import Canvas, Lines, Run, exactly
from console.widgets.frame import LEAST_HEIGHT, LEAST_WIDTH, framed, gutter, heading, sign
from console.widgets.ruler import Ruler

LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Group:
    """Points of one name: x as it stands on the ruler, y, and a text per point or none at all."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[str, ...] = ()


def points(
    groups: Sequence[Group],
    ruler: Ruler,
    width: int,
    height: int,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Lines:
    """All points in exactly ``height`` lines. A cell on which points of several groups fall shows the group with most of them."""
    signs = [sign(index, group.name) for index, group in enumerate(groups)]
    alone = len(groups) == 1 and not groups[0].labels
    legend = [] if len(groups) == 1 and groups[0].name in ("", title) else signs
    head = heading(title, legend, width, most=max(1, height // 5) + 1)
    if height < LEAST_HEIGHT or width < LEAST_WIDTH:
        return exactly(head, height)
    values = [y for group in groups for y in group.y if math.isfinite(y)]
    if not values:
        return exactly([*head, [], [("no points".center(width), "dim")]], height)
    vertical = Axis.around(values)
    above = y_label if height - len(head) >= 10 else ""
    rows = height - len(head) - 2 - bool(above)
    labels, margin = gutter(vertical, rows)
    canvas = Canvas(width - margin - 2, rows)
    marks: dict[tuple[int, int], Run] = {}
    if alone:
        _dots(canvas, groups[0], ruler.axis, vertical)
    else:
        found = _cells(canvas, groups, ruler.axis, vertical)
        marks = {at: (signs[group].glyph, signs[group].role) for at, group in found.items()}
        _name(canvas, marks, groups, ruler.axis, vertical)
    return exactly([*head, *framed(canvas, marks, labels, ruler, x_label=x_label, y_label=above)], height)


def _dots(canvas: Canvas, group: Group, across: Axis, up: Axis) -> None:
    for x, y in zip(group.x, group.y, strict=False):
        right, high = across.part(x), up.part(y)
        if right is not None and high is not None:
            canvas.dot(
                round(right * (canvas.width * 2 - 1)), round(high * (canvas.height * 4 - 1)), "series-1"
            )


def _place(canvas: Canvas, x: float, y: float, across: Axis, up: Axis) -> tuple[int, int] | None:
    right, high = across.part(x), up.part(y)
    if right is None or high is None:
        return None
    return round(right * (canvas.width - 1)), round((1 - high) * (canvas.height - 1))


def _cells(canvas: Canvas, groups: Sequence[Group], across: Axis, up: Axis) -> dict[tuple[int, int], int]:
    counts: dict[tuple[int, int], Counter[int]] = {}
    for index, group in enumerate(groups):
        for x, y in zip(group.x, group.y, strict=False):
            at = _place(canvas, x, y, across, up)
            if at is not None:
                counts.setdefault(at, Counter())[index] += 1
    return {at: counter.most_common(1)[0][0] for at, counter in counts.items()}


def _name(
    canvas: Canvas, marks: dict[tuple[int, int], Run], groups: Sequence[Group], across: Axis, up: Axis
) -> None:
    """Write names beside points, the outermost first, where nothing else stands; at most one for every third row."""
    named = [
        (
            math.hypot((across.part(x) or 0.0) - 0.5, (up.part(y) or 0.0) - 0.5),
            _place(canvas, x, y, across, up),
            name,
        )
        for group in groups
        for x, y, name in zip(group.x, group.y, group.labels, strict=False)
        if name
    ]
    taken = set(marks)
    left = max(3, canvas.height // 3)
    for _, at, name in sorted(named, key=lambda one: -one[0]):
        if at is None or left == 0:
            continue
        text = name if cell_len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        if cell_len(text) != len(text):
            continue  # wide characters do not fit the cells of a grid
        for start in (at[0] + 2, at[0] - 1 - len(text)):
            cells = {(start + index, at[1]) for index in range(-1, len(text) + 1)} - {at}
            inside = start >= 0 and start + len(text) <= canvas.width
            if inside and not cells & taken:
                for index, char in enumerate(text):
                    marks[start + index, at[1]] = (char, "dim")
                taken |= cells
                left -= 1
                break
