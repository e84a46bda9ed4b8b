"""A followed log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.budget import Pace
from workflows.observe import logs
from workflows.observe.gateway import Gateway
from workflows.observe.rows import LogPage, LogTail
from workflows.problem import Problem

PAGES = 5
"""Of GetLogEvents in one poll."""
MOST_LINES = PAGES * logs.PAGE
"""Lines of a followed log that are kept for who follows it: all that one poll may bring."""


class LogPoller:
    """A followed log: the newest lines first, then what comes; quiet logs are asked less often."""

    def __init__(self, reader: logs.LogReader, known: LogTail | None = None) -> None:
        self._reader = reader
        self._tail = known or LogTail()
        self._going_on = bool(self._tail.tokens)
        self._quiet = 0
        self._complete = True
        reader.go_on(self._tail.tokens)

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> LogTail:
        if self._going_on:
            self._go_on(gateway)
        else:
            self._take(self._reader.read(gateway, most_pages=PAGES))
        return self._tail

    def _go_on(self, gateway: Gateway) -> None:
        """Read what came while nobody looked; where that is more than one poll brings, what follows it is left out.

        CloudWatch Logs forgets a token after a day: then all that was before the newest page is left out, too.
        """
        try:
            page = self._reader.read(gateway, most_pages=PAGES)
        except Problem as problem:
            if problem.code != "InvalidParameterException":
                raise
            page = LogPage((), complete=False)
        self._going_on = False
        self._take(page)
        if not page.complete:
            self._reader.skip()
            self._tail = replace(self._tail, skipped=self._tail.end)
            self._take(self._reader.read(gateway, most_pages=PAGES))

    def _take(self, page: LogPage) -> None:
        self._complete = page.complete
        self._quiet = 0 if page.lines else self._quiet + 1
        if page.lines:
            known = self._tail
            longer = LogTail(known.lines + page.lines, known.first, known.skipped, self._reader.tokens)
            self._tail = longer.shortened(MOST_LINES)

    def interval(self, pace: Pace) -> float | None:
        if not self._complete:
            return 0.0
        return min(max(pace.idle, pace.logs) * 4, pace.logs * 1.5 ** min(self._quiet, 20))
