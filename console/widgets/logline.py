"""The lines of a log: what they say, how wide they are, and how they are broken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from time import localtime, strftime
from typing import Literal

from rich.cells import cell_len, chop_cells

from console.formatting import clock, grouped, printable, width_of
from workflows.observe.rows import LogLine

Stamps = Literal["clock", "full", "none"]
WIDTHS: dict[Stamps, int] = {"clock": 10, "full": 25, "none": 0}
"""Columns that the times of the lines take, with the blanks behind them."""

_LEVELS = (
    (re.compile(r"\b(ERROR|CRITICAL|FATAL|Traceback|[A-Z]\w*(?:Error|Exception)\b)"), "bad"),
    (re.compile(r"\bWARN(?:ING)?\b"), "wait"),
    (re.compile(r"\bDEBUG\b"), "dim"),
)
_LEVEL_WORDS = ("rror", "ERROR", "xception", "CRITICAL", "FATAL", "Traceback", "WARN", "DEBUG")
"""One of them is in every line that names a level; to look for them takes a thirtieth of the time of the expressions."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its time in epoch seconds (None: not shown), the stream it comes from, its text, and a role for its colour."""

    text: str
    time: float | None = None
    stream: str = ""
    role: str = ""


Shown = Entry | LogLine
"""What a log shows. Lines are kept as they came: of 20,000 that a second may bring, fifty are drawn."""


def clean(entry: Shown) -> str:
    """The text of a line with nothing in it that the terminal would obey."""
    text = entry.text
    return text if text.isprintable() else printable(text)


def role_of(entry: Shown) -> str:
    """The role of a line: its own, or that of the level that its text names."""
    return (entry.role if isinstance(entry, Entry) else "") or level_role(clean(entry))


def widest(entries: Iterable[Shown], least: int = 0) -> int:
    """Cells of the widest line, at least ``least``: most lines of a log are as long as those before, and are not looked at twice."""
    for entry in entries:
        text = entry.text
        if len(text) > least or not (text.isascii() and text.isprintable()):
            least = max(least, width_of(clean(entry)))
    return least


def gap(lines: int | None, time: float | None) -> Entry:
    """What stands where lines are missing that nobody kept; None: or counted."""
    many = f"{grouped(lines)} lines" if lines is not None else "lines"
    return Entry(f"… {many} came and went meanwhile", time, role="wait")


def stamped(time: float, way: Stamps) -> str:
    """A time as a log shows it: ``14:03:22``, or with its date and milliseconds."""
    if way == "clock":
        return clock(time)
    return f"{strftime('%Y-%m-%d %H:%M:%S', localtime(time))}.{int(time * 1000) % 1000:03}"


def level_role(text: str) -> str:
    """The role of a line by the level that it names."""
    if not any(word in text for word in _LEVEL_WORDS):
        return ""
    for pattern, role in _LEVELS:
        if pattern.search(text):
            return role
    return ""


def pieces(text: str, width: int) -> list[str]:
    """A line in pieces of at most ``width`` cells: broken behind a blank where there is one in the last third, else in a word."""
    if not text.isascii():
        return _wide_pieces(text, width)
    found, at, end = [], 0, len(text)
    while end - at > width:
        blank = text.rfind(" ", at + width - width // 3, at + width)
        following = blank + 1 if blank >= 0 else at + width
        found.append(text[at:following])
        at = following
    return [*found, text[at:]]


def _wide_pieces(text: str, width: int) -> list[str]:
    """The same for letters that are not one cell each; what was behind the blank goes on in the next piece."""
    found, rest = [], ""
    for cut in chop_cells(text, width) or [text]:  # it drops what has no cell at all
        rest += cut
        while cell_len(rest) > width and len(rest) > 1:
            piece = chop_cells(rest, width)[0] or rest[0]
            blank = piece.rfind(" ", len(piece) - len(piece) // 3)
            found.append(piece[: blank + 1] if blank >= 0 else piece)
            rest = rest[len(found[-1]) :]
    return [*found, rest]
