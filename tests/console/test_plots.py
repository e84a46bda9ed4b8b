"""Axes, scatter plots, parallel coordinates, intervals and strips in characters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.geometry import Region

from console.app import make_app
from console.screens.curves import axis_label, base, charts
from console.screens.tuning_plots import fence
from console.screens.tuning_settings import parse_range, parse_seed, parse_target, searched_text
from console.theme import Palette
from console.widgets import drawing
from console.widgets.axis import Axis, Scale, tick_line
from console.widgets.canvas import Lines
from console.widgets.drawing import Series
from console.widgets.intervals import Interval, Strip, interval_bars, strips
from console.widgets.parallel import Dimension, Thread, parallel
from console.widgets.plot import Plot
from console.widgets.scatter import Mark, Plane, scatter
from tests.console.scripted import populated
from tests.console.settling import settle
from workflows.observe.curves import Curve
from workflows.observe.rows import SeriesData
from workflows.studies.parameters import ParameterError
from workflows.tuning.request import categorical, continuous, integer


def text(lines: Lines) -> str:
    return "\n".join("".join(part for part, _ in line) for line in lines)


scales = st.sampled_from(["linear", "log", "reverse-log"])


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=20), scales)
def test_an_axis_holds_what_has_a_place_on_it(values: list[float], scale: Scale) -> None:
    axis = Axis.around(values, scale)
    assert axis.low < axis.high
    for value in values:
        part = axis.part(value)
        if part is not None:
            assert -1e-6 <= part <= 1 + 1e-6
    parts = [axis.part(value) for value in axis.labels(4)]
    assert all(part is not None and 0 < part < 1 for part in parts)


def test_a_logarithmic_axis_has_equal_room_for_each_power_of_ten() -> None:
    axis = Axis(0.001, 10, "log")
    assert [axis.part(10.0**power) for power in (-3, -1, 1)] == pytest.approx([0, 0.5, 1])
    assert axis.part(0) is None and axis.part(-1) is None and axis.part(math.nan) is None
    assert axis.labels(5) == pytest.approx([0.01, 0.1, 1])
    assert Axis(0.9, 0.999, "reverse-log").part(0.99) == pytest.approx(0.5)


def test_a_chart_of_losses_can_be_logarithmic() -> None:
    series = [Series("loss", tuple((float(i), 10.0 ** (2 - i)) for i in range(5)))]
    drawn = text(drawing.chart(series, 40, 12, scale="log"))
    assert "100 ┤" in drawn and "0.01 ┤" in drawn and "1 ┤" in drawn
    zero = [Series("loss", ((0.0, 0.0), (1.0, 0.0)))]
    assert len(drawing.chart(zero, 40, 12, scale="log")) == 12, "nothing above 0: the axis stays linear"


marks = st.lists(
    st.builds(Mark, st.floats(0.001, 10), st.one_of(st.none(), st.floats(-1e6, 1e6))), max_size=30
)


@pytest.mark.parametrize("counted", [False, True])
def test_what_is_counted_is_drawn_from_zero_on(counted: bool) -> None:
    calls = Series("calls", ((0.0, 95.0), (1.0, 105.0)), counted=counted)
    labels = {"".join(text for text, _ in line).split()[0] for line in drawing.chart([calls], 40, 12)[1:-2]}
    assert ("0" in labels) is counted and "100" in labels


@given(marks, st.integers(10, 120), st.integers(3, 40), scales)
def test_a_scatter_plot_fills_exactly_its_room(
    points: list[Mark], width: int, height: int, scale: Scale
) -> None:
    steps = [(Series("best", tuple((mark.x, mark.y) for mark in sorted(points, key=lambda m: m.x) if mark.y is not None)), "series-2")]  # fmt: skip
    lines = scatter(
        points, width, height, Plane(head=(("title  ", "strong"),), x_scale=scale, band=(0, 1)), steps
    )
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in text(lines).splitlines())


def test_points_stand_where_their_values_are_and_those_without_one_below() -> None:
    points = [Mark(0, 0.0, "a"), Mark(10, 1.0, "b"), Mark(5, None, "x", "bad")]
    drawn = text(scatter(points, 60, 14, Plane(x=Axis(0, 10), below="failed"))).splitlines()
    assert "b" in drawn[1] and drawn[1].rstrip().endswith("b")
    row_a = next(line for line in drawn if "a" in line and "┤" in line)
    assert row_a.strip().startswith("0 ┤a")
    assert drawn[-3].startswith("failed ┊") and "x" in drawn[-3]
    assert "no value yet" in text(scatter([], 60, 14, Plane()))


def test_labels_below_an_axis_never_touch() -> None:
    line = tick_line(Axis(0, 10), [(0, "zero"), (10, "ten"), (0.2, "hidden"), (5, "five")], 30)
    assert line.startswith("zero") and line.endswith("ten") and "five" in line and "hidden" not in line


def test_an_axis_of_one_or_two_trials_names_each_once() -> None:
    plane = Plane(x=Axis(1.0, 2.0), x_format=lambda value: f"trial {round(value)}")
    two = text(scatter([Mark(1.0, 0.5), Mark(2.0, 0.6)], 60, 12, plane)).splitlines()[-1]
    assert two.split() == ["trial", "1", "trial", "2"]


def test_one_diverged_trial_does_not_press_the_others_together() -> None:
    values = [3.1, 3.2, 3.3, 3.4, 3.5, 61.7]
    assert fence(values, minimize=True) is not None and (fence(values, minimize=True) or 0) < 10
    assert fence(values, minimize=False) is None, "far off on the good side is what is looked for"
    assert fence(values[:5], minimize=True) is None and fence([1.0], minimize=True) is None


parts = st.one_of(st.none(), st.floats(0, 1))


@given(st.integers(2, 7), st.integers(20, 150), st.integers(3, 40), st.data())
def test_a_parallel_view_fills_exactly_its_room(
    axes: int, width: int, height: int, data: st.DataObject
) -> None:
    dimensions = [Dimension(f"parameter_{i}", "10", "0.001") for i in range(axes - 1)]
    dimensions.append(Dimension("日本語", "日本語 kernel", "2.407e+05"))
    threads = [
        Thread(
            tuple(data.draw(st.lists(parts, min_size=axes, max_size=axes))),
            "dim",
            drawn=data.draw(st.booleans()),
        )
        for _ in range(3)
    ]
    if width < axes * 9:
        return
    lines = parallel(dimensions, threads, width, height)
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in text(lines).splitlines())


def test_the_best_thread_crosses_its_axes_at_its_values() -> None:
    dimensions = [Dimension("eta", "1", "0"), Dimension("depth", "10", "2"), Dimension("rmse", "3.1", "9")]
    drawn = text(parallel(dimensions, [Thread((0.0, 1.0, 1.0), "series-2", "◆")], 60, 14)).splitlines()
    assert drawn[0].startswith("eta") and drawn[0].endswith("rmse") and "depth" in drawn[0]
    assert drawn[2].count("◆") == 2 and drawn[-2].startswith("◆")
    assert drawn[-1].startswith("0") and drawn[-1].rstrip().endswith("9")


def test_a_bar_reaches_its_value_and_its_whisker_the_interval() -> None:
    lines = text(
        interval_bars([Interval("eta", 0.5, 0.25, 0.75), Interval("depth", 0.1, 0.0, 0.2)], 80, most=1.0)
    )
    first, second = lines.splitlines()
    bar = first[7:].split("0.50")[0].rstrip()
    assert bar.endswith("┤") and len(bar) == pytest.approx(
        0.75 / 0.5 * (bar.count("█") + bar.count("▓")), abs=2
    )
    assert "0.50  0.25 to 0.75" in first and first.index("0.50") == second.index("0.10")


def test_strips_share_an_axis_and_shade_the_spread() -> None:
    lines = text(
        strips([Strip("default", (1.0, 1.2), "○"), Strip("tuned", (0.5,), "◆")], 70, spread=(0.9, 1.3))
    )
    default, tuned, *_ = lines.splitlines()
    assert default.count("○") == 2 and default.index("○") > tuned.index("◆") and "░" in default
    assert strips([Strip("none", ())], 70) == []


def test_train_and_validation_of_a_metric_share_a_chart_over_epochs_or_time() -> None:
    assert base("train:loss") == base("validation:loss") == "loss"
    assert base("val_accuracy") == base("train_accuracy") == "accuracy" and base("rmse") == "rmse"
    curves = [
        Curve("train:loss", ((100.0, 3.0), (101.0, 2.0)), (0.0, 1.0)),
        Curve("validation:loss", ((100.5, 4.0), (101.5, 3.0)), (0.0, 1.0)),
        Curve("test:score", ((102.0, 0.5),)),
        Curve("ObjectiveMetric", ((100.5, 4.0), (101.5, 3.0)), (0.0, 1.0)),
    ]
    series = [
        SeriesData("train:loss", ((100.0, 2.5),)),
        SeriesData("cpu", ((100.0, 50.0), (100.5, 55.0), (110.0, 60.0)), "Percent"),
    ]
    by_epoch = charts(series, curves, by_time=False)
    assert [[one.name for one in group] for _, group in by_epoch] == [
        ["cpu"],
        ["train:loss", "validation:loss"],
    ]
    assert by_epoch[1][1][0].points == ((0.0, 3.0), (1.0, 2.0))
    assert [x for x, _ in by_epoch[0][1][0].points] == [0.0, 0.5], (
        "CloudWatch's points at the epochs of their times"
    )
    by_time = charts(series, curves, by_time=True)
    assert by_time[1][1][1].points == ((0.5, 4.0), (1.5, 3.0))


ETA = continuous("eta", 0.01, 0.3, "Logarithmic")


@pytest.mark.parametrize("words", ["0.02 to 0.5", "0.02..0.5", " 0.02 – 0.5 ", "2e-2 … 5e-1"])
def test_a_range_is_written_as_people_write_it(words: str) -> None:
    found = parse_range(ETA, "log", words)
    assert (found.low, found.high, found.scaling) == (0.02, 0.5, "Logarithmic")


@pytest.mark.parametrize(("item", "mode", "words", "problem"), [
    (ETA, "log", "0 to 1", "above 0"), (ETA, "linear", "1 to 0.5", "smaller one"), (ETA, "auto", "0.5", "two ends"),
    (ETA, "auto", "a to b", "ends are numbers"), (ETA, "reverse log", "0.5 to 1", "below 1"), (ETA, "auto", "nan to 1", "smaller one"),
    (integer("depth", 1, 9), "linear", "1.5 to 3", "whole numbers"), (categorical("b", ("x",)), "searched", " , ", "needs values"),
    (categorical("b", ("x",)), "searched", ",".join(map(str, range(31))), "30 is the most"),
])  # fmt: skip
def test_a_wrong_range_is_refused_with_a_reason(item: object, mode: str, words: str, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        parse_range(item, mode, words)  # type: ignore[arg-type]


def test_what_a_field_shows_is_what_it_means() -> None:
    for item in (ETA, integer("depth", 2, 10), categorical("booster", ("gbtree", "dart"))):
        assert parse_range(item, "searched", searched_text(item)).values == item.values
    assert parse_target(" ") is None and parse_target("0.5") == 0.5
    assert parse_seed("") is None and parse_seed("7") == 7
    for wrong in ("x", "inf"):
        with pytest.raises(ParameterError):
            parse_target(wrong)
    with pytest.raises(ParameterError):
        parse_seed("-1")


async def test_nothing_of_a_taller_drawing_stays_below_the_next_one() -> None:
    class Host(Palette[None]):
        CSS = "Plot { height: 1fr; }"

        def compose(self) -> ComposeResult:
            yield Plot()

    app = Host()
    async with app.run_test(size=(20, 6)) as pilot:
        plot = app.query_one(Plot)

        def shown() -> list[str]:
            return [strip.text.strip() for strip in plot.render_lines(Region(0, 0, 20, 6))]

        plot.show(4, lambda width, height: [[(f"line {at}", "")] for at in range(4)], at_once=True)
        await pilot.pause()
        assert shown()[:4] == ["line 0", "line 1", "line 2", "line 3"]
        plot.show(2, lambda width, height: [[(f"line {at}", "")] for at in range(2)], at_once=True)
        await pilot.pause()
        assert shown() == ["line 0", "line 1", "", "", "", ""]


def test_what_came_before_the_lines_that_were_read_is_drawn_over_time_and_told_over_epochs() -> None:
    cloudwatch = SeriesData("loss", tuple((60.0 * minute, 9.0 - minute) for minute in range(8)))
    curve = Curve("loss", ((310.0, 3.9), (330.0, 3.6), (420.0, 2.0)), (50.0, 51.0, 52.0))
    ((_, (line,)),) = charts([cloudwatch], [curve], by_time=True)
    assert line.points == (
        (0.0, 9.0),
        (60.0, 8.0),
        (120.0, 7.0),
        (180.0, 6.0),
        (240.0, 5.0),
        *((x, y) for x, y in curve.points),
    )
    ((_, (line,)),) = charts([cloudwatch], [curve], by_time=False)
    assert [x for x, _ in line.points] == [50.0, 51.0, 52.0]
    assert axis_label([curve], False, [cloudwatch]) == "epoch, earlier ones over time only"
    whole = Curve("loss", ((10.0, 9.0), (330.0, 3.6)), (1.0, 2.0))
    ((_, (line,)),) = charts([cloudwatch], [whole], by_time=True)
    assert len(line.points) == 2 and axis_label([whole], False, [cloudwatch]) == "epoch"


def test_a_bar_of_next_to_nothing_is_not_drawn() -> None:
    """A whole cell for less than half of one said 3% where the numbers said 0.00."""
    first, second = text(
        interval_bars([Interval("eta", 0.8, 0.5, 0.9), Interval("booster", 0.001, 0.001, 0.001)], 60)
    ).splitlines()
    assert "█" in first and "█" not in second and "▓" not in second


async def test_the_name_of_a_scatter_plot_stands_apart_from_its_scale() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("5", "enter")
        await settle(pilot)
        await pilot.press("tab", "tab", "tab")
        await settle(pilot)
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "eta  logarithmic" in shown and "booster  ── median" in shown
