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


def shares(request: RolloutRequest, instances: int) -> tuple[float, ...]:
    """Green's share of the traffic after each step; the last is 1.

    Args:
        instances: Of the smallest variant: SageMaker moves each variant by the same rule.
    """
    if request.strategy == "all-at-once":
        return (1.0,)
    part = request.step.share(instances)
    if request.strategy == "canary":
        return (part, 1.0) if part < 1 else (1.0,)
    if request.strategy == "rolling":
        # A batch is made of whole instances, at least one.
        part = max(1, math.floor(part * instances + 1e-9)) / max(1, instances)
    steps = max(1, math.ceil(1 / part - 1e-9))
    return (*(round(part * number, 10) for number in range(1, steps)), 1.0)


def timeline(
    request: RolloutRequest, instances: int, *, target: str = "embedded", scale: float = 1.0
) -> tuple[Phase, ...]:
    """The phases of a rollout that nothing stops.

    Args:
        instances: Of the smallest variant.
        target: ``embedded`` or ``aws``: how long fleets take.
        scale: Seconds that pass for a declared one: the embedded SageMaker shortens waits.
    """
    provisioning, retiring = PROVISIONING.get(target, 360.0), RETIRING.get(target, 60.0)
    made: list[Phase] = []

    def add(kind: Kind, title: str, seconds: float, share: float, fleets: float, declared: bool) -> None:
        start = made[-1].end if made else 0.0
        made.append(Phase(kind, title, start, seconds, share, fleets, declared))

    steps = shares(request, instances)
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


def declared_seconds(request: RolloutRequest, instances: int) -> int:
    """The sum of all declared waits, which the timeout must exceed."""
    steps = len(shares(request, instances))
    if request.strategy == "rolling":
        return steps * request.wait
    return (steps - 1) * request.wait + request.bake


def extra_fleet_seconds(phases: tuple[Phase, ...]) -> float:
    """How long a second fleet is paid, in seconds of a whole one: the area above one fleet."""
    return sum((phase.fleets - 1) * phase.seconds for phase in phases)
