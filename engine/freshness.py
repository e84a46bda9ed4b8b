"""Whether the code on disk is still the code that runs: an engine outlives updates of the program it belongs to."""

from __future__ import annotations

import time
from pathlib import Path

_EVERY = 2.0
# What runs in this process, and what its jobs and workers are started from.
_FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "algorithms" / "container")


class Code:
    """The source files as they were when this was made.

    A shim or a serving worker is started from today's files with yesterday's engine as its partner; when both sides of
    that seam changed together, every job fails. So an engine whose code has changed says so, and is started anew.
    """

    def __init__(self) -> None:
        self._then = _newest()
        self._asked = time.monotonic()
        self._changed = False

    @property
    def changed(self) -> bool:
        """Whether a source file is newer than this; the files are looked at every two seconds at most."""
        now = time.monotonic()
        if not self._changed and now - self._asked >= _EVERY:
            self._asked = now
            self._changed = _newest() != self._then
        return self._changed


def _newest() -> tuple[int, int]:
    """How many source files there are, and the newest one's time in nanoseconds."""
    times = [file.stat().st_mtime_ns for folder in _FOLDERS for file in folder.rglob("*.py")]
    return len(times), max(times, default=0)
