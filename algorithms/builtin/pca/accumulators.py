"""What PCA keeps of the rows it has seen; neither grows with their number."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Accumulator(Protocol):
    """Takes rows and finds the components."""

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """Singular values (ascending), components as columns in the same order, and the mean (zeros if not subtracted)."""
        ...


class Covariance:
    """Mode ``regular``: the exact covariance, X'X - n m'm, in d² numbers.

    The rows are shifted by the first batch's mean, which changes nothing in exact arithmetic and keeps the digits of
    data whose mean is much greater than its spread.
    """

    def __init__(self, dimension: int) -> None:
        self._gram = np.zeros((dimension, dimension))
        self._sum = np.zeros(dimension)
        self._shift: Doubles | None = None
        self._count = 0

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""
        wide = rows.astype(np.float64)
        if self._shift is None:
            self._shift = wide.mean(axis=0)
        wide -= self._shift
        self._gram += wide.T @ wide
        self._sum += wide.sum(axis=0)
        self._count += len(wide)

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """See `Accumulator`."""
        count = max(1, self._count)
        shift = self._shift if self._shift is not None else np.zeros(len(self._sum))
        centre = self._sum / count
        gram = self._gram - np.outer(centre, self._sum)
        mean = shift + centre
        if not subtract_mean:
            gram = gram + count * np.outer(mean, mean)
            mean = np.zeros_like(mean)
        squares, vectors = np.linalg.eigh(gram)
        return np.sqrt(np.maximum(squares, 0.0)), vectors, mean


class Sketch:
    """Mode ``randomized``: B = sum of H_t X_t with random signs H_t, and C = B - h's/n, whose right singular vectors approximate the data's.

    The method is the one of SageMaker's developer guide ("How PCA Works"). The signs are scaled by 1/sqrt(l) so that C's singular
    values estimate the data's, and the columns are centred on the first batch's mean as in `Covariance`.

    Args:
        size: l = num_components + extra_components.
    """

    def __init__(self, dimension: int, size: int, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._sketch = np.zeros((size, dimension))
        self._signs = np.zeros(size)
        self._sum = np.zeros(dimension)
        self._shift: Doubles | None = None
        self._count = 0

    def update(self, rows: NDArray[Any]) -> None:
        """Take rows of shape (b, d)."""
        wide = rows.astype(np.float64)
        if self._shift is None:
            self._shift = wide.mean(axis=0)
        wide -= self._shift
        size = len(self._signs)
        bits = self._random.integers(0, 2, (size, len(wide)), np.int8)
        signs = (2.0 * bits - 1.0) / np.sqrt(size)
        self._sketch += signs @ wide
        self._signs += signs.sum(axis=1)
        self._sum += wide.sum(axis=0)
        self._count += len(wide)

    def solve(self, subtract_mean: bool) -> tuple[Doubles, Doubles, Doubles]:
        """See `Accumulator`."""
        count = max(1, self._count)
        shift = self._shift if self._shift is not None else np.zeros(len(self._sum))
        if subtract_mean:
            matrix = self._sketch - np.outer(self._signs, self._sum / count)
            mean = shift + self._sum / count
        else:
            matrix = self._sketch + np.outer(self._signs, shift)
            mean = np.zeros_like(shift)
        _, values, components = np.linalg.svd(matrix, full_matrices=False)
        return values[::-1], components[::-1].T, mean
