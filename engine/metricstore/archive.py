"""Metric data on disk: a journal that every flush appends to, and compressed blocks that age into coarser ones.

A flush appends records to ``journal-<n>.bin``. When the journal is long or old its records are folded into blocks (rows of
a SQLite file) and it is deleted; the transaction that writes the blocks also notes the journal's number, so a crash between the two neither
loses nor doubles a record. Ages and resolutions are CloudWatch's own: seconds for 3 hours, minutes for 15 days, 5 minutes for 63 days,
hours for 455 days.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.metricstore.bins import Bin, record, records

_HOUR, _DAY = 3600, 86400
_FOLD_BYTES = 4 << 20
_FOLD_SECONDS = 300.0
_COMPACT_SECONDS = 600.0
_COMPACT_ROWS = 64

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
  dimensions TEXT NOT NULL, last REAL NOT NULL, UNIQUE (namespace, name, unit, dimensions));
CREATE TABLE IF NOT EXISTS blocks (series INTEGER NOT NULL, level INTEGER NOT NULL, start INTEGER NOT NULL,
  part INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (series, level, start, part)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blocks_age ON blocks (level, start);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class Level(NamedTuple):
    """Bins of ``resolution`` seconds in blocks of ``span`` seconds, kept for ``age`` seconds."""

    resolution: int
    span: int
    age: int


LEVELS = (
    Level(1, 300, 3 * _HOUR),
    Level(60, 6 * _HOUR, 15 * _DAY),
    Level(300, _DAY, 63 * _DAY),
    Level(3600, 30 * _DAY, 455 * _DAY),
)


class SeriesRow(NamedTuple):
    """A metric with its dimensions and unit."""

    id: int
    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    last: float


class Reader(Protocol):
    """Merges what was fetched into bins keyed by multiples of ``period``, plus ``phase``."""

    def __call__(self, period: int, into: dict[int, Bin], *, distribution: bool, phase: int = 0) -> None: ...


class Archive:
    """The files of a metric store. Appending and folding belong to one thread; reading may happen from any."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._lock = threading.RLock()
        self._db = sqlite3.connect(root / "blocks.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        # Records that are in the journal and in no block yet, per series: what a read needs besides the blocks.
        self._recent: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self._journal_bytes = 0
        self._opened = time.monotonic()
        self._compacted = 0.0
        self._number = self._folded() + 1
        self._recover()
        self._journal = self._open()

    def close(self) -> None:
        """Fold the journal and close."""
        self.fold()
        os.close(self._journal)
        self._path(self._number).unlink(missing_ok=True)
        with self._lock:
            self._db.close()

    def clear(self) -> None:
        """Delete all series and data."""
        with self._lock:
            os.ftruncate(self._journal, 0)
            self._recent.clear()
            self._journal_bytes = 0
            for table in ("series", "blocks"):
                self._db.execute(f"DELETE FROM {table}")

    def series(self) -> list[SeriesRow]:
        """Every series ever registered and not yet expired."""
        with self._lock:
            rows = self._db.execute("SELECT id,namespace,name,unit,dimensions,last FROM series").fetchall()
        return [
            SeriesRow(
                number, namespace, name, unit, tuple((key, value) for key, value in json.loads(pairs)), last
            )
            for number, namespace, name, unit, pairs, last in rows
        ]

    def register(
        self, namespace: str, name: str, unit: str, dimensions: tuple[tuple[str, str], ...], now: float
    ) -> int:
        """Record a new series and number it."""
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO series (namespace,name,unit,dimensions,last) VALUES (?,?,?,?,?)",
                (namespace, name, unit, json.dumps(dimensions), now),
            )
        return cursor.lastrowid or 0

    def append(self, bins: list[tuple[int, int, bytes]], last: dict[int, float]) -> None:
        """Append (series, second, encoded bin) to the journal; ``last`` is each series' time of last arrival."""
        data = b"".join(record(series, second, encoded) for series, second, encoded in bins)
        with self._lock:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._journal, view) :]
            except OSError:
                os.ftruncate(self._journal, self._journal_bytes)
                raise
            for series, second, encoded in bins:
                self._recent[series].append((second, encoded))
            self._journal_bytes += len(data)
            self._db.execute("BEGIN")
            self._db.executemany(
                "UPDATE series SET last=? WHERE id=?", [(at, series) for series, at in last.items()]
            )
            self._db.execute("COMMIT")

    def maintain(self, now: float) -> None:
        """Fold a long or old journal and let old blocks age, a bounded amount of work at a time."""
        if self._journal_bytes > _FOLD_BYTES or (
            self._journal_bytes and time.monotonic() - self._opened > _FOLD_SECONDS
        ):
            self.fold()
        if time.monotonic() - self._compacted > _COMPACT_SECONDS and not self.compact(now):
            self._compacted = time.monotonic()

    def reader(self, series: int, start: int, end: int) -> Reader:
        """Fetch what there is of a series from ``start`` to below ``end``; the result merges it into bins, without locks."""
        with self._lock:
            recent = [item for item in self._recent.get(series, ()) if start <= item[0] < end]
            rows: list[tuple[bytes]] = []
            for level in LEVELS:
                rows += self._db.execute(
                    "SELECT data FROM blocks WHERE series=? AND level=? AND start>? AND start<?",
                    (series, level.resolution, start - level.span, end),
                ).fetchall()

        def read(period: int, into: dict[int, Bin], *, distribution: bool, phase: int = 0) -> None:
            for second, encoded in recent:
                key = (second - phase) // period * period + phase
                into[key].merge_encoded(encoded, 0, distribution=distribution)
            for (packed,) in rows:
                data = zlib.decompress(packed)
                for _, second, position, _ in records(data):
                    if start <= second < end:
                        key = (second - phase) // period * period + phase
                        into[key].merge_encoded(data, position, distribution=distribution)

        return read

    def fold(self) -> None:
        """Turn the journal into blocks and begin a new one."""
        span = LEVELS[0].span
        with self._lock:
            blocks: dict[tuple[int, int], list[bytes]] = defaultdict(list)
            for series, items in self._recent.items():
                for second, encoded in items:
                    blocks[series, second // span * span].append(record(series, second, encoded))
            self._db.execute("BEGIN IMMEDIATE")
            for (series, start), parts in blocks.items():
                self._insert(series, LEVELS[0].resolution, start, b"".join(parts))
            self._db.execute("INSERT OR REPLACE INTO state VALUES ('folded', ?)", (self._number,))
            self._db.execute("COMMIT")
            self._recent.clear()
            old = getattr(self, "_journal", None)
            if old is not None:
                os.close(old)
            self._path(self._number).unlink(missing_ok=True)
            self._number += 1
            self._journal_bytes = 0
            self._opened = time.monotonic()
            self._journal = self._open()

    def compact(self, now: float) -> bool:
        """Merge up to a few dozen blocks that are past their age into the next level; False when none was due."""
        for level, coarser in zip(LEVELS, [*LEVELS[1:], None], strict=True):
            limit = int(now) - level.age - level.span
            with self._lock:
                rows = self._db.execute(
                    "SELECT series,start,part,data FROM blocks WHERE level=? AND start<? ORDER BY start LIMIT ?",
                    (level.resolution, limit, _COMPACT_ROWS),
                ).fetchall()
            if not rows:
                continue
            merged = _coarsen(rows, coarser) if coarser is not None else {}
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                for series, start, part, _ in rows:
                    self._db.execute(
                        "DELETE FROM blocks WHERE series=? AND level=? AND start=? AND part=?",
                        (series, level.resolution, start, part),
                    )
                if coarser is not None:
                    for (series, start), data in merged.items():
                        self._insert(series, coarser.resolution, start, data)
                self._db.execute("COMMIT")
            return True
        return False

    def _insert(self, series: int, resolution: int, start: int, data: bytes) -> None:
        self._db.execute(
            "INSERT INTO blocks SELECT ?1,?2,?3,coalesce(max(part),0)+1,?4 FROM blocks WHERE series=?1 AND level=?2 AND start=?3",
            (series, resolution, start, zlib.compress(data, 1)),
        )

    def _recover(self) -> None:
        """Read the journal of the engine before; drop one that was folded but not yet deleted."""
        for path in sorted(self._root.glob("journal-*.bin")):
            if path != self._path(self._number):
                path.unlink()
                continue
            data = path.read_bytes()
            whole = 0
            for series, second, start, end in records(data):
                self._recent[series].append((second, data[start:end]))
                whole = end
            os.truncate(path, whole)
            self._journal_bytes = whole

    def _folded(self) -> int:
        row = self._db.execute("SELECT value FROM state WHERE name='folded'").fetchone()
        return int(row[0]) if row else 0

    def _path(self, number: int) -> Path:
        return self._root / f"journal-{number}.bin"

    def _open(self) -> int:
        return os.open(self._path(self._number), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _coarsen(rows: list[tuple[int, int, int, bytes]], level: Level) -> dict[tuple[int, int], bytes]:
    """The records of blocks merged into bins of the next level, per series and block of that level."""
    bins: dict[tuple[int, int], Bin] = defaultdict(Bin)
    for series, _, _, packed in rows:
        data = zlib.decompress(packed)
        for _, second, position, _ in records(data):
            key = (series, second // level.resolution * level.resolution)
            bins[key].merge_encoded(data, position, distribution=True)
    blocks: dict[tuple[int, int], list[bytes]] = defaultdict(list)
    for (series, second), merged in sorted(bins.items()):
        blocks[series, second // level.span * level.span].append(record(series, second, merged.encode()))
    return {key: b"".join(parts) for key, parts in blocks.items()}


def bins_by_period() -> dict[int, Bin]:
    """Bins that come into being when first named."""
    return defaultdict(Bin)
