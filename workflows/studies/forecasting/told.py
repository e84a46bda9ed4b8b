"""How the forecasting study shows forecasts: rows of tables, and fans."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any

from workflows.studies.forecasting.scores import LEVELS, Forecast, Scores
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN, Power, Window

GROUPS = {DECEMBERS: "the notebook's windows", UNSEEN: "windows of the unseen year"}
COLUMNS = ["forecast", "mean wQL", "wQL 0.1", "wQL 0.5", "wQL 0.9", "RMSE", "MASE", "in 80 % band"]
TRAINED = ["series", "first day", "last day", "days", "hidden days", "mean kW"]
BEFORE = 30
"""Days before a window that are drawn."""


def rounded(value: float, digits: int = 4) -> float | None:
    """A number for a figure; None where it is none."""
    return round(float(value), digits) if math.isfinite(value) else None


def row(name: str, found: Scores) -> list[Any]:
    """A line below `COLUMNS`."""
    picked = [found.wql[LEVELS.index(level)] for level in (0.1, 0.5, 0.9)]
    return [
        name, *(rounded(value) for value in (found.mean_wql, *picked, found.rmse)), rounded(found.mase, 3),
        f"{found.coverage:.0%}",
    ]  # fmt: skip


def trained(number: int, part: Sequence[dict[str, Any]]) -> list[Any]:
    """A line below `TRAINED` for one or some of DeepAR's series."""
    known = [value for line in part for value in line["target"] if value is not None]
    everything = sum(len(line["target"]) for line in part)
    starts = [datetime.date.fromisoformat(line["start"][:10]) for line in part]
    ends = [
        start + datetime.timedelta(days=len(line["target"]) - 1)
        for start, line in zip(starts, part, strict=True)
    ]
    name = str(number) if len(part) == 1 else f"{len(part)} short ones"
    return [
        name, str(min(starts)), str(max(ends)), len(known), everything - len(known), round(sum(known) / len(known), 3),
    ]  # fmt: skip


def dates(start: datetime.date, days: int) -> list[str]:
    """ISO dates."""
    return [str(start + datetime.timedelta(days=number)) for number in range(days)]


def fan(
    power: Power,
    window: Window,
    forecast: Forecast,
    others: dict[str, Any] | None = None,
    before: int = BEFORE,
) -> list[dict[str, Any]]:
    """A forecast as the entries of a fan: bands 0.1 to 0.9 and 0.3 to 0.7, the median, what came, and other lines (days,)."""
    x = dates(window.start, window.days)
    entries: list[dict[str, Any]] = [
        {
            "name": f"{high - low:.0%} band".replace("%", " %"),
            "x": x,
            "low": _list(forecast.quantiles[LEVELS.index(low)]),
            "high": _list(forecast.quantiles[LEVELS.index(high)]),
        }
        for low, high in ((0.1, 0.9), (0.3, 0.7))
    ]
    entries.append({"name": "median", "x": x, "y": _list(forecast.median)})
    for name, values in (others or {}).items():
        entries.append({"name": name, "x": x, "y": _list(values)})
    begin = max(window.start - datetime.timedelta(days=before), power.first)
    seen = power.between(begin, window.end)
    entries.append({"name": "observed", "x": dates(begin, len(seen)), "y": _list(seen)})
    return entries


def _list(values: Any) -> list[float | None]:
    return [rounded(value) for value in values]
