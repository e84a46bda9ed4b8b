"""Windows cut from time series: what the network sees of a context and a horizon.

Series lie one after another in flat arrays; a window is made when a mini-batch needs it. Memory is therefore the data once, plus
one mini-batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.deepar import calendar
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.series import Series

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Normal:
    """What is typical of the training data; part of the model.

    Attributes:
        scale: The mean over series of their mean absolute value; the scale of a context without any.
        scales: The same for each combination of categories.
        feature_means: Of the dynamic features.
        feature_spreads: Their standard deviations, never 0.
    """

    scale: float
    scales: dict[tuple[int, ...], float]
    feature_means: tuple[float, ...]
    feature_spreads: tuple[float, ...]

    def scale_of(self, cat: tuple[int, ...] | None) -> float:
        """The scale for a series of which nothing is known but its categories."""
        return self.scales.get(cat, self.scale) if cat else self.scale


@dataclass(frozen=True, slots=True)
class View:
    """How windows are cut: lengths in points, and whether values are divided by their scale."""

    frequency: Frequency
    context: int
    horizon: int
    lags: tuple[int, ...]
    scaled: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows, time first: T = context + horizon points of B series.

    Attributes:
        inputs: (T, B, lags + calendar + 2 + dynamic features): scaled earlier values come first.
        target: (T, B), scaled; 0 where unknown.
        observed: (T, B), 1 where the target is known.
        scale: (B,)
        cat: (B, categories)
    """

    inputs: Floats
    target: Floats
    observed: Floats
    scale: Floats
    cat: Ints


class Panel:
    """Time series in flat arrays."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.lengths: Ints = np.array([len(item.target) for item in series], dtype=np.int64)
        self.origins: Ints = np.array([item.origin for item in series], dtype=np.int64)
        self.offsets: Ints = np.concatenate([[0], np.cumsum(self.lengths)])[:-1]
        self.cats = [item.cat for item in series]
        values = np.concatenate([*(item.target for item in series), np.zeros(1, np.float32)])
        missing = np.isnan(values)
        self.observed: NDArray[np.bool_] | None = None
        if missing.any():
            self.observed = ~missing
            values = _carried(values, missing, self.offsets)
        self.values: Floats = values
        self.features = 0
        if series and series[0].dynamic is not None:
            dynamic = [item.dynamic for item in series if item.dynamic is not None]
            self.features = len(dynamic[0])
            self.feature_lengths: Ints = np.array([rows.shape[1] for rows in dynamic], dtype=np.int64)
            self.feature_offsets: Ints = np.concatenate([[0], np.cumsum(self.feature_lengths)])[:-1]
            self.dynamic: Floats = np.concatenate(
                [*(rows.T for rows in dynamic), np.zeros((1, self.features), np.float32)]
            )

    def __len__(self) -> int:
        return len(self.lengths)

    def normal(self) -> Normal:
        """What is typical of these series."""
        level = np.zeros(len(self))
        for row, (offset, length) in enumerate(zip(self.offsets, self.lengths, strict=True)):
            values = np.abs(self.values[offset : offset + length])
            if self.observed is not None:
                values = values[self.observed[offset : offset + length]]
            level[row] = values.mean(dtype=np.float64) if len(values) else 0.0
        positive = level[level > 0]
        typical = float(positive.mean()) if len(positive) else 1.0
        scales: dict[tuple[int, ...], list[float]] = {}
        for cat, value in zip(self.cats, level, strict=True):
            if cat and value > 0:
                scales.setdefault(cat, []).append(float(value))
        means, spreads = (), ()
        if self.features:
            rows = self.dynamic[:-1].astype(np.float64)
            means = tuple(rows.mean(axis=0).tolist())
            spreads = tuple(np.where((spread := rows.std(axis=0)) > 1e-12, spread, 1.0).tolist())
        return Normal(
            typical, {cat: float(np.mean(values)) for cat, values in scales.items()}, means, spreads
        )

    def cut(self, rows: Ints, starts: Ints, view: View, normal: Normal) -> Batch:
        """The windows of series ``rows`` whose horizons begin at points ``starts``.

        Points before a series' first and after its last are unknown; lagged values there are 0.
        """
        length = view.context + view.horizon
        points = starts[None, :] - view.context + np.arange(length)[:, None]
        known = (points >= 0) & (points < self.lengths[rows])
        flat = self.offsets[rows] + points
        held = np.where(known, flat, -1)
        target = self.values[held]
        observed = known if self.observed is None else known & self.observed[held]
        seen = observed[: view.context]
        counts = seen.sum(axis=0)
        sums = (np.abs(target[: view.context]) * seen).sum(axis=0, dtype=np.float64)
        scale = sums / np.maximum(counts, 1)
        if view.scaled:
            default = [normal.scale_of(self.cats[row]) for row in rows] if normal.scales else normal.scale
            scale = np.where(scale > 1e-10, scale, default)
        else:
            scale = np.ones(len(rows))
        scale32 = scale.astype(np.float32)

        count = len(view.lags)
        width = count + calendar.count(view.frequency) + 2 + self.features
        inputs = np.empty((length, len(rows), width), np.float32)
        back = points[:, :, None] - np.array(view.lags)
        inside = (back >= 0) & (back < self.lengths[rows][None, :, None])
        back += self.offsets[rows][None, :, None]
        np.multiply(self.values[np.where(inside, back, -1)], inside, out=inputs[:, :, :count])
        with np.errstate(over="ignore"):
            inputs[:, :, :count] /= scale32[None, :, None]
        moments = self.origins[rows] + points * view.frequency.step
        end = count + calendar.count(view.frequency)
        inputs[:, :, count:end] = calendar.features(view.frequency, moments)
        inputs[:, :, end] = np.log10(2.0 + np.maximum(points, 0))
        inputs[:, :, end + 1] = np.log(scale / normal.scale) if view.scaled else 0.0
        if self.features:
            there = (points >= 0) & (points < self.feature_lengths[rows])
            found = self.dynamic[np.where(there, self.feature_offsets[rows] + points, -1)]
            means = np.array(normal.feature_means, np.float32)
            spreads = np.array(normal.feature_spreads, np.float32)
            inputs[:, :, end + 2 :] = np.clip((found - means) / spreads, -1e3, 1e3) * there[:, :, None]
        mask = observed.astype(np.float32)
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # a value beyond float32 shows as a loss that is not finite
            scaled = target / scale32 * mask
        return Batch(inputs, scaled, mask, scale32, self._categories(rows))

    def _categories(self, rows: Ints) -> Ints:
        return np.array([self.cats[row] or () for row in rows], dtype=np.int64).reshape(len(rows), -1)


def _carried(values: Floats, missing: NDArray[np.bool_], offsets: Ints) -> Floats:
    """Missing values replaced by the last one known of the same series, else by 0: what lags show of them."""
    last = np.where(missing, -1, np.arange(len(values)))
    last = np.maximum.accumulate(last)
    first = np.zeros(len(values), np.int64)
    first[offsets[offsets < len(values)]] = offsets[offsets < len(values)]
    first = np.maximum.accumulate(first)
    return np.where(last >= first, values[np.maximum(last, 0)], np.float32(0)).astype(np.float32)
