"""The runs of studies on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.pollers.poller import LocalPoller


class RunsPoller(LocalPoller):
    """The runs of studies on this machine."""

    def __init__(self) -> None:
        self._active = True
        self._runs: tuple[Any, ...] = ()

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> tuple[Any, ...]:
        from workflows.lineage import as_shown
        from workflows.runs import list_runs

        found = tuple(as_shown(run) for run in list_runs())
        self._active = any(run.active for run in found)
        if found != self._runs:
            self._runs = found
        return self._runs

    def interval(self, pace: Pace) -> float | None:
        return 1.0 if self._active else 3.0
