"""The events of a run on their way from the thread that follows it to the screen that shows it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from console.messages import RunEventsArrived
from workflows.events import Event
from workflows.explain import explain

if TYPE_CHECKING:
    from console.screens.run import RunScreen


class Feed:
    """Events on their way from the following thread to the screen: many events, one message."""

    def __init__(self, screen: RunScreen, run: str) -> None:
        self._screen, self._run = screen, run
        self._waiting: deque[Event] = deque()
        self._told = False
        self._lock = threading.Lock()
        self.closed = False

    def start(self) -> None:
        """Follow in a daemon thread."""
        threading.Thread(target=self._follow, name=f"follow-{self._run}", daemon=True).start()

    def _follow(self) -> None:
        try:
            self._screen.console.services.follow(self._run, self._deliver, lambda: self.closed)
        except Exception as error:
            problem = explain(error, self._screen.console.services.target)
            self._screen.post_message(RunEventsArrived(self._run, (), problem))

    def _deliver(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)
            tell, self._told = not self._told, True
        if tell:
            self._screen.post_message(RunEventsArrived(self._run, ()))

    def take(self) -> list[Event]:
        """What has come since the last time."""
        with self._lock:
            events = list(self._waiting)
            self._waiting.clear()
            self._told = False
        return events
