"""A job's output on its way into log stream and metrics, each line once."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from engine.errors import ServiceError
from engine.jobs.metrics import Extractor
from engine.series import MetricStore
from engine.streams import LogStore

GROUP = "/aws/sagemaker/TrainingJobs"
_CHUNK = 1 << 18
_REMEMBERED = 200


class Point(NamedTuple):
    """A metric's value and the time of its line in milliseconds."""

    name: str
    value: float
    timestamp: int


class Batch(NamedTuple):
    """What was read: how many bytes, and the metrics on the lines."""

    size: int
    points: list[Point]


class Ingest:
    """Reads ``output`` from where it stopped.

    The log stream is the record of how far it came: one event per line. After a restart the lines whose events are there are
    skipped, so a line is neither lost nor repeated wherever the engine was killed; their metrics are compared with what the
    metric store has, second by second, and what it lacks is put again.
    """

    def __init__(
        self, job: str, output: Path, logs: LogStore, metrics: MetricStore, stream: str, extractor: Extractor
    ) -> None:
        self.output = output
        self.logs = logs
        self.metrics = metrics
        self.stream = stream
        self.extractor = extractor
        self.dimensions = {"TrainingJobName": job}
        self.recent: deque[str] = deque(maxlen=_REMEMBERED)
        self.lines = 0
        self._offset = 0
        self._rest = b""
        self._replayed: list[Point] = []
        try:
            self.known = sum(1 for _ in logs.read(GROUP, stream))
        except ServiceError:
            self.known = 0

    def behind(self) -> bool:
        """Whether there is more to read."""
        try:
            return self.output.stat().st_size > self._offset
        except FileNotFoundError:
            return False

    def read(self) -> Batch:
        """Take the next lines, at most a quarter of a MiB; their events and metrics are stored when it returns."""
        data = self._next()
        if not data:
            self._catch_up()
            return Batch(0, [])
        *whole, self._rest = (self._rest + data).split(b"\n")
        events: list[tuple[int, str]] = []
        points: list[Point] = []
        fresh: list[Point] = []
        for number, raw in enumerate(whole, self.lines):
            stamp, _, message = raw.partition(b" ")
            text = message.decode(errors="replace")
            self.recent.append(text)
            if number >= self.known:
                events.append((int(stamp), text))
            if self.extractor:
                found = [Point(item.name, item.value, int(stamp)) for item in self.extractor.find(text)]
                points += found
                (self._replayed if number < self.known else fresh).extend(found)
        self.lines += len(whole)
        if self.lines >= self.known:
            self._catch_up()
        if events:
            self.logs.append(GROUP, self.stream, events)
        for point in fresh:
            self._put(point)
        return Batch(len(data), points)

    def _next(self) -> bytes:
        try:
            descriptor = os.open(self.output, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            data = os.pread(descriptor, _CHUNK, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(data)
        return data

    def _put(self, point: Point) -> None:
        self.metrics.put(GROUP, point.name, self.dimensions, point.value, point.timestamp / 1000)

    def _catch_up(self) -> None:
        """Put those metrics of lines from before a restart that the engine was killed with."""
        replayed, self._replayed = self._replayed, []
        for name in {point.name for point in replayed}:
            by_second: dict[int, list[Point]] = {}
            for point in replayed:
                if point.name == name:
                    by_second.setdefault(point.timestamp // 1000, []).append(point)
            stored = self.metrics.bins(GROUP, name, self.dimensions, min(by_second), max(by_second) + 1, 1)
            for second, points in by_second.items():
                there = sum(bins[second].count for bins in stored.values() if second in bins)
                self._put_all(points[int(there) :])

    def _put_all(self, points: Sequence[Point]) -> None:
        for point in points:
            self._put(point)

    def tail(self, count: int) -> list[str]:
        """The last lines, oldest first."""
        return list(itertools.islice(self.recent, max(0, len(self.recent) - count), None))
