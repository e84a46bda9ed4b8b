"""How good forecasts are: the scores of DeepAR's own test, and those it lacks (MASE, coverage)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The quantiles that are forecast: DeepAR's default ``test_quantiles``."""
SEASON = 7
"""Days of the season of the naive forecast that MASE divides by: a week."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One window's forecast: ``mean`` (days,) and ``quantiles`` (levels, days), in the data's unit."""

    mean: Any
    quantiles: Any

    @property
    def median(self) -> Any:
        """The quantile 0.5, shape (days,)."""
        return self.quantiles[LEVELS.index(0.5)]


@dataclass(frozen=True, slots=True)
class Judged:
    """One window's forecast beside what came: ``actual`` (days,), NaN where unknown; ``naive`` is `naive_error` of its history."""

    actual: Any
    forecast: Forecast
    naive: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores over all days of some windows.

    ``wql`` are weighted quantile losses by level, ``rmse`` is of the mean forecast, ``mase`` of the median, ``coverage`` the share
    of days inside the band from the lowest to the highest level (0.1 to 0.9: 80 % is right).
    """

    wql: tuple[float, ...]
    rmse: float
    mase: float
    coverage: float
    days: int

    @property
    def mean_wql(self) -> float:
        """``mean_wQuantileLoss``: the mean over the levels."""
        return sum(self.wql) / len(self.wql)


def pinball(actual: Any, forecast: Any, level: float) -> Any:
    """The quantile loss of each day (Koenker and Bassett 1978): ``level`` of what lies above, ``1 - level`` of what lies below."""
    import numpy as np

    above = np.asarray(actual, dtype=float) - np.asarray(forecast, dtype=float)
    return np.maximum(level * above, (level - 1) * above)


def losses(actual: Any, quantiles: Any, levels: Sequence[float] = LEVELS) -> Any:
    """Twice the summed pinball loss by level, shape (levels,); days whose value is unknown do not count."""
    import numpy as np

    actual = np.asarray(actual, dtype=float)
    there = np.isfinite(actual)
    quantiles = np.asarray(quantiles, dtype=float)
    if quantiles.shape != (len(levels), len(actual)):
        raise ValueError(
            f"Quantiles of shape {quantiles.shape} for {len(levels)} levels and {len(actual)} days: they are not aligned."
        )
    return np.array(
        [
            2 * pinball(actual[there], line[there], level).sum()
            for level, line in zip(levels, quantiles, strict=True)
        ]
    )


def weight(actual: Any) -> float:
    """What losses are divided by: the summed absolute values of the days that are known."""
    import numpy as np

    return float(np.nansum(np.abs(np.asarray(actual, dtype=float))))


def naive_error(history: Any) -> float:
    """The mean absolute error of last week repeated, one step ahead, inside a history; NaN where it is too short.

    MASE divides by it (Hyndman and Koehler 2006, International Journal of Forecasting 22).
    """
    import numpy as np

    history = np.asarray(history, dtype=float)
    steps = np.abs(history[SEASON:] - history[:-SEASON])
    steps = steps[np.isfinite(steps)]
    return float(steps.mean()) if len(steps) else float("nan")


def score(windows: Sequence[Judged]) -> Scores:
    """Scores over windows, all days together as DeepAR's test does: sums of losses over the sum of absolute values.

    Raises:
        ValueError: A forecast has another length than its window, or nothing is known of any day.
    """
    import numpy as np

    total = sum(losses(item.actual, item.forecast.quantiles) for item in windows)
    size = sum(weight(item.actual) for item in windows)
    actual, mean, median, low, high, naive = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (
                    np.asarray(item.actual, dtype=float),
                    item.forecast.mean,
                    item.forecast.median,
                    item.forecast.quantiles[0],
                    item.forecast.quantiles[-1],
                    np.full(len(item.actual), item.naive),
                )
                for item in windows
            ),
            strict=True,
        )
    )
    there = np.isfinite(actual)
    if not there.any() or size <= 0:
        raise ValueError("Nothing is known of the days that are forecast: there is no score.")
    scaled = (np.abs(actual - median) / naive)[there & (naive > 0)]
    return Scores(
        wql=tuple(float(value) for value in np.asarray(total) / size),
        rmse=float(np.sqrt(((actual - mean)[there] ** 2).mean())),
        mase=float(scaled.mean()) if len(scaled) else float("nan"),
        coverage=float(((actual >= low) & (actual <= high))[there].mean()),
        days=int(there.sum()),
    )


def compared(ours: Sequence[Judged], theirs: Sequence[Judged]) -> tuple[float, float]:
    """The difference of mean wQL of two forecasters on the same windows (ours less theirs), and its standard error.

    Windows are the independent pieces: days of one window share its weather. The error is that of a ratio of sums over windows
    (Cochran 1977, section 2.11); with a single window there is none (NaN).
    """
    import numpy as np

    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} windows cannot be compared.")
    gaps = np.array(
        [
            float(
                losses(a.actual, a.forecast.quantiles).mean() - losses(b.actual, b.forecast.quantiles).mean()
            )
            for a, b in zip(ours, theirs, strict=True)
        ]
    )
    sizes = np.array([weight(item.actual) for item in ours])
    ratio = gaps.sum() / sizes.sum()
    count = len(gaps)
    if count < 2:
        return float(ratio), float("nan")
    spread = ((gaps - ratio * sizes) ** 2).sum() / (count - 1)
    return float(ratio), float(np.sqrt(spread / count) / sizes.mean())
