"""The streaming part of web-scale K-Means: K = k x extra_center_factor centres that follow the mini-batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.kmeans import lloyd
from algorithms.builtin.kmeans.lloyd import Doubles, Floats


class Centers:
    """Centres c that move towards the rows nearest to them: c <- (1 - p) c + p x mean, p = new / (old + new).

    Args:
        start: The centres to begin with, shape (K, d).
        half_life: After so many rows the weight of a row is 1/2; 0 for no decay.
    """

    def __init__(self, start: Floats, half_life: int) -> None:
        self.values = start.astype(np.float64)
        self.weights: Doubles = np.zeros(len(start))
        self._half_life = half_life
        self.msd = 0.0

    def update(self, rows: Floats) -> None:
        """Take a mini-batch of shape (b, d); ``msd`` becomes its mean squared distance to the centres before."""
        current = self.values.astype(np.float32)
        labels = lloyd.nearest(rows, current)
        fresh = np.bincount(labels, minlength=len(current)).astype(np.float64)
        self.msd = float(lloyd.distances(rows, current, labels).mean())
        if self._half_life:
            self.weights *= 0.5 ** (len(rows) / self._half_life)
        total = self.weights + fresh
        hit = fresh > 0
        moved = lloyd.sums(rows, labels, len(current))[hit]
        kept = self.values[hit] * self.weights[hit, None]
        self.values[hit] = (kept + moved) / total[hit, None]
        self.weights = total

    def points(self) -> tuple[Floats, Doubles]:
        """The centres that rows went to, and their weights."""
        used = self.weights > 0
        return self.values[used].astype(np.float32), self.weights[used]


class Reservoir:
    """A uniform sample of all rows seen (Vitter's algorithm R), at most ``capacity`` of them."""

    def __init__(self, capacity: int, dimension: int, random: np.random.Generator) -> None:
        self._rows = np.empty((capacity, dimension), np.float32)
        self._random = random
        self.seen = 0

    def update(self, rows: Floats) -> None:
        """Take rows of shape (b, d)."""
        free = min(max(0, len(self._rows) - self.seen), len(rows))
        self._rows[self.seen : self.seen + free] = rows[:free]
        late = rows[free:]
        if len(late):
            numbers = np.arange(self.seen + free + 1, self.seen + len(rows) + 1)
            slots = (self._random.random(len(late)) * numbers).astype(np.int64)
            kept = np.flatnonzero(slots < len(self._rows))
            self._rows[slots[kept]] = late[kept]
        self.seen += len(rows)

    @property
    def complete(self) -> bool:
        """Whether it holds every row."""
        return self.seen <= len(self._rows)

    @property
    def rows(self) -> NDArray[np.float32]:
        """The sample, shape (min(seen, capacity), d)."""
        return self._rows[: self.seen]
