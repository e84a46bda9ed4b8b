"""The audit log: read again when its file has grown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.pollers.poller import LocalPoller

MOST = 5_000
"""Entries that a screen is given, the newest."""


class AuditPoller(LocalPoller):
    """What was changed from this machine, the newest first."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._entries: tuple[Any, ...] = ()
        self.more = False
        """Whether there are older ones that a screen is not given."""

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> tuple[Any, ...]:
        from workflows.files import signature
        from workflows.safety import auditlog

        try:
            seen = signature(auditlog.path())
        except OSError:
            return self._entries
        if seen != self._seen:
            self._seen = seen
            everything = auditlog.entries()
            self.more = len(everything) > MOST
            self._entries = tuple(reversed(everything[-MOST:]))
        return self._entries

    def interval(self, pace: Pace) -> float | None:
        return 2.0
