"""The posterior probability that B is better: a description of the data so far. It is no test: peeking at it errs half of the time."""

from __future__ import annotations

import math

POINTS = 800


def better(successes_a: int, n_a: int, successes_b: int, n_b: int) -> float:
    """P(rate of B > rate of A) under uniform priors: the two posteriors are Beta(1 + s, 1 + n - s).

    The integral of B's density times A's distribution function, by the trapezoidal rule over the part of the axis that holds both.
    """
    shapes = [(1.0 + s, 1.0 + n - s) for s, n in ((successes_a, n_a), (successes_b, n_b))]
    ends = []
    for a, b in shapes:
        mean, deviation = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
        ends += [mean - 9 * deviation, mean + 9 * deviation]
    low, high = max(0.0, min(ends)), min(1.0, max(ends))
    grid = [low + (high - low) * (i + 0.5) / POINTS for i in range(POINTS)]
    density_a, density_b = ([_density(x, a, b) for x in grid] for a, b in shapes)
    mass_a = mass_b = found = 0.0
    for at, then in zip(density_a, density_b, strict=True):
        found += then * (mass_a + at / 2)
        mass_a += at
        mass_b += then
    return min(1.0, max(0.0, found / (mass_a * mass_b))) if mass_a and mass_b else 0.5


def above(difference: float, variance: float) -> float:
    """P(the difference is above 0) under a flat prior and the normal approximation: for means."""
    if variance <= 0:
        return 0.5 if difference == 0 else float(difference > 0)
    return (1 + math.erf(difference / math.sqrt(2 * variance))) / 2


def _density(x: float, a: float, b: float) -> float:
    """The Beta density, up to a factor: 1 at its mode, so that nothing underflows where it matters."""
    mode = (a - 1) / (a + b - 2) if a + b > 2 else 0.5
    found = 0.0
    for power, value, top in ((a - 1, x, mode), (b - 1, 1 - x, 1 - mode)):
        if power > 0:
            if value <= 0 or top <= 0:
                return 0.0 if value <= 0 else 1.0
            found += power * (math.log(value) - math.log(top))
    return math.exp(max(-745.0, found))
