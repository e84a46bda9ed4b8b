"""Hyperband: many short trainings, of which only the better third goes on at each rung.

SageMaker's training jobs cannot be paused, so the rungs are decided while jobs run: whoever is not among the best third of those
that came to the same rung of its bracket is stopped there (asynchronous successive halving by stopping, Li et al. 2020, in
the brackets of Hyperband, Li et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

REDUCTION = 3
RESOURCE_KEYS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Static hyperparameters from which MaxResource is inferred."""
LARGEST = 20_000


def rungs(smallest: int, largest: int) -> list[int]:
    """The epochs at which trainings are compared, from ``smallest`` on, all below ``largest``."""
    found = []
    level = smallest
    while level < largest:
        found.append(level)
        level *= REDUCTION
    return found


def next_bracket(levels: int, taken: Sequence[int]) -> int:
    """The bracket of the next training; bracket b leaves out the first b rungs.

    The brackets get shares as in Hyperband, where one with s rungs starts ``ceil((levels + 1) / (s + 1)) * 3 ** s`` trainings.

    Args:
        levels: How many rungs there are.
        taken: How many trainings each bracket has (`levels` + 1 of them).
    """
    weights = [math.ceil((levels + 1) / (left + 1)) * REDUCTION**left for left in range(levels, -1, -1)]
    return min(range(levels + 1), key=lambda bracket: ((taken[bracket] + 1) / weights[bracket], bracket))


def goes_on(value: float, others: Sequence[float], *, minimize: bool) -> bool:
    """Whether a training is among the best third of those at its rung; until three have come everybody is.

    Args:
        others: The values of the other trainings of the bracket at this rung.
    """
    count = len(others) + 1
    if count < REDUCTION:
        return True
    better = sum(1 for other in others if (other < value if minimize else other > value))
    return better < math.ceil(count / REDUCTION)


def loses(
    curve: Sequence[float],
    start: int,
    levels: Sequence[int],
    others: Sequence[Sequence[float]],
    *,
    largest: int,
    minimize: bool,
) -> bool:
    """Whether a training is to be stopped, looking at its values from ``start`` on.

    Args:
        levels: The rungs of its bracket.
        others: The curves of the bracket's other trainings.
        largest: What goes on beyond this number of epochs is stopped.
    """
    for level in levels:
        if start < level <= len(curve):
            there = [other[level - 1] for other in others if len(other) >= level]
            if not goes_on(curve[level - 1], there, minimize=minimize):
                return True
    return len(curve) > largest
