"""A scrolling page of styled lines: facts of a resource, code, help, answers. Drawn by a function of its width."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import actions
from console.theme import Painted
from console.widgets.drawing import Lines, Run
from console.widgets.folding import fold

Write = Callable[[int], Lines]
LEAST = 16
"""Cells that a page is written for at least: a terminal that is made smaller than any text folds what was written, and comes back."""


def _alike(before: Sequence[Run], after: Sequence[Run]) -> int:
    """How many cells two lines have in common at their beginnings: a duration that grows is a few of a hundred."""
    cells = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        cells += cell_len(new[0])
    return cells


def cut_signs(strip: Strip, start: int, length: int, style: Style) -> Strip:
    """A line of ``length`` cells of which those from ``start`` on are shown: ``‹`` and ``›`` where it goes on."""
    width = strip.cell_length
    parts = [strip]
    if start and length:
        parts = [Strip([Segment("‹", style)], 1), strip.crop(1, width)]
    if length - start > width > 2:
        *kept, last = parts
        parts = [*kept, last.crop(0, last.cell_length - 1), Strip([Segment("›", style)], 1)]
    return Strip.join(parts) if len(parts) > 1 else strip


class Page(Painted, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines that are written for a width; only lines that changed are repainted, and the place read is kept.

    A line that is longer than the page is wide goes on below itself (`console.widgets.folding`). ``sideways`` pages show what
    has lines of its own, code, data and drawings: they are pushed sideways instead. ``waiting`` stands there until anything is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        action.binding() for action in actions.of("list") if action.verb != "open"
    ]

    @dataclass
    class Pressed(Message):
        """A click on a line, counted from the first that was written."""

        page: Page
        line: int

        @property
        def control(self) -> Page:
            return self.page

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        sideways: bool = False,
        waiting: str = "",
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._write: Write | None = (lambda width: [[(waiting, "dim")]]) if waiting else None
        self._lines: Lines = []
        self._begins: list[int] = []
        """The row in which each written line begins; empty where each has one."""
        self._sideways = sideways

    @property
    def text(self) -> str:
        """All of it, without colours."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    @property
    def allow_vertical_scroll(self) -> bool:
        """Whether there is more than fits; Textual's own answer waits for a scrollbar, which a page need not show."""
        return self.virtual_size.height > self.size.height

    def show(self, write: Write) -> None:
        """Show what a function writes for a width."""
        self._write = write
        self._rewrite()

    def show_text(self, text: str, role: str = "") -> None:
        """Show plain text."""
        lines: Lines = [[(line, role)] for line in text.split("\n")]
        self.show(lambda width: lines)

    def row_of(self, line: int) -> int:
        """The row in which a written line begins."""
        return self._begins[line] if 0 <= line < len(self._begins) else line

    def line_at(self, row: int) -> int:
        """The written line that stands in a row."""
        return bisect.bisect_right(self._begins, row) - 1 if self._begins else row

    def _folded(self, written: Lines, width: int) -> Lines:
        if self._sideways:
            return written
        pieces = [fold(line, width) for line in written]
        rows = [row for piece in pieces for row in piece]
        self._begins = []
        if len(rows) != len(written):
            ends = accumulate(map(len, pieces))
            self._begins = [end - len(piece) for end, piece in zip(ends, pieces, strict=True)]
        return rows

    def _rewrite(self) -> None:
        if self._write is None or not self.size.width:
            return
        new = self._folded(self._write(max(LEAST, self.size.width)), self.size.width)
        old, self._lines = self._lines, new
        widest = max((sum(cell_len(text) for text, _ in line) for line in new), default=0)
        size = Size(widest if widest > self.size.width else 0, len(new))
        if size != self.virtual_size:
            self.virtual_size = size
        top = self.scroll_offset.y
        for y in range(self.size.height):
            row = top + y
            before = old[row] if row < len(old) else None
            after = new[row] if row < len(new) else None
            if before != after:
                same = 0 if before is None or after is None or self.scroll_offset.x else _alike(before, after)
                self.refresh(Region(same, y, max(1, self.size.width - same), 1))

    def on_resize(self) -> None:
        self._rewrite()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        row, start, width = y + self.scroll_offset.y, self.scroll_offset.x, self.size.width
        if row >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[row]
        strip = Strip([Segment(text, base + self.paint(role)) for text, role in line])
        shown = strip.crop(start, start + width).adjust_cell_length(width, base)
        return cut_signs(
            shown, start, cell_len("".join(text for text, _ in line).rstrip()), base + self.paint("dim")
        )

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Pressed(self, self.line_at(event.y + self.scroll_offset.y)))

    def go(self, y: int) -> None:
        """Scroll so that a line stands at the top, as far as there is text."""
        self.scroll_to(
            y=max(0, min(y, self.virtual_size.height - self.size.height)), animate=False, immediate=True
        )

    def action_up(self) -> None:
        self.go(self.scroll_offset.y - 1)

    def action_down(self) -> None:
        self.go(self.scroll_offset.y + 1)

    def action_page_up(self) -> None:
        self.go(self.scroll_offset.y - max(1, self.size.height - 1))

    def action_page_down(self) -> None:
        self.go(self.scroll_offset.y + max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.go(0)

    def action_last(self) -> None:
        self.go(self.virtual_size.height)

    def action_left(self) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x - 16), animate=False, force=True, immediate=True)

    def action_right(self) -> None:
        beyond = max(0, self.virtual_size.width - self.size.width)
        x = min(self.scroll_offset.x + 16, beyond)
        self.scroll_to(x=x, animate=False, force=True, immediate=True)
