"""Deletes endpoints when their lifetime is over, for as long as somebody lets it run. Nobody else enforces a lifetime."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.sweep.leftovers import Outcome, Rules
from workflows.sweep.plan import plan
from workflows.sweep.removal import remove

SHORTEST = 5.0
"""Seconds between two looks, at least."""


def watch(
    gateway: Gateway,
    rules: Rules,
    every: float,
    ended: threading.Event,
    *,
    now: Callable[[], float],
    told: Callable[[Outcome], None],
    failed: Callable[[Problem], None],
    looked: Callable[[int], None] | None = None,
) -> int:
    """Look every so many seconds, and delete what may go by the rules, until ``ended`` is set.

    A look that fails is told and tried again at the next time: a lost connection must not end the watching.

    Args:
        looked: Hears after each look how many things were deleted.

    Returns:
        How many things were deleted.
    """
    total = 0
    while not ended.is_set():
        count = 0
        try:
            found = plan(gateway, rules, now()).free
            if found:
                report = remove(gateway, found, rules, now=now, pause=ended.wait, told=told)
                count = len(report.deleted)
        except Problem as problem:
            failed(problem)
        total += count
        if looked is not None:
            looked(count)
        ended.wait(max(SHORTEST, every))
    return total
