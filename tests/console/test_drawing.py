"""Charts and figures in characters, and values as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from console import figures, formatting
from console.screens import curves
from console.screens.results import overview
from console.screens.run_state import RunState, Step
from console.screens.traffic import traffic_charts
from console.widgets import canvas, drawing
from console.widgets.charts import arrangement, grid
from console.widgets.drawing import Lines, Series
from console.widgets.frame import POINTS
from console.widgets.tint import Ground
from tests.console.scripted import run_events
from workflows.events import Figure, RunFinished, Table
from workflows.observe.curves import Curve
from workflows.observe.rows import EndpointTraffic, SeriesData


def text(lines: Lines) -> str:
    return "\n".join("".join(part for part, _ in line) for line in lines)


finite = st.floats(-1e9, 1e9, allow_nan=False)


@example([(0.0, 86363637.0)], 16, 5)
@given(
    st.lists(st.tuples(finite, st.one_of(finite, st.just(math.nan))), max_size=50),
    st.integers(16, 120),
    st.integers(4, 40),
)
def test_a_chart_fills_exactly_its_room(points: list[tuple[float, float]], width: int, height: int) -> None:
    lines = drawing.chart([Series("loss", tuple(sorted(points, key=lambda point: point[0])))], width, height)
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in text(lines).splitlines()), text(lines)


def test_a_falling_line_falls() -> None:
    series = Series("loss", tuple((float(i), 1.0 - i / 10) for i in range(11)))
    drawn = text(drawing.chart([series], 40, 12, x_label="epoch")).splitlines()
    columns = [min(i for i, char in enumerate(line) if 0x2800 < ord(char) <= 0x28FF) for line in drawn[1:10]]
    assert columns == sorted(columns)
    assert drawn[0].startswith("loss  0")
    assert drawn[1].strip().startswith("1 ┤") and "0 ┤" in drawn[9]
    assert "epoch" in drawn[11] and drawn[11].rstrip().endswith("10")


@pytest.mark.parametrize(("values", "height", "labels"), [
    ((5, 25), 11, ["25", "15", "5"]), ((0, 1), 16, ["1", "0.8", "0.6", "0.4", "0.2", "0"]), ((0, 1), 6, ["1", "0"]),
])  # fmt: skip
def test_the_y_axis_has_as_many_round_labels_as_there_is_room_for(
    values: tuple[float, float], height: int, labels: list[str]
) -> None:
    drawn = text(drawing.chart([Series("a", tuple(enumerate(values)))], 40, height)).splitlines()
    assert [line.split("┤")[0].strip() for line in drawn if "┤" in line] == labels


def test_a_scatter_plot_names_its_groups_without_a_last_value() -> None:
    groups = [Series("upper moon", ((0, 0.4), (1, 0.4048))), Series("lower moon", ((0, 0.1), (1, 0.2)))]
    for some in (groups, groups[:1]):
        drawn = text(drawing.chart(some, 60, 12, markers=True)).splitlines()
        assert "upper moon" in drawn[0] and "0.4" not in drawn[0]
        assert len(drawn[-2]) == 60, "the x axis is as wide as the chart"


def test_traffic_is_zero_and_latency_is_broken_where_nobody_called() -> None:
    series = (
        SeriesData("Invocations", ((100.0, 5.0), (160.0, 3.0)), variant="a"),
        SeriesData("p50", ((100.0, 2.0), (160.0, 4.0)), variant="a"),
    )
    charts = dict(traffic_charts(EndpointTraffic(900, 20, (), series), now=205.0))
    assert charts["calls per 20 s"][0].points == (
        (100, 5), (120, 0), (140, 0), (160, 3), (180, 0),
    )  # fmt: skip
    latency = charts["median ms"][0]
    assert [x for x, _ in latency.points] == [100, 120, 140, 160, 180]
    assert [y for _, y in latency.points if y == y] == [2, 4] and latency.last == 4


def test_a_loss_that_diverged_is_told_and_a_point_alone_is_seen() -> None:
    nan = math.nan
    curve = Curve("loss", ((1.0, 0.5), (2.0, nan), (3.0, 0.4), (4.0, 0.2), (5.0, nan)))
    ((title, series),) = curves.charts((), [curve], by_time=False)
    drawn = text(drawing.chart(series, 40, 9, title=title))
    assert drawn.startswith("loss  NaN, before it 0.2") and "┤●" in drawn
    assert "NaN" in text([drawing.legend([*series, Series("other", ((0, 1), (1, 2)))], 60)])
    one = text(drawing.chart([Series("loss", ((1.0, 0.5),))], 40, 9)).splitlines()
    assert "┤●" in "".join(one) and one[-1].split() == ["1"]


def test_the_legend_tells_series_apart_even_where_it_is_narrow() -> None:
    both = (Series("train:loss", ((0, 0.5), (1, 0.25))), Series("validation:loss", ((0, 0.6), (1, 0.375))))
    wide = text([drawing.legend(both, 80)])
    assert "train:loss 0.25" in wide and "validation:loss 0.375" in wide
    narrow = text([drawing.legend(both, 38)])
    assert narrow.startswith("loss") and "train" in narrow and "validation" in narrow


@pytest.mark.parametrize("ground", ["dark", ""])
def test_a_field_shows_its_two_sides_and_the_points(ground: Ground) -> None:
    state = RunState()
    state.take(run_events("r"))
    figure = next(result for result in state.results if isinstance(result, Figure) and result.form == "field")
    lines = figures.on_page(figure, 80, ground=ground)
    drawn = text(lines)
    assert "Decision boundary" in drawn and "class 0" in drawn
    assert drawn.count("●") == 6 and drawn.count("○") == 6  # five points each, and the legend
    if ground:
        grounds = {role.partition("/")[2] for line in lines for _, role in line if role.startswith("#")}
        assert len(grounds) > 8
    else:
        assert "█" in drawn and "░" in drawn


def test_a_newer_figure_takes_the_place_of_the_older_one_of_its_step() -> None:
    def boundary(epoch: int, step: str = "train", key: str = "boundary") -> Figure:
        return Figure(time=epoch, step=step, title=f"After epoch {epoch}", form="field", series=[], key=key)

    state = RunState()
    curve = Figure(time=2, step="train", title="Loss", form="line", series=[])
    state.take([boundary(1), curve, boundary(5), boundary(5, step="predict"), boundary(9), curve])
    assert [(result.step, getattr(result, "title", "")) for result in state.results] == [
        ("train", "After epoch 9"), ("train", "Loss"), ("predict", "After epoch 5"),
    ]  # fmt: skip


def test_charts_are_arranged_so_that_they_can_be_read() -> None:
    assert arrangement(1, 80, 20) == (1, 1)
    assert arrangement(2, 80, 20)[0] == 2
    assert arrangement(4, 160, 40) == (2, 2)
    assert arrangement(3, 40, 8) == (1, 1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (356_400, "4 d 3 h"), (None, "–")],
)  # fmt: skip
def test_durations(seconds: float | None, words: str) -> None:
    assert formatting.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.89333333, "0.8933"), (150.0, "150"), (12345.0, "12 345"), (3.2e-7, "3.2e-07"), (math.nan, "–"), (2.5e9, "2.5e+09")],
)  # fmt: skip
def test_numbers(value: float, words: str) -> None:
    assert formatting.number(value) == words


def test_what_stands_behind_a_name_stays_when_it_is_cut() -> None:
    assert formatting.crop_before("accuracy 0.9", 14, 4) == "accuracy 0.9  "
    assert formatting.crop_before("SYNTHETIC jobs_median_wql 0.1254", 19, 7) == "SYNTHETIC j… 0.1254"
    assert formatting.crop_before("accuracy 0.9067", 6, 7) == "accur…"
    assert formatting.crop_before("日本語の日本語 0.1254", 14, 7) == "日本語… 0.1254"
    assert formatting.crop_before("abc 日本語", 8, 3) == "a…日本語"


@given(st.text(max_size=60), st.integers(1, 40))
def test_cropped_texts_fill_their_cells(value: str, width: int) -> None:
    value = formatting.printable(value)
    assert cell_len(formatting.crop(value, width)) == width
    assert cell_len(formatting.crop_middle(value, width)) == width


def test_the_state_of_a_run_follows_its_events() -> None:
    state = RunState()
    events = run_events("r", upto=5, question=True)
    lines = state.take(events)
    assert [step.status for step in state.steps][:5] == ["done"] * 4 + ["running"]
    assert state.status == "waiting"
    assert state.question is not None and state.question.choices == ["no", "yes"]
    assert [gate.verdict for gate in state.gates] == ["pass", "warn"]
    assert any("Host it anyway?" in line.text for line in lines)
    done = RunState()
    done.take(run_events("r"))
    assert done.status == "completed" and done.finished is not None
    assert [len(series) for _, series in done.charts()] == [2, 1]


def test_a_run_says_what_its_data_are_however_narrow_it_is() -> None:
    state = RunState(study="forecasting", interface="high", target="embedded", started=0.0)
    state.steps.append(Step("train", "Train"))
    table = Table(time=1.0, step="train", title="Scores [SYNTHETIC data]", columns=["a"], rows=[[1]])
    for metrics, results, told in (
        ({"synthetic": 1.0}, [table], " · SYNTHETIC data"), ({"synthetic": 0.0}, [], " · real data"), ({}, [], ""),
    ):  # fmt: skip
        state.finished = RunFinished(time=3725.0, run="r", status="completed", metrics=metrics, message="")
        state.results = list(results)
        line = "".join(text for text, _ in overview(state, 0.0, 60, run="r")[1])
        assert line.endswith(told) and len(line) <= 60
        assert line.startswith("✓ completed · 1 h 02 min · interface high")


@given(
    st.integers(2, 6),
    st.integers(24, 120),
    st.integers(8, 30),
    st.lists(st.floats(-5, 5), min_size=2, max_size=40),
)
def test_lines_of_a_live_chart_are_told_apart_without_colour(
    number: int, width: int, height: int, values: list[float]
) -> None:
    """Each line carries its sign, and the legend names it: colours may be missing, or not be seen."""
    assume(height >= 2 * number + 4)  # lines that share a row cover each other
    lines = [
        Series(f"variant-{index}", tuple((float(x), y + 20 * index) for x, y in enumerate(values)))
        for index in range(number)
    ]
    head, *plot = drawing.chart(lines, width, height, title="p99")
    drawn = "".join(text for line in plot for text, _ in line)
    for index, sign in enumerate(POINTS[:number]):
        assert sign in drawn, f"line {index} has no sign"
    signs = [text[0] for text, _ in head if text[:1] in POINTS]
    assert signs == list(POINTS[: len(signs)])
    alone = "".join(text for line in drawing.chart(lines[:1], width, height) for text, _ in line)
    assert not set(alone) & set(POINTS), "one line needs none"


def test_charts_side_by_side_begin_in_one_column_whatever_letters_their_names_have() -> None:
    """A metric may have any name, and letters of two cells are not as many as their cells."""
    names = ("検証データの損失", "loss")
    lines = grid([(name, (Series(name, ((0, 1), (1, 2))),)) for name in names], 80, 8)
    drawn = ["".join(text for text, _ in line) for line in lines]
    assert {cell_len(line[: line.index("┤", 9)]) for line in drawn if line.count("┤") == 2} == {44}
    assert cell_len(drawn[0][: drawn[0].index("loss")]) == 40


@given(st.integers(0, 30))
def test_a_line_is_cut_by_its_cells(width: int) -> None:
    for legend in (("日本語日本語", "a"), ("a日b本c語", "日")):
        cut = canvas.cut([(text, "") for text in legend], width)
        assert sum(cell_len(text) for text, _ in cut) <= width
