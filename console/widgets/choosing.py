"""A list of which rows can be marked, to do something with all of them at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.message import Message

from console import actions
from console.widgets.rows import Item, Rows


class ChoosableRows(Rows[Item]):
    """Space marks a row and goes on to the next; marks stay on their rows whatever the filter shows."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("list"), *actions.bindings("select")]

    @dataclass
    class Chosen(Message):
        """Other rows are marked now."""

        rows: ChoosableRows[Any]

        @property
        def control(self) -> ChoosableRows[Any]:
            return self.rows

    _last: Hashable = None
    """The row that was marked last: where a range begins."""

    def choose(self, keys: Iterable[Hashable]) -> None:
        """Mark these rows and no others."""
        wanted = set(keys)
        if wanted != self.chosen:
            self.chosen = wanted
            self.repaint()
            self.post_message(self.Chosen(self))

    def keep_chosen(self, existing: Iterable[Hashable]) -> None:
        """Take the marks off rows that there are no more: another thing of the same name is not what was marked."""
        if self.chosen:
            self.choose(self.chosen.intersection(existing))

    def action_mark(self) -> None:
        key = self.cursor_key
        if key is not None:
            self._last = key
            self.choose(self.chosen ^ {key})
            self.action_down()

    def action_mark_range(self) -> None:
        """From the row that was marked last to the cursor; without one the row under the cursor."""
        key, begin = self.cursor_key, self._last
        if key is None:
            return
        if begin is None or begin not in self.keys:
            begin = key
        first, last = sorted((self.keys.index(begin), self.keys.index(key)))
        self._last = key
        self.choose(self.chosen | {each for each in self.keys[first : last + 1] if self.is_row(each)})

    def action_mark_all(self) -> None:
        """All rows that the filter shows, or none where they are all marked."""
        everything = {key for key in self.keys if self.is_row(key)}
        self.choose(self.chosen - everything if everything <= self.chosen else self.chosen | everything)
