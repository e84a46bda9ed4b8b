"""What a test's events add up to: counts and moments per variant and segment of constant weights, and what every look has said so far.

A line changes it in constant time. The same lines give the same tally, whoever reads them and however often: a verdict does not depend on who
watches.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.abtest.definition import EVENT_GUARDRAILS, Experiment
from workflows.abtest.journal import Line
from workflows.statistics.events import Counts, log_mismatch
from workflows.statistics.moments import Moments, Stratum, logarithm
from workflows.statistics.testing import EventTest, SequenceTest, Standing

RECENT = 500
"""Counted requests whose times tell how fast they come."""
LOOKS = 1000
"""Above so many observations not every one is looked at, but every thousandth part more: a test may be looked at less often."""
SPLIT_ALPHA = 0.001
"""Probability that a split that is right is called wrong."""


@dataclass(slots=True)
class Segment:
    """A time of constant weights; ``weights`` None: no request of this time counts. Lists are per variant, in the test's order."""

    start: float
    weights: Mapping[str, float] | None
    requests: list[int]
    rewards: list[Moments]
    latencies: list[Moments]
    failures: dict[str, list[int]]


@dataclass(slots=True)
class _Request:
    """A request that was assigned. ``counted``: its reward is part of the test."""

    variant: int
    segment: int
    at: float
    reward: float | None = None
    matured: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A comparison at some sample size: ``speaks`` when its burn-in is over."""

    n: int
    value: float
    low: float
    high: float
    speaks: bool


@dataclass(slots=True)
class _Pace:
    """Says when the next look is due."""

    due: int = 1

    def passed(self, n: int) -> bool:
        if n < self.due:
            return False
        self.due = n + max(1, n // LOOKS)
        return True


@dataclass(slots=True)
class Compared:
    """A challenger: what all looks said of its metric and of its guardrails, and the course of the difference."""

    decision: Standing = field(default_factory=Standing)
    guardrails: dict[str, Standing] = field(default_factory=dict)
    history: list[Point] = field(default_factory=list)
    paces: dict[str, _Pace] = field(default_factory=dict)


class Tally:
    """The fold of a journal."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.state = "running"
        self.outcome: Mapping[str, Any] = {}
        self.segments: list[Segment] = []
        self.split = Standing()
        self.oddities: Counter[str] = Counter()
        self.rewarded = 0
        self.clock = 0.0
        self.compared = {
            name: Compared(guardrails={item: Standing(guard=True) for item in experiment.guardrails})
            for name in experiment.challengers
        }
        self.recent: deque[float] = deque(maxlen=RECENT)
        self._index = {name: at for at, name in enumerate(experiment.variants)}
        self._control = self._index[experiment.control]
        self._requests: dict[str, _Request] = {}
        self._orphans: dict[str, float] = {}
        self._users: set[str] = set()
        self._maturing: list[tuple[float, int, str]] = []
        self._starts: list[float] = []
        self._split_pace = _Pace()
        self._takers: dict[str, Callable[[Line], None]] = {
            "weights": self._weights,
            "request": self._request,
            "reward": self._reward,
            "state": self._state,
            "unattributed": lambda line: self._odd("unattributed"),
        }
        decision, guardrail = experiment.alphas
        self.test = SequenceTest(
            alpha=decision,
            planned=float(experiment.planned),
            rate=experiment.kind == "rate",
            direction=experiment.direction,
            margin=experiment.scaled_margin,
        )
        self.latency_test = SequenceTest(
            alpha=guardrail, planned=float(experiment.planned), rate=False, direction="lower"
        )
        self.event_test = EventTest(alpha=guardrail)

    # Taking lines

    def take(self, lines: Iterable[Line], damaged: int = 0) -> None:
        """Add lines of the journal."""
        if damaged:
            self.oddities["damaged"] += damaged
        for line in lines:
            taker = self._takers.get(str(line.get("t")))
            try:
                if taker is None:
                    raise ValueError
                self.advance(float(line.get("now", line["at"])))
                taker(line)
            except (KeyError, ValueError, TypeError, AttributeError):
                self._odd("damaged")

    def advance(self, now: float) -> None:
        """Let time pass: requests mature."""
        self.clock = max(self.clock, now)
        while self._maturing and self._maturing[0][0] <= self.clock:
            self._mature(self._requests[heapq.heappop(self._maturing)[2]])

    def _odd(self, what: str) -> None:
        self.oddities[what] += 1

    def _weights(self, line: Line) -> None:
        given = line["weights"]
        start = float(line["at"])
        if self._starts and start < self._starts[-1]:
            start = self._starts[-1]
        weights = {name: float(given.get(name, 0.0)) for name in self.experiment.variants} if given else None
        size = len(self.experiment.variants)
        self._starts.append(start)
        self.segments.append(
            Segment(
                start,
                weights,
                [0] * size,
                [Moments() for _ in range(size)],
                [Moments() for _ in range(size)],
                {name: [0] * size for name in EVENT_GUARDRAILS},
            )
        )

    def _state(self, line: Line) -> None:
        self.state = str(line["state"])
        self.outcome = line

    def _request(self, line: Line) -> None:
        at, name, key = float(line["at"]), str(line["id"]), str(line["v"])
        if name in self._requests:
            self._odd("repeated")
            return
        if key not in self._index:
            self._odd("foreign")
            return
        number = bisect_right(self._starts, at) - 1
        if number < 0 or self.segments[number].weights is None:
            self._odd("outside")
            return
        user = str(line.get("u") or "")
        if self.experiment.sticky and user:
            if user in self._users:
                self._odd("same-user")
                return
            self._users.add(user)
        variant = self._index[key]
        self._requests[name] = request = _Request(variant, number, at)
        segment = self.segments[number]
        segment.requests[variant] += 1
        self._outcome(segment, variant, int(line.get("s", 200)), str(line.get("c") or ""), line.get("ms"))
        if name in self._orphans:
            self._rewarded(request, self._orphans.pop(name))
        if self.experiment.maturity:
            heapq.heappush(self._maturing, (at + self.experiment.maturity, len(self._requests), name))
            self.advance(self.clock)
        else:
            self._mature(request)
        self._look_at_requests(key)

    def _outcome(self, segment: Segment, variant: int, status: int, code: str, took: Any) -> None:
        kind = failure(status, code)
        if kind:
            segment.failures[kind][variant] += 1
            return
        value = logarithm(float(took)) if took is not None else None
        if value is not None:
            segment.latencies[variant].add(value)

    def _reward(self, line: Line) -> None:
        name, value = str(line["id"]), self._valid(line["y"])
        if value is None:
            self._odd("invalid")
        elif name in self._requests:
            self._rewarded(self._requests[name], value)
        elif name in self._orphans:
            self._odd("duplicate")
        else:
            self._orphans[name] = value

    def _valid(self, given: Any) -> float | None:
        value = float(given)
        kind = self.experiment.kind
        if not math.isfinite(value) or (kind == "rate" and value not in (0.0, 1.0)):
            return None
        return logarithm(value) if kind == "log" else value

    def _rewarded(self, request: _Request, value: float) -> None:
        if request.reward is not None:
            self._odd("duplicate")
        elif request.matured and request.counted:
            self._odd("late")
        else:
            request.reward = value
            if request.matured:
                self._count(request, value)

    def _mature(self, request: _Request) -> None:
        request.matured = True
        if request.reward is not None:
            self._count(request, request.reward)
        elif self.experiment.missing == "zero":
            self._count(request, 0.0)

    def _count(self, request: _Request, value: float) -> None:
        request.counted = True
        self.segments[request.segment].rewards[request.variant].add(value)
        self.rewarded += 1
        self.recent.append(self.clock)
        if request.variant == self._control:
            for challenger in self.compared:
                self._look_at_rewards(challenger)
        else:
            self._look_at_rewards(self.experiment.variants[request.variant])

    # Looking

    def strata(self, challenger: str, *, latency: bool = False) -> list[Stratum]:
        """The rewards, or the logarithms of milliseconds, of a challenger and the control by segment."""
        other = self._index[challenger]
        found = []
        for one in self.segments:
            if one.weights is not None:
                parts = one.latencies if latency else one.rewards
                share = self.experiment.share(challenger, one.weights)
                found.append(Stratum(parts[self._control], parts[other], share))
        return found

    def counts(self, challenger: str, guardrail: str) -> list[Counts]:
        """Failures of a challenger and the control by segment."""
        other = self._index[challenger]
        found = []
        for one in self.segments:
            if one.weights is not None:
                share = self.experiment.share(challenger, one.weights)
                if 0 < share < 1:
                    failures = one.failures[guardrail]
                    found.append(Counts(failures[self._control], failures[other], share))
        return found

    def _look_at_rewards(self, challenger: str) -> None:
        compared = self.compared[challenger]
        strata = self.strata(challenger)
        n = sum(one.a.n + one.b.n for one in strata)
        if not compared.paces.setdefault("metric", _Pace()).passed(n):
            return
        reading = self.test.read(strata)
        self.test.judge(reading, compared.decision)
        last = compared.history[-1].n if compared.history else 0
        if math.isfinite(reading.interval.low) and n > last * 1.01:
            found = reading.interval
            compared.history.append(Point(n, found.value, found.low, found.high, not reading.missing))

    def _look_at_requests(self, variant: str) -> None:
        challengers = (
            self.compared if variant == self.experiment.control else {variant: self.compared[variant]}
        )
        for name, compared in challengers.items():
            for guardrail, standing in compared.guardrails.items():
                if guardrail == "latency":
                    strata = self.strata(name, latency=True)
                    n = sum(one.a.n + one.b.n for one in strata)
                    if compared.paces.setdefault(guardrail, _Pace()).passed(n):
                        self.latency_test.judge(self.latency_test.read(strata), standing)
                    continue
                counts = self.counts(name, guardrail)
                if compared.paces.setdefault(guardrail, _Pace()).passed(sum(one.a + one.b for one in counts)):
                    self.event_test.judge(counts, [], standing, self.requests)
        if self._split_pace.passed(self.requests):
            self.split.see(self.mismatch())
            if self.split.top >= -math.log(SPLIT_ALPHA):
                self.split.conclude("worse", self.requests)

    @property
    def requests(self) -> int:
        """All requests that take part."""
        return len(self._requests)

    def known(self) -> frozenset[str]:
        """The InferenceIds of all requests that take part."""
        return frozenset(self._requests)

    def unrewarded(self) -> list[str]:
        """The InferenceIds of requests that may still get a reward, the oldest first."""
        requests = list(self._requests.items())  # others may add to it meanwhile
        return [name for name, one in requests if one.reward is None and not one.counted]

    @property
    def unknown(self) -> int:
        """Rewards of requests that no line tells of, so far."""
        return len(self._orphans)

    @property
    def maturing(self) -> int:
        """Requests that are too young to count."""
        return len(self._maturing)

    @property
    def weights(self) -> Mapping[str, float] | None:
        """The present weights; None while they change, or when the test has ended."""
        return self.segments[-1].weights if self.segments else None

    def mismatch(self) -> float:
        """ln of the evidence that the requests are not split by the weights."""
        return math.fsum(
            float(log_mismatch(one.requests, list(one.weights.values())))
            for one in self.segments
            if one.weights is not None
        )

    def per_second(self, now: float) -> float:
        """How many requests came to count per second lately; 0 when none did."""
        if len(self.recent) < 2:
            return 0.0
        span = max(now, self.recent[-1]) - self.recent[0]
        return (len(self.recent) - 1) / span if span > 0 else 0.0


def failure(status: int, code: str) -> str:
    """The guardrail that an answer counts for; empty for one that went well.

    An error of the model is HTTP 424 (ModelError), whatever the container answered; what SageMaker itself refuses is 4xx or 5xx. No answer
    at all (status 0 with a code) is counted as 5xx: the caller got none.
    """
    if status == 424 or code == "ModelError":
        return "model-errors"
    if 400 <= status < 500:
        return "4xx"
    return "5xx" if status >= 500 or (status == 0 and code) else ""
