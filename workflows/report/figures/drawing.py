"""Draws a figure by its form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workflows.events import Figure
from workflows.report.figures import grids, words
from workflows.report.figures.canvas import (
    CHARACTER,
    HEIGHT,
    SERIES,
    WIDTH,
    Canvas,
    dashed,
    legend_height,
    mark,
)
from workflows.report.figures.scales import Dates, Names, Numbers, Scale, date, finite, round_values, widened

MOST = 1200
"""Points of a line that are drawn: of more, the least and the greatest of each stretch."""
Entry = dict[str, Any]


def draw(figure: Figure, identifier: str) -> str:
    """The figure as the text of an ``svg`` element; ``identifier`` is unique in the page."""
    form = figure.form
    if form in ("field", "heatmap") and any("z" in entry for entry in figure.series):
        canvas = grids.field(figure) if form == "field" else grids.heatmap(figure)
    elif form == "bar" and figure.series:
        canvas = _bars(figure)
    elif any(_values(entry) for entry in figure.series):
        canvas = _chart(figure)
    else:
        canvas = Canvas(left=20, bottom=20, height=60)
        canvas.text(WIDTH / 2, 34, "This figure has no values.", "middle")
    canvas.describe(identifier, figure.title, words.described(figure))
    return str(canvas)


def horizontal(entries: Sequence[Entry], start: float, end: float, *, padded: bool = False) -> Scale:
    """The scale of the x of all entries: dates, numbers or names."""
    values = [value for entry in entries for value in entry.get("x", ())]
    if values and all(isinstance(value, str) for value in values):
        moments = [date(value) for value in values]
        if all(moment is not None for moment in moments):
            known = [moment for moment in moments if moment is not None]
            return Dates(min(known), max(known), start, end)
        return Names(list(dict.fromkeys(str(value) for value in values)), start, end, most=24)
    numbers = [number for value in values if (number := finite(value)) is not None] or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    if padded or low == high:
        low, high = _padded(low, high)
    whole = all(number == int(number) for number in numbers) and not padded
    return Numbers(low, high, start, end, 8, whole)


def _chart(figure: Figure) -> Canvas:
    """Lines, points, and a fan's bands: whatever has an x and a y."""
    entries = figure.series
    scattered = figure.form == "scatter"
    numbers = [value for entry in entries for value in _values(entry)]
    low, high = min(numbers), max(numbers)
    if not scattered and 0 < low < 0.3 * high:
        low = 0.0  # a line that nearly starts at zero is read against zero
    low, high = _padded(low, high) if scattered else widened(low, high)
    left = _margin([text for _, text in round_values(low, high)], figure.y_label)
    named = [str(entry.get("name", "")) for entry in entries]
    shown = [name for name in named if name] if len(entries) > 1 else []
    probe = horizontal(entries, left, WIDTH - 16, padded=scattered)
    slanted = isinstance(probe, Names) and max(map(len, probe.names)) * CHARACTER > probe.band
    bottom = _below(probe, figure.x_label, slanted)
    top = 12 + legend_height(shown, left)
    canvas = Canvas(left=left, bottom=bottom, top=top, height=HEIGHT + (60 if scattered else 0) + top - 12)
    x = horizontal(entries, canvas.left, canvas.right, padded=scattered)
    y = Numbers(low, high, canvas.bottom, canvas.top)
    canvas.axes(x, y, figure.x_label, figure.y_label, slanted=slanted, grid="xy" if scattered else "y")
    bands = sum("low" in entry for entry in entries)
    # The bands of a fan are one colour, one above the other; its first line is not broken.
    numbers_of = [max(0, number - bands + 1) for number in _numbered(named)] if bands else _numbered(named)
    plain = 1 if bands else 0
    for number, entry in zip(numbers_of, entries, strict=True):
        if "low" in entry:
            _band(canvas, entry, x, y, number)
        elif scattered:
            _points(canvas, entry, x, y, number)
        else:
            _line(canvas, entry, x, y, number, plain)
    canvas.legend(
        [
            (
                name,
                "band" if "low" in entry else "mark" if scattered or len(_values(entry)) == 1 else "line",
                number,
            )
            for number, name, entry in zip(numbers_of, named, entries, strict=True)
            if name and shown
        ],
        plain,
    )
    return canvas


def _numbered(names: Sequence[str]) -> list[int]:
    """The numbers by which series are coloured: ``balanced: chosen`` looks like ``balanced``."""
    numbers: dict[str, int] = {}
    found = []
    for name in names:
        owner = name.partition(": ")[0]
        number = numbers[owner] if owner in numbers and owner != name else len(numbers)
        numbers.setdefault(name, number)
        found.append(number)
    return found


def _line(canvas: Canvas, entry: Entry, x: Scale, y: Scale, number: int, plain: int = 0) -> None:
    """A line, interrupted where a value is missing; that of series ``plain`` has no dashes."""
    kind = f"s{number % SERIES}"
    stretch: list[tuple[float, float]] = []
    paths, alone = [], []
    for at, value in [*zip(entry.get("x", ()), entry.get("y", ()), strict=False), (None, None)]:
        place = (x.place(at), y.place(value)) if at is not None else (None, None)
        if place[0] is not None and place[1] is not None:
            stretch.append((place[0], place[1]))
            continue
        if len(stretch) > 1:
            paths.append("M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in thinned(stretch)))
        elif stretch:
            alone.append(mark(*stretch[0], number))
        stretch = []
    if paths:
        canvas.add("path", class_=f"line {kind}", d="".join(paths), **dashed(number - plain))
    if alone:
        canvas.add("path", class_=f"mark {kind}", d="".join(alone))


def _points(canvas: Canvas, entry: Entry, x: Scale, y: Scale, number: int) -> None:
    """Marks; those that have a text show it under the mouse."""
    kind = f"mark s{number % SERIES}"
    texts = entry.get("labels") or ()
    size = 3.4 if len(entry.get("x", ())) <= 400 else 2.2
    together = []
    for index, (at, value) in enumerate(zip(entry.get("x", ()), entry.get("y", ()), strict=False)):
        px, py = x.place(at), y.place(value)
        if px is None or py is None:
            continue
        path = mark(px, py, number, size)
        if index < len(texts) and texts[index]:
            made = canvas.add("path", class_=kind, d=path)
            canvas.hint(made, str(texts[index]))
        else:
            together.append(path)
    if together:
        canvas.add("path", class_=kind, d="".join(together))


def _band(canvas: Canvas, entry: Entry, x: Scale, y: Scale, number: int) -> None:
    upper, lower = [], []
    for at, low, high in zip(entry["x"], entry["low"], entry["high"], strict=False):
        places = x.place(at), y.place(low), y.place(high)
        if None not in places:
            upper.append(f"{places[0]:.1f} {places[2]:.1f}")
            lower.append(f"{places[0]:.1f} {places[1]:.1f}")
    if upper:
        canvas.add("path", class_=f"band s{number % SERIES}", d=f"M{'L'.join([*upper, *reversed(lower)])}z")


def _bars(figure: Figure) -> Canvas:
    """Bars beside each other; names that are long or many stand at the left of lying bars."""
    entries = figure.series
    names = list(dict.fromkeys(str(value) for entry in entries for value in entry.get("x", ())))
    numbers = [value for entry in entries for value in _values(entry)] or [0.0, 1.0]
    low, high = widened(min(0.0, *numbers), max(0.0, *numbers))
    named = [str(entry.get("name", "")) for entry in entries]
    shown = [name for name in named if name] if len(entries) > 1 else []
    lying = max(map(len, names), default=0) > 9 or len(names) * len(entries) > 24
    if lying:
        left = min(300.0, 16 + max(map(len, names)) * CHARACTER)
        top = 8 + legend_height(shown, left)
        room = 8 + 15 * len(entries)
        canvas = Canvas(left=left, bottom=44, top=top, height=top + 44 + room * len(names))
        across: Scale = Names(_cut(names), canvas.top, canvas.bottom, most=1000)
        along = Numbers(low, high, canvas.left, canvas.right)
        # The axes of lying bars: values below, names at the left.
        canvas.axes(along, across, figure.y_label, "", grid="x")
    else:
        left = _margin([text for _, text in round_values(low, high)], figure.y_label)
        top = 12 + legend_height(shown, left)
        canvas = Canvas(left=left, bottom=46 if figure.x_label else 28, top=top, height=HEIGHT - 60 + top)
        across = Names(names, canvas.left, canvas.right)
        along = Numbers(low, high, canvas.bottom, canvas.top)
        canvas.axes(across, along, figure.x_label, figure.y_label)
    zero = along.place(0.0) or 0.0
    band = across.band if isinstance(across, Names) else 1.0
    thick = min(46.0, band * 0.72 / len(entries))
    places = {name: across.ticks[index].at for index, name in enumerate(names)}
    for number, entry in enumerate(entries):
        shift = (number - (len(entries) - 1) / 2) * thick
        for at, value in zip(entry.get("x", ()), entry.get("y", ()), strict=False):
            end = along.place(value)
            if end is None:
                continue
            middle = places[str(at)] + shift
            first, size = min(zero, end), abs(end - zero)
            box = (
                {"x": first, "y": middle - thick / 2, "width": size, "height": thick - 1}
                if lying
                else {"x": middle - thick / 2, "y": first, "width": thick - 1, "height": size}
            )
            made = canvas.add("rect", class_=f"bar s{number % SERIES}", **box)
            canvas.hint(made, f"{at}: {words.number(value)}")
            text = words.number(value)
            if lying:
                wide = 6 + len(text) * CHARACTER
                side = 1 if end >= zero else -1
                inside = not canvas.left < end + side * wide < canvas.right
                canvas.text(
                    end - side * 5 if inside else end + side * 5, middle + 4, text,
                    "end" if inside == (side > 0) else "start", class_="inside" if inside else "value",
                )  # fmt: skip
            elif thick >= len(text) * CHARACTER:
                canvas.text(middle, end - 4 if end <= zero else end + 13, text, "middle", class_="value")
    canvas.legend([(name, "bar", number) for number, name in enumerate(named) if name and shown])
    return canvas


def thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST` points: of each stretch the least and the greatest, so that no peak is lost."""
    if len(points) <= MOST:
        return points
    size = math.ceil(len(points) / (MOST / 2))
    kept = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        ends = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(ends)
    return [points[0], *kept, points[-1]]


def _values(entry: Entry) -> list[float]:
    """The finite values of an entry along y."""
    given = [*entry.get("y", ()), *entry.get("low", ()), *entry.get("high", ())]
    return [number for value in given if (number := finite(value)) is not None]


def _padded(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.05 or abs(low) * 0.1 or 1.0
    return low - room, high + room


def _margin(texts: Sequence[str], label: str) -> float:
    return 16 + max(map(len, texts), default=1) * CHARACTER + (18 if label else 0)


def _below(x: Scale, label: str, slanted: bool) -> float:
    room = 28.0
    if slanted and isinstance(x, Names):
        room = 20 + min(140.0, max(map(len, x.names)) * CHARACTER * 0.66)
    return room + (18 if label else 0)


def _cut(names: Sequence[str]) -> list[str]:
    return [name if len(name) <= 42 else f"{name[:41]}…" for name in names]
