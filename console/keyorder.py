"""Keys that come together are done one after another.

Textual hands a key to the widget in focus; a character is inserted there, but the key of a binding (Tab, Ctrl+K, backspace) goes up through
all parents to the application before it does anything. Over SSH typed keys arrive together, and characters behind such a key would
overtake it: ``Ctrl+K 4 0`` would clear the 40 again, ``Tab 5`` would write the 5 into the field that is left. What the key has opened
takes the focus a moment later: ``/ t`` would do what t does in the list, and ``/ x`` would ask whether to stop the job.
"""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.message import Message

Answer = TypeVar("Answer")
LONGEST = 0.3
"""Seconds after which the next key does not wait any longer: the widget that had the one before may have gone with its queue."""


class Passed(Message):
    """Goes the way of a key behind it: where it arrives, the key has been. ``opened``: so has what the key had opened, up to its focus."""

    def __init__(self, number: int, *, opened: bool = False) -> None:
        super().__init__()
        self.number = number
        self.opened = opened


class InOrder(App[Answer]):
    """An application that does a key when the one before is done."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way = 0
        """The number of the key that is under way; 0: none is."""
        self._keys = 0

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way:
            self._waiting.append(event)
            number = self._under_way
            self.set_timer(LONGEST, lambda: self._next(number))
        else:
            await self._do(event)

    async def _do(self, event: events.Key | events.Paste) -> None:
        self._keys += 1
        number = self._under_way = self._keys
        target = self.focused or self.screen
        await super().on_event(event)
        if not target.post_message(Passed(number)):
            await self._next(number)

    async def on_passed(self, message: Passed) -> None:
        if message.opened or message.number != self._under_way:
            await self._next(message.number)
            return
        target = self.focused or self.screen
        if not target.post_message(Passed(message.number, opened=True)):
            await self._next(message.number)

    async def _next(self, number: int) -> None:
        if number != self._under_way:
            return
        self._under_way = 0
        if self._waiting:
            await self._do(self._waiting.popleft())
