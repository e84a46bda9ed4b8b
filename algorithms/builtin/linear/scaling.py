"""Normalisation: features and labels are brought to mean 0 and standard deviation 1, and weights are brought back.

A dense mini-batch is scaled and gets a column of ones for the bias. A sparse one stays as it is and the scaling moves into the
weights, so that zeros stay unstored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Design(Protocol):
    """A mini-batch as the models see it: scaled features and a 1 for the bias."""

    def scores(self, weights: Floats) -> Floats:
        """(rows, d + 1) times (d + 1, columns)."""
        ...

    def gradient(self, slopes: Floats) -> Floats:
        """The transpose, (d + 1, rows), times (rows, columns)."""
        ...


class Dense:
    """Scaled rows in one matrix with a column of ones."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix

    def scores(self, weights: Floats) -> Floats:
        return self.matrix @ weights

    def gradient(self, slopes: Floats) -> Floats:
        return self.matrix.T @ slopes


class Sparse:
    """Rows in compressed form; ``(x - mean) * factor`` is applied to weights and gradients instead."""

    def __init__(self, matrix: Any, mean: Floats, factor: Floats) -> None:
        self._matrix, self._mean, self._factor = matrix, mean, factor

    def scores(self, weights: Floats) -> Floats:
        scaled = weights[:-1] * self._factor[:, None]
        result: Floats = self._matrix @ scaled + (weights[-1] - self._mean @ scaled)
        return result

    def gradient(self, slopes: Floats) -> Floats:
        total = slopes.sum(axis=0)
        raw = self._matrix.T @ slopes
        scaled = (raw - self._mean[:, None] * total) * self._factor[:, None]
        return np.concatenate([scaled, total[None, :]]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scaling:
    """How raw numbers become what the models are trained on.

    Attributes:
        mean: What is subtracted from each feature, shape (d,).
        deviation: What each feature is divided by, shape (d,).
        label_mean: Likewise for the label of a regression.
        label_deviation: Likewise.
    """

    mean: Doubles
    deviation: Doubles
    label_mean: float = 0.0
    label_deviation: float = 1.0

    def design(self, features: Any) -> Design:
        """A mini-batch: float32 of shape (n, d) or a scipy CSR matrix."""
        factor = (1 / self.deviation).astype(np.float32)
        mean = self.mean.astype(np.float32)
        if not isinstance(features, np.ndarray):
            return Sparse(features, mean, factor)
        matrix = np.empty((len(features), features.shape[1] + 1), np.float32)
        np.subtract(features, mean, out=matrix[:, :-1])
        matrix[:, :-1] *= factor
        matrix[:, -1] = 1
        return Dense(matrix)

    def labels(self, labels: Floats) -> Floats:
        """Labels as the models see them."""
        if self.label_mean == 0 and self.label_deviation == 1:
            return labels
        return ((labels - self.label_mean) / self.label_deviation).astype(np.float32)

    def unscaled(self, weights: Floats) -> tuple[Doubles, Doubles]:
        """Weights of shape (d + 1, columns) for raw features: (d, columns) and biases (columns,), rounded to float32.

        Scores of raw features with them are scores on the label's own scale.
        """
        wide = weights.astype(np.float64)
        raw = wide[:-1] / self.deviation[:, None]
        bias = (wide[-1] - self.mean @ raw) * self.label_deviation + self.label_mean
        raw *= self.label_deviation
        return raw.astype(np.float32).astype(np.float64), bias.astype(np.float32).astype(np.float64)


class Moments:
    """Mean and standard deviation of columns, added up block by block (Chan, Golub and LeVeque, 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Doubles = np.zeros(0)
        self._spread: Doubles = np.zeros(0)

    def add(self, block: Any) -> None:
        """Add rows: an array of shape (n, d) or a scipy CSR matrix."""
        rows = block.shape[0]
        if not rows:
            return
        if isinstance(block, np.ndarray):
            wide = block.astype(np.float64)
            mean = wide.mean(axis=0)
            wide -= mean
            spread = np.einsum("ij,ij->j", wide, wide)
        else:
            wide = block.astype(np.float64)
            mean = np.asarray(wide.mean(axis=0)).reshape(-1)
            spread = np.maximum(np.asarray(wide.multiply(wide).sum(axis=0)).reshape(-1) - rows * mean**2, 0)
        if not self.count:
            self.count, self.mean, self._spread = rows, mean, spread
            return
        gap = mean - self.mean
        total = self.count + rows
        self._spread += spread + gap**2 * (self.count * rows / total)
        self.mean = self.mean + gap * (rows / total)
        self.count = total

    def deviation(self) -> Doubles:
        """The standard deviation of each column; 1 for one that does not vary, so that it can be divided by."""
        found = np.sqrt(self._spread / max(self.count, 1))
        # What is left of a constant column is rounding, which must not be blown up.
        steady = found <= np.abs(self.mean) * 1e-7
        result: Doubles = np.where(steady | (found == 0), 1.0, found)
        return result
