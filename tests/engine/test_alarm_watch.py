"""Which data an alarm looks at, and when: periods that are over, the last seconds, silence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.rules import ALARM, OK, UNKNOWN
from engine.alarms.watch import Watch
from engine.metricstore.archive import bins_by_period
from engine.metricstore.bins import Bin
from engine.series import MetricStore

# The store notes by the wall clock when data came: what happens here happened some minutes ago.
BEGIN = int(time.time()) // 600 * 600 - 600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    found = MetricStore(tmp_path)
    yield found
    found.close()


def document(**options: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a", "Namespace": "N", "MetricName": "m", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold", "StateValue": UNKNOWN,
        **options,
    }  # fmt: skip


def judged(watch: Watch, store: Any, second: float) -> str | None:
    """The state that an alarm should have so many seconds after the beginning."""
    found = watch.judge(store, BEGIN + second)
    return found.state if found else None


def put(store: MetricStore, second: float, *values: float) -> None:
    for value in values:
        store.put("N", "m", {}, value, BEGIN + second)


def test_a_breach_is_seen_before_its_period_is_over(store: MetricStore) -> None:
    watch = Watch(document())
    put(store, 5, 20.0)
    assert judged(watch, store, 5) == UNKNOWN  # The second has just begun.
    assert judged(watch, store, 6) == ALARM
    put(store, 30, 2.0, 2.0)
    assert judged(watch, store, 31) == OK  # 8 on average, and no period is over that says otherwise.
    put(store, 61, 50.0, 50.0)
    assert judged(watch, store, 62) == ALARM


def test_a_period_that_is_over_decides_until_the_next_one_is(store: MetricStore) -> None:
    watch = Watch(document())
    put(store, 30, 20.0)
    put(store, 70, 1.0)
    for second in (61, 89, 119):
        assert judged(watch, store, second) == ALARM
    assert judged(watch, store, 120) == OK
    assert judged(watch, store, 299) == OK
    assert judged(watch, store, 300) == UNKNOWN


@pytest.mark.parametrize("statistic", ["Sum", "SampleCount"])
def test_a_sum_that_still_grows_is_not_too_low(store: MetricStore, statistic: str) -> None:
    low = Watch(document(Statistic=statistic, ComparisonOperator="LessThanThreshold", Threshold=3.0))
    high = Watch(document(Statistic=statistic, ComparisonOperator="GreaterThanThreshold", Threshold=3.0))
    put(store, 5, 1.0)
    assert judged(low, store, 10) == UNKNOWN
    assert judged(high, store, 10) == OK
    put(store, 20, 1.0, 1.0, 1.0)
    assert judged(high, store, 25) == ALARM
    # A new minute begins with a sum of nothing, and does not take the alarm back.
    assert judged(high, store, 61) == ALARM
    assert judged(low, store, 61) == OK
    put(store, 65, 1.0)
    assert judged(low, store, 119) == OK
    assert judged(low, store, 120) == ALARM


def test_seconds_of_load_stand_for_minutes_where_they_are_scaled(store: MetricStore) -> None:
    watch = Watch(document(Statistic="Sum", EvaluationPeriods=3, Threshold=90.0), width=2)
    for second in range(20):
        put(store, second, *[1.0] * (2 if second < 10 else 1))
    assert judged(watch, store, 3) is None  # Breaching, but not for long enough.
    assert judged(watch, store, 6) == ALARM  # 2 a second are 120 a minute, three times in a row.
    assert [point.value for point in watch.points if point][-3:] == [120.0, 120.0, 120.0]
    assert judged(watch, store, 12) == OK  # 1 a second is 60 a minute.


def test_silence_counts_as_zero_where_it_means_that(store: MetricStore) -> None:
    low = {"Statistic": "Sum", "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 15}
    watch = Watch(document(**low), width=2, idle=0.0, since=BEGIN)
    assert judged(watch, store, 6) is None  # Breaching, but not for long enough.
    assert watch.due(store, BEGIN + 40)
    assert judged(watch, store, 40) == ALARM
    assert judged(Watch(document(**low), width=2), store, 40) == UNKNOWN


def test_an_alarm_without_data_costs_nothing(store: MetricStore) -> None:
    watch = Watch(document())
    assert watch.due(store, BEGIN)
    judged(watch, store, 0)
    assert not watch.due(store, BEGIN + 59)
    assert watch.due(store, BEGIN + 60)
    put(store, 40, 20.0)
    assert watch.due(store, BEGIN + 41)
    judged(watch, store, 41)
    assert not watch.due(store, BEGIN + 41.5)
    assert watch.due(store, BEGIN + 42.5)
    watch.hold(BEGIN + 50)
    assert not watch.due(store, BEGIN + 49)
    assert watch.due(store, BEGIN + 50)


def test_long_alarms_are_looked_at_less_often() -> None:
    assert Watch(document()).pace == 1.0
    assert Watch(document(Period=300, EvaluationPeriods=4)).pace == 10.0


class Seconds:
    """A store that holds one metric as (second, value) pairs, and reads them one by one."""

    def __init__(self, values: list[tuple[int, float]]) -> None:
        self.values = values

    def last(self, *_: Any) -> float:
        return float("inf")

    def bins(self, _n: str, _m: str, _d: Any, start: int, end: int, period: int, *, unit: Any, distribution: bool, phase: int) -> dict[str, dict[int, Bin]]:  # fmt: skip
        found = bins_by_period()
        for second, value in self.values:
            if start <= second < end:
                found[(second - phase) // period * period + phase].add(value)
        return {"None": dict(found)} if found else {}


@given(st.data())
def test_periods_are_cut_where_they_should_be(data: st.DataObject) -> None:
    statistic = data.draw(st.sampled_from(["Sum", "Maximum", "Average"]))
    periods = data.draw(st.integers(1, 3))
    values = data.draw(
        st.lists(st.tuples(st.integers(0, 70), st.sampled_from([1.0, 5.0, 20.0])), max_size=25)
    )
    now = data.draw(st.integers(0, 80))
    compute = {"Sum": sum, "Maximum": max, "Average": lambda found: sum(found) / len(found)}[statistic]

    def cut(end: int) -> list[float | None]:
        ends = [end - 10 * back for back in range(periods + 1, -1, -1)]
        held = [[value for second, value in values if stop - 10 <= second < stop] for stop in ends]
        return [float(compute(item)) if item else None for item in held]

    def breaches(found: list[float | None]) -> str:
        real = [value for value in found if value is not None][-periods:]
        if not real:
            return UNKNOWN
        return ALARM if len(real) == periods and min(real) > 10 else "other"

    watch = Watch(document(Statistic=statistic, Period=10, EvaluationPeriods=periods))
    shifted = [(BEGIN + second, value) for second, value in values]
    state = judged(watch, Seconds(shifted), now)
    over, moving = cut(now // 10 * 10), cut(now)
    early = moving[-1] is not None and moving[-1] > 10 and breaches(moving) == ALARM
    if early or breaches(over) == ALARM:
        assert state == ALARM
    elif breaches(over) == UNKNOWN and breaches(moving) == UNKNOWN:
        assert state == UNKNOWN
    else:
        # Too few of them may all breach: only then may it still be an alarm.
        few = [value for value in (*over, *moving) if value is not None]
        assert state in (OK, None) or (state == ALARM and periods > 1 and max(few) > 10)
