"""What a person is told before a rollout begins, is rolled back or is promoted: what it does, and what it costs."""

from __future__ import annotations

from workflows import costs
from workflows.interfaces.rollouts.base import Rollouts
from workflows.rollout.operations import glance, manual, over, reversal, shift
from workflows.rollout.plan import Plan
from workflows.rollout.record import Rollout


def of_roll_back(rollouts: Rollouts, rollout: Rollout, now: float) -> tuple[str, ...]:
    """What rolling back does now.

    Raises:
        Problem: It cannot be rolled back.
    """
    planned, target = rollout.plan, rollout.place.target
    found = glance(rollouts, rollout, now)
    if found.active:
        return (
            f"Sets alarm {manual(found, rollout)} to ALARM: SageMaker takes all traffic back to {planned.blue} and ends the new fleet.",
            "It looks at alarms while green bakes.",
            _bill(planned, target, "of the new fleet end with it"),
        )
    over(found, rollout)
    back = reversal(rollouts, rollout, now)
    return (
        f"The old fleet is gone: {planned.request.endpoint} is updated from {planned.green} to {planned.blue}, all at once.",
        "That is a rollout of its own.",
        back.price(target),
    )


def of_promotion(rollouts: Rollouts, rollout: Rollout, now: float) -> tuple[str, ...]:
    """What promoting does now.

    Raises:
        Problem: There is nothing to promote, or not yet.
    """
    planned = rollout.plan
    before, after = shift(glance(rollouts, rollout, now), rollout)
    moved = ", ".join(f"{name} {before[name]:g} to {weight:g}" for name, weight in after.items())
    return (
        f"Changes the weights of {planned.request.endpoint}: {moved}.",
        "Every variant stays up.",
        _bill(planned, rollout.place.target, "go on: no more, no less"),
    )


def _bill(plan: Plan, target: str, goes: str) -> str:
    """What the new fleet bills, and what becomes of it; empty where it has no instances."""
    money = costs.hourly(plan.green_instances)
    if not money:
        return ""
    free = "" if target == "aws" else "Free here; on AWS "
    return f"{free}{money} {goes} (estimate, {costs.REGION}, {costs.DATE})."
