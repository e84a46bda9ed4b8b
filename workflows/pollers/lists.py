"""Lists that are paged in once and then asked only for what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.observe.rows import EndpointRow, JobRow
from workflows.observe.transform_rows import TransformRow
from workflows.observe.tuning_rows import TuningRow

R = TypeVar("R", JobRow, EndpointRow, TuningRow, TransformRow)

DESCRIBES_PER_POLL = 2
"""Things of a list that are described per poll, for what their list does not tell."""

OVERLAP = 2.0
"""Seconds that an incremental list looks back, because times of several writers are compared."""


class ListPoller(Generic[R]):
    """A list of jobs, endpoints, tuning jobs or transform jobs.

    The first poll pages through everything and shows each page. Later ones ask only for what changed since; SageMaker cannot
    sort by the time of the last change, but filters by it. A list that fits one page is asked for as a whole, which costs the
    same and also shows what was deleted; a longer one is, every ``pace.full`` seconds.
    """

    def __init__(
        self, list_pages: Callable[..., Iterator[tuple[R, ...]]], known: tuple[R, ...], pace: Pace
    ) -> None:
        self._list_pages: Callable[..., Iterator[tuple[R, ...]]] = list_pages
        self._pace = pace
        self._rows: dict[str, R] = {row.name: row for row in known}
        self._shown: tuple[R, ...] = known
        self._listed_at: float | None = None
        self._pages = 0

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[R, ...]:
        due = self._listed_at is None or now - self._listed_at >= self._pace.full
        if due or self._pages <= 1:
            self._list(gateway, emit, now)
        else:
            self._update(gateway)
        self._enrich(gateway)
        return self._sorted()

    def interval(self, pace: Pace) -> float | None:
        return pace.active if any(row.active for row in self._rows.values()) else pace.idle

    def _list(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> None:
        fresh: dict[str, R] = {}
        count = 0
        for page in self._list_pages(gateway):
            count += 1
            for row in page:
                fresh[row.name] = self._merged(row)
            if self._listed_at is None:
                self._rows |= fresh
                emit(self._sorted())
        self._rows, self._pages, self._listed_at = fresh, count, now

    def _update(self, gateway: Gateway) -> None:
        newest = max((row.modified for row in self._rows.values()), default=0.0)
        for page in self._list_pages(gateway, modified_after=newest - OVERLAP):
            changed = False
            for row in page:
                merged = self._merged(row)
                if self._rows.get(row.name) != merged:
                    self._rows[row.name] = merged
                    changed = True
            if not changed:
                return

    def _merged(self, row: R) -> R:
        return row

    def _enrich(self, gateway: Gateway) -> None:
        """Add what the list does not tell."""

    def _sorted(self) -> tuple[R, ...]:
        rows = tuple(sorted(self._rows.values(), key=lambda row: (-row.created, row.name)))
        if rows != self._shown:
            self._shown = rows
        return self._shown
