"""Columns of a list, what stands in a cell, and how much room each column gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its least ``width``, how much of the spare room it takes (``grow``) and when it is dropped.

    Columns with the highest ``drop`` leave first when the terminal is too narrow; 0 never leaves. ``watch`` marks the
    cell for a moment when its text changes; columns that change all the time (ages) are not watched.
    """

    label: str
    width: int
    grow: int = 0
    drop: int = 0
    right: bool = False
    middle: bool = False
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell and the role that colours it. Its last ``keep`` characters stay when it is cut: a value behind its name.
    ``short`` stands there instead where the text finds no room."""

    text: str = ""
    role: str = ""
    keep: int = 0
    short: str = ""


LEAST = 12
"""Cells to which a column that has spare room elsewhere may shrink, before others leave."""


def laid_out(columns: Sequence[Column], room: int) -> list[int]:
    """The width of each column in ``room`` cells with two between them; 0 for one that is dropped.

    Where those that never leave find no room, the growing ones shrink, then the last ones leave: a figure that is cut off would be
    another figure.
    """
    kept = list(range(len(columns)))
    widths = [column.width for column in columns]

    def over() -> int:
        return sum(widths[i] + 2 for i in kept) - 2 - room

    while over() > 0 and len(kept) > 1 and (leaving := [i for i in kept if columns[i].drop]):
        kept.remove(max(leaving, key=lambda i: columns[i].drop))
    while (excess := over()) > 0:
        soft = [i for i in kept if columns[i].grow and widths[i] > LEAST]
        if sum(widths[i] - LEAST for i in soft) >= excess:
            for _ in range(excess):
                widths[max(soft, key=lambda i: widths[i])] -= 1
        elif len(kept) > 1:
            kept.pop()
        else:
            widths[kept[0]] = max(1, room)
            break
    spare, weights = -over() - 2, sum(columns[i].grow for i in kept)  # a margin stays at the right
    if weights and spare > 0:
        for i in kept:
            widths[i] += spare * columns[i].grow // weights
    return [width if i in kept else 0 for i, width in enumerate(widths)]
