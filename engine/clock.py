"""Time, injected so that tests and ``--time-scale`` can move it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Wall time, and waits that are declared in AWS's seconds and shortened by ``scale``.

    Args:
        scale: Factor on declared waits: 1 waits as AWS does, 0.01 a hundredth of it.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def time(self) -> float:
        """Seconds since the epoch, to the millisecond: what is stored is what AWS's clients read and filter by."""
        return time.time_ns() // 1_000_000 / 1000

    def now(self) -> datetime:
        """Aware UTC time, in milliseconds as AWS reports them."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def wait(self, declared_seconds: float) -> None:
        """Sleep for a wait that AWS declares, scaled."""
        await asyncio.sleep(declared_seconds * self.scale)
