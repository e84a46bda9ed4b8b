"""Which windows an epoch trains on: as many as there are series, and ten mini-batches at least."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from algorithms.builtin.deepar.windows import Ints, Panel

BATCHES: Final = 10
"""An epoch has at least this many mini-batches, however few series there are."""


@dataclass(frozen=True, slots=True)
class Passes:
    """How an epoch goes through the series: so many passes, each series taken with a probability."""

    count: int
    probability: float

    @classmethod
    def plan(cls, series: int, batch: int) -> Passes:
        """One pass, or as many as give ten mini-batches."""
        wanted = BATCHES * batch
        if series >= wanted:
            return cls(1, 1.0)
        count = math.ceil(wanted / series)
        return cls(count, wanted / (count * series))


def windows(panel: Panel, horizon: int, passes: Passes, random: np.random.Generator) -> tuple[Ints, Ints]:
    """The windows of one epoch, in random order: series and the point where the horizon begins.

    Every point is equally likely, so a long series gives more windows than a short one; on average each visit gives one.
    """
    positions = panel.lengths - horizon + 1
    mean = positions.mean()
    visits = (
        random.binomial(passes.count, passes.probability, len(panel))
        if passes.probability < 1
        else passes.count
    )
    counts = random.poisson(visits * positions / mean)
    if not counts.sum():
        counts[random.integers(len(panel))] = 1
    rows = np.repeat(np.arange(len(panel)), counts)
    random.shuffle(rows)
    return rows, random.integers(0, positions[rows])
