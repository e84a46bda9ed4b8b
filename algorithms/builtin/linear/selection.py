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
    * ``loss_function``: the loss's own threshold, 0 (a probability of one half); the value is the accuracy there.

    Where no threshold meets the target, the one that comes closest to it is taken. A threshold lies in the middle between two
    neighbouring scores, so that it does not depend on rounding.

    Args:
        scores: What the line gives (for a logistic loss the logit), shape (n,), finite float32.
        labels: Shape (n,), 0 or 1.
    """
    order = np.argsort(scores)[::-1]
    ranked = scores[order]
    positive = labels[order] > 0.5
    total, rows = int(positive.sum()), len(scores)
    # Rows of one score are predicted alike: only the last of each run is a place to cut. A run without a positive row makes
    # every criterion worse, so that only places behind runs with one (and the very beginning) can be best.
    last = np.append(ranked[1:] != ranked[:-1], True)
    runs = np.flatnonzero(last)
    found = np.cumsum(positive)[runs]
    useful = np.append(found[:1] > 0, found[1:] > found[:-1])
    ends, hits = runs[useful], np.append(0, found[useful])
    taken = np.append(0, ends + 1)
    del order, positive, last, runs, found, useful
    precision = hits / np.maximum(taken, 1)
    recall = hits / max(total, 1)
    criterion = settings.criterion
    reached = True
    if criterion == "loss_function":
        return _at_threshold(scores, labels, 0.0)
    if criterion == "accuracy":
        value = (2 * hits + (rows - total) - taken) / rows
        best = _best(value, precision)
    elif criterion == "f_beta":
        square = settings.f_beta**2
        value = (1 + square) * hits / np.maximum(square * total + taken, 1e-300)
        best = _best(value, precision)
    elif criterion == "precision_at_target_recall":
        value, best, reached = _at_target(precision, recall, settings.target_recall)
    else:
        # No row predicted positive has no precision at all.
        value, best, reached = _at_target(recall, precision, settings.target_precision, skip_none=True)
    threshold = _middle(ranked, int(taken[best]))
    return Cut(threshold, float(value[best]), reached, float(precision[best]), float(recall[best]))


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


def _middle(ranked: Array, taken: int) -> float:
    """A threshold between the first ``taken`` scores of a falling list and the others."""
    if taken == 0:
        return float(np.nextafter(np.float32(ranked[0]), np.float32(np.inf)))
    if taken == len(ranked):
        return float(np.nextafter(np.float32(ranked[-1]), np.float32(-np.inf)))
    return (float(ranked[taken - 1]) + float(ranked[taken])) / 2


def _at_threshold(scores: Array, labels: Array, threshold: float) -> Cut:
    chosen, positive = scores >= threshold, labels > 0.5
    hits, taken, total = int((chosen & positive).sum()), int(chosen.sum()), int(positive.sum())
    accuracy = float((chosen == positive).mean())
    return Cut(threshold, accuracy, True, hits / max(taken, 1), hits / max(total, 1))
