"""Forecasts that cost nothing: the last value, last week, a mean of weekdays, a mean of days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.studies.forecasting.scores import LEVELS, SEASON, Forecast

LAST, WEEK, WEEKDAYS, MONTH = "last value", "last week repeated", "weekdays, 4 weeks", "mean of 30 days"
WEEKS = 4
MEAN = 30
SPREAD = 60
"""Days whose spread around their own mean gives the quantiles; with it the figures are those of the reference."""


def last_value(history: Any, days: int) -> Any:
    """The last day's value on every day."""
    import numpy as np

    return np.full(days, history[-1])


def last_week(history: Any, days: int) -> Any:
    """The last seven days over and over: the seasonal naive forecast."""
    import numpy as np

    return np.array([history[len(history) - SEASON + number % SEASON] for number in range(days)])


def weekdays(history: Any, days: int) -> Any:
    """Of each day of the week the mean of its last four."""
    import numpy as np

    recent = history[-SEASON * WEEKS :]
    recent = recent[len(recent) % SEASON :]
    return np.resize(recent.reshape(-1, SEASON).mean(axis=0), days)


def month(history: Any, days: int) -> Any:
    """The mean of the last thirty days on every day."""
    import numpy as np

    return np.full(days, history[-MEAN:].mean())


METHODS: dict[str, Callable[[Any, int], Any]] = {
    LAST: last_value,
    WEEK: last_week,
    WEEKDAYS: weekdays,
    MONTH: month,
}
NEEDED = SEASON * 2
"""Days of history that every method can work with."""


def forecast(method: str, history: Any, days: int) -> Forecast:
    """A method's forecast of the ``days`` days after a history (n,) without gaps.

    Quantiles lie around the forecast as residuals do: for the naive methods their own steps, else the spread of days around
    their mean, over the last `SPREAD` days.

    Raises:
        ValueError: The history is shorter than `NEEDED`.
    """
    import numpy as np

    history = np.asarray(history, dtype=float)
    if len(history) < NEEDED:
        raise ValueError(f"A history of {len(history)} days is too short: {NEEDED} are needed.")
    center = METHODS[method](history, days)
    recent = history[-SPREAD:]
    if method in (LAST, WEEK):
        lag = 1 if method == LAST else SEASON
        residuals = (history[lag:] - history[:-lag])[-SPREAD:]
    else:
        residuals = recent - recent.mean()
    return Forecast(center, center + np.quantile(residuals, LEVELS)[:, None])
