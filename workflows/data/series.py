"""The energy study's series: a mean power per day, a series per whole year, and the JSON lines that DeepAR reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MINUTES = 1_440
YEARS = (2007, 2008, 2009)
HORIZON = 30
"""Days that are predicted, and that the training series lack at their ends."""


def mean_power(daily: Any) -> Any:
    """The mean power of each day in kW: a Series by date, of a table of daily sums.

    The first and the last day were not measured to the full; whole years are not touched by that.
    """
    import pandas as pd

    values = daily["Global_active_power"].to_numpy(dtype=float) / MINUTES
    return pd.Series(values, index=pd.to_datetime(daily["datetime"]), name="kW")


def lines(power: Any, years: tuple[int, ...] = YEARS, cut: int = 0) -> list[dict[str, Any]]:
    """``{"start", "target"}`` of each year that has more days than are predicted, without the last ``cut`` days."""
    found = []
    for year in years:
        values = power[power.index.year == year].to_numpy(dtype=float)
        if len(values) > HORIZON:
            found.append(
                {"start": f"{year}-01-01", "target": [float(value) for value in values[: len(values) - cut]]}
            )
    return found


def write(folder: Path, power: Any) -> None:
    """``test.json`` with the whole years, ``train.json`` without their last thirty days; nothing where there is no such year."""
    for name, cut in (("train.json", HORIZON), ("test.json", 0)):
        text = "".join(json.dumps(line) + "\n" for line in lines(power, cut=cut))
        if text:
            (folder / name).write_text(text, encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    """The series of a JSON Lines file, as they are."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
