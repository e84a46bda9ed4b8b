"""An aggregate of values that still answers percentiles, and its bytes on disk.

Up to 64 distinct values are kept as they are, so that statistics of slow metrics are exact. Beyond, values are counted in
buckets whose bounds grow by 2 %: any percentile is then right to a relative error of 1 %, however many values there are (the
log-bucketed sketch of Masson, Rim and Lee, DDSketch, VLDB 2019, with alpha = 0.0099). Bins merge by addition, without further loss.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator

GAMMA = 1.02
EXACT_VALUES = 64
_PER_LOG = 1.0 / math.log(GAMMA)
_CENTRE = 2.0 / (1.0 + GAMMA)
_OFFSET = (
    100_000  # Keeps the index of every positive double above zero; negative values mirror it, zero is 0.
)
_HEAD = struct.Struct("<ddddBHI")


def bucket_of(value: float) -> int:
    """The bucket that counts a value."""
    if value > 0:
        return math.ceil(math.log(value) * _PER_LOG) + _OFFSET
    if value < 0:
        return -math.ceil(math.log(-value) * _PER_LOG) - _OFFSET
    return 0


def value_of(bucket: int) -> float:
    """The value that stands for a bucket: within 1 % of each value counted in it."""
    if bucket > 0:
        return math.exp((bucket - _OFFSET) / _PER_LOG) * _CENTRE
    if bucket < 0:
        return -math.exp((-bucket - _OFFSET) / _PER_LOG) * _CENTRE
    return 0.0


class Bin:
    """Count, sum, extremes and distribution of values.

    ``opaque`` says that part of it came as a statistic set, whose distribution nobody knows.
    """

    __slots__ = ("buckets", "count", "high", "low", "opaque", "points", "total")

    def __init__(self) -> None:
        self.count = 0.0
        self.total = 0.0
        self.low = math.inf
        self.high = -math.inf
        self.opaque = False
        self.points: dict[float, float] = {}
        self.buckets: dict[int, float] = {}

    def add(self, value: float, count: float = 1.0) -> None:
        """Count a finite value."""
        self.count += count
        self.total += value * count
        if value < self.low:
            self.low = value
        if value > self.high:
            self.high = value
        points = self.points
        if self.buckets:
            bucket = bucket_of(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
        elif value in points:
            points[value] += count
        else:
            points[value] = count
            if len(points) > EXACT_VALUES:
                self._coarsen()

    def add_statistics(self, count: float, total: float, low: float, high: float) -> None:
        """Merge a statistic set; only one whose values must all be equal has a distribution."""
        if low == high or count == 1:
            self.add(total / count, count)
            self.low, self.high = min(self.low, low), max(self.high, high)
            return
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        self.opaque = True

    def merge(self, other: Bin) -> None:
        """Add another bin to this one."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.opaque |= other.opaque
        if self.buckets or other.buckets:
            self._coarsen()
            for value, count in other.points.items():
                bucket = bucket_of(value)
                self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
            for bucket, count in other.buckets.items():
                self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
            return
        for value, count in other.points.items():
            self.points[value] = self.points.get(value, 0.0) + count
        if len(self.points) > EXACT_VALUES:
            self._coarsen()

    def distribution(self) -> list[tuple[float, float]]:
        """(value, count) in order of value, bounded by the exact extremes; empty when it is unknown."""
        if self.opaque:
            return []
        low, high = self.low, self.high
        known = [(min(max(value_of(bucket), low), high), count) for bucket, count in self.buckets.items()]
        return sorted([*self.points.items(), *known])

    def encode(self) -> bytes:
        """As bytes."""
        head = _HEAD.pack(
            self.count, self.total, self.low, self.high, self.opaque, len(self.points), len(self.buckets)
        )
        return b"".join(
            (
                head,
                array("d", self.points).tobytes(),
                array("d", self.points.values()).tobytes(),
                array("i", self.buckets).tobytes(),
                array("d", self.buckets.values()).tobytes(),
            )
        )

    def merge_encoded(self, data: bytes, start: int, *, distribution: bool) -> None:
        """Add a bin that lies encoded in ``data``; without ``distribution`` only its count, sum and extremes."""
        count, total, low, high, opaque, points, buckets = _HEAD.unpack_from(data, start)
        if not distribution:
            self.count += count
            self.total += total
            self.low = min(self.low, low)
            self.high = max(self.high, high)
            return
        other = Bin()
        other.count, other.total, other.low, other.high, other.opaque = count, total, low, high, bool(opaque)
        position = start + _HEAD.size
        if points:
            values, position = _read("d", data, position, points)
            counts, position = _read("d", data, position, points)
            other.points = dict(zip(values, counts, strict=True))
        if buckets:
            indices, position = _read("i", data, position, buckets)
            counts, position = _read("d", data, position, buckets)
            other.buckets = dict(zip(indices, counts, strict=True))
        self.merge(other)

    def _coarsen(self) -> None:
        for value, count in self.points.items():
            bucket = bucket_of(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count
        self.points = {}


_RECORD = struct.Struct("<IIq")


def record(series: int, second: int, encoded: bytes) -> bytes:
    """A bin with its length, series and second in front, as files hold it."""
    return _RECORD.pack(len(encoded), series, second) + encoded


def records(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(series, second, start of the bin, end) of each whole record; a torn last one is left out."""
    position = 0
    while position + _RECORD.size <= len(data):
        length, series, second = _RECORD.unpack_from(data, position)
        start = position + _RECORD.size
        position = start + length
        if position > len(data):
            return
        yield series, second, start, position


def _read(code: str, data: bytes, position: int, count: int) -> tuple[array, int]:  # type: ignore[type-arg]
    found = array(code)
    end = position + count * found.itemsize
    found.frombytes(data[position:end])
    return found, end
