"""What a replay has measured: latencies, errors and rates, as a whole, per variant and over time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workflows.traffic.histogram import NOTHING, Histogram, Quantiles
from workflows.traffic.payload import Answer

MOST_MOMENTS = 240
"""Points of the timeline; when there are more, each gets twice as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """What one variant answered: how many requests, errors by code, latencies (see `Summary`)."""

    variant: str
    answers: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Quantiles = NOTHING
    service: Quantiles = NOTHING

    @property
    def failed(self) -> int:
        """Requests without an answer of the model."""
        return sum(self.errors.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was answered from ``at`` (seconds after the beginning) until ``at + seconds``; latencies are milliseconds."""

    at: float
    seconds: float
    answers: int
    failed: int
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A replay so far, or at its end.

    ``latency`` counts from the moment at which the plan wanted a request sent, ``service`` from its sending: where the
    endpoint is slower than the plan, only the first tells how long a caller would have waited. Both hold failed
    requests too; ``latency`` also what the unsent ones had waited when the plan's time was over.

    Args:
        asked: Requests that were due; None where the plan has no rate.
        unsent: Requests that were due but found no free connection before the plan's time was over.
        seconds: How long it took.
        asked_rate: Requests per second that the plan wanted on average; None where it has no rate.
        rate: Answers per second, errors included.
        errors: Requests by error code: AWS's, or ``timeout`` and ``unreachable``.
        busy: Processor time of this process per second: near 1 it is this process that holds the rate down.
    """

    endpoint: str
    asked: int | None
    sent: int
    answers: int
    unsent: int
    seconds: float
    asked_rate: float | None
    rate: float
    errors: Mapping[str, int]
    statuses: Mapping[int, int]
    latency: Quantiles
    service: Quantiles
    variants: tuple[VariantSummary, ...] = ()
    moments: tuple[Moment, ...] = ()
    busy: float = 0.0
    ended: bool = False
    stopped: bool = False

    @property
    def failed(self) -> int:
        """Requests without an answer of the model."""
        return sum(self.errors.values())

    @property
    def held_back(self) -> bool:
        """Whether clearly fewer requests were sent than the plan wanted."""
        return self.asked is not None and self.unsent > 0.01 * self.asked

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it."""
        return asdict(self) | {"failed": self.failed}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Summary:
        """The summary that `as_dict` wrote.

        Raises:
            KeyError, TypeError, ValueError: It was not written by it.
        """
        values = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
        return cls(
            **values
            | {
                "latency": Quantiles(**found["latency"]),
                "service": Quantiles(**found["service"]),
                "statuses": {int(status): count for status, count in found["statuses"].items()},
                "moments": tuple(Moment(**item) for item in found["moments"]),
                "variants": tuple(
                    VariantSummary(
                        **item
                        | {
                            "latency": Quantiles(**item["latency"]),
                            "service": Quantiles(**item["service"]),
                        }
                    )
                    for item in found["variants"]
                ),
            }
        )


def advice(summary: Summary) -> list[str]:
    """What a person should know before believing the numbers, as sentences."""
    if summary.busy > 0.9:
        return [
            "The processor time of this program was used up: the rate and the latencies are those of the "
            "generator. Ask for less, or run several."
        ]
    if summary.held_back:
        return [
            "The endpoint did not keep up with the plan: latency since due holds the waiting of the requests "
            "that it held up. More concurrency helps only if the endpoint has workers left."
        ]
    return []


class _Part:
    """What is counted of one variant, or of everything."""

    def __init__(self) -> None:
        self.answers = 0
        self.errors: Counter[str] = Counter()
        self.latency = Histogram()
        self.service = Histogram()

    def add(self, answer: Answer) -> None:
        self.answers += 1
        if answer.code:
            self.errors[answer.code] += 1
        self.latency.record(answer.latency)
        self.service.record(answer.milliseconds)


class _Bin:
    """What is counted of one point of the timeline."""

    def __init__(self) -> None:
        self.answers = 0
        self.failed = 0
        self.latency = Histogram()

    def add(self, other: _Bin) -> None:
        self.answers += other.answers
        self.failed += other.failed
        self.latency.add(other.latency)


class Tally:
    """Counts answers as they come; safe for threads."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._all = _Part()
        self._variants: dict[str, _Part] = {}
        self._statuses: Counter[int] = Counter()
        self._bins: dict[int, _Bin] = {}
        self._width = 1.0
        self._sent = 0
        self._unsent = 0

    def sent(self) -> None:
        """A request is on its way."""
        with self._lock:
            self._sent += 1

    def add(self, answer: Answer, elapsed: float) -> None:
        """An answer came ``elapsed`` seconds after the beginning."""
        with self._lock:
            self._all.add(answer)
            self._statuses[answer.status] += 1
            if answer.variant:
                self._variants.setdefault(answer.variant, _Part()).add(answer)
            place = self._bins.setdefault(int(elapsed / self._width), _Bin())
            place.answers += 1
            place.failed += bool(answer.code)
            place.latency.record(answer.latency)
            if max(self._bins) >= MOST_MOMENTS:
                self._widen()

    def drop(self, waited: float, count: int) -> None:
        """Requests that were due were never sent, after so many milliseconds."""
        with self._lock:
            self._unsent += count
            self._all.latency.record(waited, count)

    def summary(
        self,
        *,
        seconds: float,
        asked: int | None,
        asked_rate: float | None,
        busy: float,
        ended: bool,
        stopped: bool,
    ) -> Summary:
        """Everything so far. The rate is that of the answers over the time it took."""
        with self._lock:
            return Summary(
                endpoint=self._endpoint,
                asked=asked,
                sent=self._sent,
                answers=self._all.answers,
                unsent=self._unsent,
                seconds=seconds,
                asked_rate=asked_rate,
                rate=self._all.answers / seconds if seconds > 0 else 0.0,
                errors=dict(self._all.errors.most_common()),
                statuses=dict(self._statuses.most_common()),
                latency=self._all.latency.quantiles,
                service=self._all.service.quantiles,
                variants=tuple(
                    VariantSummary(
                        variant=name,
                        answers=part.answers,
                        errors=dict(part.errors.most_common()),
                        latency=part.latency.quantiles,
                        service=part.service.quantiles,
                    )
                    for name, part in sorted(self._variants.items())
                ),
                moments=self._moments(),
                busy=busy,
                ended=ended,
                stopped=stopped,
            )

    def histograms(self) -> dict[str, Histogram]:
        """Copies of the histograms of ``latency`` and ``service`` of everything."""
        with self._lock:
            copies = {}
            for name, found in (("latency", self._all.latency), ("service", self._all.service)):
                copies[name] = Histogram()
                copies[name].add(found)
            return copies

    def _moments(self) -> tuple[Moment, ...]:
        last = max(self._bins, default=-1)
        moments = []
        for number in range(last + 1):
            found = self._bins.get(number) or _Bin()
            moments.append(
                Moment(
                    at=number * self._width,
                    seconds=self._width,
                    answers=found.answers,
                    failed=found.failed,
                    p50=found.latency.percentile(50),
                    p99=found.latency.percentile(99),
                )
            )
        return tuple(moments)

    def _widen(self) -> None:
        while max(self._bins) >= MOST_MOMENTS:
            merged: dict[int, _Bin] = {}
            for number, found in self._bins.items():
                merged.setdefault(number // 2, _Bin()).add(found)
            self._bins, self._width = merged, self._width * 2
