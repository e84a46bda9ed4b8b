"""Cells of the screen to draw on: braille dots in the colours of roles, and lines of styled text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size

Run = tuple[str, str]
"""Text and its role. A role ``#rrggbb/#rrggbb`` is a foreground and a background of a field."""
Lines = list[list[Run]]

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


@dataclass(slots=True)
class Canvas:
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

    def rows(self, marks: Mapping[tuple[int, int], Run] | None = None) -> Lines:
        """The cells as lines from the top; ``marks`` are characters that stand over the cells (column, row from the top)."""
        over = marks or {}
        lines: Lines = []
        for row, (dots, roles) in enumerate(zip(self.dots, self.roles, strict=True)):
            line: list[Run] = []
            for column, (bits, role) in enumerate(zip(dots, roles, strict=True)):
                mark = over.get((column, row)) if over else None
                if mark is not None:
                    append(line, *mark)
                else:
                    append(line, chr(0x2800 + bits) if bits else " ", role if bits else "")
            lines.append(line)
        return lines


def append(line: list[Run], text: str, role: str) -> None:
    """Add text to a line; neighbours of one role become one run."""
    if line and line[-1][1] == role:
        line[-1] = (line[-1][0] + text, role)
    else:
        line.append((text, role))


def cut(line: list[Run], width: int) -> list[Run]:
    """The line without what stands beyond ``width`` cells."""
    kept: list[Run] = []
    for text, role in line:
        if width <= 0:
            break
        length = cell_len(text)
        kept.append((text if length <= width else set_cell_size(text, width), role))
        width -= length
    return kept


def exactly(lines: Lines, height: int) -> Lines:
    """The lines cut or filled up to a height."""
    return (lines + [[] for _ in range(height - len(lines))])[:height]
