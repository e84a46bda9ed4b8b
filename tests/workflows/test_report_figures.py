"""Figures as SVG: every form, whatever is missing in it, inside its paper and readable without seeing it."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.events import Figure
from workflows.report.figures import draw, palette
from workflows.report.figures.grids import contour
from workflows.report.figures.scales import round_dates, round_values, step, widened

DAYS = [f"2009-{month:02d}-{day:02d}" for month in (11, 12) for day in range(1, 29)]


def figure(form: str, *series: dict[str, Any], **more: str) -> Figure:
    return Figure(time=0.0, title=more.pop("title", form), form=form, series=list(series), **more)


FIGURES = {
    "line": figure(
        "line", {"name": "a", "x": [1, 2, 3], "y": [0.5, None, 0.1]}, {"name": "b", "x": [1], "y": [0.4]}
    ),
    "dates": figure("line", {"name": "a", "x": DAYS, "y": list(range(len(DAYS)))}, y_label="kWh"),
    "names": figure("line", {"name": "a", "x": ["one", "two"], "y": [1e7, -2e7]}),
    "scatter": figure("scatter", {"name": "a", "x": [1.5, 2], "y": [3, 4], "labels": ["Los Angeles", ""]}),
    "bar": figure("bar", {"name": "a", "x": ["p", "q"], "y": [0.3, -0.2]}),
    "lying": figure("bar", {"name": "a", "x": ["a long name of a feature", "q"], "y": [3, 1]}),
    "grouped": figure(
        "bar", {"name": "a", "x": [4, 5], "y": [1, 2]}, {"name": "b", "x": [4, 5], "y": [2, 1]}
    ),
    "field": figure(
        "field",
        {"name": "p", "x": [0, 1, 2], "y": [0, 1], "z": [[0.0, 0.4, 1.0], [0.1, 0.9, 1.0]]},
        {"name": "points", "x": [0.5], "y": [0.5]},
    ),
    "heatmap": figure(
        "heatmap", {"name": "z", "x": ["c", "d"], "y": ["r", "s"], "z": [[1.5, None], [-2, 0]]}
    ),
    "fan": figure(
        "fan",
        {"name": "80 %", "x": DAYS[:3], "low": [1, 1, 1], "high": [5, 6, 7]},
        {"name": "median", "x": DAYS[:3], "y": [2, 3, 4]},
    ),
    "constant": figure("line", {"name": "a", "x": [1, 2], "y": [0.5, 0.5]}),
    "nothing": figure("line"),
    "only gaps": figure("scatter", {"name": "a", "x": [1], "y": [None]}),
    "hostile": figure("bar", {"name": "<b>&\"'", "x": ["</svg><script>"], "y": [1]}, title="<i>&</i>"),
    "unknown form": figure("radar", {"name": "a", "x": [1, 2], "y": [1, 2]}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_form_is_well_formed_stays_on_its_paper_and_is_described(name: str) -> None:
    drawn = ElementTree.fromstring(draw(FIGURES[name], "f1"))
    assert drawn.get("role") == "img"
    title, description = drawn.find("title"), drawn.find("desc")
    assert title is not None
    assert description is not None
    assert drawn.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == FIGURES[name].title
    assert description.text
    _, _, width, height = (float(value) for value in str(drawn.get("viewBox")).split())
    for element in drawn.iter():
        for part in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.get("d", "")):
            assert -2 <= float(part[0]) <= width + 2, (element.attrib, width)
            assert -2 <= float(part[1]) <= height + 2, (element.attrib, height)
        assert "nan" not in "".join(element.attrib.values()).lower()


def test_values_lie_where_the_axes_say() -> None:
    drawn = ElementTree.fromstring(draw(figure("line", {"name": "a", "x": [0, 10], "y": [0.0, 1.0]}), "f"))
    texts = {element.text: element for element in drawn.iter("text")}
    path = next(element for element in drawn.iter("path") if "line" in str(element.get("class")))
    (x0, y0), (x1, y1) = [
        (float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", str(path.get("d")))
    ]
    # A label's baseline is 4 below the middle of its tick.
    assert float(texts["0.0"].get("y", 0)) - 4 == pytest.approx(y0, abs=0.2)
    assert float(texts["1.0"].get("y", 0)) - 4 == pytest.approx(y1, abs=0.2)
    assert x1 > x0
    assert y1 < y0


def test_series_are_told_apart_without_colour() -> None:
    many = [{"name": str(number), "x": [1, 2], "y": [number, number + 1]} for number in range(6)]
    lines = ElementTree.fromstring(draw(figure("line", *many), "f")).iter("path")
    dashes = [path.get("stroke-dasharray") for path in lines if "line" in str(path.get("class"))]
    assert len(set(dashes)) == 6
    for kind in palette.RAMPS:
        light = [palette.luminance(colour) for colour in palette.colours(kind)]
        assert light == sorted(light)
        for step_, level in enumerate(light):
            text = 1.0 if palette.is_dark(kind, step_) else 0.0
            ratio = (max(text, level) + 0.05) / (min(text, level) + 0.05)
            assert ratio >= 4.5


def test_a_point_of_a_series_wears_the_colour_of_its_line() -> None:
    text = draw(
        figure(
            "line",
            {"name": "a", "x": [1, 2], "y": [1, 2]},
            {"name": "b", "x": [1, 2], "y": [2, 1]},
            {"name": "b: chosen", "x": [1.5], "y": [1.5]},
        ),
        "f",
    )
    assert 'class="mark s1"' in text
    assert "s2" not in text


def test_labels_of_points_and_values_of_cells_are_under_the_mouse() -> None:
    assert "<title>Los Angeles</title>" in draw(FIGURES["scatter"], "f")
    assert "<title>r, c: 1.5</title>" in draw(FIGURES["heatmap"], "f")
    assert 'class="missing"' in draw(FIGURES["heatmap"], "f")


def test_the_line_of_one_half_is_where_the_values_cross_it() -> None:
    pieces = list(contour([[0.0, 1.0], [0.0, 1.0]], [0.0, 4.0], [0.0, 1.0], 0.25))
    assert [sorted(piece) for piece in pieces] == [[(1.0, 0.0), (1.0, 1.0)]]
    assert 'class="contour"' in draw(FIGURES["field"], "f")


def test_long_lines_are_thinned_and_keep_their_peaks() -> None:
    values = [0.0] * 20_000
    values[7_777] = 5.0
    text = draw(figure("line", {"name": "a", "x": list(range(20_000)), "y": values}), "f")
    assert len(text) < 40_000
    assert text.count("L") > 500
    path = ElementTree.fromstring(text).findall("path[@class='line s0']")[0]
    heights = [float(y) for _, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", str(path.get("d")))]
    assert min(heights) < max(heights) - 100


@given(
    st.floats(-1e9, 1e9, allow_nan=False).flatmap(
        lambda low: st.tuples(st.just(low), st.floats(1e-6, 1e9).map(lambda span: low + span))
    )
)
def test_ticks_are_round_few_and_within(ends: tuple[float, float]) -> None:
    low, high = ends
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    ticks = round_values(low, high)
    assert 2 <= len(ticks) <= 14
    assert len({text for _, text in ticks}) == len(ticks) or high - low < 1e-4 * max(abs(low), abs(high))
    size = step(high - low)
    assert size / 10 ** math.floor(math.log10(size) + 1e-9) == pytest.approx(
        min(
            (1, 2, 2.5, 5, 10),
            key=lambda factor: abs(factor - size / 10 ** math.floor(math.log10(size) + 1e-9)),
        )
    )
    slack = size * 1e-6
    assert all(low - slack <= value <= high + slack for value, _ in ticks)
    outer = widened(low, high)
    assert outer[0] <= low + slack
    assert outer[1] >= high - slack


@pytest.mark.parametrize("days", [0.5, 2, 10, 60, 400, 2000, 9000])
def test_dates_are_marked_at_beginnings(days: float) -> None:
    marks = round_dates(1_230_000_000, 1_230_000_000 + days * 86400)
    assert 2 <= len(marks) <= 14
    assert all(moment.minute == moment.second == 0 for moment, _ in marks)
