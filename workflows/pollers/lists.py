"""Lists that are paged in once and then asked only for what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.observe.reading import PAGE
from workflows.observe.rows import EndpointRow, JobRow
from workflows.observe.transform_rows import TransformRow
from workflows.observe.tuning_rows import TuningRow

R = TypeVar("R", JobRow, EndpointRow, TuningRow, TransformRow)

DESCRIBES_PER_POLL = 2
"""Things of a list that are described per poll, for what their list does not tell."""

OVERLAP = 2.0
"""Seconds that an incremental list looks back, because times of several writers are compared."""

MOST_PAGES = 100
"""Pages that are read of a list, the newest first: 10,000 rows, which take about 3 MB, and 200 s of an account's budget on AWS."""

CALMER = 1.5
"""How much longer each wait is than the one before, while a list without anything that runs brings nothing new."""

GROWTH = 1.1
"""How much longer a list has become when it is shown again while it is paged in: 5,000 rows are sorted 27 times instead of 50."""

MOST_RUNNING_PAGES = 100
"""Pages (of ten, where they are asked for by their state) of running ones that are read besides where a list is longer than that."""


class ListPoller(Generic[R]):
    """A list of jobs, endpoints, tuning jobs or transform jobs.

    The first poll pages through the newest `MOST_PAGES` and shows each page. Later ones ask only for what changed since; SageMaker
    cannot sort by the time of the last change, but filters by it. A list that fits one page is asked for as a whole, which costs the
    same and also shows what was deleted. A longer one is asked for as a whole so rarely that this costs a page every ``pace.full``
    seconds, however long it is, and when a person wants news and it costs no more than a burst of the budget.

    ``more`` tells that there are older ones that are not listed; of these, those that run are.
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
        self._changed = True
        self._running: tuple[R, ...] | None = None
        self._newest: float | None = None
        self._quiet = 0
        self.more = False

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[R, ...]:
        before = self._shown
        if self._pages <= 1 or self._due(gateway, now):
            self._list(gateway, emit, now)
        else:
            self._update(gateway)
        self._enrich(gateway)
        found = self._sorted()
        self._quiet = self._quiet + 1 if found is before else 0
        return found

    @property
    def quiet(self) -> bool:
        """Whether nothing runs and the last poll brought nothing new."""
        return bool(self._quiet) and not self._active()

    def interval(self, pace: Pace) -> float | None:
        if self._active():
            return pace.active
        return min(pace.idle * CALMER ** min(self._quiet, 20), max(pace.idle, pace.calm))

    def _due(self, gateway: Gateway, now: float) -> bool:
        """Whether the whole list is asked for, although it is a long one."""
        if self._listed_at is None:
            return True
        if getattr(gateway, "asked", False) and self._pages <= self._pace.burst:
            return True
        return now - self._listed_at >= self._pace.full * (self._pages - 1)

    def _list(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> None:
        fresh: dict[str, R] = {}
        count, more, told = 0, False, 0
        for page in self._list_pages(gateway):
            if count == MOST_PAGES:
                more = True
                break
            count += 1
            got = {row.name: self._merged(row) for row in page}
            fresh |= got
            if self._listed_at is None and any(self._rows.get(name) != row for name, row in got.items()):
                self._rows |= got
                self._touch()
                if len(self._rows) >= told * GROWTH:
                    emit(self._sorted())
                    told = len(self._rows)
        self.more = more
        if more:
            for page in islice(self._list_pages(gateway, status="InProgress"), MOST_RUNNING_PAGES):
                fresh |= {row.name: self._merged(row) for row in page if row.name not in fresh}
        if fresh != self._rows:
            self._touch()
        self._rows, self._pages, self._listed_at = fresh, count, now

    def _update(self, gateway: Gateway) -> None:
        if self._newest is None:
            self._newest = max((row.modified for row in self._rows.values()), default=0.0)
        for page in islice(self._list_pages(gateway, modified_after=self._newest - OVERLAP), MOST_PAGES):
            changed = False
            for row in page:
                merged = self._merged(row)
                if self._rows.get(row.name) != merged:
                    self._put(merged)
                    changed = True
            if not changed and len(page) < PAGE:
                break  # a full page of known ones may have changed ones behind it: those are created earlier, not changed earlier
        if len(self._rows) > MOST_PAGES * PAGE:
            self._shorten()

    def _shorten(self) -> None:
        """Leave out the oldest of those that have ended."""
        rows = sorted(self._rows.values(), key=lambda row: -row.created)
        kept = [row for place, row in enumerate(rows) if place < MOST_PAGES * PAGE or row.active]
        self.more = self.more or len(kept) < len(rows)
        self._rows = {row.name: row for row in kept}

    def _merged(self, row: R) -> R:
        return row

    def _enrich(self, gateway: Gateway) -> None:
        """Add what the list does not tell."""

    def _put(self, row: R) -> None:
        """More is known of a row."""
        self._rows[row.name] = row
        self._touch()

    def _drop(self, name: str) -> None:
        """A row is gone."""
        del self._rows[name]
        self._touch()

    def _touch(self) -> None:
        """The rows are others: what has been found out by going through all of them does not hold any more."""
        self._changed, self._running, self._newest = True, None, None

    def _active(self) -> tuple[R, ...]:
        """Those that run; thousands are gone through only after a change: three times a poll that was half of its time."""
        if self._running is None:
            self._running = tuple(row for row in self._rows.values() if row.active)
        return self._running

    def _sorted(self) -> tuple[R, ...]:
        if not self._changed:
            return self._shown  # thousands are not compared for nothing, once a second
        self._changed = False
        rows = tuple(sorted(self._rows.values(), key=lambda row: (-row.created, row.name)))
        if rows != self._shown:
            self._shown = rows
        return self._shown
