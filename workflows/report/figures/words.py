"""A figure in words, for those who do not see it."""

from __future__ import annotations

from typing import Any

from workflows.events import Figure
from workflows.report.figures.scales import finite
from workflows.wording import number as _number

MOST = 8
"""Series that are described; of more, the rest is counted."""
FORMS = {
    "line": "Line chart",
    "scatter": "Scatter plot",
    "bar": "Bar chart",
    "field": "Field",
    "heatmap": "Heat map",
    "fan": "Fan chart",
}


def number(value: Any) -> str:
    """A value as labels show it; a dash for none."""
    return _number(finite(value)).replace(" ", "\u202f")


def described(figure: Figure) -> str:
    """The form, the axes, and what each series does."""
    axes = ", ".join(text for text in (figure.x_label, figure.y_label) if text)
    parts = [f"{FORMS.get(figure.form, 'Chart')}{f' of {axes}' if axes else ''}."]
    for entry in figure.series[:MOST]:
        parts.append(_series(entry))
    if len(figure.series) > MOST:
        parts.append(f"And {len(figure.series) - MOST} more series.")
    return " ".join(part for part in parts if part)


def _series(entry: dict[str, Any]) -> str:
    name = str(entry.get("name") or "values")
    if "z" in entry:
        values = [value for row in entry["z"] for item in row if (value := finite(item)) is not None]
        size = f"{len(entry['z'])} rows by {len(entry.get('x', ()))} columns"
        between = f", from {number(min(values))} to {number(max(values))}" if values else ", without values"
        return f"{name}: {size}{between}."
    if "low" in entry:
        lows = [value for item in entry["low"] if (value := finite(item)) is not None]
        highs = [value for item in entry["high"] if (value := finite(item)) is not None]
        return f"{name}: a band from {number(min(lows))} to {number(max(highs))}." if lows and highs else ""
    values = [value for item in entry.get("y", ()) if (value := finite(item)) is not None]
    if not values:
        return f"{name}: no values."
    xs = list(entry.get("x", ()))
    where = f" from {_at(xs[0])} to {_at(xs[-1])}" if len(xs) > 1 else ""
    return (
        f"{name}: {len(values)} values{where}, first {number(values[0])}, last {number(values[-1])}, "
        f"between {number(min(values))} and {number(max(values))}."
    )


def _at(value: Any) -> str:
    return number(value) if finite(value) is not None else str(value)
