"""Waiting: short polls where they are free, a budget on AWS, and an end at once when the run is cancelled."""

from __future__ import annotations

import threading

import pytest

from workflows.failures import Cancelled, WorkflowError
from workflows.interfaces.waiting import AWS, EMBEDDED, Pace, Waiter, pace_of


class Clockless(threading.Event):
    """An event that notes how long it was waited for instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        return self.is_set()


def test_polls_become_rarer_while_nothing_changes_and_dense_again_on_news() -> None:
    clock = Clockless()
    news = iter([1, 1, 1, 1, 2, 2, 3])
    waiter = Waiter(Pace(0.1, 1.0, 2.0), clock)

    def poll() -> tuple[bool, object]:
        state = next(news)
        return state == 3, state

    waiter.until(poll, "it", 60)
    assert clock.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 0.1, 0.2])


def test_the_pace_has_bounds_and_jitter() -> None:
    clock = Clockless()
    states = iter(range(1))
    draws = iter([0.0, 1.0, 0.5] * 20)
    waiter = Waiter(AWS, clock, draw=lambda: next(draws))
    count = 0

    def poll() -> tuple[bool, object]:
        nonlocal count
        count += 1
        next(states, None)
        return count > 20, ""

    waiter.until(poll, "it", 3600)
    assert min(clock.pauses) >= AWS.shortest * (1 - AWS.jitter)
    assert max(clock.pauses) <= AWS.longest * (1 + AWS.jitter)
    assert len(set(clock.pauses[-6:])) > 1


def test_a_cancelled_run_stops_waiting_unless_it_cleans_up() -> None:
    cancelled = threading.Event()
    cancelled.set()
    waiter = Waiter(EMBEDDED, cancelled)
    with pytest.raises(Cancelled):
        waiter.until(lambda: (True, ""), "it", 10)
    waiter.until(lambda: (True, ""), "it", 10, cancellable=False)


def test_the_time_over_is_told_in_a_sentence() -> None:
    waiter = Waiter(Pace(0.01, 0.01, 1.0), threading.Event())
    with pytest.raises(WorkflowError, match=r"Training job x took longer than 0 s\. Resume"):
        waiter.until(lambda: (False, ""), "Training job x", 0.05)


def test_targets_have_their_paces() -> None:
    assert pace_of("embedded") is EMBEDDED
    assert pace_of("aws") is AWS
    assert EMBEDDED.longest <= 1.0
    assert AWS.shortest >= 5.0
