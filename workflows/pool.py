"""Threads that nobody waits for: a process ends at once although a call is in flight.

`concurrent.futures` joins its threads at exit, so that a program would hang there for as long as AWS takes to answer.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class DaemonPool:
    """Runs functions in at most ``limit`` daemon threads, started when they are needed."""

    def __init__(self, limit: int = 8, name: str = "hub") -> None:
        self._limit = limit
        self._name = name
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, task: Callable[[], object]) -> None:
        """Run ``task`` soon; not after `close`. What it raises is logged."""
        with self._lock:
            if self._closed:
                return
            if self._idle > 0:
                self._idle -= 1
            elif self._threads < self._limit:
                self._threads += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
            self._tasks.put(task)

    def close(self) -> None:
        """Let each thread end when it has nothing to do any more; nobody waits for it."""
        with self._lock:
            self._closed = True
            for _ in range(self._threads):
                self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception:
                _log.exception("a background task failed")
            with self._lock:
                if self._tasks.empty():
                    self._idle += 1
