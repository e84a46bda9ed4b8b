"""Checks of series before anything is trained: each is a verdict with its reason in a sentence."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflows.events import Gate
from workflows.studies.forecasting.windows import Power, Window
from workflows.studies.gates import judgement

Line = dict[str, Any]
OBSERVATIONS = 300
"""Observations that DeepAR asks of all training series together."""
FLAT_DAYS = 14
"""So many equal days in a row are a meter that stands still."""
CLOSE = 1e-6
"""Largest difference in kW at which two days are the same measurement."""
ALIGNED = 0.8
"""The least share of equal days of series that belong together; days with missing minutes may have been filled in otherwise."""


def files(step: str, paths: Mapping[str, str], power: Power) -> list[Gate]:
    """The ready-made ``train.json`` and ``test.json`` of a data set: stamps, alignment with each other and with the daily table."""
    from workflows.data.findings import errors
    from workflows.data.jsonlines import check_pair, check_series

    given = {role: Path(paths[role]) for role in ("train", "test") if role in paths}
    if not given:
        return [
            judgement(
                step,
                "stamps",
                "pass",
                "Every series is made here from the table of days: its dates are the table's.",
                0,
            )
        ]
    # Where the table tells what a series really is, nothing else need be said of it.
    found = [text for path in given.values() for text in _moved(path, power)]
    if not found:
        for path in given.values():
            found += [
                f"{path.name}, {one.where}: {one.text} {one.remedy}".strip()
                for one in errors(check_series(path))
            ]
    if not found:
        found = [f"{one.where}: {one.text} {one.remedy}".strip() for one in errors(check_pair(given))]
    names = " and ".join(path.name for path in given.values())
    if found:
        more = f" And {len(found) - 3} more." if len(found) > 3 else ""
        return [judgement(step, "stamps", "fail", " ".join(found[:3]) + more, len(found))]
    reason = f"{names}: every series starts on the day it says, and has the values of the table of days"
    return [judgement(step, "stamps", "pass", f"{reason}.", 0)]


def parsed(path: Path) -> list[tuple[int, datetime.date, Any]]:
    """Number, start and values (days,) of the series of a file that can be read; `check_series` tells of the others."""
    import json

    import numpy as np

    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            line = json.loads(text)
            values = [np.nan if value is None else value for value in line["target"]]
            start = datetime.date.fromisoformat(str(line["start"])[:10])
            found.append((number, start, np.array(values, dtype=float)))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def aligned(start: datetime.date, target: Any, power: Power) -> bool:
    """Whether a series has the values of its days, most of them exactly."""
    import numpy as np

    there = power.between(start, start + datetime.timedelta(days=len(target)))
    known = np.isfinite(there) & np.isfinite(target)
    return bool(known.any() and (np.abs(there - target)[known] <= CLOSE).mean() >= ALIGNED)


def _moved(path: Path, power: Power) -> list[str]:
    """Series whose values are those of other days in the table."""
    import numpy as np

    found = []
    for number, start, target in parsed(path):
        if aligned(start, target, power):
            continue
        there = power.between(start, start + datetime.timedelta(days=len(target)))
        known = np.isfinite(there) & np.isfinite(target)
        where = f"{path.name}, line {number}"
        really = _place_of(target, power)
        if really is not None:
            found.append(
                f"{where} is stamped {start}, but its values are those of {really} on: the start date is wrong. Write "
                f'"start": "{really} 00:00:00".'
            )
        elif known.any():
            wrong = int((np.abs(there - target)[known] > CLOSE).sum())
            found.append(
                f"{where}, from {start}: {wrong} of {int(known.sum())} days have other values than the table of days: the two are "
                "not aligned. Make both from one table."
            )
    return found


def _place_of(target: Any, power: Power) -> datetime.date | None:
    """The day from which the table has these values, if there is one."""
    import numpy as np

    count = len(power.values) - len(target) + 1
    if count < 1:
        return None
    shares = [
        float((np.abs(power.values[begin : begin + len(target)] - target) <= CLOSE).mean())
        for begin in range(count)
    ]
    best = int(np.argmax(shares))
    return power.first + datetime.timedelta(days=best) if shares[best] >= ALIGNED else None


def separate(step: str, trained: Sequence[Line], windows: Sequence[Window]) -> Gate:
    """Whether any value of a window is a training target."""
    inside = 0
    for line in trained:
        start = datetime.date.fromisoformat(line["start"][:10])
        for window in windows:
            begin = (window.start - start).days
            values = line["target"][max(begin, 0) : max(begin + window.days, 0)]
            inside += sum(value is not None for value in values)
    if inside:
        reason = f"{inside} days that are to be forecast are training targets: every score would be too good."
        return judgement(step, "windows apart", "fail", reason, inside)
    reason = f"No day of the {len(windows)} windows is a training target."
    return judgement(step, "windows apart", "pass", reason, 0)


def constant(step: str, trained: Sequence[Line]) -> Gate:
    """Series that never change, and stretches in which a meter stood still."""
    worst, where = 1, ""
    for number, line in enumerate(trained, 1):
        known = [value for value in line["target"] if value is not None]
        if len(set(known)) <= 1:
            reason = f"Series {number}, from {line['start'][:10]}, never changes: there is nothing to forecast. Check the meter."
            return judgement(step, "values change", "fail", reason, 0)
        run, before = 1, None
        for place, value in enumerate(line["target"]):
            run = run + 1 if value is not None and value == before else 1
            before = value
            if run > worst:
                worst = run
                where = str(
                    datetime.date.fromisoformat(line["start"][:10]) + datetime.timedelta(days=place - run + 1)
                )
    if worst >= FLAT_DAYS:
        reason = (
            f"{worst} days in a row have the same value, from {where}: a meter that stands still, or a gap that was filled. Mark "
            "them as missing, or cut the series there."
        )
        return judgement(step, "values change", "fail", reason, worst)
    return judgement(step, "values change", "pass", "No series stands still.", worst)


def long_enough(step: str, trained: Sequence[Line], horizon: int) -> Gate:
    """Whether each series is longer than what is forecast, and all together have what DeepAR asks for."""
    known = [sum(value is not None for value in line["target"]) for line in trained]
    for number, (count, line) in enumerate(zip(known, trained, strict=True), 1):
        if count < horizon:
            reason = (
                f"Series {number}, from {line['start'][:10]}, has {count} days, fewer than the {horizon} that are forecast: DeepAR "
                "ignores it. Use a smaller prediction-length or a longer series."
            )
            return judgement(step, "series long enough", "fail", reason, count, horizon)
    if sum(known) < OBSERVATIONS:
        reason = f"All series together have {sum(known)} days; DeepAR asks for {OBSERVATIONS} at least."
        return judgement(step, "series long enough", "fail", reason, sum(known), OBSERVATIONS)
    reason = f"{sum(known)} days in {len(trained)} series of {min(known)} to {max(known)} days."
    return judgement(step, "series long enough", "pass", reason, sum(known), OBSERVATIONS)


def months(step: str, trained: Sequence[Line], windows: Sequence[Window]) -> Gate:
    """Calendar months that are to be forecast and of which hardly a day was ever a training target."""
    known = {
        datetime.date.fromisoformat(line["start"][:10]) + datetime.timedelta(days=number)
        for line in trained
        for number, value in enumerate(line["target"])
        if value is not None
    }
    counts = {month: sum(day.month == month for day in known) for month in range(1, 13)}
    asked = dict.fromkeys(range(1, 13), 0)
    for window in windows:
        for number in range(window.days):
            asked[(window.start + datetime.timedelta(days=number)).month] += 1
    lacking = [month for month in range(1, 13) if asked[month] > 0 and counts[month] < 28]
    names = ", ".join(
        f"{datetime.date(2000, month, 1):%B} ({counts[month]} days trained on, {asked[month]} forecast)"
        for month in lacking
    )
    if not lacking:
        return judgement(step, "months", "pass", "Every month that is forecast was trained on.", 0)
    reason = (
        f"Hardly a training target: {names}. The model has to get there from neighbouring months; the features `annual` tell it that "
        "December lies beside January."
    )
    return judgement(step, "months", "warn", reason, len(lacking))


def whole_series(step: str, form: str) -> Gate:
    """Whether series were broken up into years."""
    if form != "years":
        reason = "A whole series, as AWS advises: lags reach a year and two back, and over each New Year."
        return judgement(step, "whole series", "pass", reason)
    reason = (
        "Series are broken up into years, as in the notebook: no lag reaches over a New Year, and a forecast for January has no history. "
        "AWS advises against it (series=whole)."
    )
    return judgement(step, "whole series", "warn", reason)
