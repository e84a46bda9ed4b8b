"""One comparison of B with A while data comes in: present interval, evidence, always-valid p, and a verdict that stays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from workflows.statistics import events
from workflows.statistics.events import Counts
from workflows.statistics.moments import Difference, Moments, Stratum, difference, together
from workflows.statistics.sequence import UNKNOWN, Interval, half_width, log_evidence, tuning

Verdict = Literal["watching", "better", "worse", "same"]
Direction = Literal["higher", "lower"]

EVENTS = 20
"""Events, and non-events, that every arm must have before a rate gets a verdict: with fewer the plug-in variance breaks the promise of alpha."""
OBSERVATIONS = 100
"""Observations per arm before a mean gets a verdict."""


@dataclass(slots=True)
class Standing:
    """What stays of all looks so far: the largest ln E, which gives the always-valid p, and the first verdict with its sample size.

    A running maximum is what makes the verdict sticky: p_t = min over s <= t of 1 / E_s (arXiv:1512.04922). Of a ``guard`` only "worse" stays
    whatever comes: that it was better once must not hide that it has become worse.
    """

    top: float = 0.0
    verdict: Verdict = "watching"
    at: int = 0
    guard: bool = False

    @property
    def p(self) -> float:
        """The always-valid p-value."""
        return min(1.0, math.exp(-max(0.0, self.top)))

    def see(self, log_e: float) -> None:
        """One look."""
        self.top = max(self.top, log_e)

    def conclude(self, verdict: Verdict, n: int) -> None:
        """Keep the first verdict."""
        worsened = self.guard and verdict == "worse" and self.verdict != "worse"
        if worsened or (self.verdict == "watching" and verdict != "watching"):
            self.verdict, self.at = verdict, n


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a comparison: the difference (of rates or means, of logarithms for ratios) with its sequence, the evidence, and whether it may speak already.

    ``n`` observations count as ``effective`` ones (see `Difference`). ``log_e`` is 0 before the burn-in is over, ``missing`` what is
    missing for it then: "12/20 successes, 9/20 failures per variant".
    """

    n: int
    effective: float
    interval: Interval
    log_e: float
    variance: float = 0.0
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTest:
    """The asymptotic confidence sequence of a difference, with its burn-in. ``rate``: observations are 0 or 1.

    ``margin``: differences up to it do not matter; 0: no verdict of "no difference".
    """

    alpha: float
    planned: float
    rate: bool = True
    direction: Direction = "higher"
    margin: float = 0.0

    def read(self, strata: list[Stratum]) -> Reading:
        """A look at two arms."""
        a, b = together([one.a for one in strata]), together([one.b for one in strata])
        found = difference(strata)
        if found is None:
            return Reading(a.n + b.n, 0, UNKNOWN, 0.0, missing="a reward of each variant")
        missing = self._missing(a, b)
        interval, log_e = self.evaluate(found)
        return Reading(a.n + b.n, found.n, interval, 0.0 if missing else log_e, found.variance, missing)

    def evaluate(self, found: Difference) -> tuple[Interval, float]:
        """The sequence and ln E of a difference, burn-in or not."""
        rho = tuning(self.alpha, self.planned)
        if found.variance <= 0:
            return Interval(found.value, -math.inf, math.inf), 0.0
        width = half_width(found.n, found.variance, self.alpha, rho)
        return (
            Interval(found.value, found.value - width, found.value + width),
            log_evidence(found.value, found.variance, found.n, rho),
        )

    def judge(self, reading: Reading, standing: Standing) -> None:
        """Let a look count: the running p and, once the burn-in is over, the verdict."""
        if reading.missing:
            return
        standing.see(reading.log_e)
        standing.conclude(self._verdict(reading.interval), reading.n)

    def _verdict(self, interval: Interval) -> Verdict:
        if interval.excludes(0.0):
            return "better" if (interval.value > 0) == (self.direction == "higher") else "worse"
        return "same" if self.margin > 0 and interval.within(self.margin) else "watching"

    def _missing(self, a: Moments, b: Moments) -> str:
        if not self.rate:
            few = min(a.n, b.n)
            return f"{few}/{OBSERVATIONS} observations per variant" if few < OBSERVATIONS else ""
        events_least = min(a.events, b.events)
        others_least = min(a.n - a.events, b.n - b.events)
        if events_least >= EVENTS and others_least >= EVENTS:
            return ""
        return f"{min(events_least, EVENTS)}/{EVENTS} successes, {min(others_least, EVENTS)}/{EVENTS} failures per variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTest:
    """The exact test of event counts, without a burn-in. ``mixed``: either side may be rare, so both are looked at."""

    alpha: float
    direction: Direction = "lower"
    mixed: bool = False

    def log_e(self, happened: list[Counts], others: list[Counts]) -> float:
        """ln E of a look."""
        found = events.log_evidence_mixed(happened, others) if self.mixed else events.log_evidence(happened)
        return float(found)

    def judge(self, happened: list[Counts], others: list[Counts], standing: Standing, n: int) -> None:
        """Let a look count."""
        log_e = self.log_e(happened, others)
        standing.see(log_e)
        if log_e >= -math.log(self.alpha):
            more = _excess(happened) > 0
            standing.conclude("better" if more == (self.direction == "higher") else "worse", n)


def _excess(segments: list[Counts]) -> float:
    """Events of B beyond what its share of the traffic explains."""
    return math.fsum(one.b - one.share * (one.a + one.b) for one in segments)


def budgets(alpha: float, challengers: int, guardrails: int) -> tuple[float, float]:
    """(alpha of one decision, alpha of one guardrail): the union bound over challengers, and over all guardrails of all challengers.

    Decisions and guardrails each keep their own promise of ``alpha``.
    """
    many = max(1, challengers)
    return alpha / many, alpha / (many * max(1, guardrails))
