"""What the trials of a tuning job show: the leaderboard, the best so far, the objective against each hyperparameter.

Everything here is pure and quick (linear or n log n in the number of trials); it may run on an event loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workflows.observe.tuning_rows import Direction, Objective, Range, TrialRow, TuningDetail

Scale = Literal["linear", "log", "reverse-log", "category"]

LOGARITHMIC_FROM = 100.0
"""``Auto`` is taken for logarithmic when the upper bound is this many times the lower one and that is above zero.
SageMaker does not tell what it chose; this only decides how an axis is drawn."""


def scored(trials: Iterable[TrialRow]) -> tuple[TrialRow, ...]:
    """The trials with a final objective value, as they come. NaN and infinite values count as none."""
    return tuple(trial for trial in trials if trial.value is not None and math.isfinite(trial.value))


def leaderboard(trials: Iterable[TrialRow], direction: Direction) -> tuple[TrialRow, ...]:
    """All trials, the best first; equal values by time of creation; those without a value after them, newest first."""
    everything = tuple(trials)
    ranked = scored(everything)
    known = {id(trial) for trial in ranked}
    sign = 1.0 if direction == "Minimize" else -1.0
    best_first = sorted(ranked, key=lambda trial: (sign * (trial.value or 0.0), trial.created, trial.name))
    rest = [trial for trial in everything if id(trial) not in known]
    return (*best_first, *sorted(rest, key=lambda trial: (-trial.created, trial.name)))


def sort_key(trial: TrialRow, column: str, now: float) -> tuple[int, float, str] | None:
    """What a trial is sorted by in a column (those of `ordered`): numbers come before texts. None: it has nothing there."""
    found: str | float | None
    match column:
        case "name":
            found = trial.name
        case "status":
            found = trial.status
        case "value":
            found = trial.value
        case "created":
            found = trial.created
        case "duration":
            found = trial.seconds(now)
        case "cost":
            found = trial.cost
        case _:
            text = trial.tuned.get(column)
            value = number(text) if text is not None else None
            found = text if value is None else value
    if isinstance(found, str):
        return 1, 0.0, found
    return (0, float(found), "") if found is not None and math.isfinite(found) else None


def ordered(
    trials: Iterable[TrialRow], column: str, *, now: float, descending: bool = False
) -> tuple[TrialRow, ...]:
    """The trials by a column: ``name``, ``status``, ``value``, ``created``, ``duration``, ``cost`` or a hyperparameter.

    Numbers are compared as numbers; trials that have nothing in the column are last in either order.
    """
    keyed = [(sort_key(trial, column, now), trial) for trial in trials]
    known = [(key, trial) for key, trial in keyed if key is not None]
    known.sort(key=lambda pair: (pair[0][1:], pair[1].created), reverse=descending)
    known.sort(key=lambda pair: pair[0][0])  # numbers stay before texts
    return (*(trial for _, trial in known), *(trial for key, trial in keyed if key is None))


@dataclass(frozen=True, slots=True)
class ProgressPoint:
    """The ``number``-th trial that ended with a value (from 1): when, its value, and the best value until then."""

    number: int
    time: float
    value: float
    best: float
    improved: bool
    trial: str


def best_so_far(trials: Iterable[TrialRow], direction: Direction) -> tuple[ProgressPoint, ...]:
    """The values in the order in which their trials ended, each with the best one until then."""
    objective = Objective(name="", direction=direction)
    done = sorted(scored(trials), key=lambda trial: (trial.ended or trial.created, trial.name))
    points: list[ProgressPoint] = []
    for place, trial in enumerate(done, 1):
        value = float(trial.value or 0.0)
        improved = not points or objective.better(value, points[-1].best)
        best = value if improved else points[-1].best
        points.append(ProgressPoint(place, trial.ended or trial.created, value, best, improved, trial.name))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class AgainstPoint:
    """One trial in a chart of the objective against a hyperparameter; ``x`` is a category's index where there are some."""

    x: float
    value: float
    trial: str
    early_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Against:
    """The objective against one hyperparameter. ``scale`` is that of the x axis, ``low`` and ``high`` its searched bounds."""

    parameter: str
    scale: Scale
    low: float
    high: float
    points: tuple[AgainstPoint, ...]
    categories: tuple[str, ...] = ()


def against(detail: TuningDetail, trials: Sequence[TrialRow]) -> tuple[Against, ...]:
    """One chart per searched hyperparameter, in the order of the ranges; trials that did not have it are left out."""
    return tuple(_against(item, trials) for item in _ranges(detail, trials))


def scale_of(item: Range) -> Scale:
    """How the axis of a range is drawn; see `LOGARITHMIC_FROM` for ``Auto``."""
    if not item.numeric:
        return "category"
    if item.scaling == "ReverseLogarithmic":
        return "reverse-log" if item.high < 1 else "linear"
    wide = item.low > 0 and item.high / item.low >= LOGARITHMIC_FROM
    if item.low > 0 and (item.scaling == "Logarithmic" or (item.scaling == "Auto" and wide)):
        return "log"
    return "linear"


def position(item: Range, text: str) -> float | None:
    """Where a value lies on its axis: 0 at the lower bound, 1 at the upper one; categories are evenly spaced.

    None for a value that is no number, or no known category.
    """
    if not item.numeric:
        if text not in item.values:
            return None
        return item.values.index(text) / max(1, len(item.values) - 1)
    value = number(text)
    if value is None:
        return None
    match scale_of(item):
        case "log":
            low, high, at = math.log(item.low), math.log(item.high), math.log(max(value, 1e-300))
        case "reverse-log":
            low, high, at = (
                -math.log(1 - item.low),
                -math.log(1 - item.high),
                -math.log(max(1 - value, 1e-300)),
            )
        case _:
            low, high, at = item.low, item.high, value
    return (at - low) / (high - low) if high != low else 0.5


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the parallel view: the range, and what stands at its ends (for categories: at each of them)."""

    range: Range
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParallelLine:
    """One trial across all axes: a position from 0 to 1 per axis (None: it has no value there), and its objective value."""

    trial: str
    positions: tuple[float | None, ...]
    value: float
    early_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Parallel:
    """The parallel view: axes, lines (best first), and the least and greatest objective value."""

    axes: tuple[Axis, ...]
    lines: tuple[ParallelLine, ...]
    low: float
    high: float


def parallel(detail: TuningDetail, trials: Sequence[TrialRow]) -> Parallel:
    """Every scored trial as a line across the axes of the searched hyperparameters."""
    ranges = _ranges(detail, trials)
    direction = detail.objective.direction if detail.objective else "Minimize"
    best_first = leaderboard(scored(trials), direction)
    lines = tuple(
        ParallelLine(
            trial.name,
            tuple(
                position(item, trial.tuned[item.name]) if item.name in trial.tuned else None
                for item in ranges
            ),
            float(trial.value or 0.0),
            trial.early_stopped,
        )
        for trial in best_first
    )
    values = [line.value for line in lines] or [0.0]
    axes = tuple(
        Axis(item, item.values if not item.numeric else (item.low_text or f"{item.low:g}", item.high_text or f"{item.high:g}"))
        for item in ranges
    )  # fmt: skip
    return Parallel(axes, lines, min(values), max(values))


def number(text: str) -> float | None:
    """The number that a hyperparameter's text is; None where it is none. SDK v2 sends texts within quotes."""
    try:
        value = float(text.strip().strip('"'))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _against(item: Range, trials: Sequence[TrialRow]) -> Against:
    points = []
    for trial in scored(trials):
        text = trial.tuned.get(item.name)
        if text is None:
            continue
        x = number(text)
        if not item.numeric:
            x = float(item.values.index(text)) if text in item.values else None
        if x is not None:
            points.append(AgainstPoint(x, float(trial.value or 0.0), trial.name, trial.early_stopped))
    points.sort(key=lambda point: point.x)
    high = item.high if item.numeric else max(0, len(item.values) - 1)
    return Against(item.name, scale_of(item), item.low, float(high), tuple(points), item.values)


def _ranges(detail: TuningDetail, trials: Sequence[TrialRow]) -> tuple[Range, ...]:
    """The ranges as they are drawn: Autotune's without bounds get those of the trials."""
    return tuple(_found(item, trials) if item.kind == "auto" else item for item in detail.ranges)


def _found(item: Range, trials: Sequence[TrialRow]) -> Range:
    texts = [trial.tuned[item.name] for trial in trials if item.name in trial.tuned] or [item.hint]
    values = [value for value in map(number, texts) if value is not None]
    if len(values) == len(texts):
        return Range(name=item.name, kind="continuous", low=min(values), high=max(values))
    return Range(name=item.name, kind="categorical", values=tuple(dict.fromkeys(texts)))
