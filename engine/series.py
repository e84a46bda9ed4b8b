"""CloudWatch metrics: data points per metric and dimensions."""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.metricstore import statistics
from engine.metricstore.archive import Archive, bins_by_period
from engine.metricstore.bins import Bin
from engine.metricstore.periods import beginning

_FLUSH_SECONDS = 0.5
_log = logging.getLogger("engine")

Dimensions = tuple[tuple[str, str], ...]
"""Name and value pairs in order of name."""


class Series:
    """One metric with its dimensions and unit, and the bins that are not on disk yet."""

    __slots__ = ("dimensions", "id", "last", "name", "namespace", "open", "unit")

    def __init__(
        self, number: int, namespace: str, name: str, unit: str, dimensions: Dimensions, last: float
    ) -> None:
        self.id = number
        self.namespace = namespace
        self.name = name
        self.unit = unit
        self.dimensions = dimensions
        self.last = last
        self.open: dict[int, Bin] = {}


class DataPoint(NamedTuple):
    """A period's start (epoch seconds) and its statistics by name."""

    timestamp: int
    values: dict[str, float]


class MetricStore:
    """Metric data points: aggregated per second in memory, flushed to disk twice a second, aged as CloudWatch does.

    A killed engine loses at most the last half second. Methods may be called from any thread; `put` costs some 2 µs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._archive = Archive(root)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        # Two ways to find a series: by its sorted dimensions, and by the order in which a caller happens to name them.
        self._series: dict[tuple[str, str, str, Dimensions], Series] = {}
        self._cache: dict[tuple[str, str, str, Dimensions], Series] = {}
        # And a third for reads, which do not name a unit.
        self._units: dict[tuple[str, str, Dimensions], list[Series]] = {}
        self._dirty: dict[int, Series] = {}
        for row in self._archive.series():
            key = (row.namespace, row.name, row.unit, row.dimensions)
            self._add(key, row.id, row.last)
        self._thread = threading.Thread(target=self._run, name="metric-flush", daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Delete every series."""
        with self._flushing, self._lock:
            self._series.clear()
            self._cache.clear()
            self._units.clear()
            self._dirty.clear()
            self._archive.clear()

    def close(self) -> None:
        """Flush, end the flushing thread, close the files."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self.flush()
        self._archive.close()

    def put(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        value: float,
        timestamp: float,
        unit: str = "None",
    ) -> None:
        """Count one value at an epoch second. Values that are not finite are dropped, as CloudWatch refuses them."""
        if not math.isfinite(value):
            return
        key = (namespace, metric, unit, tuple(dimensions.items()))
        second = int(timestamp)
        with self._lock:
            series = self._cache.get(key) or self._find(key)
            found = series.open.get(second)
            if found is None:
                found = self._open(series, second)
            found.add(value)

    def put_values(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        values: Iterable[tuple[float, float]],
        timestamp: float,
        unit: str = "None",
    ) -> None:
        """Count finite values, each with its number of occurrences."""
        key = (namespace, metric, unit, tuple(dimensions.items()))
        with self._lock:
            target = self._bin(key, int(timestamp))
            for value, count in values:
                target.add(value, count)

    def put_statistics(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        statistic_set: tuple[float, float, float, float],
        timestamp: float,
        unit: str = "None",
    ) -> None:
        """Merge (sample count, sum, minimum, maximum) whose single values are unknown."""
        key = (namespace, metric, unit, tuple(dimensions.items()))
        with self._lock:
            self._bin(key, int(timestamp)).add_statistics(*statistic_set)

    def series(self, namespace: str | None = None, metric: str | None = None) -> list[Series]:
        """Series of a namespace and metric name (all when None), in order of namespace, name and dimensions."""
        with self._lock:
            found = [
                item
                for item in self._series.values()
                if (namespace is None or item.namespace == namespace)
                and (metric is None or item.name == metric)
            ]
        return sorted(found, key=lambda item: (item.namespace, item.name, item.dimensions))

    def bins(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        start: int,
        end: int,
        period: int,
        *,
        unit: str | None = None,
        distribution: bool = True,
        phase: int = 0,
    ) -> dict[str, dict[int, Bin]]:
        """Aggregates from ``start`` to below ``end`` per unit, keyed by multiples of ``period`` since the epoch, plus ``phase``.

        The dimensions must be just those the data was put with. May read much: not for the event loop.
        """
        wanted = tuple(sorted(dimensions.items()))
        result: dict[str, dict[int, Bin]] = {}
        with self._lock:
            known = self._units.get((namespace, metric, wanted), ())
            matching = [item for item in known if unit in (None, item.unit)]
        for item in matching:
            into = bins_by_period()
            with (
                self._flushing
            ):  # A flush moves bins from memory to the archive: look at both or neither side of it.
                with self._lock:
                    for second, open_bin in item.open.items():
                        if start <= second < end:
                            into[(second - phase) // period * period + phase].merge(open_bin)
                read = self._archive.reader(item.id, start, end)
            read(period, into, distribution=distribution, phase=phase)
            if into:
                result[item.unit] = dict(into)
        return result

    def last(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
        """When (epoch seconds) a second's first value last came for a metric, in any unit; 0 when none ever did. Cheap."""
        wanted = tuple(sorted(dimensions.items()))
        with self._lock:
            return max((item.last for item in self._units.get((namespace, metric, wanted), ())), default=0.0)

    def statistics(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        start: float,
        end: float,
        period: int,
        names: Sequence[str],
        *,
        unit: str | None = None,
    ) -> list[DataPoint]:
        """Statistics by CloudWatch's names (``Sum``, ``p99`` ...) per period, ascending; all units together unless one is given.

        The periods begin where `periods.beginning` says.

        Raises:
            ValueError: There is no such statistic.
        """
        computed = {}
        for name in names:
            parsed = statistics.parse(name)
            if parsed is None:
                raise ValueError(f"no such statistic: {name}")
            computed[name] = parsed
        need = any(parsed[1] for parsed in computed.values())
        first = beginning(start, period, time.time())
        merged = bins_by_period()
        for bins in self.bins(
            namespace,
            metric,
            dimensions,
            first,
            math.ceil(end),
            period,
            unit=unit,
            distribution=need,
            phase=first % period,
        ).values():
            for timestamp, found in bins.items():
                merged[timestamp].merge(found)
        points = []
        for timestamp, found in sorted(merged.items()):
            values = {
                name: value
                for name, (compute, _) in computed.items()
                if (value := compute(found)) is not None
            }
            if values:
                points.append(DataPoint(timestamp, values))
        return points

    def flush(self) -> None:
        """Write to disk what came since the last flush."""
        with self._flushing:
            with self._lock:
                dirty, self._dirty = self._dirty, {}
                taken = {number: series.open for number, series in dirty.items()}
                last = {number: series.last for number, series in dirty.items()}
                bins = []
                for number, series in dirty.items():
                    bins += [(number, second, found.encode()) for second, found in series.open.items()]
                    series.open = {}
            if not bins:
                return
            try:
                self._archive.append(bins, last)
            except (OSError, sqlite3.Error):
                with self._lock:
                    for number, series in dirty.items():
                        for second, found in taken[number].items():
                            series.open.setdefault(second, Bin()).merge(found)
                    self._dirty = {**dirty, **self._dirty}
                raise

    # Inside; all but _run under the lock.

    def _find(self, key: tuple[str, str, str, Dimensions]) -> Series:
        namespace, metric, unit, dimensions = key
        ordered = tuple(sorted(dimensions))
        canonical = (namespace, metric, unit, ordered)
        series = self._series.get(canonical)
        if series is None:
            now = time.time()
            series = self._add(canonical, self._archive.register(namespace, metric, unit, ordered, now), now)
        if len(self._cache) > 50_000:
            self._cache.clear()
        self._cache[key] = series
        return series

    def _add(self, key: tuple[str, str, str, Dimensions], number: int, last: float) -> Series:
        namespace, metric, unit, dimensions = key
        series = self._series[key] = Series(number, namespace, metric, unit, dimensions, last)
        self._units.setdefault((namespace, metric, dimensions), []).append(series)
        return series

    def _bin(self, key: tuple[str, str, str, Dimensions], second: int) -> Bin:
        series = self._cache.get(key) or self._find(key)
        return series.open.get(second) or self._open(series, second)

    def _open(self, series: Series, second: int) -> Bin:
        found = series.open[second] = Bin()
        series.last = time.time()
        if not self._dirty:
            self._wake.set()
        self._dirty[series.id] = series
        return found

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if self._closing.wait(_FLUSH_SECONDS):
                return
            self._wake.clear()
            try:
                self.flush()
                with self._flushing:
                    self._archive.maintain(time.time())
            except (OSError, sqlite3.Error):
                _log.exception(
                    "metric data cannot be written to %s; it is kept in memory meanwhile", self.root
                )
                self._wake.set()
