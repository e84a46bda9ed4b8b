"""What is kept of the observations of one variant: counts, sums and squares. Constant time per observation, JSON-ready."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

SHRINK = 20
"""Observations of the arm's overall variance that stand behind a segment's own: a segment that has just begun has no variance yet."""


@dataclass(slots=True)
class Moments:
    """Number, mean and sum of squared deviations of observations (Welford's recurrence); for 0/1 observations ``events`` is exact."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One observation more."""
        self.n += 1
        step = value - self.mean
        self.mean += step / self.n
        self.squares += step * (value - self.mean)

    @property
    def variance(self) -> float:
        """The variance about the mean, divided by n: for 0/1 observations p (1 - p)."""
        return self.squares / self.n if self.n else 0.0

    @property
    def events(self) -> int:
        """How many observations of 1 there were, when all are 0 or 1."""
        return round(self.n * self.mean)

    def merged(self, other: Moments) -> Moments:
        """The moments of both together (Chan, Golub, LeVeque 1979)."""
        n = self.n + other.n
        if not n:
            return Moments()
        step = other.mean - self.mean
        return Moments(
            n,
            self.mean + step * other.n / n,
            self.squares + other.squares + step * step * self.n * other.n / n,
        )

    def as_list(self) -> list[float]:
        """JSON-ready."""
        return [self.n, self.mean, self.squares]

    @classmethod
    def of_list(cls, values: list[float]) -> Moments:
        """From `as_list`."""
        return cls(int(values[0]), float(values[1]), float(values[2]))


def together(parts: list[Moments]) -> Moments:
    """The moments of several segments of one arm."""
    total = Moments()
    for part in parts:
        total = total.merged(part)
    return total


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of B minus mean of A over ``n`` observations of both, and the variance of that difference.

    ``n`` counts an observation as much as it tells: as one under the first segment's weights, less under weights further from halves.
    """

    n: Any
    value: Any
    variance: Any


@dataclass(frozen=True, slots=True)
class Stratum:
    """A segment of constant weights of a comparison: both arms, and B's part of the two arms' traffic."""

    a: Moments
    b: Moments
    share: float


def shrunk(variance: Any, n: Any, overall: Any) -> Any:
    """A segment's variance with `SHRINK` observations of its arm's overall one; with one segment it is that segment's."""
    return (variance * n + SHRINK * overall) / (n + SHRINK)


def worth(share: float, first: float) -> float:
    """What one observation tells under B's ``share``, in observations under the share that was ``first``: w (1 - w) over that of then.

    The variance of a difference is sigma^2 / (n w (1 - w)), so weighted by this the observations of all segments advance the clock of the
    confidence sequence evenly.
    """
    return share * (1 - share) / (first * (1 - first))


def difference(strata: list[Stratum]) -> Difference | None:
    """The difference between two arms, segment by segment of constant weights; None while no segment has both arms.

    With c_s the `worth` and n_s the number of a segment's observations: sum c_s n_s (mean_B,s - mean_A,s) / sum c_s n_s, so that a base
    rate that moves while the weights change does not look like an effect of the variant. It is a sum over observations with predictable
    weights, its variance the sum of theirs: what arXiv:2103.06476 asks for in its theorem for observations that are not identically
    distributed (Lindeberg-type, theorem 2.5). With one segment it is mean_B - mean_A.
    """
    both = [one for one in strata if one.a.n and one.b.n and 0 < one.share < 1]
    if not both:
        return None
    if len(both) == 1:
        a, b = both[0].a, both[0].b
        return Difference(a.n + b.n, b.mean - a.mean, a.variance / a.n + b.variance / b.n)
    first = both[0].share
    sizes = [worth(one.share, first) * (one.a.n + one.b.n) for one in both]
    n = math.fsum(sizes)
    overall_a, overall_b = (
        together([one.a for one in both]).variance,
        together([one.b for one in both]).variance,
    )
    value = variance = 0.0
    for size, one in zip(sizes, both, strict=True):
        value += size / n * (one.b.mean - one.a.mean)
        variance += (size / n) ** 2 * (
            shrunk(one.a.variance, one.a.n, overall_a) / one.a.n
            + shrunk(one.b.variance, one.b.n, overall_b) / one.b.n
        )
    return Difference(n, value, variance)


def logarithm(value: float) -> float | None:
    """ln of a latency or another positive observation; None for what has none."""
    return math.log(value) if value > 0 and math.isfinite(value) else None
