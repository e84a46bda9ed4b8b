"""Importance on trials whose truth is known: what matters is found, what does not is not, too few trials are said to be so."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from tests.workflows.test_tuning_analysis import tuning_detail
from workflows.observe.tuning_rows import TrialRow
from workflows.tuning.importance import FEWEST, importance
from workflows.tuning.request import categorical, continuous, integer

RANGES = (
    continuous("rate", 1e-3, 1.0, "Logarithmic"),
    integer("depth", 1, 10),
    categorical("kind", ("a", "b", "c")),
)


def made(count: int, noise: float = 0.02, seed: int = 1) -> list[TrialRow]:
    """The objective is a parabola in log rate, and a step by kind; depth does nothing."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        rate, depth, kind = 10 ** draw.uniform(-3, 0), draw.randint(1, 10), draw.choice("abc")
        value = (math.log10(rate) + 1.5) ** 2 + (1.0 if kind == "b" else 0.0) + draw.gauss(0, noise)
        tuned = {"rate": repr(rate), "depth": str(depth), "kind": kind}
        rows.append(
            TrialRow(name=f"t{number}", status="Completed", value=value, tuned=tuned, created=float(number))
        )
    return rows


def test_what_matters_is_told_from_what_does_not() -> None:
    found = importance(tuning_detail(ranges=RANGES), made(80))
    assert found.problem == "" and found.trials == 80 and found.fit > 0.6
    shares = {item.name: item for item in found.parameters}
    assert next(item.name for item in found.parameters) == "rate"
    assert shares["rate"].clear and shares["kind"].clear and not shares["depth"].clear
    assert all(0 <= item.low <= item.share <= item.high <= 1 for item in found.parameters)
    assert shares["rate"].share > shares["kind"].share > shares["depth"].share
    assert found.sentence == "From 80 trials: rate, kind matter clearly."


def test_the_same_trials_give_the_same_answer() -> None:
    detail = tuning_detail(ranges=RANGES)
    assert importance(detail, made(20)) == importance(detail, made(20))


def test_pure_noise_is_not_called_important() -> None:
    rows = [replace(row, value=random.Random(row.name).gauss(0, 1)) for row in made(40)]
    found = importance(tuning_detail(ranges=RANGES), rows)
    assert not any(item.clear for item in found.parameters)
    assert "told apart from chance" in found.sentence


def test_a_diverged_training_is_not_all_of_the_variance() -> None:
    rows = made(60)
    rows[7] = replace(rows[7], value=1e9)
    shares = {item.name: item.share for item in importance(tuning_detail(ranges=RANGES), rows).parameters}
    assert shares["rate"] > 0.3


def test_nothing_is_said_where_nothing_can_be() -> None:
    detail = tuning_detail(ranges=RANGES)
    few = importance(detail, made(FEWEST - 1))
    assert few.parameters == () and few.sentence.startswith(f"{FEWEST - 1} trials with a value are too few")
    assert importance(detail, []).sentence.startswith("0 trials")
    same = importance(detail, [replace(row, value=1.0) for row in made(20)])
    assert same.problem == "All trials have the same objective value."
    fixed = importance(tuning_detail(ranges=(categorical("kind", ("a",)),)), made(20))
    assert "No hyperparameter with a range" in fixed.problem
    lost = importance(detail, [replace(row, value=None) for row in made(20)])
    assert lost.problem.startswith("0 trials")
