"""One rollout, until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.observe.gateway import Gateway
from workflows.rollout import asked
from workflows.rollout.asked import RolloutView


class RolloutPoller:
    """A rollout's state and journal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._view: RolloutView | None = None

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> RolloutView:
        self._view = asked.view(gateway, self._name, now)
        return self._view

    def interval(self, pace: Pace) -> float | None:
        return pace.active if self._view is None or self._view.state.active else None
