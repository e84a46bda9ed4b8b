"""Parallel coordinates: one vertical axis per hyperparameter, one line across them per trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from console.formatting import crop, crop_middle
from console.widgets.axis import Axis, short
from console.widgets.canvas import Canvas, Lines, Run, append, exactly

LEAST_SPACING = 9
LEAST_HEIGHT = 7


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis: numbers between two ends, or categories at equal distances. ``flipped`` puts its low end on top."""

    name: str
    axis: Axis = field(default_factory=lambda: Axis(0.0, 1.0))
    categories: tuple[str, ...] = ()
    flipped: bool = False

    def part(self, value: str | float | None) -> float | None:
        """Where a value stands: 0 at the bottom, 1 at the top; None where it has no place."""
        if value is None:
            return None
        if self.categories:
            if str(value) not in self.categories:
                return None
            last = len(self.categories) - 1
            part: float | None = self.categories.index(str(value)) / last if last else 0.5
        else:
            try:
                part = self.axis.part(float(value))
            except ValueError:
                return None
        if part is None or not -1e-9 <= part <= 1 + 1e-9:
            return None
        return 1 - part if self.flipped else part

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at its top and at its bottom."""
        if self.categories:
            top, bottom = self.categories[-1], self.categories[0]
        else:
            top, bottom = short(self.axis.high), short(self.axis.low)
        return (bottom, top) if self.flipped else (top, bottom)


@dataclass(frozen=True, slots=True)
class Thread:
    """The values of one trial by dimension, in a role; ``glyph`` marks where it crosses the axes.

    Without ``drawn`` only a notch on each axis tells that there is one: a hundred lines tell nothing.
    """

    values: tuple[str | float | None, ...]
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
    for thread in threads:
        before: tuple[int, int] | None = None
        for dimension, column, value in zip(dimensions, columns, thread.values, strict=True):
            part = dimension.part(value)
            if part is None:
                before = None
                continue
            at = (min(column * 2, width * 2 - 1), round(part * up))
            if before is not None and thread.drawn:
                canvas.line(*before, *at, thread.role)
            if not thread.drawn:
                over[column, canvas.height - 1 - at[1] // 4] = ("┼", "dim")
            elif thread.glyph:
                over[column, canvas.height - 1 - at[1] // 4] = (thread.glyph, thread.role)
            before = at
    spacing = columns[1] - columns[0]
    lines: Lines = [
        _row([dimension.name for dimension in dimensions], columns, spacing - 1, width, "strong"),
        _row([dimension.ends[0] for dimension in dimensions], columns, spacing - 1, width, "dim"),
        *canvas.rows(over),
        _row([dimension.ends[1] for dimension in dimensions], columns, spacing - 1, width, "dim"),
    ]
    return exactly(lines, height)


def _row(texts: Sequence[str], columns: Sequence[int], room: int, width: int, role: str) -> list[Run]:
    """Texts centred over their columns, the outer ones within the edges."""
    line: list[Run] = []
    at = 0
    for index, (text, column) in enumerate(zip(texts, columns, strict=True)):
        outer = index in (0, len(texts) - 1)
        most = max(3, room // 2 + room // 4 if outer else room)
        text = (crop_middle(text, most) if len(text) > most else crop(text, min(most, len(text)))).rstrip()
        start = column - len(text) // 2
        start = max(at + (1 if at else 0), min(width - len(text), max(0, start)))
        append(line, " " * (start - at), "")
        append(line, text, role)
        at = start + len(text)
    return line
