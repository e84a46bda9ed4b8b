"""Dialogs that no key has asked for: an error of what was begun a while ago, the question of a run, what became of a long cleaning.

Who types something else at that moment must not answer them. So they wait until nobody types, and keys that come in their first moments,
before anybody can have read them, do nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from textual import events
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from console.painting import Painting
from console.widgets.prompt import Prompt

QUIET = 0.6
"""Seconds without a key after which nobody is taken to type: between two keys of slow typing lie 0.3."""
DEAF = 0.6
"""Seconds in which a dialog that has opened by itself takes no keys: reading its title takes that long, and a key is under way for up to
0.3 over a far line."""
LONGEST = 3.0
"""Seconds after which it takes them, even when somebody has typed all the time."""


@runtime_checkable
class Deafened(Protocol):
    """A dialog that shows whether keys count."""

    def deafen(self, deaf: bool) -> None:
        """Keys do not count from now on, or they do again."""
        ...


class Interruptible(Painting, inherit_bindings=False):
    """An application in which dialogs open by themselves."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._typed_at = float("-inf")
        """When the last key came."""
        self._interruptions: deque[Callable[[], object]] = deque()
        self._looking = False
        self._interrupting: Screen[Any] | None = None
        """The last one that was opened. Who reads it is not shown the next one over it."""
        self._deaf: Screen[Any] | None = None
        self._deaf_until = self._deaf_at_most = 0.0

    def interrupt(self, opens: Callable[[], object]) -> bool:
        """Do what opens a dialog once nobody types; keys do not count in it at first. Returns whether it was done at once."""
        self._interruptions.append(opens)
        if not self._looking:
            self._open_next()
        return opens not in self._interruptions

    @property
    def typing(self) -> bool:
        """Whether keys go into a text that their Enter ends, or the last one was just now. A form is nothing that is typed into all the time."""
        focused = self.focused
        ends = isinstance(focused, Input) and (
            isinstance(focused.parent, Prompt) or isinstance(self.screen, ModalScreen)
        )
        return ends or self.key_waits or monotonic() - self._typed_at < QUIET

    def _open_next(self) -> None:
        self._looking = False
        stack = self.screen_stack
        if not stack or not self._interruptions:  # timers of a console that is ending find no screens
            return
        if self._interrupting not in stack and not self.typing:
            opens, before = self._interruptions.popleft(), self.screen
            opens()
            if self.screen is not before and isinstance(self.screen, ModalScreen):
                self._interrupting = self.screen
                self._deafen(self.screen)
        if self._interruptions:
            self._looking = True
            self.set_timer(max(0.1, QUIET / 2), self._open_next)

    def _deafen(self, screen: Screen[Any]) -> None:
        if DEAF <= 0:
            return
        now = monotonic()
        self._deaf, self._deaf_until, self._deaf_at_most = screen, now + DEAF, now + LONGEST
        if isinstance(screen, Deafened):
            screen.deafen(True)
        self.set_timer(DEAF, self._hear)

    def _hear(self) -> None:
        screen = self._deaf
        if screen is None:
            return
        left = self._deaf_until - monotonic()
        if left > 0 and screen.is_active:
            self.set_timer(left, self._hear)
            return
        self._deaf = None
        if isinstance(screen, Deafened) and screen.is_attached:
            screen.deafen(False)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed_at = monotonic()
        await super().on_event(event)

    def ignores(self, event: events.Key | events.Paste) -> bool:
        if self._deaf is None or not self._deaf.is_active:
            return False
        self._deaf_until = min(max(self._deaf_until, monotonic() + QUIET), self._deaf_at_most)
        return True
