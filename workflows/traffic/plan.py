"""How much is sent when: steps with a rate each, and the moment at which each request is due."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workflows.problem import Problem

MOST_CONCURRENCY = 256
MOST_RATE = 100_000.0
_NUMBER = r"\d+(?:\.\d+)?(?:e\d+)?"
_STEP = re.compile(
    rf"(?P<rate>max|{_NUMBER})(?:\.\.(?P<to>{_NUMBER}))?(?:@(?P<limit>{_NUMBER})(?P<unit>ms|s|m|h)?)?"
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a plan.

    Args:
        rate: Requests per second, at its beginning where ``to`` is given; None: as fast as answers come.
        to: The rate at its end, reached evenly.
        seconds: How long it lasts; None: until its requests are sent, or without an end.
        requests: How many requests at most; None: no limit.
    """

    rate: float | None = None
    to: float | None = None
    seconds: float | None = None
    requests: int | None = None

    def __post_init__(self) -> None:
        for value in (self.rate, self.to):
            if value is not None and not 0 <= value <= MOST_RATE:
                raise _wrong(f"A rate of {value:g} requests per second is not possible.", f"Rates are 0 to {MOST_RATE:,.0f}.")  # fmt: skip
        if self.rate == 0 and not self.to:
            raise _wrong("A rate of 0 sends nothing.", "Give a rate above 0, or none at all for as fast as possible.")  # fmt: skip
        if self.to is not None and (self.rate is None or self.seconds is None):
            raise _wrong("A ramp needs the rate it begins with and its seconds.", "For example 10..50@30s.")
        if self.seconds is not None and not (0 < self.seconds < math.inf):
            raise _wrong(f"A step cannot last {self.seconds:g} seconds.", "Give a time above 0.")
        if self.requests is not None and self.requests < 1:
            raise _wrong(f"A step cannot have {self.requests} requests.", "Give at least 1.")

    @property
    def expected(self) -> int | None:
        """How many requests it sends when nothing holds it up; None where that is not known before."""
        if self.rate is None or self.seconds is None:
            return self.requests
        end = self.rate if self.to is None else self.to
        due = math.ceil(round((self.rate + end) / 2 * self.seconds, 6))
        return due if self.requests is None else min(due, self.requests)

    @property
    def length(self) -> float | None:
        """Seconds that it takes when nothing holds it up; None where that depends on the answers, or without an end."""
        if self.seconds is not None or self.requests is None or self.rate is None:
            return self.seconds
        return self.due(self.requests)

    def due(self, number: int) -> float:
        """Seconds after the step's beginning at which request ``number`` (from 0) is due; a step with a rate only.

        By time t the requests that are due are ``r0 t + (r1 - r0) t² / 2T``; this is the inverse.
        """
        begin = self.rate or 0.0
        end = begin if self.to is None else self.to
        growth = (end - begin) / (2 * self.seconds) if self.seconds else 0.0
        root = math.sqrt(max(0.0, begin * begin + 4 * growth * number))
        return 2 * number / (begin + root) if number else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps one after the other, and how many requests may be under way at the same time."""

    steps: tuple[Step, ...] = (Step(),)
    concurrency: int = 8

    def __post_init__(self) -> None:
        if not self.steps:
            raise _wrong("A plan has at least one step.", "For example 50@60s.")
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise _wrong(
                f"A concurrency of {self.concurrency} is not possible.", f"Give 1 to {MOST_CONCURRENCY}."
            )
        if any(step.seconds is None and step.requests is None for step in self.steps[:-1]):
            raise _wrong("A step without an end comes before another one.", "Only the last step may be endless.")  # fmt: skip

    @classmethod
    def steady(
        cls,
        rate: float | None = None,
        *,
        seconds: float | None = None,
        requests: int | None = None,
        ramp: float | None = None,
        concurrency: int = 8,
    ) -> Plan:
        """One rate throughout, reached within ``ramp`` seconds from 0 where that is given, which come before ``seconds``.

        Raises:
            Problem: The values are not possible.
        """
        steps = [Step(rate, seconds=seconds, requests=requests)]
        if ramp:
            if rate is None:
                raise _wrong("A ramp needs the rate that it reaches.", "Give --rate too.")
            steps.insert(0, Step(0.0, to=rate, seconds=ramp))
        return cls(tuple(steps), concurrency)

    @property
    def seconds(self) -> float | None:
        """How long it lasts; None where that depends on the answers."""
        return _sum(step.seconds for step in self.steps)

    @property
    def length(self) -> float | None:
        """Seconds within which its requests are due; None where that depends on the answers."""
        return None if self.due_before(0.0) is None else _sum(step.length for step in self.steps)

    @property
    def expected(self) -> int | None:
        """How many requests it sends when nothing holds it up; None where that depends on the answers."""
        total = _sum(step.expected for step in self.steps)
        return None if total is None else int(total)

    def due_before(self, elapsed: float) -> int | None:
        """How many requests are due within the first ``elapsed`` seconds; None where a step has no rate."""
        if any(step.rate is None for step in self.steps):
            return None
        count, begin = 0, 0.0
        for step in self.steps:
            if begin >= elapsed:
                break
            count += _due_before(step, elapsed - begin)
            begin += step.length or 0.0
        return count

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Plan:
        """The plan that `as_dict` wrote.

        Raises:
            KeyError, TypeError: It was not written by it.
            Problem: Its values are not possible.
        """
        return cls(tuple(Step(**step) for step in found["steps"]), int(found["concurrency"]))

    def __str__(self) -> str:
        return f"{', then '.join(_said(step) for step in self.steps)}; {self.concurrency} at a time"


class Schedule:
    """Deals out when each request of a plan is due, in order. Not safe for threads."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dealt = 0
        self._index = 0
        self._begin = 0.0
        self._number = 0
        self._length = plan.seconds

    @property
    def over(self) -> bool:
        """Whether every request has been dealt out."""
        return self._index >= len(self.plan.steps)

    def take(self, elapsed: float) -> float | None:
        """Seconds after the replay's beginning at which the next request is due; it may lie in the past. None: the plan is over.

        Args:
            elapsed: Seconds since the replay began.
        """
        if self._length is not None and elapsed >= self._length:
            return None
        return self._deal(elapsed)

    def overdue(self, elapsed: float) -> list[tuple[float, int]]:
        """Requests that were due before ``elapsed`` and are dropped: (due, how many of them stand for it), thinned out
        to some thousand. Nothing can be taken afterwards."""
        until = elapsed if self._length is None else min(elapsed, self._length)
        dropped: list[tuple[float, int]] = []
        while not self.over:
            step = self.plan.steps[self._index]
            if step.rate is None:
                break
            left = _due_before(step, until - self._begin) - self._number
            stride = max(1, left // 4096)
            for number in range(self._number, self._number + left, stride):
                due = self._begin + step.due(number)
                dropped.append((due, min(stride, self._number + left - number)))
            if step.seconds is None or self._begin + step.seconds >= until:
                break
            self._next(self._begin + step.seconds)
        self._index = len(self.plan.steps)
        return dropped

    def _deal(self, elapsed: float) -> float | None:
        while not self.over:
            step = self.plan.steps[self._index]
            due = elapsed if step.rate is None else self._begin + step.due(self._number)
            if step.requests is not None and self._number >= step.requests:
                ends = due if step.seconds is None else self._begin + step.seconds
                self._next(ends)
                continue
            if step.seconds is not None and (
                due >= self._begin + step.seconds
                if step.rate is None
                else self._number >= (step.expected or 0)
            ):
                self._next(self._begin + step.seconds)
                continue
            self._number += 1
            self.dealt += 1
            return max(due, self._begin)
        return None

    def _next(self, begin: float) -> None:
        self._index, self._begin, self._number = self._index + 1, begin, 0


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None where a value is not known."""
    known = list(values)
    return None if None in known else sum(value or 0.0 for value in known)


def parse_step(text: str) -> Step:
    """``50@60s``, ``10..50@30s`` (a ramp), ``max@1000`` (a thousand requests, as fast as answers come), ``50``.

    Raises:
        Problem: It is not one of these.
    """
    found = _STEP.fullmatch(text.strip().replace(" ", ""))
    try:
        if found is None:
            raise ValueError
        limit = float(found["limit"]) if found["limit"] else None
        unit = _UNITS.get(found["unit"] or "")
        if limit is not None and unit is None and not limit.is_integer():
            raise ValueError
        return Step(
            rate=None if found["rate"] == "max" else float(found["rate"]),
            to=float(found["to"]) if found["to"] else None,
            seconds=limit * unit if limit is not None and unit else None,
            requests=int(limit) if limit is not None and unit is None else None,
        )
    except ValueError:
        raise _wrong(
            f"{text!r} is no step of a plan.",
            "Write RATE@TIME, FROM..TO@TIME or RATE@REQUESTS, for example 50@60s, 10..50@30s, max@1000.",
        ) from None


def _due_before(step: Step, seconds: float) -> int:
    """How many requests of a step with a rate are due within its first ``seconds``."""
    seconds = max(0.0, seconds if step.seconds is None else min(seconds, step.seconds))
    begin = step.rate or 0.0
    end = begin if step.to is None else step.to
    growth = (end - begin) / (2 * step.seconds) if step.seconds else 0.0
    due = math.ceil(round(begin * seconds + growth * seconds * seconds, 6))
    return due if step.requests is None else min(due, step.requests)


def _said(step: Step) -> str:
    if step.rate is None:
        rate = "as fast as answers come"
    elif step.to is None:
        rate = f"{step.rate:g}/s"
    else:
        rate = f"{step.rate:g} to {step.to:g}/s"
    limits = [f"{step.seconds:g} s"] if step.seconds is not None else []
    limits += [f"{step.requests:,} requests"] if step.requests is not None else []
    return f"{rate} for {' or '.join(limits)}" if limits else f"{rate} until it is stopped"


def _wrong(sentence: str, remedy: str) -> Problem:
    return Problem(sentence, remedy, "plan")
