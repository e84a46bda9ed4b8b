"""What trials show: orders, best so far, axes, forecasts, comparisons. Properties on random trials, numbers on known ones."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.observe.tuning import finished
from workflows.observe.tuning_rows import (
    DefaultRow,
    Definition,
    Direction,
    Objective,
    Range,
    TrialCounts,
    TrialRow,
    TuningDetail,
    TuningRow,
    TuningView,
)
from workflows.tuning import analysis
from workflows.tuning.comparison import Comparison, compare, comparison, t_quantile
from workflows.tuning.forecast import forecast
from workflows.tuning.request import categorical, continuous, integer

RANGES = (
    continuous("rate", 1e-4, 1.0, "Logarithmic"),
    integer("depth", 1, 9),
    categorical("kind", ("a", "b", "c")),
    continuous("momentum", 0.0, 0.999, "ReverseLogarithmic"),
)


@st.composite
def trial_lists(draw: st.DrawFn) -> list[TrialRow]:
    rows = []
    for number in range(draw(st.integers(0, 25))):
        value = draw(st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(math.nan)))
        created = draw(st.floats(0, 1000))
        ended = draw(st.one_of(st.none(), st.floats(created, 2000)))
        tuned = {"rate": repr(draw(st.floats(1e-4, 1.0))), "depth": str(draw(st.integers(1, 9)))}
        if draw(st.booleans()):
            tuned["kind"] = draw(st.sampled_from("abcz"))
        rows.append(
            TrialRow(
                name=f"t-{number:03}", status="Completed" if ended else "InProgress", value=value, tuned=tuned,
                created=created, started=created, ended=ended,
            )
        )  # fmt: skip
    return rows


def tuning_detail(
    *,
    status: str = "Completed",
    ranges: tuple[Range, ...] = RANGES,
    direction: Direction = "Minimize",
    **more: object,
) -> TuningDetail:
    row = TuningRow(name="tune", status=status, created=0.0, modified=0.0, most_jobs=20, parallel=2)
    objective = Objective(name="loss", direction=direction)
    definition = Definition(ranges=ranges, objective=objective, instances=(("ml.m5.xlarge", 2),))
    return TuningDetail(row=row, objective=objective, definitions=(definition,), **more)  # type: ignore[arg-type]


@settings(deadline=None)
@given(trial_lists(), st.sampled_from(["Minimize", "Maximize"]))
def test_the_leaderboard_holds_every_trial_once_the_best_first(
    rows: list[TrialRow], direction: Direction
) -> None:
    found = analysis.leaderboard(rows, direction)
    assert sorted(row.name for row in found) == sorted(row.name for row in rows)
    known = analysis.scored(rows)
    values = [row.value for row in found[: len(known)]]
    assert values == sorted((row.value for row in known), reverse=direction == "Maximize")  # type: ignore[type-var]
    assert all(row.value is None or math.isnan(row.value) for row in found[len(known) :])


@settings(deadline=None)
@given(trial_lists(), st.sampled_from(["Minimize", "Maximize"]))
def test_the_best_so_far_never_gets_worse_and_ends_at_the_best(
    rows: list[TrialRow], direction: Direction
) -> None:
    points = analysis.best_so_far(rows, direction)
    assert [point.number for point in points] == list(range(1, len(points) + 1))
    assert [point.time for point in points] == sorted(point.time for point in points)
    sign = 1 if direction == "Minimize" else -1
    assert all(sign * later.best <= sign * earlier.best for earlier, later in itertools.pairwise(points))
    assert all(
        point.improved == (point.best == point.value and point.trial != "") or not point.improved
        for point in points
    )
    if points:
        assert points[0].improved
        assert points[-1].best == analysis.leaderboard(analysis.scored(rows), direction)[0].value


@settings(deadline=None)
@given(
    trial_lists(),
    st.sampled_from(["name", "status", "value", "created", "duration", "cost", "rate", "kind", "nothing"]),
    st.booleans(),
)
def test_every_order_holds_every_trial_and_what_has_nothing_is_last(
    rows: list[TrialRow], column: str, descending: bool
) -> None:
    found = analysis.ordered(rows, column, now=3000.0, descending=descending)
    assert sorted(row.name for row in found) == sorted(row.name for row in rows)
    if column == "rate":
        rates = [float(row.tuned["rate"]) for row in found]
        assert rates == sorted(rates, reverse=descending)
    if column == "kind":
        has = ["kind" in row.tuned for row in found]
        assert has == sorted(has, reverse=True)
    if column in ("cost", "nothing"):
        assert [row.name for row in found] == [row.name for row in rows]


@settings(deadline=None)
@given(trial_lists())
def test_axes_hold_the_scored_trials_that_have_a_value_there(rows: list[TrialRow]) -> None:
    charts = {chart.parameter: chart for chart in analysis.against(tuning_detail(), rows)}
    assert {name: chart.scale for name, chart in charts.items()} == {
        "rate": "log", "depth": "linear", "kind": "category", "momentum": "reverse-log",
    }  # fmt: skip
    known = analysis.scored(rows)
    assert len(charts["rate"].points) == len(known)
    assert len(charts["kind"].points) == sum(row.tuned.get("kind", "z") != "z" for row in known)
    assert charts["momentum"].points == ()
    assert all(point.x in (0.0, 1.0, 2.0) for point in charts["kind"].points)
    found = analysis.parallel(tuning_detail(), rows)
    assert len(found.lines) == len(known)
    for line in found.lines:
        assert line.positions[3] is None
        assert all(place is None or -1e-9 <= place <= 1 + 1e-9 for place in line.positions)
        assert found.low <= line.value <= found.high


@pytest.mark.parametrize(
    ("item", "text", "place"),
    [
        (RANGES[0], "0.01", 0.5),
        (RANGES[0], "0.0001", 0.0),
        (RANGES[1], "5", 0.5),
        (RANGES[1], '"9"', 1.0),
        (RANGES[2], "b", 0.5),
        (RANGES[2], "z", None),
        (RANGES[3], "0.0", 0.0),
        (RANGES[3], "0.999", 1.0),
        (RANGES[3], repr(1 - math.sqrt(1e-3)), 0.5),
        (RANGES[0], "many", None),
        (RANGES[0], "nan", None),
        (continuous("wide", 0.001, 1.0), "0.0316227766", 0.5),
        (continuous("narrow", 0.5, 1.0), "0.75", 0.5),
        (continuous("point", 2.0, 2.0), "2", 0.5),
        (categorical("one", ("x",)), "x", 0.0),
    ],
)  # fmt: skip
def test_a_value_lies_on_its_axis_as_it_is_scaled(item: Range, text: str, place: float | None) -> None:
    assert analysis.position(item, text) == (None if place is None else pytest.approx(place))


def test_ranges_that_autotune_found_get_the_bounds_of_the_trials() -> None:
    auto = (Range(name="rate", kind="auto", hint="0.1"), Range(name="kind", kind="auto", hint="a"))
    rows = [
        TrialRow(
            name=f"t{n}", status="Completed", value=float(n), tuned={"rate": rate, "kind": kind}, created=n
        )
        for n, (rate, kind) in enumerate([("0.2", "a"), ("0.05", "b")])
    ]
    rate, kind = analysis.against(tuning_detail(ranges=auto), rows)
    assert (rate.low, rate.high, rate.scale) == (0.05, 0.2, "linear")
    assert kind.categories == ("a", "b")


def test_trials_that_a_person_stopped_are_not_early_stopped() -> None:
    def row(name: str, created: float, ended: float) -> TrialRow:
        return TrialRow(name=name, status="Stopped", value=1.0, created=created, started=created, ended=ended)

    rows = [row("early", 0, 10), row("next", 12, 30), row("last", 13, 30)]
    going = tuning_detail(status="InProgress", early_stopping="Auto")
    assert [item.early_stopped for item in finished(going, rows, 40.0)] == [True, True, True]
    stopped = tuning_detail(status="Stopped", early_stopping="Auto")
    assert [item.early_stopped for item in finished(stopped, rows, 40.0)] == [True, False, False]
    plain = tuning_detail(status="Completed")
    assert not any(item.early_stopped for item in finished(plain, rows, 40.0))
    # Two instances of a known price; what still runs has no cost yet.
    assert finished(plain, rows, 40.0)[0].cost == pytest.approx(2 * 0.23 * 10 / 3600)
    running = replace(rows[0], status="InProgress", ended=None)
    assert finished(plain, [running], 40.0)[0].cost is None


def ended_trials(count: int, seconds: float, instances: str = "ml.m5.xlarge") -> tuple[TrialRow, ...]:
    """Two at a time, one after the other, without a gap."""
    rows = []
    for number in range(count):
        created = (number // 2) * seconds
        rows.append(
            TrialRow(
                name=f"t{number}", status="Completed", value=1.0, created=created, started=created + 1, ended=created + seconds,
                cost=0.01,
            )
        )  # fmt: skip
    return tuple(rows)


def test_a_forecast_counts_what_is_left_over_the_slots() -> None:
    view = TuningView(detail=tuning_detail(status="InProgress"), trials=ended_trials(10, 60))
    found = forecast(view, now=300.0)
    assert found.trials_left == 10
    assert found.seconds_left == found.low == found.high == pytest.approx(300)
    assert found.cost == pytest.approx(0.1)
    assert found.cost_left == pytest.approx(10 * 59 * 2 * 0.23 / 3600)
    assert found.basis == "From 10 ended trials."
    limited = replace(view, detail=replace(view.detail, max_runtime=400, most_not_improving=5))
    assert forecast(limited, now=300.0).seconds_left == 100
    assert "may end it earlier" in forecast(limited, now=300.0).basis


def test_a_forecast_says_what_it_does_not_know() -> None:
    detail = tuning_detail(status="InProgress")
    nothing = forecast(TuningView(detail=detail), now=10.0)
    assert (nothing.seconds_left, nothing.cost_left, nothing.basis) == (None, None, "No trial has ended yet.")
    endless = replace(detail, row=replace(detail.row, most_jobs=0))
    found = forecast(TuningView(detail=endless, trials=ended_trials(4, 60)), now=200.0)
    assert found.trials_left is None and found.seconds_left is None and "no limit" in found.basis
    (definition,) = detail.definitions
    priceless = replace(detail, definitions=(replace(definition, instances=(("ml.p9.huge", 1),)),))
    rows = tuple(replace(row, cost=None) for row in ended_trials(4, 60))
    found = forecast(TuningView(detail=priceless, trials=rows), now=120.0)
    assert (
        found.seconds_left
        and found.cost_left is None
        and found.unknown == ("ml.p9.huge",)
        and found.cost == 0
    )
    over = forecast(TuningView(detail=tuning_detail(), trials=ended_trials(4, 60)), now=1e6)
    assert (over.trials_left, over.seconds_left, over.cost_left) == (0, 0.0, 0.0)


@settings(deadline=None)
@given(st.lists(st.floats(1, 500), min_size=1, max_size=30), st.integers(0, 3), st.integers(1, 60))
def test_a_forecast_is_never_negative_and_its_interval_holds_its_middle(
    seconds: list[float], running: int, most: int
) -> None:
    rows = [
        TrialRow(name=f"t{n}", status="Completed", created=0.0, started=0.0, ended=wall, value=1.0)
        for n, wall in enumerate(seconds)
    ]
    rows += [TrialRow(name=f"r{n}", status="InProgress", created=10.0, started=10.0) for n in range(running)]
    detail = tuning_detail(status="InProgress")
    detail = replace(detail, row=replace(detail.row, most_jobs=most, counts=TrialCounts(running=running)))
    found = forecast(TuningView(detail=detail, trials=tuple(rows)), now=600.0)
    assert found.trials_left == max(0, most - len(rows))
    assert found.low is not None and found.high is not None and found.seconds_left is not None
    assert 0 <= found.low <= found.seconds_left <= found.high
    assert found == forecast(TuningView(detail=detail, trials=tuple(rows)), now=600.0)


@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [(0.95, 1, 6.313751515), (0.975, 4, 2.776445105), (0.95, 4, 2.131846786), (0.9975, 4, 5.597568367), (0.9, 30, 1.310415025),
     (0.5, 7, 0.0), (0.05, 9, -1.833112933)],
)  # fmt: skip
def test_quantiles_of_t_are_those_of_the_tables(probability: float, degrees: int, expected: float) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=1e-8)


def test_quantiles_of_t_agree_with_scipy() -> None:
    from scipy.special import stdtrit

    for degrees in (1, 2, 3, 5, 8, 49):
        for probability in (0.001, 0.3, 0.75, 0.99, 0.9999):
            assert t_quantile(probability, degrees) == pytest.approx(stdtrit(degrees, probability), rel=1e-6)
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(1.0, 3)


LEAST = Objective(name="rmse", direction="Minimize")
SPREAD = (3.05, 3.4, 3.71, 4.0, 4.67)


def judged(tuned: float | None, values: tuple[float, ...] = SPREAD, trials: int = 20) -> Comparison:
    return compare(LEAST, tuned, "best", trials, values)


def test_a_tuned_score_inside_the_spread_is_said_to_be_so() -> None:
    found = judged(3.5)
    assert found.verdict == "inside"
    assert found.sentence == (
        "The tuned score lies inside the spread of 5 default runs: another seed of the default configuration does as well."
    )
    assert found.mean == pytest.approx(3.766) and found.spread == pytest.approx(statistics.stdev(SPREAD))
    assert found.gain == pytest.approx(0.266)
    width = found.spread * math.sqrt(1.2) if found.spread else 0
    assert found.limit_one == pytest.approx(3.766 - 2.131846786 * width)
    assert found.limit_best == pytest.approx(3.766 - 5.597568367 * width)


def test_the_verdicts_go_from_worse_to_better() -> None:
    assert [judged(value).verdict for value in (4.5, 3.7, 2.0, -1.0)] == [
        "worse",
        "inside",
        "maybe",
        "better",
    ]
    assert judged(None).verdict == "no-tuned"
    assert judged(1.0, (3.0, 3.1)).verdict == "too-few"
    assert "2 default runs with a value" in judged(1.0, (3.0, 3.1)).sentence
    assert judged(1.0, ()).sentence.startswith("0 default runs")
    same = judged(0.9, (1.1, 1.1, 1.1))
    assert same.verdict == "better" and "which all give the same score" in same.sentence
    assert judged(1.1, (1.1, 1.1, 1.1)).verdict == "inside"


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=3, max_size=12), st.floats(-100, 100), st.integers(1, 500))
def test_the_verdict_is_the_same_upside_down(values: list[float], tuned: float, trials: int) -> None:
    low = compare(LEAST, tuned, "t", trials, values)
    high = compare(
        Objective(name="rmse", direction="Maximize"), -tuned, "t", trials, [-value for value in values]
    )
    assert low.verdict == high.verdict
    # The more trials there were, the further away the best of them has to be.
    one = compare(LEAST, tuned, "t", 1, values)
    assert (
        low.limit_best is not None and one.limit_best is not None and low.limit_best <= one.limit_best + 1e-9
    )


def test_luck_alone_is_called_better_in_at_most_one_of_twenty_tunings() -> None:
    """Trials that are nothing but default runs with other seeds: the rule must hardly ever call the best one better."""
    import random

    draw = random.Random(11)
    called = 0
    for _ in range(600):
        defaults = [draw.gauss(3.7, 0.4) for _ in range(5)]
        best = min(draw.gauss(3.7, 0.4) for _ in range(20))
        called += compare(LEAST, best, "t", 20, defaults).verdict == "better"
    assert called <= 600 * 0.05


def test_a_comparison_reads_the_view() -> None:
    trials = (
        TrialRow(name="a", status="Completed", value=2.0, created=1.0),
        TrialRow(name="b", status="Completed", value=1.0, created=2.0),
        TrialRow(name="c", status="Failed", created=3.0),
    )
    runs = (
        DefaultRow(name="d1", status="Completed", value=1.5, created=4.0),
        DefaultRow(name="d2", status="InProgress", created=4.0),
        DefaultRow(name="d3", status="Failed", created=4.0),
    )
    found = comparison(TuningView(detail=tuning_detail(), trials=trials, defaults=runs))
    assert (found.tuned, found.trial, found.trials) == (1.0, "b", 2)
    assert (found.values, found.running, found.failed) == ((1.5,), 1, 1)
    assert found.verdict == "too-few" and "1 more run" in found.sentence
