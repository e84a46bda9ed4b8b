"""The exact sequential test of event counts: conversions, errors, and of requests against the weights of a router.

Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022, arXiv:2011.03567. While both variants have
the same event rate, whatever it does over time, each event comes from B with the probability of B's share of the traffic. No variance is estimated,
nothing is asymptotic: P(the evidence ever reaches 1 / alpha) <= alpha (Ville's inequality).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows.statistics.elementary import betaln, lgamma, log, logmeanexp
from workflows.statistics.sequence import Interval

RARE = 50.0
"""The concentration k of the prior for events on the rare side: tuned to effects of about +-30 %."""
MIXED = (20.0, 200.0, 2000.0)
"""Concentrations that are averaged where the size of the effect is not known: about +-50, 15 and 5 %."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of two arms in a segment of constant weights; ``share`` is B's part of the two arms' traffic, above 0 and below 1."""

    a: Any
    b: Any
    share: float


def log_evidence(segments: Sequence[Counts], k: float = RARE) -> Any:
    """ln E that the two arms' event rates differ: arXiv:2011.03567, the Bayes factor with a Dirichlet prior, for two arms.

    E = B(k w + S_B, k (1 - w) + S_A) / B(k w, k (1 - w)) / (w^S_B (1 - w)^S_A), one factor per segment: a prior that starts afresh when
    the weights change keeps E a martingale.
    """
    return log_evidence_at(segments, 0.0, k)


def log_evidence_at(segments: Sequence[Counts], log_ratio: float, k: float = RARE) -> Any:
    """ln E against "B's event rate is exp(log_ratio) times A's": then an event is B's with probability w r / (w r + 1 - w)."""
    total: Any = 0.0
    for one in segments:
        w = one.share
        odds = math.log(w / (1 - w)) + log_ratio
        log_b, log_a = -_softplus(-odds), -_softplus(odds)
        total = total + (
            betaln(k * w + one.b, k * (1 - w) + one.a)
            - betaln(k * w, k * (1 - w))
            - one.b * log_b
            - one.a * log_a
        )
    return total


def log_evidence_mixed(events: Sequence[Counts], others: Sequence[Counts]) -> Any:
    """ln of E averaged over `MIXED` and over events and non-events: an average of e-processes is one. For rates of which either side may be rare."""
    return logmeanexp([log_evidence(side, k) for k in MIXED for side in (events, others)])


def ratio_interval(segments: Sequence[Counts], alpha: float, k: float = RARE) -> Interval:
    """The confidence sequence of the rate ratio B / A: all r against which E stays below 1 / alpha.

    ln E is convex in ln r, so it is an interval; its ends are found by bisection. Where segments contradict each other so much that none is
    left, the interval is the best value alone.
    """
    a, b = sum(one.a for one in segments), sum(one.b for one in segments)
    if a + b == 0:
        return Interval(1.0, 0.0, math.inf)
    limit = -math.log(alpha)
    low, high = -40.0, 40.0
    for _ in range(100):  # the minimum of a convex function, by golden thirds
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if log_evidence_at(segments, left, k) <= log_evidence_at(segments, right, k):
            high = right
        else:
            low = left
    best = (low + high) / 2

    def end(outside: float) -> float:
        if log_evidence_at(segments, outside, k) < limit:
            return outside
        inside = best
        for _ in range(60):
            middle = (inside + outside) / 2
            if log_evidence_at(segments, middle, k) < limit:
                inside = middle
            else:
                outside = middle
        return inside

    value = 0.0 if b == 0 else math.inf if a == 0 else math.exp(best)
    lowest, highest = end(-40.0), end(40.0)
    return Interval(
        value,
        0.0 if lowest <= -40.0 else math.exp(lowest),
        math.inf if highest >= 40.0 else math.exp(highest),
    )


def log_mismatch(counts: Sequence[Any], shares: Sequence[float], k: float = RARE) -> Any:
    """ln E that requests are not split as the weights say: arXiv:2011.03567, the multinomial test, for any number of variants.

    E = B(k w + S) / B(k w) / prod w_i^S_i with B the multivariate beta function. Variants of weight 0 are left out; a request that one of them
    got is impossible under the weights: E is infinite.
    """
    if any(share <= 0 and count > 0 for count, share in zip(counts, shares, strict=True)):
        return math.inf
    used = [(count, share) for count, share in zip(counts, shares, strict=True) if share > 0]
    total = math.fsum(share for _, share in used)
    n: Any = 0
    found: Any = 0.0
    for count, share in used:
        w = share / total
        n = n + count
        found = found + lgamma(k * w + count) - math.lgamma(k * w) - count * log(w)
    return found - lgamma(k + n) + math.lgamma(k) if len(used) > 1 else 0.0


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))
