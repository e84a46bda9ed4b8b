"""The x axis of a figure: numbers, dates, or categories in the order in which they come."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from console.formatting import crop
from console.widgets.axis import Axis, nice, short

Kind = Literal["number", "date", "category"]
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ].*)?)?")
HOUR, DAY = 3600, 86_400
STEPS = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY)
MONTHS = (1, 3, 6, 12, 24, 60, 120)
LABEL = 12
"""Cells that a label takes, with the space beside it."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Where the x of a figure stand, and what is written below the axis."""

    kind: Kind
    axis: Axis
    places: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Iterable[Sequence[Any]]) -> Ruler:
        """The axis that holds all of these x: ISO dates make a time axis, other texts are categories."""
        values = [value for column in columns for value in column if value is not None]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return cls("number", Axis.between(float(value) for value in values))
        moments = [moment for value in values if (moment := _moment(value)) is not None]
        if len(moments) == len(values):
            return cls("date", Axis.between(moments))
        names = list(dict.fromkeys(str(value) for value in values))
        return cls(
            "category", Axis(-0.5, len(names) - 0.5), {name: float(at) for at, name in enumerate(names)}
        )

    def at(self, value: Any) -> float:
        """Where an x stands on the axis; NaN for what has no place."""
        if self.kind == "category":
            return self.places.get(str(value), math.nan)
        if self.kind == "date":
            moment = _moment(value)
            return moment if moment is not None else math.nan
        return float(value) if value is not None else math.nan

    def ticks(self, width: int) -> list[tuple[float, str]]:
        """Labels for an axis of so many cells, the ends first: those that find no room are left out from the end."""
        if self.kind == "category":
            return self._names(width)
        if self.kind == "date":
            return self._dates(width)
        return self._numbers(width)

    def _numbers(self, width: int) -> list[tuple[float, str]]:
        """Round values; the ends themselves where they are whole numbers, such as the last epoch."""
        low, high = self.axis.low, self.axis.high
        step = nice((high - low) / max(1, width // LABEL))
        marks = [step * at for at in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
        ends = [end for end in (low, high) if end == round(end)]
        if len(marks) + len(ends) < 2:
            ends = [low, high]
        return [(value, short(value)) for value in (*ends, *marks)]

    def _names(self, width: int) -> list[tuple[float, str]]:
        longest = max((len(name) for name in self.places), default=1)
        each = max(1, width // max(1, len(self.places)))
        step = math.ceil(min(longest + 1, LABEL) / each)
        room = max(1, each * step - 1)
        return [
            (at, crop(name, room).rstrip() if len(name) > room else name)
            for index, (name, at) in enumerate(self.places.items())
            if index % step == 0
        ]

    def _dates(self, width: int) -> list[tuple[float, str]]:
        low, high = (datetime.fromtimestamp(end, UTC) for end in (self.axis.low, self.axis.high))
        hours = any(moment.hour or moment.minute for moment in (low, high))
        written = "%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"
        ends = [(moment.timestamp(), moment.strftime(written)) for moment in (low, high)]
        most = max(1, width // LABEL - 1)
        seconds = self.axis.high - self.axis.low
        step = next((step for step in STEPS if seconds / step <= most), 0)
        if step:
            begin = math.ceil(self.axis.low / step) * step
            moments = [
                datetime.fromtimestamp(begin + step * at, UTC) for at in range(int(seconds // step) + 1)
            ]
            return ends + [(one.timestamp(), _of_day(one, step)) for one in moments]
        return ends + _months(low, high, most)


def _of_day(moment: datetime, step: int) -> str:
    return moment.strftime("%m-%d" if step >= DAY or not moment.hour else "%H:%M")


def _months(low: datetime, high: datetime, most: int) -> list[tuple[float, str]]:
    """Beginnings of months or years between two moments."""
    total = (high.year - low.year) * 12 + high.month - low.month
    step = next((step for step in MONTHS if total / step <= most), max(1, math.ceil(total / most / 12) * 12))
    ticks = []
    for month in range(low.year * 12 + low.month - 1, high.year * 12 + high.month):
        moment = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        if month % step == 0 and low <= moment <= high:
            ticks.append((moment.timestamp(), moment.strftime("%Y" if step >= 12 else "%Y-%m")))
    return ticks


def _moment(value: Any) -> float | None:
    """An ISO date, date with a time, or month as epoch seconds; None for anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value if len(value) > 7 else f"{value}-01")
    except ValueError:
        return None
    return (moment.replace(tzinfo=None) - _EPOCH) / timedelta(seconds=1)


_EPOCH = datetime(1970, 1, 1)
