"""Calibrating a binary classifier's threshold, and comparing models by the customer's criterion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear.hyperparameters import Settings

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold and what it gives on the rows it was chosen on.

    Attributes:
        threshold: Rows with a score at or above it are predicted positive.
        value: The criterion, more is better.
        reached: Whether the target recall or precision is met; True for criteria without a target.
    """

    threshold: float
    value: float
    reached: bool
    precision: float
    recall: float

    @property
    def merit(self) -> float:
        """What cuts are compared by: the criterion where the target is met, else below 0 by what the precision lacks to 1."""
        return self.value if self.reached else self.precision - 1


def calibrate(scores: Array, labels: Array, settings: Settings) -> Cut:
    """The threshold that is best for the settings' criterion.

    * ``accuracy``: most rows right. ``f_beta``: largest F.
    * ``precision_at_target_recall``: the largest precision among thresholds with at least the target recall.
    * ``recall_at_target_precision``: the largest recall among thresholds with at least the target precision.
    * ``loss_function``: the loss's own threshold; the value is the accuracy there.

    Where no threshold meets the target, the one that comes closest to it is taken. A threshold lies in the middle between two
    neighbouring scores, so that it does not depend on rounding.

    Args:
        scores: Shape (n,), finite.
        labels: Shape (n,), 0 or 1.
    """
    order = np.argsort(scores)[::-1]
    ranked = scores[order].astype(np.float64)
    positive = labels[order] > 0.5
    # Rows of one score are predicted alike: only the last of each run is a place to cut.
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    taken = np.append(0, ends + 1)
    hits = np.append(0, np.cumsum(positive)[ends])
    total = int(positive.sum())
    rows = len(scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(taken > 0, hits / np.maximum(taken, 1), 0.0)
        recall = hits / total if total else np.zeros(len(hits))
    accuracy = (hits + (rows - total) - (taken - hits)) / rows
    default = loss_threshold(settings)
    criterion = settings.criterion
    reached = True
    if criterion == "loss_function":
        at = int(np.searchsorted(-ranked[ends], -default, side="right"))
        return Cut(default, float(accuracy[at]), True, float(precision[at]), float(recall[at]))
    if criterion == "accuracy":
        value = accuracy
        best = _best(value, -np.abs(_middles(ranked, ends) - default))
    elif criterion == "f_beta":
        square = settings.f_beta**2
        value = (1 + square) * hits / np.maximum(square * total + taken, 1e-300)
        best = _best(value, precision)
    elif criterion == "precision_at_target_recall":
        value, best, reached = _at_target(precision, recall, settings.target_recall)
    else:
        # No row predicted positive has no precision at all.
        value, best, reached = _at_target(recall, precision, settings.target_precision, skip_none=True)
    threshold = float(_middles(ranked, ends)[best])
    return Cut(threshold, float(value[best]), reached, float(precision[best]), float(recall[best]))


def loss_threshold(settings: Settings) -> float:
    """The threshold that goes with the loss alone: a probability of one half, or a margin of 0."""
    return 0.0 if settings.loss == "hinge_loss" else 0.5


def _at_target(
    value: Array, constraint: Array, target: float, *, skip_none: bool = False
) -> tuple[Array, int, bool]:
    start = 1 if skip_none and len(value) > 1 else 0
    meets = constraint >= target - 1e-12
    meets[:start] = False
    if meets.any():
        allowed = np.where(meets, value, -1.0)
        return value, _best(allowed, constraint), True
    # The closest: the constraint as large as it gets, and then the value.
    nearest = constraint.copy()
    nearest[:start] = -1.0
    return value, _best(nearest, value), False


def _best(value: Array, then: Array) -> int:
    top = np.flatnonzero(value == value.max())
    return int(top[np.argmax(then[top])])


def _middles(ranked: NDArray[np.float64], ends: NDArray[np.intp]) -> NDArray[np.float64]:
    """A threshold for each number of runs taken, from none to all."""
    levels = ranked[ends]
    between = (levels[:-1] + levels[1:]) / 2
    above = np.nextafter(np.float32(levels[0]), np.float32(np.inf))
    below = np.nextafter(np.float32(levels[-1]), np.float32(-np.inf))
    result: NDArray[np.float64] = np.concatenate([[above], between, [below]]).astype(np.float64)
    return result
