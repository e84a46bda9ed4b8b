"""A/B tests for screens: real tallies of seeded traffic, at the frozen time."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import cache

from workflows.abtest.definition import Experiment
from workflows.abtest.promotion import How, Promotion
from workflows.abtest.report import Feed, Report, View, report
from workflows.abtest.tally import Tally

NOW = 1_800_000_000.0
SPAM = Experiment(
    name="spam-ab",
    endpoint="spam",
    variants=("linear", "xgboost"),
    control="linear",
    weights={"linear": 1.0, "xgboost": 1.0},
    before={"linear": 9.0, "xgboost": 1.0},
    metric="accuracy",
    margin=0.01,
    planned=4_000,
    region="us-east-1",
    account="123456789012",
    created=NOW - 900,
)


def tally(one: Experiment, rates: dict[str, float], n: int, *, errors: float = 0.0, seed: int = 1) -> Tally:
    """n requests in the last 15 minutes; the last variant fails in a part ``errors`` of its own."""
    found, draw = Tally(one), random.Random(seed)
    begin = NOW - 900
    found.take([{"t": "weights", "at": begin, "weights": dict(one.weights)}])
    names = list(one.variants)
    for number in range(n):
        at = begin + 890 * (number + 1) / n
        name = draw.choices(names, [one.weights[variant] for variant in names])[0]
        failed = name == names[-1] and draw.random() < errors
        took = round(8 * math.exp(draw.gauss(0, 0.35)), 3)
        request = {"t": "request", "at": at, "id": f"r{number}", "v": name}
        found.take([request | ({"s": 424, "c": "ModelError"} if failed else {"ms": took})])
        right = float(not failed and draw.random() < rates[name])
        found.take([{"t": "reward", "at": at, "id": f"r{number}", "y": right}])
    return found


@cache
def running() -> Report:
    """Undecided: 90 against 92 %."""
    return report(tally(SPAM, {"linear": 0.90, "xgboost": 0.92}, 2_400, seed=5), NOW)


@cache
def decided() -> Report:
    """86 against 93 %: B better."""
    one = replace(SPAM, name="spam-ab-decided", endpoint="spam-eu")
    return report(tally(one, {"linear": 0.86, "xgboost": 0.93}, 2_000), NOW)


@cache
def hurting() -> Report:
    """Three variants; one is better and fails too often."""
    one = replace(
        SPAM,
        name="ranking-ab",
        endpoint="ranking",
        variants=("today", "boosted", "deep"),
        control="today",
        weights={"today": 2.0, "boosted": 1.0, "deep": 1.0},
        metric="success",
    )
    rates = {"today": 0.62, "boosted": 0.63, "deep": 0.85}
    return report(tally(one, rates, 3_000, errors=0.04, seed=3), NOW)


@cache
def stopped() -> Report:
    """It has ended, and something was odd about it."""
    one = replace(SPAM, name="tone-ab", endpoint="tone", metric="clicks")
    found = tally(one, {"linear": 0.3, "xgboost": 0.3}, 600, seed=2)
    found.take(
        [
            {"t": "reward", "at": NOW - 5, "id": "r1", "y": 1},
            {"t": "reward", "at": NOW - 5, "id": "nobody", "y": 1},
            {"t": "weights", "at": NOW - 4, "weights": None},
            {"t": "state", "at": NOW - 4, "state": "stopped", "weights": "before"},
        ]
    )
    return report(found, NOW)


def reports() -> tuple[Report, ...]:
    """All of them, as the list has them."""
    return (running(), decided(), hurting(), stopped())


def view(found: Report) -> View:
    """As the detail has it."""
    return View(found, Feed("running", "/data/messages.csv") if found is running() else None)


def promotion(name: str, variant: str, how: How) -> Promotion:
    """What promoting would do."""
    doubt = (
        ""
        if name == decided().name
        else "The test does not say that xgboost is the best: there is no verdict yet."
    )
    return Promotion(
        test=name,
        endpoint="spam",
        variant=variant or "xgboost",
        how=how,
        doubt=doubt,
        sentences=("Variant xgboost of endpoint spam gets all the traffic, linear none.", "The test ends."),
    )
