"""The winner of a test gets all the traffic: by weights, at once and taken back as easily, or by an update to a configuration of its own."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workflows.abtest import operations
from workflows.abtest.following import Follower, follower
from workflows.abtest.report import Report
from workflows.problem import Problem

if TYPE_CHECKING:
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.observe.gateway import Gateway

How = Literal["weights", "all-at-once", "canary", "linear"]
HOWS: dict[How, str] = {
    "weights": "the winner gets weight 1, the others 0; their instances stay, and cost",
    "all-at-once": "a new configuration holds only the winner; blue/green, all traffic in one step",
    "canary": "the same, a tenth of the capacity first",
    "linear": "the same, a quarter of the capacity at a time",
}
STEPS = {"canary": 10, "linear": 25}
"""Percent of the capacity that moves at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What promoting would do. ``doubt`` says what speaks against it: there is no verdict, or another one."""

    test: str
    endpoint: str
    variant: str
    how: How
    doubt: str
    sentences: tuple[str, ...]


def plan(name: str, variant: str = "", how: How = "weights", *, wait: int = 300) -> Promotion:
    """What promoting a variant (empty: the winner) would do; nothing is changed.

    Raises:
        Problem: There is no such test or variant, or no winner.
    """
    known = follower(name)
    report = known.report()
    one = report.experiment
    chosen = variant or report.winner
    if not chosen:
        raise Problem(
            f"A/B test {name} has no winner: {WORDS[report.verdict]}.",
            "Wait, or name the variant that shall have the traffic.",
            "undecided",
        )
    if chosen not in one.variants:
        raise Problem(
            f"{chosen} is no variant of A/B test {name}.",
            f"Its variants: {', '.join(one.variants)}.",
            "variant",
        )
    doubt = (
        ""
        if chosen == report.winner
        else f"The test does not say that {chosen} is the best: {WORDS[report.verdict]}."
    )
    others = ", ".join(other for other in one.variants if other != chosen)
    if how == "weights":
        does = (f"Variant {chosen} of endpoint {one.endpoint} gets all the traffic, {others} none.",
                f"The instances of {others} stay up and cost until the endpoint is updated.")  # fmt: skip
    else:
        steps = f" in steps of {STEPS[how]}% of the capacity, {wait} s apart" if how in STEPS else " at once"
        does = (
            f"A new configuration of endpoint {one.endpoint} holds variant {chosen} only; {others} goes with the old one.",
            f"The traffic moves{steps}; until then both fleets are up and cost.",
        )
    return Promotion(
        test=name,
        endpoint=one.endpoint,
        variant=chosen,
        how=how,
        doubt=doubt,
        sentences=(*does, "The test ends."),
    )


WORDS = {
    "watching": "there is no verdict yet",
    "better": "a challenger is better",
    "worse": "the control is better",
    "same": "no difference that matters",
    "hurts": "what is better breaks a guardrail",
    "split": "the requests are not split by the weights, so nothing can be concluded",
}
"""Verdicts as they stand in a sentence."""


def promote(gateway: Gateway, rollouts: Rollouts, promotion: Promotion, *, wait: int = 300) -> Report:
    """Carry out a plan; an update is left under way, the weights are waited for.

    Raises:
        Problem: The test has ended, or SageMaker refuses the change; then it goes on.
    """
    known = operations.running_at(gateway, promotion.test)
    one = known.experiment
    if promotion.how == "weights":
        weights = {variant: float(variant == promotion.variant) for variant in one.variants}
        operations.give(rollouts, known, weights)
        return operations.finish(known, {"winner": promotion.variant, "how": "weights"})
    config = _update(gateway, rollouts, known, promotion, wait)
    return operations.finish(known, {"winner": promotion.variant, "how": promotion.how, "config": config})


def _update(gateway: Gateway, rollouts: Rollouts, known: Follower, promotion: Promotion, wait: int) -> str:
    from workflows.rollout.facts import facts_of
    from workflows.rollout.plan import named, update_document
    from workflows.rollout.request import RolloutRequest, Step

    now = time.time()
    facts = facts_of(gateway, promotion.endpoint, now)
    name = named(promotion.endpoint, now)
    document = winner_only(
        facts.config_document, promotion.variant, {f.variant: f.count for f in facts.fleets}
    )
    rollouts.make_configuration({"EndpointConfigName": name, **document})
    request = RolloutRequest(
        endpoint=promotion.endpoint,
        source=name,
        kind="config",
        strategy="all-at-once" if promotion.how == "weights" else promotion.how,
        step=Step(STEPS.get(promotion.how, 100)),
        wait=wait,
        bake=0,
        limits={},
        retain=False,
    )
    asked = update_document(request, name, [], facts)
    asked["DeploymentConfig"].pop("AutoRollbackConfiguration")  # without alarms there is none
    try:
        rollouts.update(asked)
    except BaseException:
        rollouts.delete_configuration(name)
        raise
    return name


def winner_only(config: Mapping[str, Any], variant: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """A configuration with one variant of another one, at weight 1 and with the instances that it has now."""
    made = copy.deepcopy(dict(config))
    kept = [item for item in made["ProductionVariants"] if item["VariantName"] == variant]
    for item in kept:
        item["InitialVariantWeight"] = 1.0
        if counts.get(variant) and "ServerlessConfig" not in item:
            item["InitialInstanceCount"] = counts[variant]
    made["ProductionVariants"] = kept
    return made
