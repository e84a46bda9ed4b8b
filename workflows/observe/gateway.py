"""What the observing functions need of a platform: clients by service name. Every call goes through the budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from workflows.budget import Budget
from workflows.explain import explain, throttled
from workflows.observe import log_events
from workflows.problem import Problem

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20
"""Seconds. A poll that takes longer is worth less than the next one."""


def impatient_config() -> Any:
    """botocore options of what observes: one attempt and short timeouts, because the hub tries again and says so."""
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=16,
        user_agent_extra="app/mlconsole",
    )


class Gateway(Protocol):
    """One account and region. `workflows.platform.Platform` is one, and so is `Metered`."""

    target: str
    region: str
    account: str

    def client(self, service: str) -> Any:
        """A client with boto3's methods."""


class Metered:
    """A gateway whose calls wait for the budget and are counted, and whose errors are `Problem`.

    Clients are made without botocore's own retries, which would spend calls that nobody counts: the hub retries.
    """

    def __init__(self, gateway: Gateway, budget: Budget) -> None:
        self.gateway = gateway
        self.budget = budget
        self.target = gateway.target
        self.region = gateway.region
        self.account = gateway.account
        self.time_scale = float(getattr(gateway, "time_scale", 1.0))
        self.bucket = str(getattr(gateway, "bucket", ""))
        self.kept: dict[Any, tuple[float, Any]] = {}
        """What several pollers ask for, with the epoch seconds of the answer: they need not ask one by one."""
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    def client(self, service: str) -> _Client:
        """The metered client of a service for background polls."""
        return _Client(self, service, urgent=False)

    def urgent(self) -> Urgent:
        """The same gateway for what a person has just asked for: it may use the budget's reserve."""
        return Urgent(self)

    def plain(self, service: str) -> Any:
        """The client itself, with short timeouts where a boto3 session is behind the gateway."""
        with self._making:  # thirty polls begin at once: a client costs 20 MB and 0.1 s
            return self._plain(service)

    def _plain(self, service: str) -> Any:
        if service not in self._clients:
            session = getattr(self.gateway, "session", None)
            if session is None:
                self._clients[service] = self.gateway.client(service)
            else:
                url = getattr(self.gateway, "endpoint_url", "") or None
                made = session.client(service, config=impatient_config(), endpoint_url=url)
                if service == "logs":
                    log_events.register(made)
                self._clients[service] = made
        return self._clients[service]


class Urgent:
    """A metered gateway with priority, because a person has ``asked``."""

    asked = True

    def __init__(self, metered: Metered) -> None:
        self._metered = metered
        self.target = metered.target
        self.region = metered.region
        self.account = metered.account
        self.time_scale = metered.time_scale
        self.bucket = metered.bucket
        self.kept = metered.kept

    def client(self, service: str) -> _Client:
        return _Client(self._metered, service, urgent=True)


class _Client:
    """Passes method calls on to a boto3 client, one token at a time."""

    def __init__(self, metered: Metered, service: str, *, urgent: bool) -> None:
        self._metered = metered
        self._service = service
        self._urgent = urgent

    def __getattr__(self, method: str) -> Callable[..., Any]:
        budget, target = self._metered.budget, self._metered.target

        def call(**parameters: Any) -> Any:
            budget.acquire(self._service, urgent=self._urgent)
            try:
                answer = getattr(self._metered.plain(self._service), method)(**parameters)
            except Exception as error:
                problem = explain(error, target)
                if throttled(problem):
                    budget.throttled()
                raise problem from error
            budget.succeeded()
            return answer

        return call


def answered(gateway: Gateway, service: str, method: str, **parameters: Any) -> dict[str, Any]:
    """One call and its answer.

    Raises:
        Problem: The call failed, or the answer is not an object.
    """
    try:
        answer = getattr(gateway.client(service), method)(**parameters)
    except Problem:
        raise
    except Exception as error:
        raise explain(error, gateway.target) from error
    if not isinstance(answer, dict):
        raise garbage()
    return answer


def garbage() -> Problem:
    """What is said about an answer that no AWS service gives."""
    return Problem("The answer could not be understood.", "`mlconsole doctor` tells what is used.", "garbage")
