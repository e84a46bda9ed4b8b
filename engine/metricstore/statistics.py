"""CloudWatch's statistics of a bin, by their names on the wire.

Percentiles interpolate linearly between closest ranks (Hyndman and Fan's definition 7, numpy's default). Trimmed and winsorised
statistics cut the sorted values at percentiles (``TM(10%:90%)``, ``tm90``) or at absolute values (``TM(150:1000)``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from engine.metricstore.bins import Bin

Statistic = Callable[[Bin], "float | None"]
"""The value for a bin, or None when it cannot be known (percentiles of statistic sets)."""

BASIC = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{0,10})?|100(?:\.0*)?)")
_SHORT = re.compile(r"(tm|wm|tc|ts)(\d{1,2}(?:\.\d{0,10})?|100(?:\.0*)?)", re.IGNORECASE)
_LONG = re.compile(r"(TM|WM|TC|TS|PR)\((-?[\d.]+%?)?:(-?[\d.]+%?)?\)", re.IGNORECASE)


@lru_cache(256)
def parse(name: str) -> tuple[Statistic, bool] | None:
    """The statistic of that name and whether it needs the distribution; None when CloudWatch has none of that name."""
    if name in BASIC:
        return _basic(name), False
    if found := _PERCENTILE.fullmatch(name):
        fraction = float(found[1]) / 100
        return (lambda bin_: percentile(bin_.distribution(), fraction)), True
    if name.upper() == "IQM":
        return _trimmed("TM", 0.25, 0.75), True
    if found := _SHORT.fullmatch(name):
        kind, cut = found[1].upper(), float(found[2]) / 100
        return _trimmed(kind, 0.0, cut), True
    if found := _LONG.fullmatch(name):
        return _range(found[1].upper(), found[2] or "", found[3] or "")
    return None


def percentile(values: list[tuple[float, float]], fraction: float) -> float | None:
    """The percentile of sorted (value, count) pairs."""
    if not values:
        return None
    total = sum(count for _, count in values)
    rank = fraction * max(total - 1, 0.0)
    seen = 0.0
    for i, (value, count) in enumerate(values):
        if rank <= seen + count - 1 or i == len(values) - 1:
            return value
        if rank < seen + count:  # Between the last of these and the first of the next.
            return value + (rank - (seen + count - 1)) * (values[i + 1][0] - value)
        seen += count
    return values[-1][0]


def _basic(name: str) -> Statistic:
    if name == "SampleCount":
        return lambda bin_: bin_.count
    if name == "Sum":
        return lambda bin_: bin_.total
    if name == "Average":
        return lambda bin_: bin_.total / bin_.count if bin_.count else None
    return (lambda bin_: bin_.low) if name == "Minimum" else (lambda bin_: bin_.high)


def _range(kind: str, low: str, high: str) -> tuple[Statistic, bool] | None:
    bounds = [bound for bound in (low, high) if bound]
    percent = [bound.endswith("%") for bound in bounds]
    try:
        numbers = [float(bound.rstrip("%")) for bound in bounds]
    except ValueError:
        return None
    if not bounds or len(set(percent)) != 1 or numbers != sorted(numbers):
        return None
    if percent[0]:
        if kind == "PR" or not all(0 <= number <= 100 for number in numbers):
            return None
        return _trimmed(
            kind, float(low[:-1] or 0) / 100 if low else 0.0, float(high[:-1]) / 100 if high else 1.0
        ), True
    least = float(low) if low else None
    most = float(high) if high else None
    return _bounded(kind, least, most), True


def _trimmed(kind: str, low: float, high: float) -> Statistic:
    """Between two fractions of the sorted values; counts at the cuts are split."""

    def compute(bin_: Bin) -> float | None:
        values = bin_.distribution()
        total = sum(count for _, count in values)
        start, end = low * total, high * total
        kept, seen = [], 0.0
        for value, count in values:
            share = min(seen + count, end) - max(seen, start)
            if share > 0:
                kept.append((value, share))
            seen += count
        if not kept:
            return None
        if kind == "WM":
            kept = [(kept[0][0], start), *kept, (kept[-1][0], total - end)]
        return _summary("TM" if kind == "WM" else kind, kept, total)

    return compute


def _bounded(kind: str, low: float | None, high: float | None) -> Statistic:
    """Between two values: above the lower, up to and with the upper."""

    def compute(bin_: Bin) -> float | None:
        values = bin_.distribution()
        total = sum(count for _, count in values)
        if not total:
            return None
        if kind == "WM":
            clipped = [(max(low, value) if low is not None else value, count) for value, count in values]
            clipped = [(min(high, value) if high is not None else value, count) for value, count in clipped]
            return _summary("TM", clipped, total)
        kept = [
            (value, count)
            for value, count in values
            if (low is None or value > low) and (high is None or value <= high)
        ]
        return _summary(kind, kept, total)

    return compute


def _summary(kind: str, kept: list[tuple[float, float]], total: float) -> float | None:
    count = sum(share for _, share in kept)
    if kind == "TC":
        return count
    if kind == "PR":
        return 100.0 * count / total
    amount = sum(value * share for value, share in kept)
    if kind == "TS":
        return amount
    return amount / count if count else None
