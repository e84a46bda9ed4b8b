"""What DeepAR reads: series to train on, series to be tested on, requests, as JSON lines; and what it answers."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from workflows.failures import WorkflowError
from workflows.studies.forecasting import features
from workflows.studies.forecasting.scores import LEVELS, Forecast
from workflows.studies.forecasting.windows import DECEMBERS, Power, Window

Form = Literal["whole", "cold", "years"]
"""``years``: a series per calendar year, as in the notebook. ``whole``: one series; AWS advises not to break series up. ``cold``:
that one, and short ones cut from it, whose beginnings teach the model to forecast from nothing."""
SHORT = 60
"""Days of a short series, or twice the prediction length where that is more."""
LINES = "application/jsonlines"


def origin(form: Form, window: Window, power: Power) -> datetime.date:
    """Where the series begins that a window's history belongs to: with the first day, or with the window's year."""
    return datetime.date(window.start.year, 1, 1) if form == "years" else power.first


def training(form: Form, windows: Sequence[Window], power: Power, choice: str) -> list[dict[str, Any]]:
    """The training series. No value of any window is in them.

    As ``years`` each year lacks its last days. As ``whole`` and ``cold`` the series ends where the last of the notebook's windows begins,
    and the earlier windows are missing values in it.
    """
    ends = [window for window in windows if window.group == DECEMBERS]
    if form == "years":
        return [_line(power, origin(form, window, power), window.start, choice) for window in ends]
    last = max(window.start for window in ends)
    found = [_line(power, power.first, last, choice, [window for window in ends if window.end <= last])]
    if form == "cold":
        found += _short(power, ends, last, choice)
    return found


def _short(power: Power, hidden: Sequence[Window], last: datetime.date, choice: str) -> list[dict[str, Any]]:
    """Series of `SHORT` days up to ``last``, one beginning every prediction length, without those that touch a hidden window."""
    horizon = hidden[0].days
    length = datetime.timedelta(days=max(SHORT, 2 * horizon))
    found = []
    start = power.first
    while start + length <= last:
        if all(start + length <= window.start or start >= window.end for window in hidden):
            found.append(_line(power, start, start + length, choice))
        start += datetime.timedelta(days=horizon)
    return found


def tested(form: Form, windows: Sequence[Window], power: Power, choice: str) -> list[dict[str, Any]]:
    """The series of the notebook's windows, whose last days DeepAR's own test forecasts."""
    return [
        _line(power, origin(form, window, power), window.end, choice)
        for window in windows
        if window.group == DECEMBERS
    ]


def request(form: Form, window: Window, power: Power, choice: str) -> dict[str, Any]:
    """The history of a window, up to the day before it; dynamic features reach over the window."""
    return asked(power, origin(form, window, power), window, choice)


def asked(power: Power, start: datetime.date, window: Window, choice: str, off: Any = None) -> dict[str, Any]:
    """A request with a history from ``start`` on (``window.start``: an empty one), and features over the window.

    Args:
        off: What the day-off feature shall be inside the window, a value a day, instead of the calendar's.
    """
    found = _line(power, start, window.start, "none")
    whole = (window.end - start).days
    rows = features.rows(choice, start, whole)
    if off is not None:
        rows[features.CHOICES[choice].index(features.OFF)][-window.days :] = [float(value) for value in off]
    return found | ({"dynamic_feat": rows} if rows else {})


def write(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """One JSON document a line."""
    text = "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in lines)
    path.write_text(text, encoding="utf-8")


def answer(found: Any) -> Forecast:
    """The forecast in one of DeepAR's predictions.

    Raises:
        WorkflowError: It is something else, or not finite.
    """
    import numpy as np

    try:
        mean = np.array(found["mean"], dtype=float)
        quantiles = np.array([found["quantiles"][f"{level:g}"] for level in LEVELS], dtype=float)
    except (KeyError, TypeError, ValueError) as error:
        raise WorkflowError(f"An answer is not what DeepAR gives: {error!r}.") from None
    if not (np.isfinite(mean).all() and np.isfinite(quantiles).all()):
        raise WorkflowError("The model answers values that are no finite numbers.")
    return Forecast(mean, quantiles)


def configuration(samples: int, *more: str) -> dict[str, Any]:
    """DeepAR's ``configuration`` of a request, and of batch transform."""
    return {
        "num_samples": samples,
        "output_types": ["mean", "quantiles", *more],
        "quantiles": [f"{level:g}" for level in LEVELS],
    }


def _line(
    power: Power,
    start: datetime.date,
    end: datetime.date,
    choice: str,
    hidden: Sequence[Window] = (),
) -> dict[str, Any]:
    """The series from ``start`` to the day before ``end``; days inside ``hidden`` windows are missing values."""
    target: list[float | None] = [
        None if math.isnan(value) else float(value) for value in power.between(start, end)
    ]
    for window in hidden:
        begin = (window.start - start).days
        target[begin : begin + window.days] = [None] * window.days
    rows = features.rows(choice, start, len(target))
    return {"start": f"{start} 00:00:00", "target": target, **({"dynamic_feat": rows} if rows else {})}
