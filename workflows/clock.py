"""Time as the polling uses it, injected so that tests move it."""

from __future__ import annotations

import time


class Clock:
    """The machine's time."""

    def time(self) -> float:
        """Seconds since the epoch: what people are shown."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump: what is waited by."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in the calling thread."""
        time.sleep(seconds)
