"""How long a tuning job will still take and what it will cost, from the trials that have ended.

The rest of the job is played through many times: free slots take the next trial, each trial takes as long as one drawn
from those that have ended, and a slot stays empty between two trials for as long as it did so far.
"""

from __future__ import annotations

import bisect
import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workflows import costs
from workflows.observe.tuning_rows import TrialRow, TuningDetail, TuningView

PLAYS = 200
"""How often the rest is played through, fewer times for very long jobs."""
MOST_STEPS = 20_000
"""Trials over all plays: about 20 ms."""
INTERVAL = 0.8
"""The part of the plays between ``low`` and ``high``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Time and cost of a tuning job: so far, and still to come.

    Args:
        trials_left: Trials that are not launched yet, as far as the limits allow; None: there is no limit on their number.
        seconds_left: In the middle of the plays, with ``low`` and ``high`` around them; None: nothing to go by yet.
        cost: US dollars so far, of all trials whose instance type has a known price.
        cost_left: US dollars still to come; None: not known.
        unknown: Instance types without a known price; their costs are in no figure.
        basis: What the forecast stands on, as a sentence.
    """

    trials_left: int | None
    seconds_left: float | None
    low: float | None
    high: float | None
    cost: float
    cost_left: float | None
    unknown: tuple[str, ...] = ()
    basis: str = ""


def forecast(view: TuningView, now: float, seed: int = 0) -> Forecast:
    """What is still to come of a tuning job; nothing once it has ended.

    The estimate is an upper one where the job has a completion criterion that may end it earlier: ``basis`` says so.

    Args:
        now: Epoch seconds.
        seed: Of the draws, so that the same trials give the same forecast.
    """
    detail, trials = view.detail, view.trials
    spent, unknown = _spent(detail, trials, now)
    if not detail.row.active:
        return Forecast(
            trials_left=0, seconds_left=0.0, low=0.0, high=0.0, cost=spent, cost_left=0.0, unknown=unknown
        )
    stopping = detail.row.status != "InProgress"
    waiting = 0 if stopping else _waiting(detail, trials)
    walls = [trial.ended - trial.created for trial in trials if trial.ended is not None]
    bare = Forecast(
        trials_left=waiting,
        seconds_left=None,
        low=None,
        high=None,
        cost=spent,
        cost_left=None,
        unknown=unknown,
    )
    if not walls or waiting is None:
        return _with_basis(bare, detail, len(walls))
    running = [max(0.0, now - trial.created) for trial in trials if trial.active]
    slots = max(1, detail.row.parallel, len(running))
    plays = max(20, min(PLAYS, MOST_STEPS // max(1, waiting)))
    draw = random.Random(seed)
    gap = _gap(trials)
    ends = sorted(_play(walls, running, waiting, slots, gap, draw) for _ in range(plays))
    if detail.max_runtime:
        until = max(0.0, detail.row.created + detail.max_runtime - now)
        ends = [min(end, until) for end in ends]
    edge = (1 - INTERVAL) / 2
    found = Forecast(
        trials_left=waiting,
        seconds_left=ends[len(ends) // 2],
        low=ends[int(edge * (len(ends) - 1))],
        high=ends[int((1 - edge) * (len(ends) - 1))],
        cost=spent,
        cost_left=_cost_left(detail, trials, now, waiting),
        unknown=unknown,
    )
    return _with_basis(found, detail, len(walls))


def _waiting(detail: TuningDetail, trials: Sequence[TrialRow]) -> int | None:
    if not detail.row.most_jobs:
        return None
    return max(0, detail.row.most_jobs - max(len(trials), detail.row.counts.launched))


def _play(
    walls: list[float], running: list[float], waiting: int, slots: int, gap: float, draw: random.Random
) -> float:
    """Seconds until the last trial has ended, once. A running trial takes at least as long as it has run."""
    busy = []
    for elapsed in running:
        longer = [wall for wall in walls if wall > elapsed]
        busy.append(draw.choice(longer) - elapsed if longer else 0.1 * elapsed)
    free = busy + [0.0] * (slots - len(busy))
    heapq.heapify(free)
    last = max(busy, default=0.0)
    for _ in range(waiting):
        end = heapq.heappop(free) + gap + draw.choice(walls)
        last = max(last, end)
        heapq.heappush(free, end)
    return last


def _gap(trials: Sequence[TrialRow]) -> float:
    """Mean seconds that passed between the end of a trial and the creation of the next one."""
    ends = sorted(trial.ended for trial in trials if trial.ended is not None)
    gaps = []
    for trial in trials:
        before = bisect.bisect_right(ends, trial.created)
        if before:
            gaps.append(trial.created - ends[before - 1])
    return sum(gaps) / len(gaps) if gaps else 0.0


def _spent(detail: TuningDetail, trials: Sequence[TrialRow], now: float) -> tuple[float, tuple[str, ...]]:
    found = [trial.cost if trial.ended is not None else _running_cost(detail, trial, now) for trial in trials]
    kinds = [kind for definition in detail.definitions for kind, _ in definition.instances]
    unknown = tuple(dict.fromkeys(kind for kind in kinds if costs.per_hour(kind, costs.TRAINING) is None))
    return sum(cost for cost in found if cost is not None), unknown


def _running_cost(detail: TuningDetail, trial: TrialRow, now: float) -> float | None:
    definition = detail.definition(trial.definition)
    if definition is None:
        return None
    return costs.total(definition.instances, trial.seconds(now) if trial.started is not None else 0.0)


def _cost_left(detail: TuningDetail, trials: Sequence[TrialRow], now: float, waiting: int) -> float | None:
    """Mean training time of the ended trials, less what the running ones have had, at the mean price of the definitions."""
    prices = []
    for definition in detail.definitions:
        known = [(costs.per_hour(kind, costs.TRAINING), count) for kind, count in definition.instances]
        if not known or any(price is None for price, _ in known):
            return None
        prices.append(sum((price or 0.0) * count for price, count in known) / 3600)
    trained = [
        trial.ended - trial.started
        for trial in trials
        if trial.ended is not None and trial.started is not None
    ]
    if not prices or not trained:
        return None
    mean = sum(trained) / len(trained)
    rest = sum(
        max(0.0, mean - (trial.seconds(now) if trial.started is not None else 0.0))
        for trial in trials
        if trial.active
    )
    return sum(prices) / len(prices) * (rest + waiting * mean)


def _with_basis(found: Forecast, detail: TuningDetail, ended: int) -> Forecast:
    if found.trials_left is None:
        basis = "There is no limit on the number of trials: it ends at its time limit or by a completion criterion."
    elif not ended:
        basis = "No trial has ended yet."
    else:
        basis = f"From {ended} ended trial{'s' if ended != 1 else ''}."
        if detail.target_value is not None or detail.most_not_improving or detail.complete_on_convergence:
            basis += " A completion criterion may end it earlier."
    return replace(found, basis=basis)
