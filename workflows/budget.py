"""How many calls may be made: a token bucket per account and region, and how fast each target is polled."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from workflows.clock import Clock

BACKOFF_LIMIT = 120.0
"""Seconds: no wait after an error is longer."""

URGENT_RESERVE = 3.0
"""Tokens that background polls leave for what a person has just opened."""

LEAST_WAIT = 0.001
"""Seconds: a shorter wait for what is missing by a rounding error would be waited for again and again."""

COSTS = {"sagemaker": 1.0, "logs": 0.1, "cloudwatch": 0.1, "sts": 0.1, "application-autoscaling": 0.3}
"""Tokens per call. ListTrainingJobs is throttled at 2/s per account; GetLogEvents and GetMetricData at 25/s and 50/s."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one kind of target is polled. ``rate`` is tokens per second, ``burst`` the bucket's size, ``*_period`` the
    seconds per point asked of CloudWatch, ``hidden`` the shortest interval while nobody looks, ``full`` the seconds between
    complete lists (only they show what was deleted), ``calm`` the longest interval of a list that brings nothing new, and the rest the
    seconds between two polls of one thing."""

    rate: float
    burst: float
    active: float
    idle: float
    calm: float
    logs: float
    metrics: float
    hidden: float
    full: float
    training_period: int
    traffic_period: int
    traffic_window: float


PACES = {
    "embedded": Pace(
        rate=50, burst=200, active=1, idle=2, calm=60, logs=1, metrics=2, hidden=15, full=30,
        training_period=1, traffic_period=10, traffic_window=900,
    ),
    "aws": Pace(
        rate=0.5, burst=10, active=10, idle=30, calm=30, logs=5, metrics=60, hidden=120, full=600,
        training_period=60, traffic_period=60, traffic_window=3600,
    ),
}  # fmt: skip


class Budget:
    """A token bucket that slows down when the service says it is asked too often.

    Safe for threads. After a throttle the rate halves (down to a twentieth) and the bucket is empty; each later success
    gives 5 % back until the full rate is reached.
    """

    def __init__(self, rate: float, burst: float, clock: Clock | None = None) -> None:
        self.full_rate = rate
        self.burst = burst
        self._clock = clock or Clock()
        self._rate = rate
        self._tokens = burst
        self._filled_at = self._clock.monotonic()
        self._recent: deque[float] = deque()
        self._calls = 0
        self._throttles = 0
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Tokens per second now."""
        return self._rate

    @property
    def calls(self) -> int:
        """All calls so far."""
        return self._calls

    @property
    def throttles(self) -> int:
        """How often the service said that it was asked too often."""
        return self._throttles

    @property
    def tokens(self) -> float:
        """What could be spent at once."""
        with self._lock:
            self._fill()
            return self._tokens

    @property
    def calls_per_minute(self) -> int:
        """Calls of the last 60 s."""
        with self._lock:
            self._forget()
            return len(self._recent)

    def acquire(self, service: str, *, urgent: bool = False) -> None:
        """Wait until a call to ``service`` may be made, and count it."""
        cost = COSTS.get(service, 0.0)
        while (wait := self._take(cost, urgent)) > 0:
            self._clock.sleep(wait)

    def succeeded(self) -> None:
        """A call was answered: a slowed rate recovers a little."""
        with self._lock:
            if self._rate < self.full_rate:
                self._rate = min(self.full_rate, self._rate * 1.05)

    def throttled(self) -> None:
        """A call was refused because of too many calls."""
        with self._lock:
            self._fill()
            self._throttles += 1
            self._rate = max(self.full_rate / 20, self._rate / 2)
            self._tokens = 0.0

    def _take(self, cost: float, urgent: bool) -> float:
        with self._lock:
            self._fill()
            reserve = 0.0 if urgent else min(URGENT_RESERVE, self.burst - cost)
            missing = cost + (reserve if cost else 0.0) - self._tokens
            if cost and missing > 0:
                return max(LEAST_WAIT, missing / self._rate)
            self._tokens -= cost
            self._calls += 1
            self._recent.append(self._filled_at)
            self._forget()
            return 0.0

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now

    def _forget(self) -> None:
        horizon = self._clock.monotonic() - 60
        while self._recent and self._recent[0] < horizon:
            self._recent.popleft()


class Backoff:
    """Waits that double from ``first`` to `BACKOFF_LIMIT`, each with up to a quarter of jitter so that consoles spread."""

    def __init__(self, first: float, random_: Callable[[], float] = random.random) -> None:
        self._first = first
        self._random = random_
        self.failures = 0

    def next(self) -> float:
        """The seconds to wait after one more failure."""
        wait = min(BACKOFF_LIMIT, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return min(BACKOFF_LIMIT, wait * (1 + self._random() / 4))

    def reset(self) -> None:
        """It worked again."""
        self.failures = 0


_shared: dict[tuple[str, str], Budget] = {}
_shared_lock = threading.Lock()


def shared(target: str, account: str, region: str) -> Budget:
    """The one budget of an account and region in this process."""
    pace = PACES[target]
    with _shared_lock:
        return _shared.setdefault((account, region), Budget(pace.rate, pace.burst))
