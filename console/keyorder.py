"""Keys that come together are done one after another.

Textual hands a key to the widget in focus; a character is inserted there, but the key of a binding (Tab, Ctrl+K, backspace) goes up through
all parents to the application before it does anything. Over SSH typed keys arrive together, and characters behind such a key would
overtake it: ``Ctrl+K 4 0`` would clear the 40 again, ``Tab 5`` would write the 5 into the field that is left. What the key has opened
takes the focus a moment later: ``/ t`` would do what t does in the list, and ``/ x`` would ask whether to stop the job.

Escape with a key right behind it comes as what Alt with that key would be (`console.driver.Keys`). It is Alt where somebody has bound
that, and Escape and the key everywhere else: over a slow line they come together, and neither may be lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widgets import Input

Answer = TypeVar("Answer")
LONGEST = 0.3
"""Seconds after which it is looked whether the widget that had the key is still there: it may have gone with its queue."""
PATIENCE = 5.0
"""Seconds after which the next key does not wait for a widget that is there any longer: a busy machine mounts a screen in one or two."""
HELD = 0.6
"""Seconds for which keys wait for what a key has asked a thread for, to be opened: a dead backend holds them no longer."""
_IN_FIELDS = {"alt+f": "ctrl+right", "alt+b": "ctrl+left", "alt+backspace": "ctrl+w"}
"""What shells do with Alt in a line, as our fields know it."""


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
        self._at: MessagePump = self
        """What the key under way has gone to."""
        self._held: set[object] = set()
        """What keys wait for beyond the one before."""

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way or self._held:
            self._waiting.append(event)
            if len(self._waiting) == 1 and self._under_way:
                self._look_after(self._under_way, monotonic() + PATIENCE)
        else:
            await self._do(event)

    def _look_after(self, number: int, until: float) -> None:
        """See to it that keys do not wait for ever for one that never arrives."""

        async def look() -> None:
            if number == self._under_way and self._waiting:
                if self._at.is_running and monotonic() < until:
                    self._look_after(number, until)
                else:
                    await self._next(number)

        self.set_timer(LONGEST, look)

    @property
    def untouched(self) -> bool:
        """Whether no key has come yet."""
        return not self._keys and not self._waiting

    def hold(self, seconds: float = 0.0) -> Callable[[], None]:
        """Let keys wait until what is returned is called, at most so long or for `HELD`: something will be opened that they are meant for."""
        token = object()
        self._held.add(token)

        def release() -> None:
            if token in self._held:
                self._held.remove(token)
                self.call_later(self._released)

        self.set_timer(seconds or HELD, release)
        return release

    async def _released(self) -> None:
        if not self._held and not self._under_way:
            self._keys += 1
            self._under_way = self._keys
            await self.on_passed(Passed(self._keys))  # what was opened has the focus next

    async def _do(self, event: events.Key | events.Paste) -> None:
        self._keys += 1
        number = self._under_way = self._keys
        if isinstance(event, events.Key):
            event = self._told_apart(event)
        self._at = target = self.focused or self.screen
        await super().on_event(event)
        if not target.post_message(Passed(number)):
            await self._next(number)

    def _told_apart(self, event: events.Key) -> events.Key:
        """What a key that may be Alt or Escape with another is here; the other one then waits as the next."""
        _, alt, key = event.key.partition("alt+")
        if not alt or event.character is None or event.key in self.screen.active_bindings:
            return event
        if isinstance(self.focused, Input) and event.key in _IN_FIELDS:
            return events.Key(_IN_FIELDS[event.key], None)
        self._waiting.appendleft(
            events.Key(event.character if key.startswith("shift+") else key, event.character)
        )
        return events.Key("escape", "\x1b")

    async def on_passed(self, message: Passed) -> None:
        if message.opened or message.number != self._under_way:
            await self._next(message.number)
            return
        self._at = target = self.focused or self.screen
        if not target.post_message(Passed(message.number, opened=True)):
            await self._next(message.number)

    async def _next(self, number: int) -> None:
        if number != self._under_way:
            return
        self._under_way = 0
        if self._waiting and not self._held:
            await self._do(self._waiting.popleft())
            if self._under_way and self._waiting:
                self._look_after(self._under_way, monotonic() + PATIENCE)
