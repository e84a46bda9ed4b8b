"""Training jobs: the list, one of them, its metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.budget import Pace
from workflows.explain import backend_lost, throttled
from workflows.observe import jobs, metrics
from workflows.observe.gateway import Gateway
from workflows.observe.rows import JobDetail, JobRow, SeriesData
from workflows.pollers.lists import DESCRIBES_PER_POLL, ListPoller
from workflows.problem import Problem


class JobsPoller(ListPoller[JobRow]):
    """The list of training jobs, with the instance types of those that run."""

    def __init__(self, known: tuple[JobRow, ...], pace: Pace) -> None:
        super().__init__(jobs.list_pages, known, pace)

    def _merged(self, row: JobRow) -> JobRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(row, instance_type=known.instance_type, instance_count=known.instance_count)

    def _enrich(self, gateway: Gateway) -> None:
        bare = [row for row in self._active() if not row.instance_type or row.status == "Deleting"]
        for row in sorted(bare, key=lambda row: -row.created)[:DESCRIBES_PER_POLL]:
            try:
                self._put(jobs.describe(gateway, row.name).row)
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    raise
                if row.status == "Deleting":  # gone: no list of what changed tells that
                    self._drop(row.name)


class JobPoller:
    """One training job, until it has ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._detail: JobDetail | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> JobDetail:
        found = jobs.describe(gateway, self._name)
        if found != self._detail:
            self._detail = found
        return self._detail or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._detail is None or self._detail.row.active else None


class JobMetricsPoller:
    """The training metrics of a job, once more after it has ended and then no more."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._detail: JobDetail | None = None
        self._series: tuple[SeriesData, ...] = ()
        self._after_end = 0

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> tuple[SeriesData, ...]:
        if self._detail is None or self._detail.row.active:
            self._detail = jobs.describe(gateway, self._name)
        found = metrics.job_series(gateway, self._detail, period=self._pace.training_period, now=now)
        if not self._detail.row.active:
            self._after_end += 1
        if found != self._series:
            self._series = found
        return self._series

    def interval(self, pace: Pace) -> float | None:
        # Data points may arrive a little after the job has ended.
        return None if self._after_end >= 2 else pace.metrics
