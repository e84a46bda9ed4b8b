"""Whether tuning was worth it: the tuned score beside the default configuration's, with its spread over seeds.

Training is noisy: the same configuration with another seed gives another score. A tuned score is the best of many trials, and
the best of many draws is good by luck alone. So it is asked: *could the best of as many runs of the default configuration
be as good?*

The default runs x_1..x_n (mean m, standard deviation s) are taken for normal. The limit that a single further run exceeds with
probability a is m ± t(1-a, n-1) s sqrt(1+1/n); for the best of k further runs Bonferroni's inequality puts a/k in the place of
a (Hahn and Meeker, Statistical Intervals, 1991, §4.7 and §4.8: prediction intervals for one and for all of k future
observations). The rule, with a = 0.05:

* beyond the limit for the best of k trials: tuning found something better than luck;
* beyond the limit for one run, not beyond that one: it may be luck;
* else: inside the spread of the default configuration.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workflows.observe.tuning_rows import DefaultRow, Objective, TuningView
from workflows.tuning.analysis import leaderboard, scored

ALPHA = 0.05
FEWEST = 3
"""Default runs below which nothing is said about a spread."""
ROUNDING = 1e-12
"""A spread of this part of the mean is that of equal values."""

Verdict = Literal["too-few", "no-tuned", "inside", "maybe", "better", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The tuned score beside the spread of the default configuration.

    Args:
        tuned: The best trial's value (None: no trial has one), and ``trial`` its name.
        values: The default runs' values, best first.
        mean, spread: Their mean and standard deviation (n-1); None below two values.
        limit_one: What a single further default run stays within; None below `FEWEST` values.
        limit_best: What the best of ``trials`` further default runs stays within.
        trials: Trials that have a value.
        verdict: ``too-few`` default runs or ``no-tuned`` score; ``inside`` the spread, ``maybe`` luck, ``better``; ``worse``:
            even the best trial is behind the default's mean.
        sentence: The verdict in plain words.
        running, failed: Default runs that still run, and that have no value.
    """

    objective: Objective | None
    tuned: float | None
    trial: str
    values: tuple[float, ...]
    mean: float | None
    spread: float | None
    limit_one: float | None
    limit_best: float | None
    trials: int
    verdict: Verdict
    sentence: str
    running: int = 0
    failed: int = 0

    @property
    def gain(self) -> float | None:
        """How much better the tuned score is than the default's mean; negative: worse."""
        if self.tuned is None or self.mean is None or self.objective is None:
            return None
        return self.mean - self.tuned if self.objective.direction == "Minimize" else self.tuned - self.mean


def comparison(view: TuningView) -> Comparison:
    """Compare the best trial with the default runs that have ended. Pure and quick."""
    objective = view.detail.objective
    direction = objective.direction if objective else "Minimize"
    done = scored(view.trials)
    best = leaderboard(done, direction)[0] if done else None
    values = tuple(sorted(_values(view.defaults), reverse=direction == "Maximize"))
    running = sum(1 for run in view.defaults if run.active)
    return compare(
        objective,
        best.value if best else None,
        best.name if best else "",
        len(done),
        values,
        running=running,
        failed=len(view.defaults) - running - len(values),
    )


def compare(
    objective: Objective | None,
    tuned: float | None,
    trial: str,
    trials: int,
    values: Sequence[float],
    *,
    running: int = 0,
    failed: int = 0,
) -> Comparison:
    """The comparison of one tuned value, the best of ``trials``, with default runs; see the module for the rule."""
    mean = statistics.fmean(values) if values else None
    spread = statistics.stdev(values) if len(values) > 1 else None
    if spread is not None and mean is not None and spread <= ROUNDING * abs(mean):
        spread = 0.0
    sign = -1.0 if objective is None or objective.direction == "Minimize" else 1.0
    limit_one = limit_best = None
    if len(values) >= FEWEST and mean is not None and spread is not None:
        width = spread * math.sqrt(1 + 1 / len(values))
        limit_one = mean + sign * width * t_quantile(1 - ALPHA, len(values) - 1)
        limit_best = mean + sign * width * t_quantile(1 - ALPHA / max(1, trials), len(values) - 1)
    verdict = _verdict(tuned, mean, limit_one, limit_best, sign)
    found = Comparison(
        objective=objective,
        tuned=tuned,
        trial=trial,
        values=tuple(values),
        mean=mean,
        spread=spread,
        limit_one=limit_one,
        limit_best=limit_best,
        trials=trials,
        verdict=verdict,
        sentence="",
        running=running,
        failed=failed,
    )
    return replace(found, sentence=_sentence(found))


def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t for whole degrees of freedom, by bisection of its cumulative distribution
    (Abramowitz and Stegun 26.7.3 and 26.7.4). Right to ten digits; no library is loaded for it.

    Raises:
        ValueError: The probability is not between 0 and 1, or there are no degrees of freedom.
    """
    if not 0 < probability < 1 or degrees < 1:
        raise ValueError(f"no t quantile of {probability} with {degrees} degrees of freedom")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while _t_cumulative(high, degrees) < probability and high < 1e12:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if _t_cumulative(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_cumulative(t: float, degrees: int) -> float:
    angle = math.atan2(t, math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees % 2:
        total, term = 0.0, cosine
        for number in range(1, degrees - 1, 2):
            total += term
            term *= cosine * cosine * (number + 1) / (number + 2)
        inner = 2 / math.pi * (angle + (sine * total if degrees > 1 else 0.0))
    else:
        total, term = 0.0, 1.0
        for number in range(0, degrees - 1, 2):
            total += term
            term *= cosine * cosine * (number + 1) / (number + 2)
        inner = sine * total
    return 0.5 * (1 + inner)


def _values(runs: Sequence[DefaultRow]) -> list[float]:
    return [run.value for run in runs if run.value is not None and math.isfinite(run.value)]


def _verdict(
    tuned: float | None, mean: float | None, one: float | None, best: float | None, sign: float
) -> Verdict:
    if tuned is None:
        return "no-tuned"
    if mean is None or one is None or best is None:
        return "too-few"
    if sign * (tuned - best) > 0:
        return "better"
    if sign * (tuned - one) > 0:
        return "maybe"
    return "worse" if sign * (tuned - mean) < 0 else "inside"


def _sentence(found: Comparison) -> str:
    count = len(found.values)
    match found.verdict:
        case "no-tuned":
            return "No trial has an objective value yet."
        case "too-few":
            more = f", {found.running} more run" if found.running else ""
            return f"{count} default run{'s' if count != 1 else ''} with a value{more}: a spread needs {FEWEST} at least."
        case "better" if not found.spread:
            return (
                f"The tuned score is better than all {count} default runs, which all give the same score. How much "
                "chance is in it only another split of the data would show."
            )
        case "better":
            return (
                f"The tuned score is better than the default configuration beyond its spread over {count} seeds: even the best "
                f"of {found.trials} default runs would hardly reach it."
            )
        case "maybe":
            return (
                "The tuned score is better than a single default run would be, but the best of "
                f"{found.trials} default runs could reach it by luck. More seeds would tell."
            )
        case "worse":
            return (
                f"The best trial is behind the mean of {count} default runs: tuning has brought nothing. Are the ranges "
                "around the defaults?"
            )
    return (
        f"The tuned score lies inside the spread of {count} default runs: another seed of the default configuration does "
        "as well."
    )
