"""Lines that are longer than there is room: each goes on below itself, in the column in which it ran out of room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from rich.cells import cell_len

from console.formatting import width_of
from console.widgets.canvas import Lines, Run, append

LEAST = 12
"""Cells in which a text can be read: a column with less room goes on below the beginning of its line."""
DEEP = 4
"""Cells of blanks after which a line begins in a column already, below that of another line."""
AHEAD = 8
"""Characters that the expressions below look at beyond a place: a line of 100,000 is not gone through once for each of its pieces."""
_COLUMN = re.compile(r"(?<=\S) {2,}(?=\S)")
_PARTS = re.compile(r" (?=· )")
_WORDS = re.compile(r"(?<!\d) | (?!\d{3}\b)")
"""A space that is not one between the groups of a figure: ``2 400`` stays whole."""


def fold(line: Sequence[Run], width: int) -> Lines:
    """The lines of at most ``width`` cells that a line takes: itself where it fits.

    It is parted before a ``·``, else at a space, else where the room ends. What goes on below stands in the column of the text
    that ran out of room (after two spaces or more), or two cells in from the beginning of the line.
    """
    text = "".join(part for part, _ in line).rstrip()
    if width < LEAST or width_of(text) <= width:
        return [list(line)]
    roles = [role for part, role in line for _ in part][: len(text)]
    indent = _indent(text, width)
    lines: Lines = []
    at, lead = 0, 0
    while at < len(text):
        end = _end(text, at, width - lead, least=indent if not lines else 0)
        found: list[Run] = [(" " * lead, "")] if lead else []
        for letter, role in zip(text[at:end].rstrip(), roles[at:end], strict=False):
            append(found, letter, role)
        lines.append(found)
        at, lead = end, indent
        while text.startswith(
            ("· ", " "), at
        ):  # what parts two texts on a line is not needed between two lines
            at += 1
    return lines


def _indent(text: str, width: int) -> int:
    """Where the lines below the first begin, in cells."""
    near = _COLUMN.finditer(text, 0, width + AHEAD)  # further on there is no room below a column
    begins = [cell_len(text[: found.end()]) for found in near]
    room, lead = max(LEAST, width // 4), len(text) - len(text.lstrip())
    begins.append(lead if lead > DEEP else lead + 2)
    return max((begin for begin in begins if begin <= width - room), default=2)


def _end(text: str, at: int, room: int, *, least: int) -> int:
    """Where the piece that begins at a place ends, so that it takes no more than ``room`` cells; after ``least`` of them if it can be."""
    end, used = at, 0
    while end < len(text) and used + cell_len(text[end]) <= room:
        used += cell_len(text[end])
        end += 1
    if end == len(text):
        return end
    end = max(end, at + 1)
    for pattern, part in ((_PARTS, 0.4), (_WORDS, 0.0)):
        after = at + max(least, part * (end - at))
        found = takewhile(
            lambda place: place <= end, (one.start() for one in pattern.finditer(text, at, end + AHEAD))
        )
        places = [place for place in found if place > after and text[at:place].strip()]
        if places:
            return places[-1]
    return end
