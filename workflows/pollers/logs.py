"""A followed log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe import logs
from workflows.observe.gateway import Gateway
from workflows.observe.rows import LogTail

PAGES = 5
"""Of GetLogEvents in one poll."""
MOST_LINES = PAGES * logs.PAGE
"""Lines of a followed log that are kept for who follows it: all that one poll may bring."""


class LogPoller:
    """A followed log: the newest lines first, then what comes; quiet logs are asked less often."""

    def __init__(self, reader: logs.LogReader) -> None:
        self._reader = reader
        self._tail = LogTail()
        self._quiet = 0
        self._complete = True

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> LogTail:
        page = self._reader.read(gateway, most_pages=PAGES)
        self._complete = page.complete
        self._quiet = 0 if page.lines else self._quiet + 1
        if page.lines:
            lines = self._tail.lines + page.lines
            dropped = max(0, len(lines) - MOST_LINES)
            self._tail = LogTail(lines[dropped:], self._tail.first + dropped)
        return self._tail

    def interval(self, pace: Pace) -> float | None:
        if not self._complete:
            return 0.0
        return min(max(pace.idle, pace.logs) * 4, pace.logs * 1.5 ** min(self._quiet, 20))
