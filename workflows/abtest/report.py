"""What a test says now: rows that a screen, a table or JSON can show. Built from a tally; nothing here calls anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.abtest.definition import EVENT_GUARDRAILS, Experiment
from workflows.abtest.tally import Point, Tally
from workflows.statistics import forecast, posterior
from workflows.statistics.events import ratio_interval
from workflows.statistics.moments import together
from workflows.statistics.sequence import Interval

ODDITIES = {
    "unknown": "rewards of requests that are not known (yet)",
    "duplicate": "second rewards of a request, not counted",
    "repeated": "requests told twice, counted once",
    "late": "rewards after the request had counted as 0, not counted",
    "invalid": "rewards that the metric cannot have, not counted",
    "outside": "requests before the start, after the end, or while weights changed, not counted",
    "foreign": "requests of variants that do not take part",
    "same-user": "further requests of users who count already",
    "unattributed": "failures that no variant can be blamed for",
    "damaged": "lines of the journal that cannot be read",
}
"""What may be odd about a test's events, by the name under which it is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant. ``share`` of the present traffic by weight, ``seen`` of all requests so far; ``value`` is the mean reward (of ``log``
    metrics the geometric mean), None without a reward; ``latency`` the geometric mean in milliseconds."""

    variant: str
    weight: float
    share: float
    requests: int
    seen: float
    rewarded: int
    value: float | None
    latency: float | None
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A challenger against the control by the metric: differences of rates and means, relative differences of ``log`` metrics.

    ``evidence`` is the present e-value, ``p`` the always-valid p-value. ``n`` rewarded requests of both; ``at`` the n at which the verdict fell.
    ``left`` more of them are needed if things stay as they look, in ``seconds`` at the present traffic; infinite when not in sight, None when not known.
    """

    variant: str
    alpha: float
    n: int
    value: float
    low: float
    high: float
    evidence: float
    p: float
    verdict: str
    at: int
    missing: str
    posterior: float | None
    left: float | None
    seconds: float | None
    outcome: str
    history: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A guardrail of a challenger: the ratio of error rates, or of latencies, to the control's with its confidence sequence."""

    variant: str
    name: str
    alpha: float
    control: float
    challenger: float
    value: float
    low: float
    high: float
    evidence: float
    p: float
    verdict: str
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A test at a moment. ``verdict`` of the whole: see `verdict_of`; ``winner`` is the variant that it speaks for, empty for none."""

    experiment: Experiment
    state: str
    verdict: str
    winner: str
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    guardrails: tuple[Guardrail, ...]
    requests: int
    rewarded: int
    maturing: int
    per_second: float
    split_evidence: float
    split_wrong: bool
    oddities: Mapping[str, int]
    started: float
    updated: float
    outcome: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The test's name."""
        return self.experiment.name

    @property
    def status(self) -> str:
        """The state as runs have it: running, stopped, completed (a winner was promoted)."""
        return "completed" if self.state == "promoted" else self.state

    @property
    def created(self) -> float:
        """When it started, epoch seconds."""
        return self.started

    @property
    def hurt(self) -> tuple[Guardrail, ...]:
        """Guardrails that a challenger has broken."""
        return tuple(one for one in self.guardrails if one.verdict == "worse")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; infinite values are None."""
        return {
            "experiment": self.experiment.as_dict(),
            **{
                name: plain(getattr(self, name))
                for name in (
                    "state", "verdict", "winner", "arms", "comparisons", "guardrails", "requests", "rewarded", "maturing", "per_second",
                    "split_evidence", "split_wrong", "oddities", "started", "updated", "outcome",
                )
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feed:
    """The last replay that was started for a test: ``starting``, ``running``, ``done``, ``failed`` (``message`` says why) or
    ``interrupted`` (its process is gone). ``rows`` is where its rows come from."""

    status: str
    rows: str
    message: str = ""
    sent: int = 0

    @property
    def active(self) -> bool:
        """Whether it still sends."""
        return self.status in ("starting", "running")


@dataclass(frozen=True, slots=True)
class View:
    """A test as a screen shows it."""

    report: Report
    feed: Feed | None = None


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def report(tally: Tally, now: float) -> Report:
    """What a tally says at a time; lets requests mature up to it."""
    tally.advance(now)
    one = tally.experiment
    arms = tuple(_arm(tally, name) for name in one.variants)
    comparisons = tuple(_comparison(tally, name, now) for name in one.challengers)
    guardrails = tuple(
        _guardrail(tally, challenger, name) for challenger in one.challengers for name in one.guardrails
    )
    wrong = tally.split.verdict != "watching"
    verdict, winner = verdict_of(one, comparisons, guardrails, split_wrong=wrong)
    counted = {name: tally.oddities[name] for name in ODDITIES if tally.oddities[name]}
    if tally.unknown:
        counted = {"unknown": tally.unknown, **counted}
    return Report(
        experiment=one,
        state=tally.state,
        verdict=verdict,
        winner=winner,
        arms=arms,
        comparisons=comparisons,
        guardrails=guardrails,
        requests=tally.requests,
        rewarded=tally.rewarded,
        maturing=tally.maturing,
        per_second=tally.per_second(now) if tally.state == "running" else 0.0,
        split_evidence=_exp(tally.mismatch()),
        split_wrong=wrong,
        oddities=counted,
        started=tally.segments[0].start if tally.segments else one.created,
        updated=tally.clock,
        outcome=dict(tally.outcome),
    )


def verdict_of(
    experiment: Experiment,
    comparisons: tuple[Comparison, ...],
    guardrails: tuple[Guardrail, ...],
    *,
    split_wrong: bool,
) -> tuple[str, str]:
    """(verdict, winner) of a whole test.

    ``split``: the requests are not split by the weights, so nothing can be concluded. ``better``: a challenger is, and breaks no guardrail; of
    several the one that is furthest ahead wins. ``hurts``: a challenger is better by the metric and worse by a guardrail. ``worse``: all challengers
    are, or break a guardrail. ``same``: none differs by more than the margin, or some do and are worse. ``watching``: else.
    """
    if split_wrong:
        return "split", ""
    hurt = {one.variant for one in guardrails if one.verdict == "worse"}
    sign = 1 if experiment.direction == "higher" else -1
    better = [one for one in comparisons if one.verdict == "better"]
    fine = [one for one in better if one.variant not in hurt]
    if fine:
        return "better", max(fine, key=lambda one: sign * one.value).variant
    if better:
        return "hurts", ""
    if all(one.verdict == "worse" or one.variant in hurt for one in comparisons):
        return "worse", experiment.control
    if all(one.verdict in ("worse", "same") or one.variant in hurt for one in comparisons):
        return "same", ""
    return "watching", ""


def _arm(tally: Tally, variant: str) -> Arm:
    at = tally.experiment.variants.index(variant)
    used = [one for one in tally.segments if one.weights is not None]
    rewards = together([one.rewards[at] for one in used])
    latencies = together([one.latencies[at] for one in used])
    requests = sum(one.requests[at] for one in used)
    weights = used[-1].weights if used else tally.experiment.weights
    weights = weights or {}
    total = sum(weights.values())
    value = (
        (math.exp(rewards.mean) if tally.experiment.kind == "log" else rewards.mean) if rewards.n else None
    )
    return Arm(
        variant=variant,
        weight=weights.get(variant, 0.0),
        share=weights.get(variant, 0.0) / total if total else 0.0,
        requests=requests,
        seen=requests / tally.requests if tally.requests else 0.0,
        rewarded=rewards.n,
        value=value,
        latency=math.exp(latencies.mean) if latencies.n else None,
        failures={name: sum(one.failures[name][at] for one in used) for name in EVENT_GUARDRAILS},
    )


def _comparison(tally: Tally, challenger: str, now: float) -> Comparison:
    one = tally.experiment
    compared, strata = tally.compared[challenger], tally.strata(challenger)
    reading = tally.test.read(strata)
    interval = _relative(reading.interval) if one.kind == "log" else reading.interval
    sight = None
    if math.isfinite(reading.interval.low):
        sight = forecast.remaining(
            reading.effective,
            reading.interval.value,
            reading.variance,
            alpha=tally.test.alpha,
            planned=tally.test.planned,
            margin=tally.test.margin,
        )
    decided = compared.decision.verdict != "watching"
    left = None if sight is None or decided else sight.left * reading.n / max(reading.effective, 1e-9)
    # All requests count for the pace; those of other challengers bring this comparison nothing.
    speed = tally.per_second(now) * (reading.n / tally.rewarded if tally.rewarded else 0.0)
    return Comparison(
        variant=challenger,
        alpha=tally.test.alpha,
        n=reading.n,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        evidence=_exp(reading.log_e),
        p=compared.decision.p,
        verdict=compared.decision.verdict,
        at=compared.decision.at,
        missing=reading.missing,
        posterior=_posterior(tally, challenger, reading.interval.value, reading.variance),
        left=left,
        seconds=left / speed if left is not None and speed > 0 else None,
        outcome=sight.outcome if sight is not None and not decided else "",
        history=tuple(_point(point, one.kind == "log") for point in compared.history),
    )


def _posterior(tally: Tally, challenger: str, difference: float, variance: float) -> float | None:
    """P(challenger better) under flat priors; with segments of different weights from the stratified difference."""
    strata = tally.strata(challenger)
    a, b = together([one.a for one in strata]), together([one.b for one in strata])
    if not a.n or not b.n:
        return None
    if tally.experiment.kind == "rate" and sum(1 for one in strata if one.a.n or one.b.n) == 1:
        above = posterior.better(a.events, a.n, b.events, b.n)
    else:
        above = posterior.above(difference, variance)
    return above if tally.experiment.direction == "higher" else 1 - above


def _guardrail(tally: Tally, challenger: str, name: str) -> Guardrail:
    standing = tally.compared[challenger].guardrails[name]
    if name == "latency":
        test = tally.latency_test
        strata = tally.strata(challenger, latency=True)
        reading = test.read(strata)
        a, b = together([one.a for one in strata]), together([one.b for one in strata])
        interval = _exponential(reading.interval)
        control, other = (math.exp(one.mean) if one.n else 0.0 for one in (a, b))
        missing, log_e = reading.missing, reading.log_e
    else:
        counts = tally.counts(challenger, name)
        interval = ratio_interval(counts, tally.event_test.alpha)
        control, other = (float(sum(parts)) for parts in zip(*((one.a, one.b) for one in counts), strict=True)) if counts else (0.0, 0.0)  # fmt: skip
        missing, log_e = "", tally.event_test.log_e(counts, [])
    return Guardrail(
        variant=challenger,
        name=name,
        alpha=tally.event_test.alpha,
        control=control,
        challenger=other,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        evidence=_exp(log_e),
        p=standing.p,
        verdict=standing.verdict,
        missing=missing,
    )


def _exp(value: float) -> float:
    return math.exp(min(700.0, value))


def _exponential(interval: Interval) -> Interval:
    low, high = (
        _exp(end) if math.isfinite(end) else (0.0 if end < 0 else math.inf)
        for end in (interval.low, interval.high)
    )
    return Interval(_exp(interval.value), low, high)


def _relative(interval: Interval) -> Interval:
    found = _exponential(interval)
    return Interval(found.value - 1, found.low - 1, found.high - 1)


def _point(point: Point, relative: bool) -> Point:
    if not relative:
        return point
    found = _relative(Interval(point.value, point.low, point.high))
    return Point(point.n, found.value, found.low, found.high, point.speaks)
