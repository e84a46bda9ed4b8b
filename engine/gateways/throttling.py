"""Token buckets: how many requests a stage's methods and an account take, as API Gateway counts them."""

from __future__ import annotations

import time
from typing import Any

ACCOUNT_RATE = 10_000.0
"""Requests a second of an account and region (API Gateway's quota)."""
ACCOUNT_BURST = 5_000
_MOST = 10_000


class Throttle:
    """One bucket per limit: a steady rate, and a burst that it may be ahead by."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], tuple[float, float]] = {}

    def admits(self, key: tuple[str, ...], rate: float, burst: float) -> bool:
        """Take a token; False when there is none."""
        now = time.monotonic()
        level, then = self._buckets.get(key, (burst, now))
        level = min(burst, level + (now - then) * rate)
        admitted = level >= 1.0
        if len(self._buckets) > _MOST:
            self._buckets.clear()
        self._buckets[key] = (level - 1.0 if admitted else level, now)
        return admitted

    def clear(self) -> None:
        """Forget what was counted."""
        self._buckets.clear()


def setting(stage: dict[str, Any], path: str, method: str, name: str) -> Any:
    """A stage's setting for a method: its own, else that of all methods; None when neither has one."""
    settings = stage.get("methodSettings") or {}
    for key in (f"{path.replace('~', '~0').replace('/', '~1')}/{method}", "*/*"):
        found = settings.get(key, {}).get(name)
        if found is not None:
            return found
    return None
