"""Early stopping of type Auto: the median rule that SageMaker documents."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

MINIMUM = 3
"""From how many completed trainings on the rule is applied: the median of one or two would stop every other job at once."""


def hopeless(
    curve: Sequence[float], epoch: int, previous: Sequence[Sequence[float]], *, minimize: bool
) -> bool:
    """Whether a training should be stopped after an epoch.

    Its value then is compared with the median, over the completed trainings that came so far, of the mean of their values up to
    the same epoch (SageMaker developer guide, "Stop training jobs early"). Equal is not worse.

    Args:
        curve: The training's objective, one value an epoch.
        epoch: Counts from 0.
        previous: The curves of completed trainings.
    """
    averages = [fmean(other[: epoch + 1]) for other in previous if len(other) > epoch]
    if len(averages) < MINIMUM:
        return False
    middle = median(averages)
    return curve[epoch] > middle if minimize else curve[epoch] < middle


def first_hopeless(
    curve: Sequence[float], start: int, previous: Sequence[Sequence[float]], *, minimize: bool
) -> int | None:
    """The first epoch from ``start`` on after which a training should be stopped, None when there is none."""
    return next(
        (epoch for epoch in range(start, len(curve)) if hopeless(curve, epoch, previous, minimize=minimize)),
        None,
    )
