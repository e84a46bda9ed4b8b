"""What PCA keeps of the rows it has seen; neither grows with their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_PART = 1 << 16


class Accumulator(Protocol):
    """Takes rows and finds the components."""

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """Singular values (ascending), components as columns in the same order, and the mean (zeros if not subtracted)."""
        ...


class _Centred:
    """Rows as float64, less the first batch's mean, in parts that stay in the processor's cache.

    The shift changes nothing in exact arithmetic and keeps the digits of data whose mean is much greater than its spread.
    """

    def __init__(self, dimension: int) -> None:
        self.sum = np.zeros(dimension)
        self.shift = np.zeros(dimension)
        self.count = 0
        self._room = np.empty((max(1, _PART // dimension), dimension))
        self._ones = np.ones(len(self._room))

    def parts(self, rows: NDArray[Any]) -> Iterator[Doubles]:
        """The shifted rows; a part is overwritten by the next one."""
        if not self.count:
            self.shift = rows.mean(axis=0, dtype=np.float64)
        for start in range(0, len(rows), len(self._room)):
            given = rows[start : start + len(self._room)]
            part = self._room[: len(given)]
            part[:] = given
            part -= self.shift
            self.sum += self._ones[: len(given)] @ part
            self.count += len(given)
            yield part

    @property
    def centre(self) -> Doubles:
        """The mean of the shifted rows."""
        return self.sum / max(1, self.count)


class Covariance:
    """Mode ``regular``: the exact covariance, X'X - n m'm, in d² numbers."""

    def __init__(self, dimension: int) -> None:
        self._gram = np.zeros((dimension, dimension))
        self._rows = _Centred(dimension)

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""
        for part in self._rows.parts(rows):
            self._gram += part.T @ part

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """See `Accumulator`."""
        centre = self._rows.centre
        gram = self._gram - np.outer(centre, self._rows.sum)
        mean = self._rows.shift + centre
        if not subtract_mean:
            gram = gram + self._rows.count * np.outer(mean, mean)
            mean = np.zeros_like(mean)
        squares, vectors = np.linalg.eigh(gram)
        return np.sqrt(np.maximum(squares, 0.0)), vectors, mean


class Sketch:
    """Mode ``randomized``: B = sum of H_t X_t with random signs H_t, and C = B - h's/n, whose right singular vectors approximate the data's.

    The method is the one of SageMaker's developer guide ("How PCA Works"). The signs are scaled by 1/sqrt(l) so that C's singular
    values estimate the data's.

    Args:
        size: l = num_components + extra_components.
    """

    def __init__(self, dimension: int, size: int, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._sketch = np.zeros((size, dimension))
        self._signs = np.zeros(size)
        self._rows = _Centred(dimension)

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""
        size = len(self._signs)
        for part in self._rows.parts(rows):
            bits = self._random.integers(0, 2, (size, len(part)), np.int8)
            signs = (2.0 * bits - 1.0) / np.sqrt(size)
            self._sketch += signs @ part
            self._signs += signs.sum(axis=1)

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """See `Accumulator`."""
        if subtract_mean:
            matrix = self._sketch - np.outer(self._signs, self._rows.centre)
            mean = self._rows.shift + self._rows.centre
        else:
            matrix = self._sketch + np.outer(self._signs, self._rows.shift)
            mean = np.zeros_like(self._rows.shift)
        _, values, components = np.linalg.svd(matrix, full_matrices=False)
        return values[::-1], components[::-1].T, mean
