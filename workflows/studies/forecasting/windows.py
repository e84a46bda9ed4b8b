"""The days, and which of them are forecast: windows that no model is trained on."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.data.series import YEARS
from workflows.failures import WorkflowError

DECEMBERS, UNSEEN = "notebook", "unseen year"
"""The notebook's windows, each year's last days; and those of the year after, of which training sees nothing."""
UNSEEN_YEAR = 2010


@dataclass(frozen=True, slots=True)
class Window:
    """``days`` days from ``start`` on that are forecast from the days before them."""

    name: str
    group: str
    start: datetime.date
    days: int

    @property
    def end(self) -> datetime.date:
        """The day after the last."""
        return self.start + datetime.timedelta(days=self.days)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "group": self.group, "start": self.start.isoformat(), "days": self.days}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Window:
        """What `as_dict` gave."""
        start = datetime.date.fromisoformat(values["start"])
        return cls(values["name"], values["group"], start, int(values["days"]))


@dataclass(frozen=True, slots=True)
class Power:
    """The mean power of each day in kW from ``first`` on, one value a day without gaps: values (n,)."""

    first: datetime.date
    values: Any

    @classmethod
    def read(cls, path: Path) -> Power:
        """What `write` wrote."""
        import numpy as np

        rows = path.read_text(encoding="utf-8").splitlines()[1:]
        first = datetime.date.fromisoformat(rows[0].partition(",")[0])
        return cls(first, np.array([float(row.partition(",")[2]) for row in rows]))

    def write(self, path: Path) -> None:
        """A CSV table: day, kilowatts."""
        rows = [
            f"{self.first + datetime.timedelta(days=number)},{value!r}"
            for number, value in enumerate(self.values.tolist())
        ]
        path.write_text("\n".join(["day,kilowatts", *rows]) + "\n", encoding="utf-8")

    def between(self, start: datetime.date, end: datetime.date) -> Any:
        """The values from ``start`` up to the day before ``end``, NaN for days that are not there."""
        import numpy as np

        begin, stop = (day.toordinal() - self.first.toordinal() for day in (start, end))
        found = np.full(max(stop - begin, 0), np.nan)
        inside = slice(max(begin, 0), min(stop, len(self.values)))
        if inside.stop > inside.start:
            found[inside.start - begin : inside.stop - begin] = self.values[inside]
        return found

    @property
    def end(self) -> datetime.date:
        """The day after the last."""
        return self.first + datetime.timedelta(days=len(self.values))

    def days(self, window: Window) -> Any:
        """What came in a window, (days,)."""
        return self.between(window.start, window.end)


def read(path: Path) -> list[Window]:
    """The windows of a file with one JSON document a line."""
    return [Window.of(json.loads(row)) for row in path.read_text(encoding="utf-8").splitlines()]


def pinned(power: Power, horizon: int, origins: int) -> list[Window]:
    """Each year's last ``horizon`` days, then up to ``origins`` windows one after another from the unseen year's first day.

    Raises:
        WorkflowError: A year has no more days than are to be forecast.
    """
    found = []
    for year in YEARS:
        start, end = datetime.date(year, 1, 1), datetime.date(year + 1, 1, 1)
        length = (min(end, power.end) - max(start, power.first)).days
        if length <= horizon:
            raise WorkflowError(
                f"The prediction length of {horizon} days is longer than the series of {year} leaves room for: it has {max(length, 0)} "
                "days, and some must come before. Use a smaller prediction-length, or data of the whole year."
            )
        found.append(Window(f"end of {year}", DECEMBERS, end - datetime.timedelta(days=horizon), horizon))
    start = datetime.date(UNSEEN_YEAR, 1, 1)
    for _ in range(origins):
        window = Window(f"from {start.isoformat()}", UNSEEN, start, horizon)
        # The last day was not measured to its end.
        if window.end >= power.end:
            break
        found.append(window)
        start = window.end
    return found
