"""The replays of traffic on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.pollers.poller import LocalPoller


class ReplaysPoller(LocalPoller):
    """The reports of replays; those that have not changed are not read again."""

    def __init__(self) -> None:
        self._read: dict[Any, tuple[float, Any]] = {}
        self._reports: tuple[Any, ...] = ()

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> tuple[Any, ...]:
        from workflows.traffic.reports import list_reports

        found = tuple(list_reports(self._read))
        if found != self._reports:
            self._reports = found
        return self._reports

    def interval(self, pace: Pace) -> float | None:
        return 1.0 if any(report.active for report in self._reports) else 3.0
