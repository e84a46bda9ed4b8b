"""A histogram of latencies with a fixed relative error, small enough to be kept per second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BITS = 7
"""Each power of two is cut into 2**BITS equal parts, so a value is known to within 1/128 of itself."""
_PARTS = 1 << BITS


class Histogram:
    """Counts of durations in buckets that grow with their values: linear within each power of two, as HdrHistogram's
    (G. Tene, https://hdrhistogram.org). Values are milliseconds, kept as whole microseconds. Not safe for threads."""

    __slots__ = ("_counts", "count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.highest = 0.0
        self.lowest = math.inf

    def record(self, milliseconds: float, count: int = 1) -> None:
        """Count a duration ``count`` times; a negative one counts as zero."""
        value = max(0.0, milliseconds)
        bucket = bucket_of(round(value * 1000))
        self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.count += count
        self.total += value * count
        self.highest = max(self.highest, value)
        self.lowest = min(self.lowest, value)

    def add(self, other: Histogram) -> None:
        """Count everything that another histogram has counted."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.count += other.count
        self.total += other.total
        self.highest = max(self.highest, other.highest)
        self.lowest = min(self.lowest, other.lowest)

    def percentile(self, percent: float) -> float | None:
        """The smallest duration that ``percent`` of all do not exceed (nearest rank), to within 1/128; None when there is none."""
        if not self.count:
            return None
        rank = min(self.count, max(1, math.ceil(round(percent / 100 * self.count, 9))))
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= rank:
                return max(self.lowest, min(self.highest, bounds(bucket)[1] / 1000))
        return self.highest

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """(from, to, count) of each bucket that counted something, in milliseconds, shortest first."""
        for bucket in sorted(self._counts):
            low, high = bounds(bucket)
            yield low / 1000, high / 1000, self._counts[bucket]

    def rows(self, most: int) -> list[tuple[float, float, int]]:
        """(from, to, count) of at most ``most`` ranges that follow each other, equally wide on a logarithmic scale, to be drawn."""
        if not self.count:
            return []
        low = max(self.lowest, 0.001)
        growth = max(1.1, (max(self.highest, low) / low) ** (1 / most) * (1 + 1e-9))
        counts: dict[int, int] = {}
        for begin, end, count in self.buckets():
            place = min(most - 1, int(math.log(max((begin + end) / 2, low) / low, growth)))
            counts[place] = counts.get(place, 0) + count
        return [
            (low * growth**place, low * growth ** (place + 1), counts.get(place, 0))
            for place in range(max(counts) + 1)
        ]

    @property
    def quantiles(self) -> Quantiles:
        """What people ask of it."""
        return Quantiles(
            count=self.count,
            mean=self.total / self.count if self.count else None,
            p50=self.percentile(50),
            p90=self.percentile(90),
            p99=self.percentile(99),
            p999=self.percentile(99.9),
            max=self.highest if self.count else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it."""
        return {
            "buckets": {str(bucket): count for bucket, count in sorted(self._counts.items())},
            "total": self.total,
            "lowest": self.lowest if self.count else None,
            "highest": self.highest,
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Histogram:
        """The histogram that `as_dict` wrote.

        Raises:
            ValueError, KeyError, TypeError: It was not written by it.
        """
        made = cls()
        made._counts = {int(bucket): int(count) for bucket, count in found["buckets"].items()}
        made.count = sum(made._counts.values())
        made.total = float(found["total"])
        made.highest = float(found["highest"])
        made.lowest = math.inf if found["lowest"] is None else float(found["lowest"])
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latencies in milliseconds; None where nothing was counted."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None


NOTHING = Quantiles()


def bucket_of(value: int) -> int:
    """The bucket of a whole number that is not negative; buckets are in the order of their values."""
    shift = max(0, value.bit_length() - BITS - 1)
    return (shift << BITS) + (value >> shift)


def bounds(bucket: int) -> tuple[int, int]:
    """The smallest and the greatest whole number of a bucket."""
    shift = max(0, (bucket >> BITS) - 1)
    low = (bucket - (shift << BITS)) << shift
    return low, low + (1 << shift) - 1
