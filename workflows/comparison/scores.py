"""Metrics of two runs side by side, and whether they differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows.comparison.rows import Score, Verdict
from workflows.studies.measures import Measure

SURE = 0.975
"""Quantile that a difference must pass on either side: 95 % of the differences that chance makes lie within."""
ASSUMED = 1.96
"""The same quantile of the normal distribution, where an error is known and not estimated from a few runs."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Metrics of runs with the inputs of A, and of runs with the inputs of B: these two among them."""

    a: Sequence[Mapping[str, float]] = ()
    b: Sequence[Mapping[str, float]] = ()


@dataclass(frozen=True, slots=True)
class _Error:
    """The standard error of a difference, how many of them are beyond chance, and what tells."""

    size: float
    factor: float
    basis: str


def scores(
    a: Mapping[str, float], b: Mapping[str, float], measures: Sequence[Measure], repeats: Repeats
) -> tuple[Score, ...]:
    """Every metric of either run: those that the study declares first, in its order, then the others by name."""
    declared = {measure.metric: measure for measure in measures}
    names = [name for name in declared if name in a or name in b]
    names += sorted({*a, *b} - {*declared})
    return tuple(
        _score(name, declared.get(name), a, b, repeats, important=name in declared) for name in names
    )


def _score(
    name: str,
    measure: Measure | None,
    a: Mapping[str, float],
    b: Mapping[str, float],
    repeats: Repeats,
    *,
    important: bool,
) -> Score:
    title = measure.title if measure else name.replace("_", " ")
    unit = measure.unit if measure else ""
    before, after = a.get(name), b.get(name)
    if before is None or after is None:
        return Score(name, title, unit, before, after, None, None, "", "missing", important)
    difference = after - before
    error = _largest(name, measure, a, b, repeats)
    verdict = _verdict(difference, error, measure)
    return Score(
        name, title, unit, before, after, difference, error.size if error else None,
        error.basis if error else "", verdict, important,
    )  # fmt: skip


def _verdict(difference: float, error: _Error | None, measure: Measure | None) -> Verdict:
    if difference == 0:
        return "same"
    if error is None:
        return "unknown"
    if abs(difference) <= error.factor * error.size:
        return "within"
    if measure is None or not measure.better:
        return "higher" if difference > 0 else "lower"
    return "better" if (difference > 0) == (measure.better == "higher") else "worse"


def _largest(
    name: str,
    measure: Measure | None,
    a: Mapping[str, float],
    b: Mapping[str, float],
    repeats: Repeats,
) -> _Error | None:
    """The widest of the errors that are known: training again, other seeds and other rows are different kinds of luck."""
    found = [error for error in (_of_repeats(name, repeats),) if error is not None]
    if measure is not None:
        if measure.spread in a and measure.spread in b:
            over = measure.spread_of.format(f"{a.get(measure.seeds, 0):.0f}")
            size = math.hypot(a[measure.spread], b[measure.spread])
            found.append(_Error(size, ASSUMED, f"spread over {over}"))
        if measure.count in a and measure.count in b:
            size = math.hypot(*(_binomial(side[name], side[measure.count]) for side in (a, b)))
            found.append(_Error(size, ASSUMED, f"sampling error of {a[measure.count]:.0f} answers"))
    return max(found, key=lambda error: error.factor * error.size, default=None)


def _binomial(share: float, count: float) -> float:
    """The standard error of a share of ``count`` answers, Agresti and Coull's: not 0 where all are right."""
    total = count + 4
    middle = (share * count + 2) / total
    return math.sqrt(middle * (1 - middle) / total)


def _of_repeats(name: str, repeats: Repeats) -> _Error | None:
    """The pooled standard deviation of runs with equal inputs: of a difference of two single runs it is the square root of 2 times that."""
    squares, freedom, runs = 0.0, 0, 0
    for group in (repeats.a, repeats.b):
        values = [metrics[name] for metrics in group if name in metrics]
        if len(values) > 1:
            mean = sum(values) / len(values)
            squares += sum((value - mean) ** 2 for value in values)
            freedom += len(values) - 1
            runs += len(values)
    if freedom < 2:
        return None
    from scipy.special import stdtrit

    size = math.sqrt(2 * squares / freedom)
    return _Error(size, float(stdtrit(freedom, SURE)), f"spread of {runs} runs with equal inputs")
