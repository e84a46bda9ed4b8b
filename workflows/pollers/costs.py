"""What bills now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.budget import Pace
from workflows.costs.overview import CostView, Survey
from workflows.observe.gateway import Gateway

LEAST = 5.0
"""Seconds between two looks, at least: money is slow."""


class CostsPoller:
    """Every endpoint is described at each look; configurations and tags are remembered."""

    def __init__(self) -> None:
        self._survey = Survey()

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> CostView:
        return self._survey.look(gateway, now)

    def interval(self, pace: Pace) -> float | None:
        return max(LEAST, pace.metrics)
