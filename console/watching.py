"""Noticing that a person has edited a file, without asking the event loop to touch the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY = 2.0
"""Seconds between two looks: a handful of stat calls and a thread's turn, 0.02 % of a core."""


class Watcher:
    """Looks at some files in a daemon thread and tells when one of them has come, gone or changed."""

    def __init__(
        self, files: Callable[[], Iterable[Path]], changed: Callable[[], object], *, every: float = EVERY
    ) -> None:
        self._files, self._changed, self._every = files, changed, every
        self._ended = threading.Event()
        self._seen = self._look()

    def start(self) -> None:
        """Begin looking."""
        threading.Thread(target=self._watch, name="console-files", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            now = self._look()
            if now != self._seen:
                self._seen = now
                self._changed()

    def _look(self) -> dict[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in self._files():
            try:
                state = path.stat()
            except OSError:
                continue
            found[path] = (state.st_mtime_ns, state.st_size)
        return found
