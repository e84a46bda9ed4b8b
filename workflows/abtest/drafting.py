"""A test as it could be started on an endpoint, from what a person gives and what is there; and all tests as a list."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from workflows.abtest import journal as journals
from workflows.abtest.definition import GUARDRAILS, Experiment, Kind, Missing, checked
from workflows.abtest.following import follower
from workflows.abtest.report import Report
from workflows.problem import Problem
from workflows.statistics.testing import Direction

if TYPE_CHECKING:
    from workflows.observe.gateway import Gateway

STOPS = {
    "before": "the endpoint's weights are as before the test",
    "control": "the control gets all the traffic",
    "keep": "the weights stay as they are",
}


def draft(
    gateway: Gateway,
    endpoint: str,
    *,
    name: str = "",
    variants: tuple[str, ...] = (),
    control: str = "",
    weights: Mapping[str, float] | None = None,
    metric: str = "success",
    kind: Kind = "rate",
    direction: Direction = "higher",
    margin: float = 0.0,
    alpha: float = 0.05,
    planned: int = 10_000,
    guardrails: tuple[str, ...] | None = None,
    maturity: float = 0.0,
    missing: Missing = "ignore",
    sticky: bool = False,
) -> Experiment:
    """A test of an endpoint: all of its variants, the first one as control, with the weights that they have (1 where that is 0).

    Raises:
        Problem: There is no such endpoint, or the test could not be carried out.
    """
    from workflows.observe.endpoints import describe

    found = describe(gateway, endpoint)
    present = {variant.name: variant.current_weight for variant in found.variants}
    taking = variants or tuple(present)
    given = dict(weights or {})
    unknown = [variant for variant in (*taking, *given) if variant not in present]
    if unknown:
        raise Problem(
            f"Endpoint {endpoint} has no variant {', '.join(dict.fromkeys(unknown))}.",
            f"Its variants: {', '.join(present)}.",
            "variant",
        )
    return checked(
        Experiment(
            name=name or named(endpoint),
            endpoint=endpoint,
            variants=taking,
            control=control or (taking[0] if taking else ""),
            weights={variant: given.get(variant, present[variant] or 1.0) for variant in taking},
            before=present,
            metric=metric,
            kind=kind,
            direction=direction,
            margin=margin,
            alpha=alpha,
            planned=planned,
            guardrails=GUARDRAILS if guardrails is None else guardrails,
            maturity=maturity,
            missing=missing,
            sticky=sticky,
            target=gateway.target,
            region=gateway.region,
            account=gateway.account,
        )
    )


def named(endpoint: str, now: float | None = None) -> str:
    """A name for a test: the endpoint's, cut where needed, and the time to the second."""
    stamp = time.strftime("%m%d-%H%M%S", time.localtime(now))
    clean = re.sub(r"-+", "-", endpoint)[: 63 - len(stamp) - 4].strip("-")
    return f"{clean}-ab-{stamp}"


def sentences(made: Experiment) -> list[str]:
    """What starting a test does, to be shown before."""
    before = {variant: made.before.get(variant, 0.0) for variant in made.variants}
    told = [
        f"Compare {', '.join(made.challengers)} with {made.control} on {made.target} endpoint {made.endpoint}."
    ]
    total = sum(made.weights.values())
    shares = ", ".join(f"{name} {weight:g} ({weight / total:.0%})" for name, weight in made.weights.items())
    if any(before[name] != made.weights[name] for name in made.variants):
        was = ", ".join(f"{name} {weight:g}" for name, weight in before.items())
        told.append(f"Weights: {shares}; until now {was}.")
    else:
        told.append(f"Weights stay as they are: {shares}.")
    return told


def parse_weights(given: Iterable[str]) -> dict[str, float]:
    """``NAME=WEIGHT`` texts as weights.

    Raises:
        Problem: One is none.
    """
    found: dict[str, float] = {}
    for text in given:
        name, equals, weight = text.partition("=")
        try:
            found[name.strip()] = float(weight)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise Problem(f"{text!r} is no weight.", "Write VARIANT=WEIGHT, for example B=1.", "weight")
    return found


def everything() -> list[Report]:
    """All tests that can be read, the newest first."""
    found: list[Report] = []
    for journal in journals.everything():
        try:
            found.append(follower(journal.folder.name).report())
        except Problem:
            continue
    return sorted(found, key=lambda one: one.started, reverse=True)
