"""A one-line prompt at the bottom of a screen: a filter, a search. It takes no room while it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from console import actions


class Field(Input):
    """An input of one line whose cursor does not blink: a blinking one writes 120 frames a minute."""

    def __init__(
        self, value: str = "", *, placeholder: str = "", id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            id=id,
            classes=classes,
            compact=True,
            select_on_focus=False,
            validate_on=(),
        )
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        """Take the first line of a pasted text that has something in it: what was copied often begins with the end of the line before."""
        lines = (line.strip() for line in event.text.splitlines())
        event.text = next((line for line in lines if line), "")
        super()._on_paste(event)
        event.prevent_default()


class Prompt(Horizontal):
    """Opened with `ask`; the widget that had the focus gets it back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        action.binding() for action in actions.of("prompt") if action.verb == "cancel"
    ]

    @dataclass
    class Changed(Message):
        """The text changed while typing."""

        prompt: Prompt
        purpose: str
        value: str

    @dataclass
    class Submitted(Message):
        """Enter."""

        prompt: Prompt
        purpose: str
        value: str

    def __init__(self, *, id: str = "prompt") -> None:
        super().__init__(id=id)
        self._purpose = ""
        self._back_to: Widget | None = None

    def compose(self) -> Iterator[Widget]:
        yield Label("/")
        yield Field()

    @property
    def input(self) -> Input:
        return self.query_one(Input)

    @property
    def is_open(self) -> bool:
        """Whether something is asked for."""
        return self.has_class("-open")

    def ask(self, purpose: str, label: str, value: str = "", placeholder: str = "") -> None:
        """Open the prompt."""
        self._purpose = purpose
        self._back_to = self.screen.focused
        word = label.strip()
        self.query_one(Label).update(
            word if len(word) == 1 else f"{word} "
        )  # a sign stands before its text, as in vi
        self.add_class("-open")
        with self.input.prevent(Input.Changed):
            self.input.value = value
        self.input.placeholder = placeholder
        self.input.cursor_position = len(value)
        self.input.focus()
        if purpose in ("search", "filter"):  # typing begins another one, an arrow goes on with the one before
            self.input.select_all()

    def close(self) -> None:
        """Close it and give the focus back."""
        self.remove_class("-open")
        if self._back_to is not None and self._back_to.is_attached:
            self._back_to.focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, self._purpose, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        self.post_message(self.Submitted(self, self._purpose, event.value))

    def action_cancel(self) -> None:
        self.close()
