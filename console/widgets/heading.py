"""The line above a list: where the labels of its columns stand, and which of them gives the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.formatting import crop, right
from console.widgets.columns import Column


def heading(columns: Sequence[Column], widths: Sequence[int], order: tuple[int, bool] | None) -> str:
    """The labels over columns of these widths (0: it is not shown); ``order`` is the column that gives it, and whether the largest comes first."""
    parts = []
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        if not width:
            continue
        label = column.label
        if order and order[0] == index:
            way = "▼" if order[1] else "▲"  # never cut: it tells the order
            label = f"{label} {way}" if len(label) + 2 <= width else label[: width - 1] + way
        parts.append(right(label, width) if column.right else crop(label, width))
    return "  " + "  ".join(parts)


def labels(widths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(column, where it begins, how wide it is) of the columns that are shown."""
    at = 2
    for index, width in enumerate(widths):
        if width:
            yield index, at, width
            at += width + 2


def column_at(widths: Sequence[int], x: int) -> int | None:
    """The column whose label stands at a place of the heading."""
    return next((column for column, start, width in labels(widths) if start <= x < start + width), None)
