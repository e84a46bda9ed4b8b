"""Whether live sample paths come from the distribution that batch transform's quantiles describe."""

from __future__ import annotations

import math
from typing import Any

from workflows.studies.forecasting.scores import LEVELS, Forecast

MOST = 5.0
"""Standard errors that may lie between them: with three levels and a few windows, chance goes beyond once in a hundred thousand runs."""


def distance(paths: Any, offline: Forecast, samples: int, level: float) -> tuple[float, float, float]:
    """How far live sample paths lie from an offline quantile.

    Each path is the share of its days below the quantile; over paths the mean should be the level. Days of a path depend on each
    other, paths do not, so the error comes from the spread over paths; the offline quantile has an error of the same kind from its
    own ``samples`` paths. A quantile of so few paths is moreover off by up to one path, which is allowed for.

    Args:
        paths: Live sample paths, shape (n, days).

    Returns:
        The mean share below, its distance to the level in standard errors, and the standard error.
    """
    import numpy as np

    paths = np.asarray(paths, dtype=float)
    shares = (paths <= offline.quantiles[LEVELS.index(level)]).mean(axis=1)
    mean = float(shares.mean())
    spread = float(shares.std(ddof=1)) if len(shares) > 1 else 0.0
    error = spread * math.sqrt(1 / len(paths) + 1 / samples)
    off = max(abs(mean - level) - 1 / samples, 0.0)
    if error == 0:
        return mean, 0.0 if off == 0 else math.inf, 0.0
    return mean, off / error, error
