"""What a rollout will do, one phase after another: pure functions from a strategy and a fleet to times and shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from workflows.rollout.request import RolloutRequest

Kind = Literal["prepare", "provision", "shift", "wait", "bake", "retire"]

PROVISIONING = {"embedded": 4.0, "aws": 360.0}
"""Seconds that a new fleet takes to be in service; on AWS creations and updates have been seen to take about six minutes."""
RETIRING = {"embedded": 1.0, "aws": 60.0}
"""Seconds that the old fleet takes to go."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a rollout, in seconds from its start. ``share`` is green's part of the traffic during it, ``fleets`` how many
    fleets are paid (1: one, 2: both, between: a batch more). ``declared``: the length is declared, else an estimate."""

    kind: Kind
    title: str
    start: float
    seconds: float
    share: float
    fleets: float
    declared: bool

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class Size:
    """A variant of the new fleet: its instances and its weight. Steps are parts of each variant."""

    count: int
    weight: float = 1.0


Sizes = tuple[Size, ...]


def shares(request: RolloutRequest, sizes: Sizes) -> tuple[float, ...]:
    """Green's share of the traffic after each step; the last is 1. The variant whose instances take the most steps sets their number."""
    if request.strategy == "all-at-once":
        return (1.0,)
    parts = [request.step.share(size.count) for size in sizes] or [request.step.share(1)]
    weights = [size.weight for size in sizes]
    if not any(weights):
        weights = [1.0] * len(parts)

    def share(times: int) -> float:
        reached = sum(weight * min(1.0, times * part) for weight, part in zip(weights, parts, strict=True))
        return round(reached / sum(weights), 9)

    steps = 2 if request.strategy == "canary" else max(math.ceil(1 / part - 1e-9) for part in parts)
    return (*(share(number) for number in range(1, steps)), 1.0)


def timeline(
    request: RolloutRequest, sizes: Sizes, *, target: str = "embedded", scale: float = 1.0
) -> tuple[Phase, ...]:
    """The phases of a rollout that nothing stops.

    Args:
        sizes: The variants of the new fleet.
        target: ``embedded`` or ``aws``: how long fleets take.
        scale: Seconds that pass for a declared one: the embedded SageMaker shortens waits.
    """
    provisioning, retiring = PROVISIONING.get(target, 360.0), RETIRING.get(target, 60.0)
    made: list[Phase] = []

    def add(kind: Kind, title: str, seconds: float, share: float, fleets: float, declared: bool) -> None:
        start = made[-1].end if made else 0.0
        made.append(Phase(kind, title, start, seconds, share, fleets, declared))

    steps = shares(request, sizes)
    wait = request.wait * scale
    if request.strategy == "rolling":
        before = 0.0
        for number, share in enumerate(steps, 1):
            title = f"batch {number} of {len(steps)}"
            extra = 1 + share - before
            add("provision", f"{title} starts", provisioning, before, extra, False)
            add("wait", f"{title} bakes", wait, share, extra, True)
            add("retire", f"{title}: old instances go", retiring, share, 1.0, False)
            before = share
        return tuple(made)
    add("provision", "green starts beside blue", provisioning, 0.0, 2.0, False)
    for number, share in enumerate(steps[:-1], 1):
        word = "canary" if request.strategy == "canary" else f"step {number} of {len(steps)}"
        add("wait", f"{word} bakes", wait, share, 2.0, True)
    add("bake", "green bakes with all traffic", request.bake * scale, 1.0, 2.0, True)
    add("retire", "blue goes", retiring, 1.0, 2.0, False)
    return tuple(made)


def declared_seconds(request: RolloutRequest, sizes: Sizes) -> int:
    """The sum of all declared waits, which the timeout must exceed."""
    steps = len(shares(request, sizes))
    if request.strategy == "rolling":
        return steps * request.wait
    return (steps - 1) * request.wait + request.bake


def extra_fleet_seconds(phases: tuple[Phase, ...]) -> float:
    """How long a second fleet is paid, in seconds of a whole one: the area above one fleet."""
    return sum((phase.fleets - 1) * phase.seconds for phase in phases)
