"""Axes: where a value stands between two ends, on a linear or logarithmic scale, and which labels it gets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from console.formatting import crop, number

Scale = Literal["linear", "log", "reverse-log"]
"""``reverse-log`` spreads what is just below 1, as ReverseLogarithmic does for momentums and decay rates."""

TINY = 1e-290
"""What is smaller is nothing on an axis: its steps would vanish."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from ``low`` to ``high``; ``part`` says where one stands."""

    low: float
    high: float
    scale: Scale = "linear"

    @classmethod
    def around(cls, values: Sequence[float], scale: Scale = "linear") -> Axis:
        """An axis with round ends that holds all values that have a place on the scale."""
        placed = _placed(values, scale)
        if scale == "log" and placed:
            return cls(*_log_bounds(min(placed), max(placed)), "log")
        if scale == "reverse-log" and placed:
            return cls(*_apart(min(placed), max(placed)), "reverse-log")
        return cls(*bounds(values))

    @classmethod
    def between(cls, values: Iterable[float], scale: Scale = "linear") -> Axis:
        """An axis from the smallest to the largest value."""
        values = list(values)
        placed = _placed(values, scale)
        if not placed:
            return cls(0.0, 1.0) if scale == "linear" else cls.between(values)
        low, high = min(placed), max(placed)
        if high > low:
            return cls(low, high, scale)
        return cls(low, low + 1) if scale == "linear" else cls.around(placed, scale)

    def part(self, value: float) -> float | None:
        """0 at the low end, 1 at the high one; None for what has no place on this scale."""
        at = _transformed(value, self.scale)
        first, last = _transformed(self.low, self.scale), _transformed(self.high, self.scale)
        if at is None or first is None or last is None:
            return None
        return (at - first) / (last - first) if last > first else 0.5

    def labels(self, most: int) -> list[float]:
        """At most so many round values between the ends: powers of ten, or equal steps."""
        if self.scale == "log":
            first, last = math.floor(math.log10(self.low)) + 1, math.ceil(math.log10(self.high)) - 1
            step = max(1, math.ceil((last - first + 1) / max(1, most)))
            return [10.0**power for power in range(first, last + 1, step)][: max(0, most)]
        if self.scale == "linear":
            for parts in range(min(5, most + 1), 1, -1):
                width = (self.high - self.low) / parts
                if abs(width - nice(width)) < 1e-6 * width:
                    return [self.low + i * width for i in range(1, parts)]
        return []

    def rows(self, height: int) -> dict[int, float]:
        """Labels by row from the top: the ends, and round values between them where there is a row between two labels."""
        last = height - 1
        found = {0: self.high, last: self.low}
        for value in self.labels(last // 2 - 1):
            row = round((1 - (self.part(value) or 0.0)) * last)
            if all(abs(row - other) > 1 for other in found):
                found[row] = value
        return found


def _placed(values: Iterable[float], scale: Scale) -> list[float]:
    """The values that have a place on the scale."""
    return [value for value in values if _transformed(value, scale) is not None]


def _transformed(value: float, scale: Scale) -> float | None:
    if not math.isfinite(value):
        return None
    if scale == "log":
        return math.log10(value) if value > TINY else None
    if scale == "reverse-log":
        return -math.log10(1 - value) if value < 1 else None
    return value


def _apart(low: float, high: float) -> tuple[float, float]:
    """Two ends that differ."""
    if high > low:
        return low, high
    pad = abs(low) * 0.1 or 1.0
    return low - pad, high + (min(pad, (1 - high) / 2) if high < 1 else pad)


def _log_bounds(low: float, high: float) -> tuple[float, float]:
    """Ends of a logarithmic axis: 1, 2 or 5 times a power of ten."""
    marks = [factor * 10.0**power for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
             for factor in (1, 2, 5)]  # fmt: skip
    first = max((mark for mark in marks if mark <= low * (1 + 1e-9)), default=low)
    last = min((mark for mark in marks if mark >= high * (1 - 1e-9)), default=high)
    return (first, last) if last > first else (first / 2, last * 2)


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Limits of an axis that holds the values, on round numbers."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if high - low <= TINY:
        pad = abs(low) * 0.1 if abs(low) > TINY else 1.0
        low, high = low - pad, high + pad
    step = nice((high - low) / 4)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def nice(step: float) -> float:
    """The next step of 1, 2, 2.5 or 5 times a power of ten."""
    magnitude = 10.0 ** math.floor(math.log10(step))
    for factor in (1, 2, 2.5, 5, 10):
        if step <= factor * magnitude * 1.0001:
            return float(factor * magnitude)
    return float(10 * magnitude)


def short(value: float) -> str:
    """A label of an axis, free of the noise of floating point."""
    return number(round(value, 10) + 0.0 if abs(value) >= 1e-6 else value)


def tick_line(axis: Axis, ticks: Sequence[tuple[float, str]], width: int) -> str:
    """Labels centred below their values; one that would touch another is left out, the earlier in the list stays."""
    line = [" "] * width
    taken = [False] * (width + 2)
    for value, text in ticks:
        part = axis.part(value)
        if part is None:
            continue
        text = text if cell_len(text) == len(text) else crop(text, len(text))
        at = max(0, min(width - len(text), round(part * (width - 1)) - len(text) // 2))
        if len(text) > width or any(taken[max(0, at - 1) : at + len(text) + 1]):
            continue
        for index, char in enumerate(text):
            line[at + index], taken[at + index] = char, True
    return "".join(line)
