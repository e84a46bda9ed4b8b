"""Transform jobs: the list, one of them, how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.budget import Pace
from workflows.explain import backend_lost, throttled
from workflows.observe import transforms
from workflows.observe.gateway import Gateway
from workflows.observe.transform_rows import TransformDetail, TransformProgress, TransformRow
from workflows.pollers.lists import DESCRIBES_PER_POLL, ListPoller
from workflows.problem import Problem


class TransformsPoller(ListPoller[TransformRow]):
    """The list of transform jobs, with model and instances of those that run."""

    def __init__(self, known: tuple[TransformRow, ...], pace: Pace) -> None:
        super().__init__(transforms.list_pages, known, pace)

    def _merged(self, row: TransformRow) -> TransformRow:
        known = self._rows.get(row.name)
        if known is None or known.created != row.created:
            return row
        return replace(
            row,
            model=known.model,
            instance_type=known.instance_type,
            instance_count=known.instance_count,
        )

    def _enrich(self, gateway: Gateway) -> None:
        bare = [row for row in self._active() if not row.instance_type]
        for row in sorted(bare, key=lambda row: -row.created)[:DESCRIBES_PER_POLL]:
            try:
                found = transforms.describe(gateway, row.name).row
            except Problem as problem:
                if throttled(problem) or backend_lost(problem):
                    raise
            else:
                self._put(replace(found, modified=max(found.modified, row.modified)))


class TransformPoller:
    """One transform job, until it has ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._detail: TransformDetail | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> TransformDetail:
        found = transforms.describe(gateway, self._name)
        if found != self._detail:
            self._detail = found
        return self._detail or found

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._detail is None or self._detail.row.active else None


class TransformProgressPoller:
    """How far a transform job is, once more after it has ended and then no more."""

    def __init__(self, name: str, pace: Pace) -> None:
        self._name = name
        self._pace = pace
        self._detail: TransformDetail | None = None
        self._progress: TransformProgress | None = None
        self._after_end = 0

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> TransformProgress:
        if self._detail is None or self._detail.row.active:
            self._detail = transforms.describe(gateway, self._name)
        found = transforms.progress(gateway, self._detail, period=self._pace.training_period, now=now)
        if not self._detail.row.active:
            self._after_end += 1
        if found != self._progress:
            self._progress = found
        return self._progress or found

    def interval(self, pace: Pace) -> float | None:
        # Data points may arrive a little after the job has ended.
        return None if self._after_end >= 2 else pace.metrics
