"""How good forecasts are: the scores of the developer guide on the last points of each test series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from algorithms.builtin.deepar.forecasting import Forecaster
from algorithms.builtin.deepar.series import Series

_BATCH = 32
_REPORT = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores over all points of all series.

    Attributes:
        count: How many points there were to forecast; nothing else means anything when it is 0.
        rmse: Of the mean forecast.
        quantile_losses: For each quantile twice the sum of the pinball loss.
        weighted: The same divided by the sum of absolute targets.
    """

    count: int
    rmse: float
    quantile_losses: dict[float, float]
    weighted: dict[float, float]

    @property
    def mean_absolute(self) -> float:
        """``mean_absolute_QuantileLoss``."""
        return float(np.mean(list(self.quantile_losses.values())))

    @property
    def mean_weighted(self) -> float:
        """``mean_wQuantileLoss``."""
        return float(np.mean(list(self.weighted.values())))


def score(
    forecaster: Forecaster,
    series: Sequence[Series],
    quantiles: Sequence[float],
    samples: int,
    seed: int,
    report: Callable[[int], None],
) -> Scores:
    """Forecast the last points of each series from those before; missing ones do not count.

    Args:
        report: Called with the number of batches after every tenth.
    """
    horizon = forecaster.view.horizon
    squares = count = size = 0.0
    losses = dict.fromkeys(quantiles, 0.0)
    for number, begin in enumerate(range(0, len(series), _BATCH), 1):
        part = series[begin : begin + _BATCH]
        past = [Series(item.origin, item.target[:-horizon], item.cat, item.dynamic) for item in part]
        for item, paths in zip(part, forecaster.paths(past, samples, seed + number), strict=True):
            actual = item.target[-horizon:].astype(np.float64)
            there = ~np.isnan(actual)
            actual = actual[there]
            drawn = paths[:, there].astype(np.float64)
            squares += float(((drawn.mean(axis=0) - actual) ** 2).sum())
            count += len(actual)
            size += float(np.abs(actual).sum())
            for quantile, forecast in zip(quantiles, np.quantile(drawn, quantiles, axis=0), strict=True):
                above = actual - forecast
                losses[quantile] += 2 * float(np.maximum(quantile * above, (quantile - 1) * above).sum())
        if number % _REPORT == 0:
            report(number)
    weight = size if size > 0 else 1.0
    return Scores(
        int(count),
        float(np.sqrt(squares / max(count, 1.0))),
        losses,
        {key: loss / weight for key, loss in losses.items()},
    )
