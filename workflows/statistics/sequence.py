"""The asymptotic confidence sequence of a difference of two means, and the evidence that belongs to it.

Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences",
Annals of Statistics 2024, arXiv:2103.06476, in the form that GrowthBook uses for two arms: with n = n_A + n_B and V the estimated variance of the
difference, sigma^2 = n V. The interval excludes 0 exactly when the evidence reaches 1 / alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workflows.statistics.elementary import is_array, log, sqrt


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the ends of its confidence sequence; infinite ends: nothing is known yet."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside."""
        return value < self.low or value > self.high

    def within(self, margin: float) -> bool:
        """Whether all of it lies between -margin and +margin."""
        return -margin <= self.low and self.high <= margin


UNKNOWN = Interval(0.0, -math.inf, math.inf)


def tuning(alpha: float, planned: float) -> float:
    """rho that makes the sequence tightest about a planned total sample N*: arXiv:2103.06476, the appendix on choosing rho.

    rho = sqrt((-2 ln alpha + ln(-2 ln alpha + 1)) / N*).
    """
    return math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / planned)


def half_width(n: Any, variance: Any, alpha: float, rho: float) -> Any:
    """Half the width of the sequence after ``n`` observations of both arms: arXiv:2103.06476, theorem 2.2 (Gaussian mixture).

    sqrt(n V) sqrt(2 (n rho^2 + 1) / (n^2 rho^2) ln(sqrt(n rho^2 + 1) / alpha)), V the variance of the difference.
    """
    spread = n * rho**2 + 1
    return sqrt(n * variance) * sqrt(2 * spread / (n * n * rho**2) * log(sqrt(spread) / alpha))


def log_evidence(difference: Any, variance: Any, n: Any, rho: float) -> Any:
    """ln of the likelihood ratio of the normal mixture with tau^2 = n V rho^2 against "no difference".

    Lambda = sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2))): Robbins 1970; Johari, Pekelis, Walsh, "Always valid
    inference", arXiv:1512.04922 (mSPRT); Howard, Ramdas, McAuliffe, Sekhon, Ann. Statist. 49(2), 2021, arXiv:1810.08240 (two-sided normal mixture).
    With this tau it is the sequence of `half_width` seen from 0: |d| > half width exactly when Lambda > 1 / alpha.
    """
    spread = n * rho**2 + 1
    if not is_array(variance) and variance <= 0:
        return 0.0
    return n * rho**2 * difference**2 / (2 * variance * spread) - log(spread) / 2


def crossing(difference: float, unit_variance: float, alpha: float, rho: float, most: float = 1e12) -> float:
    """The number of observations at which the half width has shrunk to ``difference``; infinite beyond ``most``.

    ``unit_variance`` is n V, which does not change with n while the shares of the arms stay. Bisection: the half width falls with n.
    """
    target = abs(difference)
    if target <= 0 or unit_variance <= 0:
        return math.inf if target <= 0 else 1.0
    low, high = 1.0, 2.0
    while half_width(high, unit_variance / high, alpha, rho) > target:
        low, high = high, high * 2
        if high > most:
            return math.inf
    for _ in range(60):
        middle = (low + high) / 2
        if half_width(middle, unit_variance / middle, alpha, rho) > target:
            low = middle
        else:
            high = middle
    return high
