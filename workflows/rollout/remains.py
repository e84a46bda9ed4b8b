"""What a rollout has left, and its deletion with proof: alarms, the configuration and the model that do not serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.interfaces.rollouts.base import Rollouts
from workflows.problem import Problem
from workflows.rollout import record
from workflows.rollout.events import Removed
from workflows.rollout.record import Rollout
from workflows.rollout.state import RolloutState
from workflows.safety.changes import change

_DELETES = {
    "endpoint configuration": ("DeleteEndpointConfig", "EndpointConfigName"),
    "model": ("DeleteModel", "ModelName"),
}


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What cleaning a rollout would delete, in order, and what it keeps with the reason."""

    rollout: str
    things: tuple[tuple[str, str], ...]
    kept: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """To be shown before it is done."""
        return (
            *(f"Delete {what} {name}." for what, name in self.things),
            *(f"Keep {what}." for what in self.kept),
        )


def cleaning(
    rollouts: Rollouts, rollout: Rollout, found: RolloutState, used: Mapping[str, str], *, old: bool = False
) -> Cleaning:
    """What a rollout that has ended has left: its alarms, and the configuration and model that do not serve.

    Args:
        found: How it is now; its end is in the journal.
        used: Configuration -> an endpoint that uses it, of all endpoints.
        old: Also the configuration that the endpoint had before; the rollout cannot be rolled back afterwards.

    Raises:
        Problem: It has not ended.
    """
    if found.active:
        raise Problem(
            f"Rollout {rollout.id} has not ended ({found.title}): its alarms guard it.",
            f"`mlconsole rollout watch {rollout.id}` waits for its end.",
            "active",
        )
    left = record.read(rollout.folder).known.left
    things = [item for item in left if item[0] == "alarm"]
    kept: list[str] = []
    wanted = [item for item in left if item[0] == "endpoint configuration"]
    before = ("endpoint configuration", rollout.plan.blue)
    if old and rollout.plan.blue != rollout.plan.green and rollouts.configuration(rollout.plan.blue):
        wanted.append(before)
    elif found.outcome == "succeeded" and rollouts.configuration(rollout.plan.blue):
        kept.append(f"{' '.join(before)}: rolling back needs it (--old deletes it)")
    needed = record.needed(used, but=rollout.id)
    for item in wanted:
        if item[1] in used:
            kept.append(f"{' '.join(item)}: endpoint {used[item[1]]} has it")
        elif item[1] in needed:
            kept.append(f"{' '.join(item)}: rolling back {needed[item[1]]} needs it")
        else:
            things.append(item)
    if rollout.plan.green not in used and rollout.plan.green not in needed:
        things += [item for item in left if item[0] == "model"]
    return Cleaning(rollout.id, tuple(things), tuple(kept))


def clean(
    rollouts: Rollouts, rollout: Rollout, plan_: Cleaning, *, clock: Callable[[], float] = time.time
) -> tuple[Removed, ...]:
    """Carry out a cleaning, and prove it: each thing is asked for again afterwards.

    Raises:
        Problem: Something was refused, or is still there.
    """
    return remove(rollouts, rollout, plan_.things, clock)


def settle(
    rollouts: Rollouts, rollout: Rollout, *, clock: Callable[[], float] = time.time
) -> tuple[Removed, ...]:
    """Delete the alarms of a rollout that has ended, with proof; nothing else.

    Raises:
        Problem: They cannot be deleted.
    """
    known = record.read(rollout.folder).known
    if not known.outcome:
        return ()
    return remove(rollouts, rollout, tuple(item for item in known.left if item[0] == "alarm"), clock)


def remove(
    rollouts: Rollouts, rollout: Rollout, things: tuple[tuple[str, str], ...], clock: Callable[[], float]
) -> tuple[Removed, ...]:
    """Delete things, ask for each of them again, and note those that are gone.

    Raises:
        Problem: Something was refused, or is still there.
    """
    alarms = [name for what, name in things if what == "alarm"]
    deleted = {"things": [f"{what} {name}" for what, name in things]}
    calls: list[tuple[str, str, Mapping[str, Any]]] = []
    if alarms:
        calls.append(("cloudwatch", "DeleteAlarms", {"AlarmNames": alarms}))
    for what, name in things:
        if what in _DELETES:
            operation, member = _DELETES[what]
            calls.append(("sagemaker", operation, {member: name}))
    with change("CleanRollout", rollout.id, deleted, target=rollout.place.target, calls=calls):
        if alarms:
            rollouts.delete_alarms(alarms)
        for what, name in things:
            if what == "endpoint configuration":
                rollouts.delete_configuration(name)
            elif what == "model":
                rollouts.delete_model(name)
        there = {("alarm", str(item["AlarmName"])) for item in rollouts.alarms(alarms)} if alarms else set()
        for what, name in things:
            if (what == "endpoint configuration" and rollouts.configuration(name) is not None) or (
                what == "model" and rollouts.model_exists(name)
            ):
                there.add((what, name))
        gone = tuple(
            Removed(time=clock(), what=what, name=name) for what, name in things if (what, name) not in there
        )
        record.append(rollout, *gone)
        if there:
            names = ", ".join(" ".join(item) for item in sorted(there))
            raise Problem(f"Still there after deleting: {names}.", "Try again in a minute.", "still-there")
        return gone
