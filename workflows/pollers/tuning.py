"""Tuning jobs: the list, and one of them with its trials and default runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.budget import Pace
from workflows.explain import backend_lost, throttled
from workflows.observe import tuning
from workflows.observe.gateway import Gateway
from workflows.observe.tuning_rows import (
    DefaultRow,
    TrialCounts,
    TrialRow,
    TuningDetail,
    TuningRow,
    TuningView,
)
from workflows.pollers.lists import DESCRIBES_PER_POLL, ListPoller
from workflows.problem import Problem

EARLY = 0.8
"""A poll that comes before this part of the interval is over was asked for by a person."""


class TuningJobsPoller(ListPoller[TuningRow]):
    """The list of tuning jobs, with objective and best value: each is described once per change of its counts."""

    def __init__(self, known: tuple[TuningRow, ...], pace: Pace) -> None:
        super().__init__(tuning.list_pages, known, pace)
        self._described: dict[str, tuple[str, TrialCounts]] = {
            row.name: (row.status, row.counts) for row in known if row.objective
        }

    def _merged(self, row: TuningRow) -> TuningRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(
            row,
            objective=known.objective,
            direction=known.direction,
            best_value=known.best_value,
            best_job=known.best_job,
        )

    def _enrich(self, gateway: Gateway) -> None:
        changed = [
            row for row in self._rows.values() if self._described.get(row.name) != (row.status, row.counts)
        ]
        for row in sorted(changed, key=lambda row: (not row.active, -row.created))[:DESCRIBES_PER_POLL]:
            self._described[row.name] = (row.status, row.counts)
            try:
                found = tuning.describe(gateway, row.name).row
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    del self._described[row.name]
                    raise
            else:
                self._put(replace(found, modified=row.modified))


class TuningPoller:
    """One tuning job. Its trials are paged in once, then only as far as something has changed; its default runs are looked
    for every ``pace.full`` seconds, and whenever a person asks for news."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._view: TuningView | None = None
        self._trials: dict[str, TrialRow] = {}
        self._runs: dict[str, DefaultRow] = {}
        self._names: tuple[str, ...] = ()
        self._listed_at: float | None = None
        self._named_at: float | None = None
        self._polled_at: float | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> TuningView:
        detail = tuning.describe(gateway, self._name)
        if self._view is None:
            emit(TuningView(detail=detail))
        self._list(gateway, detail, now)
        self._list_defaults(gateway, detail, now)
        self._polled_at = now
        found = TuningView(
            detail=detail,
            trials=tuning.finished(detail, self._trials.values(), now),
            defaults=tuple(self._runs[name] for name in self._names if name in self._runs),
        )
        if found != self._view:
            self._view = found
        return self._view or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._view is None or self._view.active else pace.full

    def _list(self, gateway: Gateway, detail: TuningDetail, now: float) -> None:
        everything = self._listed_at is None or now - self._listed_at >= self._pace.full
        running = {row.name for row in self._trials.values() if row.active}
        seen: set[str] = set()
        for page in tuning.trial_pages(gateway, detail):
            changed = False
            for row in page:
                seen.add(row.name)
                running.discard(row.name)
                if self._trials.get(row.name) != row:
                    self._trials[row.name] = row
                    changed = True
            if not (everything or changed or running):
                return
        self._trials = {name: row for name, row in self._trials.items() if name in seen}
        self._listed_at = now

    def _list_defaults(self, gateway: Gateway, detail: TuningDetail, now: float) -> None:
        asked_for = self._polled_at is not None and now - self._polled_at < EARLY * (
            self.interval(self._pace) or 0.0
        )
        if self._named_at is None or asked_for or now - self._named_at >= self._pace.full:
            self._names = tuning.default_names(gateway, self._name)
            self._named_at = now
        for name in self._names:
            known = self._runs.get(name)
            if known is not None and not known.active:
                continue
            try:
                self._runs[name] = tuning.default_run(gateway, detail, name)
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    raise
