"""Figures of a run in characters: the same lines for the console and for the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from console.widgets import drawing
from console.widgets.axis import short
from console.widgets.bars import Bars, bars
from console.widgets.canvas import Lines
from console.widgets.heatmap import heatmap
from console.widgets.points import Group, points
from console.widgets.ruler import Ruler
from console.widgets.tint import HIGH, LOW, Ground
from console.widgets.traces import Band, Trace, traces
from workflows.events import Figure

WIDEST, WIDEST_FIELD = 110, 72
"""Cells: a wider figure on a page of results is harder to read, and a wider field is out of shape."""
HEIGHT, FIELD_HEIGHT = 20, 24
"""Lines of a figure on a page of results."""


def on_page(figure: Figure, width: int, *, ground: Ground = "") -> Lines:
    """A figure among other results: as wide as is good for it, and as high as leaves room for them."""
    if figure.form == "field":
        return draw(figure, min(width, WIDEST_FIELD), FIELD_HEIGHT, ground=ground)
    return draw(figure, min(width, WIDEST), HEIGHT, ground=ground)


def draw(figure: Figure, width: int, height: int, *, ground: Ground = "", fill: bool = False) -> Lines:
    """A figure in whichever form it has.

    ``height`` is kept by what has a plane (line, scatter, field, fan); bars and heat maps have as many lines as they have
    entries, heat maps more where they are to ``fill`` the height. A form that this version does not know is drawn as lines, as far as its entries have x and y.
    """
    match figure.form:
        case "field" if any("z" in one for one in figure.series):
            return _field(figure, width, height, ground)
        case "heatmap" if any("z" in one for one in figure.series):
            return _heatmap(figure, width, height if fill else 0, ground)
        case "bar":
            return _bars(figure, width)
    plotted = [one for one in figure.series if "x" in one and ("y" in one or "low" in one)]
    ruler = Ruler.of(one["x"] for one in plotted)
    about = {"title": figure.title, "x_label": figure.x_label, "y_label": figure.y_label}
    if figure.form == "scatter":
        groups = [
            Group(_name(one), _along(ruler, one), floats(one["y"]), tuple(map(str, one.get("labels") or ())))
            for one in plotted
            if "y" in one
        ]
        return points(groups, ruler, width, height, **about)
    lines = [Trace(_name(one), _along(ruler, one), floats(one["y"])) for one in plotted if "y" in one]
    bands = [
        Band(_name(one), _along(ruler, one), floats(one["low"]), floats(one["high"]))
        for one in plotted
        if "low" in one and "high" in one
    ]
    return traces(lines, bands, ruler, width, height, **about)


def floats(values: Sequence[Any]) -> tuple[float, ...]:
    """Numbers, with NaN where there is none."""
    return tuple(float(value) if value is not None else math.nan for value in values)


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name", ""))


def _along(ruler: Ruler, entry: dict[str, Any]) -> tuple[float, ...]:
    return tuple(ruler.at(value) for value in entry["x"])


def _bars(figure: Figure, width: int) -> Lines:
    """Bars by category: every x that some series has, in the order in which they come."""
    labels = list(dict.fromkeys(_label(x) for one in figure.series for x in one["x"]))
    series = []
    for one in figure.series:
        values = dict(zip(map(_label, one["x"]), floats(one["y"]), strict=False))
        series.append(Bars(_name(one), tuple(values.get(label, math.nan) for label in labels)))
    return bars(labels, series, width, title=figure.title)


def _label(x: Any) -> str:
    return short(x) if isinstance(x, int | float) and not isinstance(x, bool) else str(x)


def _heatmap(figure: Figure, width: int, height: int, ground: Ground) -> Lines:
    grid = next(one for one in figure.series if "z" in one)
    return heatmap(
        [floats(row) for row in grid["z"]],
        [str(value) for value in grid["x"]],
        [str(value) for value in grid["y"]],
        width,
        height,
        title=figure.title,
        x_label=figure.x_label,
        y_label=figure.y_label,
        ground=ground,
    )


def _field(figure: Figure, width: int, height: int, ground: Ground) -> Lines:
    grid = next(one for one in figure.series if "z" in one)
    over = [
        (_name(one), floats(one["x"]), floats(one["y"]))
        for one in figure.series
        if "z" not in one and "y" in one
    ]
    return drawing.field_plot(
        [floats(row) for row in grid["z"]],
        floats(grid["x"]),
        floats(grid["y"]),
        over,
        width,
        height,
        title=figure.title,
        x_label=figure.x_label,
        y_label=figure.y_label,
        colours=(LOW, HIGH) if ground else None,
    )
