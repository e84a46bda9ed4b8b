"""Keys that come together are done one after another.

Textual hands a key to the widget in focus; a character is inserted there, but the key of a binding (Tab, Ctrl+K, backspace) goes up through
all parents to the application before it does anything. Over SSH typed keys arrive together, and characters behind such a key would
overtake it: ``Ctrl+K 4 0`` would clear the 40 again, ``Tab 5`` would write the 5 into the field that is left. What the key has opened
takes the focus a moment later: ``/ t`` would do what t does in the list, and ``/ x`` would ask whether to stop the job.

Who does not want to wait is heard at once: Escape, and what quits, give up what keys are held for, with the keys that were typed for it.

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


class Hold:
    """Keys wait for what will be opened. Called when it is there, or will not come."""

    def __init__(self, ended: Callable[[Hold], None], after: int) -> None:
        self._ended = ended
        self.after = after
        """How many keys had been done when it was asked for."""
        self.given_up = False
        """Whether the person has left before it was there: then nothing is opened."""

    def __call__(self) -> None:
        self._ended(self)


class InOrder(App[Answer]):
    """An application that does a key when the one before is done."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way = 0
        """The number of the key that is under way; 0: none is."""
        self._keys = 0
        """How many have been under way, with what was done in their place."""
        self._pressed = 0
        """How many keys were done."""
        self._at: MessagePump = self
        """What the key under way has gone to."""
        self._held: set[Hold] = set()
        """What keys wait for beyond the one before."""
        self._pending: set[Hold] = set()
        """What is still to be opened, whether keys wait for it or do not any more."""

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._pending and isinstance(event, events.Key) and self._gives_up(event):
            _, behind = self._apart(event)
            if behind is not None:
                await self.on_event(behind)
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
        return not self._pressed and not self._waiting

    def hold(self, seconds: float = 0.0) -> Hold:
        """Let keys wait until what is returned is called, at most so long or for `HELD`: something will be opened that they are meant for."""
        hold = Hold(self._settled, self._pressed)
        self._held.add(hold)
        self._pending.add(hold)
        self.set_timer(seconds or HELD, lambda: self._let_go(hold))
        return hold

    def pressed_since(self, hold: Hold) -> bool:
        """Whether keys were done since it was asked for: they had waited long enough."""
        return self._pressed > hold.after

    def _settled(self, hold: Hold) -> None:
        self._pending.discard(hold)
        self._let_go(hold)

    def _let_go(self, hold: Hold) -> None:
        if hold in self._held:
            self._held.remove(hold)
            self.call_later(self._released)

    def _gives_up(self, event: events.Key) -> bool:
        """Give up what is to be opened, with the keys that wait for it, if this key leads out; whether that is all that it does.

        Escape does nothing else as long as no other key was done since: had it been opened at once, it would have closed just that.
        """
        first, _ = self._apart(event)
        way = self._way_out(first)
        if not way:
            return False
        waited = bool(self._held) or all(hold.after == self._pressed for hold in self._pending)
        for hold in self._pending:
            hold.given_up = True
        if self._held:
            self._waiting.clear()
        self._held.clear()
        self._pending.clear()
        if way == "back" and waited:
            self.gave_up()
            return True
        return False

    def _way_out(self, event: events.Key) -> str:
        """Where a key leads: ``back`` or ``quit``; empty for all others. A letter in a field is a letter."""
        if event.key == "escape":
            return "back"
        if isinstance(self.focused, Input) and event.is_printable:
            return ""
        bound = self.screen.active_bindings.get(event.key)
        action = bound.binding.action if bound is not None else ""
        return action if action in ("back", "quit") else ""

    def gave_up(self) -> None:
        """Called when a person has left what would have been opened."""

    async def _released(self) -> None:
        if not self._held and not self._under_way:
            self._keys += 1
            self._under_way = self._keys
            await self.on_passed(Passed(self._keys))  # what was opened has the focus next
            if self._under_way and self._waiting:
                self._look_after(self._under_way, monotonic() + PATIENCE)

    @property
    def key_waits(self) -> bool:
        """Whether a key has come that is not done."""
        return bool(self._waiting or self._under_way)

    def ignores(self, event: events.Key | events.Paste) -> bool:
        """Whether a key that is due is not done at all."""
        return False

    async def _do(self, event: events.Key | events.Paste) -> None:
        if self.ignores(event):
            return
        self._keys += 1
        self._pressed += 1
        number = self._under_way = self._keys
        if isinstance(event, events.Key):
            event = self._told_apart(event)
        self._at = target = self.focused or self.screen
        await super().on_event(event)
        if not target.post_message(Passed(number)):
            await self._next(number)
        elif self._waiting:
            self._look_after(number, monotonic() + PATIENCE)

    def _told_apart(self, event: events.Key) -> events.Key:
        """What a key that may be Alt or Escape with another is here; the other one then waits as the next."""
        first, behind = self._apart(event)
        if behind is not None:
            self._waiting.appendleft(behind)
        return first

    def _apart(self, event: events.Key) -> tuple[events.Key, events.Key | None]:
        """A key, or Escape and the one that came right behind it."""
        _, alt, key = event.key.partition("alt+")
        if not alt or event.character is None or event.key in self.screen.active_bindings:
            return event, None
        if isinstance(self.focused, Input) and event.key in _IN_FIELDS:
            return events.Key(_IN_FIELDS[event.key], None), None
        behind = events.Key(event.character if key.startswith("shift+") else key, event.character)
        return events.Key("escape", "\x1b"), behind

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
        if self._held:
            await self._leave_early()
        while self._waiting and not self._held and not self._under_way:
            await self._do(self._waiting.popleft())

    async def _leave_early(self) -> None:
        """A key that leads out may have come before it was known that those before it have to wait."""
        came = list(self._waiting)
        for place, event in enumerate(came):
            if isinstance(event, events.Key) and self._way_out(self._apart(event)[0]):
                self._waiting.clear()
                await self.on_event(event)
                self._waiting.extend(came[place + 1 :])
                if self._under_way and self._waiting:
                    self._look_after(self._under_way, monotonic() + PATIENCE)
                return
