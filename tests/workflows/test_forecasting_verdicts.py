"""Gates on forecasts: flat ones, bands that promise too much, and losses to what is free, each with its reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from workflows.studies.forecasting.judged import median_of, mixed
from workflows.studies.forecasting.scores import LEVELS, Forecast, Judged
from workflows.studies.forecasting.verdicts import against, covers, moves
from workflows.studies.forecasting.windows import DECEMBERS

DAYS = 30


def forecast(center: Any, width: float) -> Forecast:
    mean = np.zeros(DAYS) + center
    return Forecast(mean, mean + width * norm.ppf(LEVELS)[:, None])


def windows(bias: float, width: float, count: int = 8, seed: int = 0) -> list[Judged]:
    """Days around 1.5 kW with a spread of 0.3 kW, forecast off by ``bias``."""
    random = np.random.default_rng(seed)
    return [
        Judged(1.5 + 0.3 * random.normal(size=DAYS), forecast(1.5 + bias, width), 0.4) for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("center", "width", "verdict", "said"),
    [
        (1.5, 0.3, "warn", "the forecast is flat, a mean says as much"),
        (1.5 + 0.2 * np.sin(np.arange(DAYS)), 0.3, "pass", "the median moves by 9% of its level"),
        (1.5 + 0.2 * np.sin(np.arange(DAYS)), 0.0, "fail", "all sample paths are alike"),
    ],
)
def test_flat_forecasts(center: Any, width: float, verdict: str, said: str) -> None:
    gate = moves("evaluate", "job-1", [forecast(center, width)] * 3)
    assert gate.verdict == verdict and said in gate.reason


@pytest.mark.parametrize(
    ("bias", "width", "verdict", "said"),
    [
        (0.0, 0.3, "pass", "inside the 80 % band."),
        (0.0, 0.15, "fail", "far too narrow"),
        (0.0, 0.22, "warn", "too narrow"),
        (0.0, 0.6, "warn", "too wide"),
        (1.5, 0.3, "fail", "it promises what it cannot hold"),
    ],
)
def test_coverage(bias: float, width: float, verdict: str, said: str) -> None:
    gate = covers("evaluate", "job-1", windows(bias, width))
    assert gate.verdict == verdict, gate.reason
    assert said in gate.reason


def test_a_single_window_has_no_error_and_is_judged_all_the_same() -> None:
    assert covers("evaluate", "job-1", windows(0.0, 0.3, count=1)).verdict in ("pass", "warn")
    gate = against(
        "evaluate", "job-1", windows(0.5, 0.3, 1), windows(0.0, 0.3, 1), "mean of 30 days", DECEMBERS
    )
    assert gate.verdict == "fail" and "loses to a forecast that costs nothing" in gate.reason


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"), [(0.0, 0.4, "pass"), (0.4, 0.0, "fail"), (0.0, 0.0, "pass")]
)
def test_against_what_is_free(ours: float, theirs: float, verdict: str) -> None:
    gate = against(
        "evaluate", "job-1", windows(ours, 0.3), windows(theirs, 0.3), "mean of 30 days", DECEMBERS
    )
    assert gate.verdict == verdict
    assert "mean of 30 days on 8 windows (the notebook's windows)" in gate.reason


def test_a_small_loss_within_the_error_is_warned_of_and_said() -> None:
    ours = windows(0.0, 0.3, 4)
    theirs = [
        Judged(item.actual, forecast(1.5 + bias, 0.3), 0.4)
        for item, bias in zip(ours, (0.3, -0.3, 0.0, 0.0), strict=True)
    ]
    swapped = [
        Judged(item.actual, forecast(1.5 + bias, 0.3), 0.4)
        for item, bias in zip(ours, (0.0, 0.0, 0.3, 0.31), strict=True)
    ]
    gate = against("evaluate", "job-1", swapped, theirs, "mean of 30 days", DECEMBERS)
    assert gate.value is not None and gate.threshold is not None
    worse = gate.value > gate.threshold
    assert gate.verdict == ("warn" if worse else "pass")
    assert ("worse than what costs nothing, within one standard error" in gate.reason) == worse


def test_the_median_job_is_hosted_and_of_two_the_worse() -> None:
    assert median_of({"a": 0.3, "b": 0.1, "c": 0.2}) == "c"
    assert median_of({"a": 0.3, "b": 0.1}) == "a"
    assert median_of({"a": 0.3}) == "a"
    both = mixed([forecast(1.0, 0.2), forecast(2.0, 0.4)])
    assert both.mean[0] == 1.5
    assert math.isclose(both.quantiles[-1][0], 1.5 + 0.3 * norm.ppf(0.9))
