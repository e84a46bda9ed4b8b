"""DeepAR's view of time: frequencies, calendar features and lags, against pandas."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.builtin.deepar import calendar
from algorithms.builtin.deepar.frequency import Frequency, timestamp
from algorithms.builtin.deepar.lags import lags
from algorithms.builtin.failures import ClientError

STARTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))


def moments(frequency: Frequency, start: datetime, count: int) -> np.ndarray:
    return frequency.origin(start) + np.arange(count) * frequency.step


def expected(index: pd.DatetimeIndex, names: tuple[str, ...]) -> np.ndarray:
    columns = {
        "minute": index.minute / 59,
        "hour": index.hour / 23,
        "dayofweek": index.day_of_week / 6,
        "day": (index.day - 1) / 30,
        "dayofyear": (index.day_of_year - 1) / 365,
        "week": (index.isocalendar().week.to_numpy(dtype=float) - 1) / 52,
        "month": (index.month - 1) / 11,
    }
    return np.stack([np.asarray(columns[name], dtype=float) - 0.5 for name in names], axis=-1)


@pytest.mark.parametrize(
    ("text", "offset", "names"),
    [
        ("5min", "5min", ("minute", "hour", "dayofweek", "day", "dayofyear")),
        ("H", "h", ("hour", "dayofweek", "day", "dayofyear")),
        ("2H", "2h", ("hour", "dayofweek", "day", "dayofyear")),
        ("D", "D", ("dayofweek", "day", "dayofyear")),
        ("W", "7D", ("day", "week")),
        ("2W", "14D", ("day", "week")),
    ],
)
@settings(max_examples=25, deadline=None)
@given(start=STARTS)
def test_calendar_features_are_those_of_pandas(
    text: str, offset: str, names: tuple[str, ...], start: datetime
) -> None:
    frequency = Frequency.parse(text)
    found = calendar.features(frequency, moments(frequency, start, 50))
    index = pd.date_range(start.replace(second=0, microsecond=0), periods=50, freq=offset)
    np.testing.assert_allclose(found, expected(index, names), atol=1e-6)
    assert calendar.count(frequency) == len(names)
    assert np.abs(found).max() <= 0.5


@settings(max_examples=25, deadline=None)
@given(start=STARTS, multiple=st.integers(1, 14))
def test_months_are_steps_of_the_calendar(start: datetime, multiple: int) -> None:
    frequency = Frequency.parse(f"{multiple}M")
    found = calendar.features(frequency, moments(frequency, start, 30))
    index = pd.period_range(pd.Period(start, "M"), periods=30 * multiple, freq="M")[::multiple]
    np.testing.assert_allclose(found[:, 0], (index.month - 1) / 11 - 0.5, atol=1e-6)


@pytest.mark.parametrize("text", ["", "0D", "h", "1.5H", "T", "D2", "-1D", "99999999999D", "W-SUN", "S"])
def test_a_frequency_that_is_none_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(ClientError, match="use M, W, D, H or min"):
        Frequency.parse(text)


def test_frequencies_print_as_they_are_given() -> None:
    assert [str(Frequency.parse(text)) for text in ("5min", "H", "1D", "3W", "M")] == [
        "5min",
        "H",
        "D",
        "3W",
        "M",
    ]


@settings(max_examples=25, deadline=None)
@given(STARTS)
def test_a_start_may_have_every_iso_form(start: datetime) -> None:
    start = start.replace(microsecond=0)
    for text in (str(start), start.isoformat(), f" {start} "):
        assert timestamp(text) == start
    assert timestamp(start.date().isoformat()) == datetime(start.year, start.month, start.day)


@pytest.mark.parametrize("value", ["2009-11-01T00:00:00Z", "2009-11-01 00:00:00+02:00"])
def test_a_start_with_a_time_zone_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp(value)


@pytest.mark.parametrize("value", ["", "yesterday", "2009-13-01", 20091101, None, ["2009-11-01"]])
def test_a_start_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD HH:MM:SS"):
        timestamp(value)


def test_lags_follow_the_cycles_of_the_calendar() -> None:
    hours = lags(Frequency.parse("H"), 10_000)
    assert set(range(1, 8)) | {23, 24, 25, 168, 169, 336, 672, 720} <= set(hours)
    days = lags(Frequency.parse("D"), 10_000)
    assert set(range(1, 9)) | {14, 21, 28, 30, 31, 56, 84, 363, 364, 365, 728} <= set(days)
    assert {52, 104, 156} <= set(lags(Frequency.parse("W"), 1000))
    assert {11, 12, 13, 24, 36} <= set(lags(Frequency.parse("M"), 1000))
    assert {12, 36, 288, 7 * 288} <= set(lags(Frequency.parse("5min"), 10_000))
    # Every second hour there are twelve points a day.
    assert {12, 84} <= set(lags(Frequency.parse("2H"), 10_000))
    assert lags(Frequency.parse("3D"), 10_000)[:7] == (1, 2, 3, 4, 5, 6, 7)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["M", "W", "D", "H", "min"]), st.integers(1, 5000), st.integers(1, 3000))
def test_lags_ascend_and_stay_within_the_series(unit: str, multiple: int, longest: int) -> None:
    found = lags(Frequency(multiple, unit), longest)
    assert found[0] == 1
    assert list(found) == sorted(set(found))
    assert all(lag < longest for lag in found[1:])
