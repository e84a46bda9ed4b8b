"""Parallel coordinates: one vertical axis per hyperparameter, one line across them per trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.formatting import crop, crop_middle
from console.widgets.canvas import Canvas, Lines, Run, append, exactly

LEAST_SPACING = 9
LEAST_HEIGHT = 7


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis with what stands at its top and at its bottom."""

    name: str
    top: str
    bottom: str


@dataclass(frozen=True, slots=True)
class Thread:
    """One trial: where it crosses each axis (0 at the bottom, 1 at the top; None: nowhere), in a role.

    ``glyph`` marks the crossings. Without ``drawn`` only a notch on each axis tells that there is one: a hundred lines
    tell nothing.
    """

    parts: tuple[float | None, ...]
    role: str
    glyph: str = ""
    drawn: bool = True


def fitting(width: int) -> int:
    """How many axes can be told apart in a width."""
    return max(2, width // LEAST_SPACING)


def parallel(dimensions: Sequence[Dimension], threads: Sequence[Thread], width: int, height: int) -> Lines:
    """The axes with their names and ends, and the threads: the last ones stand over the others. Exactly ``height`` lines."""
    if len(dimensions) < 2 or height < LEAST_HEIGHT:
        return exactly([[("too small to draw", "dim")]], height)
    canvas = Canvas(width, height - 3)
    last = len(dimensions) - 1
    columns = [round(index / last * (width - 1)) for index in range(last + 1)]
    up = canvas.height * 4 - 1
    over: dict[tuple[int, int], Run] = {}
    for column in columns:
        for row in range(canvas.height):
            over[column, row] = ("│", "dim")
    for thread in sorted(threads, key=lambda thread: thread.drawn):
        before: tuple[int, int] | None = None
        for column, part in zip(columns, thread.parts, strict=True):
            if part is None:
                before = None
                continue
            at = (column * 2, round(min(1.0, max(0.0, part)) * up))
            row = canvas.height - 1 - at[1] // 4
            if not thread.drawn:
                over[column, row] = ("┼", "dim")
                continue
            if before is not None:
                canvas.line(*before, *at, thread.role)
            over[column, row] = (thread.glyph or "┼", thread.role)
            before = at
    spacing = columns[1] - columns[0]
    lines: Lines = [
        _row([dimension.name for dimension in dimensions], columns, spacing - 1, width, "strong"),
        _row([dimension.top for dimension in dimensions], columns, spacing - 1, width, "dim"),
        *canvas.rows(over),
        _row([dimension.bottom for dimension in dimensions], columns, spacing - 1, width, "dim"),
    ]
    return exactly(lines, height)


def _row(texts: Sequence[str], columns: Sequence[int], room: int, width: int, role: str) -> list[Run]:
    """Texts centred over their columns, the outer ones within the edges."""
    line: list[Run] = []
    at = 0
    for index, (text, column) in enumerate(zip(texts, columns, strict=True)):
        outer = index in (0, len(texts) - 1)
        most = max(3, room // 2 + room // 4 if outer else room)
        text = crop_middle(text, most).rstrip() if cell_len(text) > most else text
        taken = cell_len(text)
        start = max(at + (1 if at else 0), min(width - taken, max(0, column - taken // 2)))
        if taken > width - start:
            text = crop(text, max(0, width - start)).rstrip()
        append(line, " " * (start - at), "")
        append(line, text, role)
        at = start + cell_len(text)
    return line
