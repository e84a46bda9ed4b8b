"""When an alarm changes state: the CloudWatch guide's tables, and a slow literal reading of its rules."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms import reasons
from engine.alarms.history import _written
from engine.alarms.rules import ALARM, OK, TREATMENTS, UNKNOWN, Point, Rule, Verdict, evaluate

KEEP = "keep"
# "Configuring how CloudWatch alarms treat missing data": 0 is fine, X breaches, - is missing; missing, ignore, breaching, notBreaching.
THREE_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "- - - - 0": (OK, OK, OK, OK),
    "- - - - -": (UNKNOWN, KEEP, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, KEEP, ALARM, OK),
    "- - - - X": (KEEP, KEEP, ALARM, OK),
    "- - - X 0": (OK, OK, OK, OK),
    "- - X 0 -": (OK, OK, OK, OK),
}
TWO_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, KEEP, ALARM, OK),
}


def rule(periods: int, to_alarm: int, missing: str = "missing", comparison: str = "GreaterThanThreshold", *, explicit: bool = False) -> Rule:  # fmt: skip
    return Rule(comparison, 10.0, periods, to_alarm, missing, explicit)


def points(text: str) -> list[Point | None]:
    values = {"0": 5.0, "X": 15.0}
    return [
        Point(1_800_000_000 + 60 * index, values[sign], 1.0) if sign in values else None
        for index, sign in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("to_alarm", "signs", "expected"),
    [(3, *row) for row in THREE_OF_THREE.items()] + [(2, *row) for row in TWO_OF_THREE.items()],
)
def test_the_guides_tables(to_alarm: int, signs: str, expected: tuple[str, ...]) -> None:
    for missing, state in zip(TREATMENTS, expected, strict=True):
        found = evaluate(rule(3, to_alarm, missing), points(signs))
        assert (found.state if found else KEEP) == state, missing


def literally(periods: int, to_alarm: int, missing: str, signs: Sequence[str]) -> str:
    """The guide's sentences one after the other, on 0, X and -."""
    present = [sign for sign in signs if sign != "-"]
    # "If the total number of existing data points is equal to or more than the alarm's Evaluation Periods, CloudWatch evaluates the
    # most recent real data points; the value for missing data is not needed and is ignored."
    if len(present) >= periods:
        recent = present[len(present) - periods :]
        return ALARM if recent.count("X") >= to_alarm else OK
    # "If the number of actual data points is lower, CloudWatch fills in the missing data points with the result you specified, as few
    # times as possible, and all real data points are included."
    if missing == "breaching":
        recent = present + ["X"] * (periods - len(present))
        return ALARM if recent.count("X") >= to_alarm else OK
    if missing == "notBreaching":
        recent = present + ["0"] * (periods - len(present))
        return ALARM if recent.count("X") >= to_alarm else OK
    if not present:
        return UNKNOWN if missing == "missing" else KEEP
    if present.count("X") >= to_alarm:
        return ALARM
    if "0" in present:
        return OK
    # "Alarms always go into ALARM state when the oldest available breaching data point is at least as old as the value of Datapoints
    # to Alarm, and all other more recent data points are breaching or missing"; when missing data is ignored, they stay.
    age = len(signs) - signs.index("X")
    return ALARM if missing == "missing" and age >= to_alarm else KEEP


@given(st.data())
def test_m_out_of_n_is_what_the_guide_says(data: st.DataObject) -> None:
    periods = data.draw(st.integers(1, 8))
    to_alarm = data.draw(st.integers(1, periods))
    missing = data.draw(st.sampled_from(TREATMENTS))
    signs = data.draw(st.lists(st.sampled_from("0X-"), min_size=periods + 2, max_size=periods + 2))
    found = evaluate(rule(periods, to_alarm, missing), points(" ".join(signs)))
    assert (found.state if found else KEEP) == literally(periods, to_alarm, missing, signs)


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("GreaterThanThreshold", (False, False, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_comparisons(comparison: str, breaching: tuple[bool, ...]) -> None:
    found = rule(1, 1, comparison=comparison)
    assert tuple(found.breaches(value) for value in (9.0, 10.0, 11.0)) == breaching


def test_percentiles_of_few_samples_change_nothing() -> None:
    document = {
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 10.0, "EvaluationPeriods": 1,
        "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "ignore",
    }  # fmt: skip
    found = Rule.of(document)
    assert found.least_samples == pytest.approx(1000)
    assert evaluate(found, [Point(0, 20.0, 900)]) is None
    verdict = evaluate(found, [Point(0, 20.0, 1001)])
    assert verdict is not None
    assert verdict.state == ALARM


NOW = 1_764_370_200  # 28 November 2025, 22:50:00 UTC


@pytest.mark.parametrize(
    ("found", "values", "text"),
    [
        (
            rule(1, 1, explicit=True), "X",
            "Threshold Crossed: 1 out of the last 1 datapoints [15.0 (28/11/25 22:50:00)] was greater than the threshold (10.0) "
            "(minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (rule(1, 1), "0", "Threshold Crossed: 1 datapoint [5.0 (28/11/25 22:50:00)] was not greater than the threshold (10.0)."),
        (
            rule(2, 2, comparison="LessThanOrEqualToThreshold"), "0 0",
            "Threshold Crossed: 2 datapoints [5.0 (28/11/25 22:50:00), 5.0 (28/11/25 22:49:00)] were less than or equal to the "
            "threshold (10.0).",
        ),
        (
            rule(5, 3, explicit=True), "0 X 0 X 0",
            "Threshold Crossed: 3 out of the last 5 datapoints [5.0 (28/11/25 22:50:00), 5.0 (28/11/25 22:48:00), "
            "5.0 (28/11/25 22:46:00)] were not greater than the threshold (10.0) (minimum 3 datapoints for ALARM -> OK transition).",
        ),
        (rule(1, 1), "-", "Insufficient Data: 1 datapoint was unknown."),
        (rule(3, 3), "- - -", "Insufficient Data: 3 datapoints were unknown."),
        (
            rule(1, 1, "notBreaching"), "-",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
        ),
        (
            rule(5, 5, "breaching"), "- - -",
            "Threshold Crossed: no datapoints were received for 5 periods and 5 missing datapoints were treated as [Breaching].",
        ),
        (
            rule(3, 2, "breaching"), "- - 0",
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching].",
        ),
        (
            rule(8, 8, "breaching"), "- 0",
            "Threshold Crossed: 1 datapoint [5.0 (28/11/25 22:50:00)] was not greater than the threshold (10.0) and 7 missing "
            "datapoints were treated as [Breaching].",
        ),
    ],
)  # fmt: skip
def test_reasons_are_worded_as_cloudwatch_words_them(found: Rule, values: str, text: str) -> None:
    signs = values.split()
    given_points = [
        Point(NOW - 60 * (len(signs) - 1 - index), {"0": 5.0, "X": 15.0}[sign], 1.0) if sign != "-" else None
        for index, sign in enumerate(signs)
    ]
    verdict = evaluate(found, given_points)
    assert verdict is not None
    assert reasons.text(found, verdict) == text


def test_reason_data_is_json_that_fits() -> None:
    document = {"Statistic": "Average", "Period": 60, "Threshold": 10.0, "Unit": "Count"}
    few = Verdict(ALARM, (Point(NOW, 15.0, 2.0), Point(NOW - 60, 14.0, 1.0)), 0)
    assert json.loads(reasons.data(document, few, NOW + 30.25)) == {
        "version": "1.0",
        "queryDate": "2025-11-28T22:50:30.250+0000",
        "startDate": "2025-11-28T22:49:00.000+0000",
        "unit": "Count",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [14.0, 15.0],
        "threshold": 10.0,
        "evaluatedDatapoints": [
            {"timestamp": "2025-11-28T22:50:00.000+0000", "sampleCount": 2.0, "value": 15.0},
            {"timestamp": "2025-11-28T22:49:00.000+0000", "sampleCount": 1.0, "value": 14.0},
        ],
    }
    many = Verdict(ALARM, tuple(Point(NOW - 60 * i, 1 / (3 + i), 7.0) for i in range(1440)), 0)
    written = reasons.data(document, many, NOW)
    assert len(written) <= 4000
    assert json.loads(written)["recentDatapoints"]


@pytest.mark.parametrize(
    ("value", "text"), [(12, "12.0"), (1e7, "1.0E7"), (0.0005, "5.0E-4"), (0.1, "0.1"), (0.0, "0.0"), (123456.789, "123456.789"), (-2.5e-9, "-2.5E-9")]
)  # fmt: skip
def test_numbers_are_written_as_java_writes_them(value: float, text: str) -> None:
    assert reasons._number(value) == text


def test_history_data_stays_json_when_it_is_long() -> None:
    data = {
        "version": "1.0",
        "newState": {"stateValue": OK, "stateReasonData": {"recentDatapoints": [0.5] * 2000}},
    }
    assert json.loads(_written(data)) == {
        "version": "1.0",
        "newState": {"stateValue": OK, "stateReasonData": {}},
    }
