"""A choice on one line: ← and → go through the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from console import actions
from console.formatting import crop
from console.theme import Painted


class Choice(Painted, can_focus=True, inherit_bindings=False):
    """One of some values, each with what it means."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("choice"))
    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(
        self,
        choices: Sequence[tuple[str, str]],
        value: str | None = None,
        *,
        id: str | None = None,
        wide: bool = False,
    ) -> None:
        super().__init__(id=id, classes="-wide-choice" if wide else None)
        self._choices = list(choices)
        self.set_reactive(Choice.value, choices[0][0] if value is None else value)

    def validate_value(self, value: str) -> str:
        return value if value in dict(self._choices) else self._choices[0][0]

    def watch_value(self, value: str) -> None:
        self.post_message(self.Changed(self, value))

    def _step(self, step: int) -> None:
        values = [value for value, _ in self._choices]
        self.value = values[(values.index(self.value) + step) % len(values)]

    def action_previous(self) -> None:
        self._step(-1)

    def action_next(self) -> None:
        self._step(1)

    def on_click(self, event: events.Click) -> None:
        self._step(1)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y:
            return Strip.blank(self.size.width, base)
        meaning = dict(self._choices)[self.value]
        shown = self.value or meaning
        focus = self.paint("accent") if self.has_focus else self.paint("dim")
        room = (
            self.size.width - cell_len(shown) - len("◂  ▸   ")
        )  # a column stays free: what is beside it may begin there
        segments = [
            Segment("◂ ", base + focus),
            Segment(shown, base + self.paint("strong" if self.has_focus else "")),
            Segment(" ▸", base + focus),
            Segment(f"  {crop(meaning, room)}" if self.value and room > 3 else "", base + self.paint("dim")),
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)
