"""What a DeploymentConfig means for fleets of given sizes: the steps by which traffic moves. Pure arithmetic.

Source: DeploymentConfig of the SageMaker API, and "Deployment guardrails" of its developer guide: a canary is at most half of the
new fleet, a linear step 10 to 50 %, a rolling batch 5 to 50 %. WaitIntervalInSeconds lies between two shifts of a blue/green
deployment and after every batch of a rolling one; TerminationWaitInSeconds follows the last shift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

WAIT, TERMINATION = "WaitIntervalInSeconds", "TerminationWaitInSeconds"
CANARY, PARTIAL, FULL = "canary capacity", "partial capacity", "full capacity"
_EXACT = 1e-6
"""Parts of a fleet are multiples of fractions: what is this close to a whole number is one."""


class Step(NamedTuple):
    """One shift of traffic and the baking after it.

    ``active`` is the part (0 to 1) of each new variant's capacity that has traffic, ``share`` the part of all requests that the new
    fleet gets, ``wait`` the declared seconds of baking and ``declared`` the member that declares them.
    """

    active: dict[str, float]
    share: float
    wait: int
    declared: str
    extent: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """A deployment's whole course. ``back`` is the batch size of a rolling deployment's rollback, None for all at once."""

    steps: tuple[Step, ...]
    rolling: bool = False
    timeout: int | None = None
    alarms: tuple[str, ...] = ()
    back: Mapping[str, Any] | None = None

    @property
    def waits(self) -> int:
        """Declared seconds of all waits."""
        return sum(step.wait for step in self.steps)


def strategy(
    config: Mapping[str, Any] | None, counts: Mapping[str, int], weights: Mapping[str, float]
) -> Strategy:
    """The course of a deployment.

    Args:
        config: A DeploymentConfig that was checked; without an update policy all traffic moves at once.
        counts: Declared instances of each new variant.
        weights: Weight of each new variant.
    """
    config = config or {}
    alarms = tuple(
        alarm["AlarmName"] for alarm in (config.get("AutoRollbackConfiguration") or {}).get("Alarms", ())
    )
    rolling = config.get("RollingUpdatePolicy")
    if rolling:
        parts = _multiples(rolling["MaximumBatchSize"], counts)
        wait = rolling["WaitIntervalInSeconds"]
        steps = [_step(active, weights, wait, WAIT, PARTIAL) for active in parts]
        return Strategy(
            tuple(steps),
            True,
            rolling.get("MaximumExecutionTimeoutInSeconds"),
            alarms,
            rolling.get("RollbackMaximumBatchSize"),
        )
    policy = config.get("BlueGreenUpdatePolicy") or {}
    routing = policy.get("TrafficRoutingConfiguration") or {}
    kind, wait = routing.get("Type", "ALL_AT_ONCE"), routing.get("WaitIntervalInSeconds", 0)
    whole = dict.fromkeys(counts, 1.0)
    if kind == "CANARY":
        parts, extent = [parts_of(routing["CanarySize"], counts), whole], CANARY
    elif kind == "LINEAR":
        parts, extent = _multiples(routing["LinearStepSize"], counts), PARTIAL
    else:
        parts, extent = [whole], FULL
    steps = [_step(active, weights, wait, WAIT, extent) for active in parts[:-1]]
    steps.append(_step(whole, weights, policy.get("TerminationWaitInSeconds", 0), TERMINATION, FULL))
    return Strategy(tuple(steps), False, policy.get("MaximumExecutionTimeoutInSeconds"), alarms)


def retreat(
    size: Mapping[str, Any] | None,
    counts: Mapping[str, int],
    weights: Mapping[str, float],
    active: Mapping[str, float],
) -> list[Step]:
    """The steps by which a rolling deployment's traffic goes back, the last with none left on the new fleet.

    Args:
        size: RollbackMaximumBatchSize; None moves everything at once.
        active: The part of each new variant's capacity that runs now.
    """
    parts = parts_of(size, counts) if size else dict.fromkeys(counts, 1.0)
    count = max(math.ceil(part / parts[name] - _EXACT) for name, part in active.items())
    steps = []
    for number in range(1, count):
        left = {name: _clean(max(0.0, part - number * parts[name])) for name, part in active.items()}
        steps.append(_step(left, weights, 0, WAIT, PARTIAL))
    return [*steps, _step(dict.fromkeys(active, 0.0), weights, 0, WAIT, PARTIAL)]


def parts_of(size: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, float]:
    """The part of each variant's instances that a CapacitySize stands for; above 1 when it is more than there are."""
    if size["Type"] == "CAPACITY_PERCENT":
        return dict.fromkeys(counts, size["Value"] / 100)
    return {name: size["Value"] / max(1, count) for name, count in counts.items()}


def up(part: float, count: int) -> int:
    """A part of so many instances, rounded up."""
    return math.ceil(part * count - _EXACT)


def down(part: float, count: int) -> int:
    """A part of so many instances, rounded down."""
    return math.floor(part * count + _EXACT)


def _multiples(size: Mapping[str, Any], counts: Mapping[str, int]) -> list[dict[str, float]]:
    """One, two, three ... times a size, until every variant is whole."""
    parts = parts_of(size, counts)
    steps = max(math.ceil(1 / part - _EXACT) for part in parts.values())
    return [
        {name: _clean(min(1.0, number * part)) for name, part in parts.items()}
        for number in range(1, steps + 1)
    ]


def _step(
    active: dict[str, float], weights: Mapping[str, float], wait: int, declared: str, extent: str
) -> Step:
    total = sum(weights[name] for name in active)
    if all(part == 1.0 for part in active.values()):
        return Step(active, 1.0, wait, declared, FULL)
    if total > 0:
        share = sum(weights[name] * part for name, part in active.items()) / total
    else:
        share = sum(active.values()) / len(active)
    return Step(active, _clean(share), wait, declared, extent)


def _clean(part: float) -> float:
    """0.1 + 0.2 is 0.3 here, so that ten steps of a tenth are one."""
    return round(part, 9)
