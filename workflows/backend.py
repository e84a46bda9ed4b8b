"""The hub's connection to its target: opened in worker threads, given up when it is lost, opened again later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows import budget as budgets
from workflows.budget import Backoff, Budget
from workflows.clock import Clock
from workflows.observe.gateway import Gateway, Metered, answered
from workflows.problem import Problem
from workflows.topics import HubStatus

OpenGateway = Callable[[bool], Gateway]
"""Opens the platform. The argument: whether what does not run may be started for it."""


class Backend:
    """State and connection. All methods but `connect` are called under ``lock`` or take it themselves."""

    def __init__(
        self,
        open_gateway: OpenGateway,
        target: str,
        clock: Clock,
        lock: threading.RLock,
        budget: Budget | None,
        random_: Callable[[], float],
    ) -> None:
        self.target = target
        self.retry_due: float | None = None
        self.connecting = False
        self.probing = False
        self.gateway: Metered | None = None
        self._open = open_gateway
        self._clock = clock
        self._lock = lock
        self._budget = budget
        self._backoff = Backoff(1.0 if target == "embedded" else 5.0, random_)
        self._status = HubStatus(target=target)
        self._may_start = True

    def status(self, **more: Any) -> HubStatus:
        """The state now."""
        with self._lock:
            status = replace(self._status, **more)
            if self.gateway is None:
                return status
            meter = self.gateway.budget
            return replace(
                status,
                calls_per_minute=meter.calls_per_minute,
                calls=meter.calls,
                throttles=meter.throttles,
                tokens=round(meter.tokens, 1),
            )

    def connect(self) -> Metered:
        """The metered gateway, opened when there is none. It may block, and raises what opening raises."""
        with self._lock:
            if self.gateway is not None:
                return self.gateway
            may_start, self._may_start = self._may_start, False
        try:
            gateway = self._open(may_start)
            meter = self._budget or budgets.shared(gateway.target, gateway.account, gateway.region)
            metered = Metered(gateway, meter)
        finally:
            with self._lock:
                self.connecting = False
        with self._lock:
            if self.gateway is None:
                self.gateway = metered
                self._status = replace(self._status, region=gateway.region, account=gateway.account)
            return self.gateway

    def probe_due(self) -> float | None:
        """When to find out by `probe` whether the backend is there, in monotonic seconds; None: it is, or that is under way."""
        if self._status.backend == "ok" or self.probing or self.connecting:
            return None
        return self.retry_due or 0.0

    def probe(self) -> None:
        """Ask who one is: the cheapest question there is. It may block, and raises what the answer raises."""
        try:
            answered(self.connect(), "sts", "get_caller_identity")
        finally:
            with self._lock:
                self.probing = False
        self.answered()

    def begin_connecting(self) -> None:
        """A worker thread is about to connect: others wait for it."""
        self.connecting = True
        if self._status.backend != "lost":
            self._status = replace(self._status, backend="connecting")

    def answered(self) -> None:
        """A call was answered."""
        with self._lock:
            self._backoff.reset()
            self.retry_due = None
            self._status = replace(
                self._status, backend="ok", problem=None, retry_at=None, throttled_until=None
            )

    def lost(self, problem: Problem) -> float:
        """Nothing can be expected of the connection any more. Returns the seconds until it is opened again."""
        with self._lock:
            self.gateway = None
            now = self._clock.monotonic()
            if self.retry_due is None or self.retry_due <= now:
                self.retry_due = now + self._backoff.next()
            wait = self.retry_due - now
            self._status = replace(
                self._status, backend="lost", problem=problem, retry_at=self._clock.time() + wait
            )
            return wait

    def unanswered(self, problem: Problem) -> None:
        """A call hangs; the connection is kept."""
        with self._lock:
            self._status = replace(self._status, backend="lost", problem=problem)

    def throttled(self, wait: float) -> None:
        """The service asks for fewer calls."""
        with self._lock:
            self._status = replace(self._status, backend="ok", throttled_until=self._clock.time() + wait)

    def retry_now(self) -> None:
        """A person asked: do not wait for the next attempt, and start what does not run."""
        self.retry_due = None
        self._may_start = True
