"""From values to places on paper: numbers, dates and names, each with its ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

TICKS = 6
"""Ticks that an axis has, about."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, in the unit of the drawing, and what is written there."""

    at: float
    text: str


class Scale(Protocol):
    """Places of values between two ends; ``end`` may be less than ``start``, as it is on a vertical axis."""

    @property
    def ticks(self) -> list[Tick]:
        """What is written at the axis."""

    def place(self, value: Any) -> float | None:
        """Where a value lies; None for what is no value."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A linear axis from ``low`` to ``high``."""

    low: float
    high: float
    start: float
    end: float
    count: int = TICKS
    whole: bool = False
    """Whether only whole numbers are marked: epochs, counts."""

    @property
    def ticks(self) -> list[Tick]:
        found = round_values(self.low, self.high, self.count, whole=self.whole)
        return [Tick(self._at(value), text) for value, text in found]

    def place(self, value: Any) -> float | None:
        number = finite(value)
        return None if number is None else self._at(number)

    def _at(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.low) / ((self.high - self.low) or 1.0)


@dataclass(frozen=True, slots=True)
class Dates:
    """An axis of dates and times, as ISO texts give them."""

    low: float
    high: float
    start: float
    end: float

    @property
    def ticks(self) -> list[Tick]:
        return [Tick(self._at(moment.timestamp()), text) for moment, text in round_dates(self.low, self.high)]

    def place(self, value: Any) -> float | None:
        moment = date(value)
        return None if moment is None else self._at(moment)

    def _at(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.low) / ((self.high - self.low) or 1.0)


@dataclass(frozen=True, slots=True)
class Names:
    """An axis of names, each with a band of its own; `place` gives a band's middle."""

    names: Sequence[str]
    start: float
    end: float
    most: int = 40
    """Names that are written; where there are more, every second, third … one is."""

    @property
    def band(self) -> float:
        """A band's width."""
        return abs(self.end - self.start) / max(1, len(self.names))

    @property
    def ticks(self) -> list[Tick]:
        every = max(1, math.ceil(len(self.names) / self.most))
        return [Tick(self._at(index), name) for index, name in enumerate(self.names) if index % every == 0]

    def place(self, value: Any) -> float | None:
        try:
            return self._at(self.names.index(str(value)))
        except ValueError:
            return None

    def _at(self, index: int) -> float:
        return self.start + (self.end - self.start) * (index + 0.5) / max(1, len(self.names))


def finite(value: Any) -> float | None:
    """A number, or None for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def date(value: Any) -> float | None:
    """Epoch seconds of an ISO date or time, or None."""
    if not isinstance(value, str) or len(value) < 8 or not value[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def step(span: float, count: int = TICKS) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that cuts a span into about ``count`` parts."""
    if span <= 0:
        return 1.0
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= raw * 0.999)


def widened(low: float, high: float, count: int = TICKS) -> tuple[float, float]:
    """The next round values outside; values that do not differ get room on both sides."""
    if low == high:
        pad = abs(low) / 10 or 1.0
        low, high = low - pad, high + pad
    size = step(high - low, count)
    return math.floor(low / size + 1e-9) * size, math.ceil(high / size - 1e-9) * size


def round_values(
    low: float, high: float, count: int = TICKS, *, whole: bool = False
) -> list[tuple[float, str]]:
    """Round values from ``low`` to ``high``, all with the same number of decimals."""
    size = step(high - low, count)
    if whole:
        size = max(1.0, math.ceil(size - 1e-9))
    first = math.ceil(low / size - 1e-9)
    values = [index * size for index in range(first, math.floor(high / size + 1e-9) + 1)]
    return list(zip(values, labels(values, size), strict=True))


def labels(values: Sequence[float], size: float) -> list[str]:
    """Values as they stand at an axis: thousands apart, powers for what is very large or very small."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 1e6 or (0 < largest < 1e-3):
        return [_power(value, size) for value in values]
    digits = max(0, -math.floor(math.log10(size) + 1e-9))
    if abs(size * 10**digits - round(size * 10**digits)) > 1e-6:
        digits += 1  # 2.5, 0.25
    return [f"{value + 0.0:,.{digits}f}".replace(",", "\u202f").replace("-", "−") for value in values]


def _power(value: float, size: float) -> str:
    """``2.5e−5``: as many digits as tell the value from its neighbours."""
    if abs(value) < size / 2:
        return "0"
    digits = max(0, math.floor(math.log10(abs(value)) + 1e-9) - math.floor(math.log10(size) + 1e-9) + 1)
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(power)}".replace("-", "−")


def round_dates(low: float, high: float) -> list[tuple[datetime, str]]:
    """Beginnings of years, months, days or hours, whichever makes about six."""
    begin, end = datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)
    days = (high - low) / 86400
    if days > 365 * 3:
        every = max(1, round((end.year - begin.year) / TICKS))
        years = range(begin.year, end.year + 1)
        marks = [(datetime(year, 1, 1, tzinfo=UTC), str(year)) for year in years if year % every == 0]
    elif days > 90:
        every = next((size for size in (1, 2, 3, 6) if days / 30.4 / size <= TICKS + 2), 6)
        marks = []
        for month in range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month):
            if month % every == 0:
                first = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
                marks.append((first, first.strftime("%b %Y")))
    elif days > 2:
        every = max(1, math.ceil(days / (TICKS + 1)))
        first = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        marks = [
            (first + timedelta(days=day), (first + timedelta(days=day)).strftime("%-d %b"))
            for day in range(0, math.ceil(days) + 2, every)
        ]
    else:
        every = next((size for size in (1, 2, 3, 6, 12) if days * 24 / size <= TICKS + 2), 12)
        first = begin.replace(minute=0, second=0, microsecond=0)
        marks = [
            (first + timedelta(hours=hour), (first + timedelta(hours=hour)).strftime("%-d %b %H:%M"))
            for hour in range(0, math.ceil(days * 24) + 2, every)
        ]
    return [(moment, text) for moment, text in marks if low - 1 <= moment.timestamp() <= high + 1]
