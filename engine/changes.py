"""Who waits for a named thing to change, and telling them."""

from __future__ import annotations

import asyncio
import contextlib


class Changes:
    """Wakes whoever waits for a name; each wait is for the next change only."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    async def wait(self, name: str, seconds: float) -> None:
        """Return at the name's next change, at the latest after ``seconds``."""
        event = self._events.setdefault(name, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    def tell(self, name: str) -> None:
        """Wake who waits for this name."""
        event = self._events.pop(name, None)
        if event is not None:
            event.set()

    def tell_all(self) -> None:
        """Wake everybody."""
        for name in list(self._events):
            self.tell(name)
