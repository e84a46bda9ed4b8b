"""How many requests a test takes: before it starts, from the effect that is looked for; while it runs, from what it has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from workflows.statistics.sequence import crossing, tuning


def fixed_sample(rate: float, effect: float, share: float, alpha: float, power: float = 0.8) -> int:
    """The total sample n80 of a two-sided z test of two rates that is looked at once, at the end.

    n = (z_{1-alpha/2} + z_{power})^2 (p_A q_A / (1 - w) + p_B q_B / w) / effect^2, w B's share of the traffic: Fleiss, "Statistical methods for rates and proportions", chapter 4.
    """
    other = rate + effect
    spread = rate * (1 - rate) / (1 - share) + other * (1 - other) / share
    return math.ceil(_quantiles(alpha, power) * spread / effect**2)


def sequential_sample(fixed: int) -> int:
    """A planned total sample N* for a test that may be looked at always: twice the fixed one, by which it has ended with probability about .9."""
    return 2 * fixed


def _quantiles(alpha: float, power: float) -> float:
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) ** 2


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a running test needs if things stay as they look now: the total of observations at which it ends, infinite when it does not.

    ``outcome`` is "different" or "same" (all of the interval within the margin), whichever comes first.
    """

    outcome: str
    total: float
    left: float

    def seconds(self, per_second: float) -> float:
        """How long that takes at so many matured observations a second."""
        return self.left / per_second if per_second > 0 else math.inf


def remaining(
    n: float, difference: float, variance: float, *, alpha: float, planned: float, margin: float
) -> Forecast | None:
    """When the confidence sequence about the present estimate will leave 0, or lie within +-margin; None while nothing is known."""
    if n <= 0 or variance <= 0:
        return None
    rho = tuning(alpha, planned)
    ends = {"different": crossing(difference, n * variance, alpha, rho)}
    if margin > abs(difference):
        ends["same"] = crossing(margin - abs(difference), n * variance, alpha, rho)
    outcome, total = min(ends.items(), key=lambda item: item[1])
    return Forecast(outcome, total, max(0.0, total - n))
