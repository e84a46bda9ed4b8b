"""The rules by which trainings are stopped and searches end: median rule, Hyperband, completion, ranks."""

from __future__ import annotations

from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tuning import completion, early_stopping, hyperband, warm_start

VALUES = st.floats(-1e6, 1e6)
CURVES = st.lists(st.lists(VALUES, min_size=1, max_size=8), max_size=8)


@given(st.lists(VALUES, min_size=1, max_size=8), CURVES, st.booleans(), st.data())
def test_the_median_rule_is_the_documented_one(
    curve: list[float], previous: list[list[float]], minimize: bool, data: st.DataObject
) -> None:
    epoch = data.draw(st.integers(0, len(curve) - 1))
    averages = [mean(other[: epoch + 1]) for other in previous if len(other) >= epoch + 1]
    expected = len(averages) >= 3 and (
        curve[epoch] > median(averages) if minimize else curve[epoch] < median(averages)
    )
    assert early_stopping.hopeless(curve, epoch, previous, minimize=minimize) == expected


def test_a_worse_training_is_stopped_at_its_first_bad_epoch() -> None:
    previous = [[4.0, 2.0, 1.0], [5.0, 3.0, 2.0], [6.0, 4.0, 3.0]]
    # Running averages after each epoch: 5; 4; 3.33 in the middle.
    assert early_stopping.first_hopeless([5.0, 4.0, 3.3], 0, previous, minimize=True) is None
    assert early_stopping.first_hopeless([5.0, 4.1, 1.0], 0, previous, minimize=True) == 1
    assert early_stopping.first_hopeless([5.0, 4.1, 1.0], 2, previous, minimize=True) is None
    assert early_stopping.first_hopeless([5.1, 0.0], 0, previous, minimize=False) == 1
    assert early_stopping.first_hopeless([9.0], 0, previous[:2], minimize=True) is None


def test_rungs_grow_by_three_below_the_largest() -> None:
    assert hyperband.rungs(1, 27) == [1, 3, 9]
    assert hyperband.rungs(2, 20) == [2, 6, 18]
    assert hyperband.rungs(5, 6) == [5]


def test_brackets_get_hyperbands_shares() -> None:
    taken = [0, 0, 0, 0]
    for _ in range(55):
        taken[hyperband.next_bracket(3, taken)] += 1
    assert taken == [27, 18, 6, 4]


@given(st.lists(VALUES, min_size=1, max_size=30, unique=True), st.booleans())
def test_a_third_goes_on(values: list[float], minimize: bool) -> None:
    on = [
        value
        for value in values
        if hyperband.goes_on(value, [other for other in values if other != value], minimize=minimize)
    ]
    expected = len(values) if len(values) < 3 else -(-len(values) // 3)
    assert on == [value for value in values if value in sorted(values, reverse=not minimize)[:expected]]


def test_who_loses_at_a_rung_is_stopped_and_so_is_who_goes_beyond_the_largest() -> None:
    others = [[3.0, 2.0, 1.0], [4.0, 3.0, 2.0]]
    rule = {"levels": [1, 3], "others": others, "largest": 9, "minimize": True}
    assert hyperband.loses([3.5], 0, **rule)  # type: ignore[arg-type]
    assert not hyperband.loses([2.5], 0, **rule)  # type: ignore[arg-type]
    assert not hyperband.loses([2.5, 9.0], 1, **rule)  # type: ignore[arg-type]
    assert hyperband.loses([2.5, 9.0, 1.5], 2, **rule)  # type: ignore[arg-type]
    assert not hyperband.loses([2.5, 9.0, 1.5], 3, **rule)  # type: ignore[arg-type]
    assert not hyperband.loses([2.5] * 9, 8, **rule)  # type: ignore[arg-type]
    assert hyperband.loses([2.5] * 10, 9, **rule)  # type: ignore[arg-type]


def test_improvements_below_one_percent_add_up() -> None:
    def since(*values: float, minimize: bool = True) -> int:
        return completion.progress(values, minimize=minimize, parameters=2).not_improving

    assert since() == 0
    assert since(100, 99.5, 99.2) == 2
    assert since(100, 99.5, 98.9) == 0
    assert since(1, 5, 3, minimize=False) == 1
    assert since(0.0, -0.001) == 0
    assert since(-10.0, -10.05, -10.2) == 0


def test_convergence_needs_ten_jobs_or_three_per_parameter() -> None:
    assert not completion.progress([1.0] * 10, minimize=True, parameters=1).converged
    assert completion.progress([1.0] * 11, minimize=True, parameters=1).converged
    assert not completion.progress([1.0] * 11, minimize=True, parameters=5).converged
    assert completion.progress([1.0] * 16, minimize=True, parameters=5).converged


@pytest.mark.parametrize(
    ("criteria", "values", "minimize", "expected"),
    [
        ({"TargetObjectiveMetricValue": 0.5}, [0.6], True, False),
        ({"TargetObjectiveMetricValue": 0.5}, [0.5], True, True),
        ({"TargetObjectiveMetricValue": 0.5}, [0.6], False, True),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, [1.0] * 3, True, False),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, [1.0] * 4, True, True),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}, [1.0] * 11, True, True),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}}, [1.0] * 11, True, False),
        ({}, [1.0] * 50, True, False),
    ],
)
def test_completion_criteria(
    criteria: dict[str, object], values: list[float], minimize: bool, expected: bool
) -> None:
    found = completion.progress(values, minimize=minimize, parameters=1)
    best = min(values) if minimize else max(values)
    assert completion.reached(criteria, best, found, minimize=minimize) is expected


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_scores_are_the_ranks_of_the_values(values: list[float]) -> None:
    found = warm_start.scores(values)
    assert len(set(values)) > 1 or found == pytest.approx([0.0] * len(values), abs=1e-9)
    for one, a in zip(values, found, strict=True):
        for other, b in zip(values, found, strict=True):
            assert (one < other) == (a < b)
