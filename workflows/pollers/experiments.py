"""The A/B tests of this machine: their journals, no AWS call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.pollers.poller import LocalPoller


class ExperimentsPoller(LocalPoller):
    """All A/B tests, the newest first."""

    def __init__(self) -> None:
        self._active = True

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> tuple[Any, ...]:
        from workflows.abtest.drafting import everything

        found = tuple(everything())
        self._active = any(report.state == "running" for report in found)
        return found

    def interval(self, pace: Pace) -> float | None:
        return 2.0 if self._active else 5.0


class ExperimentPoller(LocalPoller):
    """One A/B test; each poll reads what has come since the last one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._active = True

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> Any:
        from workflows.abtest import background
        from workflows.abtest.following import follower
        from workflows.abtest.report import View

        report = follower(self._name).report(now)
        self._active = report.state == "running"
        return View(report, background.state(self._name))

    def interval(self, pace: Pace) -> float | None:
        return 1.0 if self._active else 5.0
