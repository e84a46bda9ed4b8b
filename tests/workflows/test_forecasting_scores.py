"""Scores of forecasts by their definitions, against DeepAR's own, and the free forecasts' figures on the real days."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workflows.data.series import read
from workflows.studies.forecasting import consistency, free, hosted
from workflows.studies.forecasting.scores import (
    LEVELS,
    Forecast,
    Judged,
    compared,
    losses,
    naive_error,
    pinball,
    score,
    weight,
)
from workflows.studies.forecasting.windows import UNSEEN, Power, Window

DAYS = 5
values = st.floats(0.01, 100, allow_nan=False)
actuals = arrays.arrays(np.float64, DAYS, elements=values)
quantiles = arrays.arrays(np.float64, (len(LEVELS), DAYS), elements=values)


def judged(actual: Any, forecast: Any) -> Judged:
    return Judged(actual, Forecast(forecast[4], forecast), 1.0)


@settings(deadline=None)
@given(actuals, quantiles)
def test_wql_is_twice_the_pinball_loss_over_the_sum_of_absolute_values(actual: Any, forecast: Any) -> None:
    found = score([judged(actual, forecast)])
    for place, level in enumerate(LEVELS):
        total = 0.0
        for day in range(DAYS):
            above = actual[day] - forecast[place][day]
            total += level * above if above > 0 else (level - 1) * above
        assert found.wql[place] == pytest.approx(2 * total / sum(abs(v) for v in actual), rel=1e-9, abs=1e-12)
    assert found.mean_wql == pytest.approx(np.mean(found.wql))
    inside = sum(forecast[0][d] <= actual[d] <= forecast[-1][d] for d in range(DAYS))
    assert found.coverage == pytest.approx(inside / DAYS)
    assert found.rmse == pytest.approx(math.sqrt(np.mean((actual - forecast[4]) ** 2)))
    assert found.mase == pytest.approx(np.abs(actual - forecast[4]).mean())


@settings(deadline=None)
@given(actuals, quantiles, st.floats(0.1, 50))
def test_wql_has_no_unit_and_is_zero_for_the_truth_only(actual: Any, forecast: Any, factor: float) -> None:
    found = score([judged(actual, forecast)])
    scaled = score([judged(actual * factor, forecast * factor)])
    assert scaled.wql == pytest.approx(found.wql, rel=1e-6, abs=1e-9)
    assert score([judged(actual, np.tile(actual, (len(LEVELS), 1)))]).mean_wql == 0
    assert (found.mean_wql > 0) == bool((forecast != actual).any())


@settings(deadline=None)
@given(arrays.arrays(np.float64, st.integers(1, 30), elements=values), st.sampled_from(LEVELS), values)
def test_no_constant_has_a_smaller_pinball_loss_than_the_quantile(
    actual: Any, level: float, other: float
) -> None:
    best = np.quantile(actual, level, method="inverted_cdf")
    assert (
        pinball(actual, np.full(len(actual), best), level).sum()
        <= pinball(actual, np.full(len(actual), other), level).sum() + 1e-9
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_scores_are_those_of_deepars_own_test(seed: int, count: int) -> None:
    from algorithms.builtin.deepar.evaluation import score as deepar
    from algorithms.builtin.deepar.series import Series

    random = np.random.default_rng(seed)
    series = [Series(0, random.gamma(2, 1, 40).astype(np.float32), None, None) for _ in range(count)]
    drawn = [random.gamma(2, 1, (60, 8)).astype(np.float32) for _ in series]
    forecaster: Any = SimpleNamespace(view=SimpleNamespace(horizon=8), paths=lambda *_: iter(drawn))
    theirs = deepar(forecaster, series, LEVELS, 60, 0, lambda _: None)
    ours = score(
        [
            Judged(
                item.target[-8:],
                Forecast(paths.astype(float).mean(axis=0), np.quantile(paths.astype(float), LEVELS, axis=0)),
                1.0,
            )
            for item, paths in zip(series, drawn, strict=True)
        ]
    )
    assert ours.rmse == pytest.approx(theirs.rmse)
    assert ours.wql == pytest.approx(tuple(theirs.weighted.values()))
    assert ours.mean_wql == pytest.approx(theirs.mean_weighted)


def test_unknown_days_do_not_count_and_nothing_known_is_refused() -> None:
    actual = np.array([1.0, np.nan, 2.0])
    forecast = np.ones((len(LEVELS), 3))
    assert score([judged(actual, forecast)]).days == 2
    assert weight(actual) == 3
    assert losses(actual, forecast)[4] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="Nothing is known"):
        score([judged(np.full(3, np.nan), forecast)])
    with pytest.raises(ValueError, match="not aligned"):
        losses(actual, forecast[:, :2])


@settings(deadline=None)
@given(st.lists(st.tuples(actuals, quantiles, quantiles), min_size=2, max_size=6))
def test_a_comparison_is_the_difference_of_scores_and_changes_its_sign(found: list[Any]) -> None:
    ours = [judged(actual, one) for actual, one, _ in found]
    theirs = [judged(actual, other) for actual, _, other in found]
    gap, error = compared(ours, theirs)
    assert gap == pytest.approx(score(ours).mean_wql - score(theirs).mean_wql, rel=1e-6, abs=1e-9)
    back, same = compared(theirs, ours)
    assert (back, same) == pytest.approx((-gap, error), rel=1e-6, abs=1e-9)
    assert compared(ours, ours) == (0.0, 0.0)
    assert math.isnan(compared(ours[:1], theirs[:1])[1])
    with pytest.raises(ValueError, match="cannot be compared"):
        compared(ours, theirs[1:])


@settings(deadline=None)
@given(st.integers(free.NEEDED, 120), st.integers(1, 40), st.sampled_from(sorted(free.METHODS)))
def test_free_forecasts_of_a_constant_are_that_constant(length: int, days: int, method: str) -> None:
    found = free.forecast(method, np.full(length, 1.5), days)
    assert found.mean.shape == (days,) and found.quantiles.shape == (len(LEVELS), days)
    assert found.quantiles == pytest.approx(1.5)


@settings(deadline=None)
@given(st.integers(3, 20), st.integers(1, 40))
def test_a_weekly_pattern_is_repeated(weeks: int, days: int) -> None:
    pattern = np.arange(7.0)
    history = np.tile(pattern, weeks)
    for method in (free.WEEK, free.WEEKDAYS):
        assert free.forecast(method, history, days).mean == pytest.approx(np.resize(pattern, days))
    assert naive_error(history) == 0
    with pytest.raises(ValueError, match="too short"):
        free.forecast(free.LAST, history[:5], days)


def test_the_references_figures_of_free_forecasts_on_the_real_days(real_data: Path) -> None:
    """Reference figures for the notebook's windows: RMSE, mean wQL and wQL 0.5; RMSE alone for the naive ones."""
    expected: dict[str, tuple[float, ...]] = {
        free.MONTH: (0.3397, 0.1458, 0.1815),
        free.WEEKDAYS: (0.3564, 0.1544, 0.1931),
        free.WEEK: (0.428,),
        free.LAST: (0.458,),
    }
    series = [np.array(line["target"]) for line in read(real_data / "energy" / "test.json")]
    for method, figures in expected.items():
        found = score(
            [
                Judged(target[-30:], free.forecast(method, target[:-30], 30), naive_error(target[:-30]))
                for target in series
            ]
        )
        ours = (found.rmse, found.mean_wql, found.wql[4])[: len(figures)]
        assert ours == pytest.approx(figures, abs=6e-4 if len(figures) == 1 else 6e-5), method


def test_the_references_figures_of_the_unseen_january(real_data: Path) -> None:
    import pandas as pd

    table = pd.read_csv(real_data / "energy" / "household_power_daily.csv")
    power = Power(datetime.date(2006, 12, 16), table["Global_active_power"].to_numpy() / 1440)
    window = Window("", UNSEEN, datetime.date(2010, 1, 1), 30)
    actual = power.days(window)
    found = {name: score([Judged(actual, one, 1.0)]) for name, one in hosted.means(power, window).items()}
    assert actual.mean() == pytest.approx(1.430, abs=5e-4)
    assert found[hosted.BEFORE].rmse == pytest.approx(0.266, abs=5e-4)
    assert found[hosted.DAYWISE].rmse == pytest.approx(0.359, abs=5e-4)


def test_live_paths_of_the_same_distribution_agree_and_others_do_not() -> None:
    """Paths with days that depend on each other, as DeepAR's: the distance must stay that of chance."""
    random = np.random.default_rng(0)

    def paths(shift: float, count: int = 200) -> Any:
        level = random.normal(0, 0.3, (count, 1))
        return 1.5 + shift + level + random.normal(0, 0.2, (count, 30))

    worst = []
    for _ in range(100):
        batch = paths(0.0)
        offline = Forecast(batch.mean(axis=0), np.quantile(batch, LEVELS, axis=0))
        worst += [consistency.distance(paths(0.0), offline, 200, level)[1] for level in hosted.COMPARED]
    assert max(worst) < consistency.MOST
    assert np.mean(np.array(worst) > 2) < 0.1
    assert (
        max(consistency.distance(paths(0.3), offline, 200, level)[1] for level in hosted.COMPARED)
        > consistency.MOST
    )
    still = Forecast(np.full(30, 1.5), np.full((len(LEVELS), 30), 1.5))
    assert consistency.distance(np.full((20, 30), 9.0), still, 200, 0.5)[1] == math.inf
