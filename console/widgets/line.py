"""One line of styled text with a left and a right part; repainted only when its text changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from console.formatting import crop
from console.jumping import Target
from console.theme import Painted
from console.widgets.drawing import Run


class Line(Painted):
    """The header, the navigation and the key line are of this kind."""

    class Pressed(Message):
        """A click on a part whose role carries a name (``role@name``)."""

        def __init__(self, line: Line, name: str) -> None:
            super().__init__()
            self.line, self.name = line, name

        @property
        def control(self) -> Line:
            return self.line

    def __init__(self, *, id: str | None = None, classes: str | None = None, jumps: bool = True) -> None:
        super().__init__(id=id, classes=classes)
        self._jumps = jumps
        self._left: tuple[Run, ...] = ()
        self._right: tuple[Run, ...] = ()
        self._painted: list[Run] = []
        """What stands on the screen now."""

    def show(self, left: list[Run], right: list[Run] | None = None) -> None:
        """Show these parts; the right one gives way where the line is too short."""
        parts = (tuple(left), tuple(right or ()))
        if parts != (self._left, self._right):
            self._left, self._right = parts
            self.refresh()

    @property
    def text(self) -> str:
        """What it says, without colours."""
        return "".join(text for text, _ in self._left) + "  " + "".join(text for text, _ in self._right)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.size.width
        if y:
            return Strip.blank(width, base)
        left = list(self._left)
        while left and not left[-1][0].strip():
            left.pop()
        dropped = False
        while len(left) > 1 and sum(cell_len(text) for text, _ in left[:-1]) > width - 3:
            dropped = bool(left.pop()[0].strip()) or dropped
        if left:
            text, role = left[-1]
            last = width - 1 - sum(cell_len(text) for text, _ in left[:-1])
            text = f"{text.rstrip()} …" if dropped else text
            left[-1] = (text if cell_len(text) <= last else crop(text, last), role)
        room = width - sum(cell_len(text) for text, _ in left) - 1
        right = list(self._right)
        while right and sum(cell_len(text) for text, _ in right) > room:
            right.pop(0)
        gap = width - sum(cell_len(text) for text, _ in (*left, *right))
        runs = [*left, (" " * max(0, gap), ""), *right]
        self._painted = runs
        segments = [Segment(text, base + self.paint(role.partition("@")[0])) for text, role in runs]
        return Strip(segments).adjust_cell_length(width, base)

    def jump_targets(self) -> Iterator[Target]:
        """The parts that carry a name."""
        at, before = 0, ""
        for text, role in self._left if self._jumps else ():
            name = role.partition("@")[2]
            if name and name != before:
                yield Target(
                    at + len(text) - len(text.lstrip()),
                    0,
                    partial(self.post_message, self.Pressed(self, name)),
                )
            before = name or (before if not text.strip() else "")
            at += cell_len(text)

    def on_click(self, event: events.Click) -> None:
        at = 0
        for text, role in self._painted:
            at += cell_len(text)
            if event.x < at:
                if name := role.partition("@")[2]:
                    self.post_message(self.Pressed(self, name))
                return
