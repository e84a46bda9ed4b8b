"""Figures of runs in characters: every form in any room, dates and categories, signs that need no colour."""

from __future__ import annotations

import io
import math
import sys
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from console import figures
from console.cli import painting
from console.cli.lines import Lines as PlainLines
from console.cli.screen import Screen
from console.widgets.frame import sign
from console.widgets.ruler import Ruler
from console.widgets.tint import Ground, ink, mix
from workflows.events import Figure, StepFinished, StepStarted


def figure(form: str, *series: dict[str, Any], **about: str) -> Figure:
    return Figure(time=0, title=about.pop("title", "A figure"), form=form, series=list(series), **about)


def drawn(one: Figure, width: int = 78, height: int = 20, ground: Ground = "") -> list[str]:
    return [
        "".join(text for text, _ in line).rstrip() for line in figures.draw(one, width, height, ground=ground)
    ]


def days(number: int, first: date = date(2014, 1, 1)) -> list[str]:
    return [(first + timedelta(days=at)).isoformat() for at in range(number)]


numbers = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False))
columns = st.one_of(
    st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=12).map(sorted),
    st.lists(
        st.sampled_from(["low", "middle", "high", "very-long-name-of-a-category"]), min_size=1, max_size=8
    ),
    st.integers(1, 800).map(days),
)


@st.composite
def planes(draw: st.DrawFn) -> Figure:
    form = draw(st.sampled_from(["line", "scatter", "bar", "fan"]))
    series = []
    xs = draw(columns)
    for index in range(draw(st.integers(1, 9))):
        entry: dict[str, Any] = {"name": f"series {index}", "x": xs}
        if form == "fan" and index < 2:
            entry |= {"low": [-1.0] * len(xs), "high": [1.0 + index] * len(xs)}
        else:
            entry["y"] = draw(st.lists(numbers, min_size=len(xs), max_size=len(xs)))
        if form == "scatter" and index == 0:
            entry["labels"] = [f"point {at}" for at in range(len(xs))]
        series.append(entry)
    return figure(form, *series, x_label="x", y_label="y")


@given(planes(), st.integers(20, 130), st.integers(4, 40))
@settings(max_examples=60, deadline=None)
def test_a_figure_keeps_to_its_room(one: Figure, width: int, height: int) -> None:
    lines = drawn(one, width, height)
    assert all(cell_len(line) <= width for line in lines), "\n".join(lines)
    assert one.form == "bar" or len(lines) == height


@given(st.integers(1, 40), st.integers(1, 9), st.integers(24, 160), st.sampled_from(["", "dark", "light"]))
@settings(max_examples=60, deadline=None)
def test_a_heat_map_keeps_to_its_width_and_has_a_line_per_row(
    across: int, down: int, width: int, ground: Ground
) -> None:
    z = [[math.sin(row * 3 + column) for column in range(across)] for row in range(down)]
    x, y = [f"feature {at}" for at in range(across)], [f"cluster {at}" for at in range(down)]
    lines = drawn(figure("heatmap", {"name": "", "x": x, "y": y, "z": z}), width, ground=ground)
    assert all(cell_len(line) <= width for line in lines), "\n".join(lines)
    assert sum(line.startswith("clust") and "↓" not in line for line in lines) == down


def heat(z: list[list[float | None]], x: list[str], y: list[str]) -> Figure:
    return figure("heatmap", {"name": "", "x": x, "y": y, "z": z}, x_label="component", y_label="cluster")


def test_a_heat_map_tells_numbers_signs_and_what_is_missing() -> None:
    lines = drawn(heat([[0.5, -1.25], [None, 0.0]], ["c_1", "c_2"], ["first", "second"]))
    assert lines[1] == "cluster ↓ · component →"
    first, second = (next(line for line in lines if line.startswith(name)) for name in ("first", "second"))
    assert "0.50" in first and "-1.25" in first and "●" in first and "▒" in first
    assert "–" in second and "0.00" in second


def test_a_heat_map_without_room_for_numbers_has_glyphs_and_names_its_columns_below() -> None:
    names = [f"feature {at}" for at in range(30)]
    lines = drawn(heat([[float(at - 15) for at in range(30)]], names, ["k"]), width=60)
    row = next(line for line in lines if line.startswith("k"))
    assert "●" in row and "█" in row and row.index("●") < row.index("█")
    assert any("30 feature 29" in line for line in lines)


@pytest.mark.parametrize("ground", ["dark", "light"])
def test_the_numbers_of_a_heat_map_can_be_read_on_every_colour(ground: Ground) -> None:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    one = heat([[at / 20 for at in range(-20, 21)]], [str(at) for at in range(41)], ["k"])
    roles = {role for line in figures.draw(one, 160, 9, ground=ground) for _, role in line if "/" in role}
    assert len(roles) > 16
    for role in roles:
        low, high = sorted(luminance(colour) for colour in role.split("/"))
        assert (high + 0.05) / (low + 0.05) >= 4.5, role


def test_a_fan_is_shaded_between_its_ends_only() -> None:
    x = days(40)
    one = figure(
        "fan",
        {"name": "80 %", "x": x[20:], "low": [0.0] * 20, "high": [100.0] * 20},
        {"name": "50 %", "x": x[20:], "low": [30.0] * 20, "high": [70.0] * 20},
        {"name": "actual", "x": x, "y": [50.0] * 40},
        y_label="kWh",
    )
    lines = drawn(one)
    assert "░░ 80 %" in lines[0] and "▒▒ 50 %" in lines[0] and "● actual" in lines[0]
    plot = [line.partition("┤" if "┤" in line else "│")[2] for line in lines[2:-2]]
    width = max(map(len, plot))
    assert not any(char in "░▒" for line in plot for char in line[: width // 2 - 1]), "no interval there yet"
    column = [line.ljust(width)[width * 3 // 4] for line in plot]
    assert column[0] == "░" and column[-1] == "░" and "▒" in column
    assert lines[-1].split()[0] == "2014-01-01" and lines[-1].split()[-1] == "2014-02-09"


@pytest.mark.parametrize(
    ("x", "kind", "shown"),
    [
        ([1, 2.5], "number", "1"),
        (days(3), "date", "2014-01-01"),
        (["2014-01-01T00:00:00", "2014-01-01T12:00:00"], "date", "06:00"),
        (["2014-01", "2019-06"], "date", "2016"),
        (["1-gram", "2-gram"], "category", "1-gram"),
        (["2014-13-01", "2014-01-01"], "category", "2014-13-01"),
        ([], "number", "0"),
    ],
)
def test_the_axis_follows_from_its_values(x: list[Any], kind: str, shown: str) -> None:
    ruler = Ruler.of([x])
    assert ruler.kind == kind
    assert shown in {text for _, text in ruler.ticks(70)}
    assert all(0 <= (ruler.axis.part(ruler.at(value)) or 0) <= 1 for value in x)


def test_lines_are_told_apart_without_colour_and_a_single_point_is_seen() -> None:
    one = figure(
        "line",
        *({"name": name, "x": [0, 10], "y": [at, at + 1]} for at, name in enumerate(("a", "b", "c"))),
        {"name": "chosen", "x": [5], "y": [2.0]},
    )
    text = "\n".join(drawn(one)[1:])
    assert all(glyph in text for glyph in "●○▲△")


def test_grouped_bars_begin_with_their_sign_and_negative_ones_go_to_the_left() -> None:
    groups = [
        {"name": name, "x": ["k=2", "k=3"], "y": y} for name, y in (("train", [4, 2]), ("test", [2, None]))
    ]
    lines = drawn(figure("bar", *groups))
    assert "● train" in lines[0] and "○ test" in lines[0]
    assert lines[1].startswith("k=2  ● █") and lines[2].startswith("     ○ █")
    assert lines[1].count("█") == pytest.approx(2 * lines[2].count("█"), abs=1)
    assert lines[4].endswith("–") and "█" not in lines[4]
    signed = drawn(figure("bar", {"name": "weight", "x": ["up", "down"], "y": [0.5, -0.5]}))
    zero = signed[1].index("│")
    assert signed[2].index("│") == zero and "█" in signed[1][zero:] and "█" in signed[2][:zero]
    assert signed[2].endswith("-0.5")


def test_points_that_stand_apart_are_named() -> None:
    labels = [f"county {at}" for at in range(30)] + ["Los Angeles"]
    one = figure(
        "scatter",
        {
            "name": "cluster 1",
            "x": [at / 30 for at in range(30)] + [9.0],
            "y": [0.0] * 30 + [9.0],
            "labels": labels,
        },
    )
    assert any("Los Angeles" in line for line in drawn(one))


def test_an_ink_can_be_read_on_any_mix() -> None:
    assert ink("#000000") == "#ffffff" and ink("#ffffff") == "#000000"
    assert mix("#000000", "#ffffff", 0.5) == "#808080" and mix("#000000", "#ffffff", math.nan) == "#808080"


def test_the_command_line_draws_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    one = figure("line", {"name": "loss", "x": [0, 1, 2], "y": [3.0, 2.0, 1.0]}, title="Loss by epoch")
    PlainLines().show(one)
    plain = capsys.readouterr().out
    assert "Loss by epoch" in plain and "┤" in plain
    screen = Screen()
    screen.pause()
    screen.show(one)
    screen.close()
    assert "┤" in capsys.readouterr().out


@pytest.mark.parametrize("make", [PlainLines, Screen])
def test_of_a_figure_that_is_told_anew_the_last_one_of_its_step_stays(
    make: type[PlainLines] | type[Screen], capsys: pytest.CaptureFixture[str]
) -> None:
    renderer = make()
    renderer.pause()
    renderer.show(StepStarted(time=0.0, step="train", title="Train the net"))
    for epoch in (1, 2, 3):
        told = figure(
            "line", {"name": "y", "x": [0, 1], "y": [0.0, epoch]}, title=f"Boundary after epoch {epoch}"
        )
        renderer.show(replace(told, time=float(epoch), step="train", key="boundary"))
    assert "Boundary" not in capsys.readouterr().out
    renderer.show(StepFinished(time=4.0, step="train", status="done", seconds=4.0, summary="Trained."))
    out = capsys.readouterr().out
    assert out.count("Boundary") == out.count("Boundary after epoch 3") == 1
    renderer.close()
    assert "Boundary" not in capsys.readouterr().out


def test_an_output_that_cannot_draw_tells_the_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    lines = painting.plain(figure("line", {"name": "loss", "x": [0, 1], "y": [1.0, 2.0]}, title="Loss"))
    assert lines == ["Loss (a figure: it needs an output in UTF-8)"]


def test_a_heat_map_has_no_negative_nothing() -> None:
    lines = "\n".join(drawn(heat([[-0.0004, 0.3], [0.2, -0.41]], ["c_1", "c_2"], ["first", "second"])))
    assert "-0.000" not in lines and "0.000" in lines and "-0.410" in lines


def test_twelve_series_have_signs_of_their_own() -> None:
    """Six curves and the points chosen on four of them: the ninth had the sign of the first."""
    signs = [sign(index, str(index)).glyph for index in range(12)]
    assert len(set(signs)) == 12 and all(cell_len(glyph) == 1 for glyph in signs)
