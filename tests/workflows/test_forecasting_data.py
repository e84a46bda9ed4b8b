"""The forecasting study's series: what is trained on, what is hidden, and series that are broken on purpose, each named."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.data.series import write
from workflows.failures import WorkflowError
from workflows.studies.forecasting import checks, features, lines, trained
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN, Power, Window, pinned, read

FIRST = datetime.date(2006, 12, 16)
DAYS = 1442


def power(days: int = DAYS) -> Power:
    return Power(FIRST, np.random.default_rng(1).gamma(4, 0.3, days).round(6))


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 200),
    st.integers(0, 12),
    st.sampled_from(["whole", "cold", "years"]),
    st.sampled_from(sorted(features.CHOICES)),
)
def test_no_value_of_a_window_is_trained_on_and_every_request_ends_the_day_before_it(
    horizon: int, origins: int, form: Any, choice: str
) -> None:
    days = power()
    windows = pinned(days, horizon, origins)
    assert [window.group for window in windows[:3]] == [DECEMBERS] * 3
    assert [window.end for window in windows[:3]] == [
        datetime.date(year, 1, 1) for year in (2008, 2009, 2010)
    ]
    later = windows[3:]
    assert len(later) <= origins and all(window.group == UNSEEN for window in later)
    assert all(one.end == other.start for one, other in pairwise(later))
    assert all(window.end < days.end for window in later)
    series = lines.training(form, windows, days, choice)
    assert checks.separate("audit", series, windows).verdict == "pass"
    assert len(series) == {"whole": 1, "years": 3}.get(form, len(series))
    count = len(features.CHOICES[choice])
    for line in series:
        assert line.keys() == {"start", "target"} | ({"dynamic_feat"} if count else set())
        assert [len(row) for row in line.get("dynamic_feat", [])] == [len(line["target"])] * count
        begin = datetime.date.fromisoformat(line["start"][:10])
        there = days.between(begin, begin + datetime.timedelta(days=len(line["target"])))
        assert all(
            value is None or value == known for value, known in zip(line["target"], there, strict=True)
        )
    for window in windows:
        asked = lines.request(form, window, days, choice)
        begin = datetime.date.fromisoformat(asked["start"][:10])
        assert begin + datetime.timedelta(days=len(asked["target"])) == window.start
        assert [len(row) for row in asked.get("dynamic_feat", [])] == [len(asked["target"]) + horizon] * count
    for line, window in zip(lines.tested(form, windows, days, choice), windows, strict=False):
        assert line["target"][-horizon:] == days.days(window).tolist()
    assert json.loads(json.dumps(series)) == series


def test_days_and_windows_are_read_as_they_were_written(tmp_path: Path) -> None:
    days = power()
    days.write(tmp_path / "power.csv")
    again = Power.read(tmp_path / "power.csv")
    assert again.first == FIRST and (again.values == days.values).all()
    windows = pinned(days, 30, 10)
    lines.write(tmp_path / "windows.json", [window.as_dict() for window in windows])
    assert read(tmp_path / "windows.json") == windows
    outside = days.between(FIRST - datetime.timedelta(days=2), FIRST + datetime.timedelta(days=1))
    assert np.isnan(outside).tolist() == [True, True, False]


def test_the_calendar_of_france() -> None:
    assert len(features.holidays(2009)) == 11
    assert {datetime.date(2009, 4, 13), datetime.date(2009, 5, 21), datetime.date(2009, 6, 1)} <= (
        features.holidays(2009)
    )
    start = datetime.date(2009, 12, 24)  # a Thursday
    assert features.rows("days-off", start, 5) == [[0, 1, 1, 1, 0]]
    assert features.rows("days-off", start, 2, off=[1, 0]) == [[1, 0]]
    assert features.rows("none", start, 5) == []
    cosine, sine = features.rows("annual", datetime.date(2008, 12, 31), 2)
    assert abs(cosine[0] - cosine[1]) < 0.01 and abs(sine[0] - sine[1]) < 0.03


@pytest.mark.parametrize("horizon", [365, 366, 400])
def test_a_prediction_length_longer_than_a_year_is_refused(horizon: int) -> None:
    with pytest.raises(
        WorkflowError, match=rf"prediction length of {horizon} days is longer than the series of 2007"
    ):
        pinned(power(), horizon, 0)


def test_a_year_that_is_lacking_is_named() -> None:
    with pytest.raises(WorkflowError, match="series of 2009 leaves room for: it has 0 days"):
        pinned(power(700), 30, 0)


Break = Callable[[list[dict[str, Any]]], None]


def stamp_all_2007(found: list[dict[str, Any]]) -> None:
    for line in found:
        line["start"] = "2007-01-01"


def stamp_2008_as_2009(found: list[dict[str, Any]]) -> None:
    del found[2]
    found[1]["start"] = "2009-01-01"


def shift_a_day(found: list[dict[str, Any]]) -> None:
    found[1]["target"] = [*found[1]["target"][1:], 1.0]


def change_some(found: list[dict[str, Any]]) -> None:
    found[1]["target"][:20] = [9.0] * 20


def lose_a_number(found: list[dict[str, Any]]) -> None:
    found[0]["target"][40] = None


def swap_values(found: list[dict[str, Any]]) -> None:
    random = np.random.default_rng(3)
    for line in found:
        line["target"] = random.permutation(line["target"]).tolist()


@pytest.mark.parametrize(
    ("role", "breaking", "said"),
    [
        ("both", stamp_all_2007, "line 2 is stamped 2007-01-01, but its values are those of 2008-01-01 on: the start date is wrong"),
        ("both", stamp_2008_as_2009, "line 2 is stamped 2009-01-01, but its values are those of 2008-01-01 on"),
        ("both", shift_a_day, "line 2 is stamped 2008-01-01, but its values are those of 2008-01-02 on"),
        ("train", change_some, "The series of 2008-01-01 has other values in the test data"),
        ("both", swap_values, "not aligned"),
        ("train", lose_a_number, "1 values are no finite numbers, the first is value 41"),
    ],
)  # fmt: skip
def test_broken_series_are_named(role: str, breaking: Break, said: str, tmp_path: Path) -> None:
    import pandas as pd

    days = power()
    write(tmp_path, pd.Series(days.values, pd.date_range(FIRST, periods=DAYS)))
    paths = {name: str(tmp_path / f"{name}.json") for name in ("train", "test")}
    assert [gate.verdict for gate in checks.files("audit", paths, days)] == ["pass"]
    for name in paths if role == "both" else [role]:
        found = [json.loads(row) for row in Path(paths[name]).read_text().splitlines()]
        breaking(found)
        lines.write(Path(paths[name]), found)
    (gate,) = checks.files("audit", paths, days)
    assert gate.verdict == "fail"
    assert said in gate.reason


def test_no_ready_made_series_are_no_mistake() -> None:
    assert checks.files("audit", {"daily": "x"}, power())[0].verdict == "pass"


def line(target: list[Any], start: str = "2007-01-01 00:00:00") -> dict[str, Any]:
    return {"start": start, "target": target}


def test_series_that_stand_still_or_are_short_or_hold_a_window_are_named() -> None:
    alive = power().values[:400].tolist()
    assert "never changes" in checks.constant("", [line(alive), line([1.0] * 400)]).reason
    still = alive[:100] + [0.5] * 20 + alive[120:]
    gate = checks.constant("", [line(still)])
    assert gate.verdict == "fail" and "20 days in a row have the same value, from 2007-04-11" in gate.reason
    assert checks.constant("", [line(alive)]).verdict == "pass"
    gate = checks.long_enough("", [line(alive), line(alive[:20])], 30)
    assert gate.verdict == "fail" and "has 20 days, fewer than the 30 that are forecast" in gate.reason
    assert "DeepAR asks for 300" in checks.long_enough("", [line(alive[:200])], 30).reason
    window = Window("w", DECEMBERS, datetime.date(2007, 1, 31), 30)
    gate = checks.separate("", [line(alive)], [window])
    assert gate.verdict == "fail" and gate.value == 30
    hidden = alive[:30] + [None] * 30 + alive[60:]
    assert checks.separate("", [line(hidden)], [window]).verdict == "pass"


def test_december_is_never_a_training_target_in_the_notebooks_series() -> None:
    days = power()
    windows = pinned(days, 30, 10)
    gate = checks.months("", lines.training("years", windows, days, "none"), windows)
    assert gate.verdict == "warn" and "December (3 days trained on, 90 forecast)" in gate.reason
    for form in ("whole", "cold"):  # the days of short series are the whole one's
        gate = checks.months("", lines.training(form, windows, days, "none"), windows)  # type: ignore[arg-type]
        assert "December (19 days trained on, 90 forecast)" in gate.reason
    june = [Window("june", UNSEEN, datetime.date(2010, 6, 1), 30)]
    assert checks.months("", lines.training("whole", windows, days, "none"), june).verdict == "pass"


@pytest.mark.parametrize(
    ("losses", "wql", "failed"),
    [
        ([1.0, 0.5], [0.14], set()),
        ([1.0, float("nan")], [0.14], {"loss moves"}),
        ([], [0.14], {"loss moves"}),
        ([1.0, 0.999], [0.14], {"loss moves"}),
        ([1.0, 0.5], [], {"test score"}),
        ([1.0, 0.5], [float("nan")], {"test score"}),
        ([1.0, 0.5], [0.3], {"test score"}),
    ],
)
def test_training_logs_are_read(losses: list[float], wql: list[float], failed: set[str]) -> None:
    found = trained.judged("", "job-1", {trained.LOSS: losses, trained.WQL: wql}, 0.18, 0.1458, "mean")
    assert {gate.name.partition(": ")[2] for gate in found if gate.verdict == "fail"} == failed


def test_a_job_between_the_naive_and_the_best_free_forecast_is_warned_of() -> None:
    found = trained.judged(
        "", "job-1", {trained.LOSS: [1.0, 0.5], trained.WQL: [0.16]}, 0.18, 0.1458, "mean of 30 days"
    )
    assert [gate.verdict for gate in found] == ["pass", "warn"]
    assert "worse than the 0.1458 of the best free forecast, mean of 30 days" in found[1].reason
