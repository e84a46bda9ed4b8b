"""The last known lists on disk, one file per target, so that the first paint has something to show."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from workflows import locations
from workflows.configuration import Configuration
from workflows.files import write_atomically
from workflows.observe.rows import EndpointRow, JobRow
from workflows.observe.transform_rows import TransformRow
from workflows.observe.tuning_rows import TrialCounts, TuningRow
from workflows.topics import Snapshot

MOST_ROWS = 2_000
"""Rows kept per list, the newest: 2,000 load in about 10 ms."""

SAVE_EVERY = 10.0
"""Seconds between two writes."""

FORMAT = 1

Known = dict[str, tuple[tuple[Any, ...], float]]
"""Rows and the time of their fetching, by topic kind."""

_ROWS: dict[str, type[Any]] = {
    "jobs": JobRow,
    "endpoints": EndpointRow,
    "tuning-jobs": TuningRow,
    "transforms": TransformRow,
}
_NESTED: dict[str, type[Any]] = {"counts": TrialCounts}
"""Members of rows that are rows themselves."""


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that rows consist of."""
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _made(cls: type[Any], document: dict[str, Any]) -> Any:
    """A row from its document; members that the row does not have (any more) are left out."""
    known = {field.name for field in fields(cls)}
    members = {
        name: _made(_NESTED[name], value) if name in _NESTED else _frozen(value)
        for name, value in document.items()
        if name in known
    }
    return cls(**members)


class Remembered:
    """One target's file. A file that is missing, damaged or of another format counts as empty."""

    def __init__(self, folder: Path, target: str, *distinguishing: str) -> None:
        digest = hashlib.sha256("\0".join((target, *distinguishing)).encode()).hexdigest()[:12]
        self.path = folder / f"last-known-{target}-{digest}.json"
        self._known: Known | None = None
        self._saved_at: float | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, configuration: Configuration) -> Remembered:
        """The lists of a configuration's target, in the cache directory."""
        place = str(locations.engine_dir()) if configuration.target == "embedded" else configuration.profile
        return cls(locations.cache_dir(), configuration.target, place, configuration.region)

    def first(self, kind: str) -> tuple[tuple[Any, ...] | None, float | None]:
        """The rows kept for a topic kind and the time of their fetching, or two times None."""
        with self._lock:
            if self._known is None:
                self._known = self.load()
            return self._known.get(kind, (None, None))

    def keep(self, shots: Iterable[Snapshot[Any]], now: float, *, force: bool = False) -> None:
        """Take the lists among the snapshots over, and write them unless that was done a moment ago.

        Args:
            now: Monotonic seconds.
            force: Write in any case.
        """
        with self._lock:
            before = self._known or {}
            known = dict(before)
            for shot in shots:
                if shot.topic.kind in _ROWS and shot.value is not None and shot.fetched_at is not None:
                    known[shot.topic.kind] = (shot.value, shot.fetched_at)
            early = self._saved_at is not None and now - self._saved_at < SAVE_EVERY
            same = all(kind in before and rows is before[kind][0] for kind, (rows, _) in known.items())
            if not known or (not force and (early or same)):
                return
            self._known, self._saved_at = known, now
            self.save(known)

    def see(self, kind: str, rows: Sequence[Any], at: float, *, whole: bool) -> None:
        """Take over what a list begins with, newest first, and write it; unless it is the ``whole`` list, older rows that were kept stay.

        Args:
            at: Epoch seconds of the fetching.
        """
        with self._lock:
            known = self.load()
            older = [] if whole or not rows else known.get(kind, ((), 0.0))[0]
            kept = [row for row in older if row.created < rows[-1].created]
            self._known = known | {kind: ((*rows, *kept), at)}
            self.save(self._known)

    def load(self) -> Known:
        """Rows and the time of their fetching, by topic kind."""
        found: Known = {}
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data.get("format") != FORMAT:
                return {}
            for kind, cls in _ROWS.items():
                if kind in data:
                    rows = tuple(_made(cls, row) for row in data[kind]["rows"])
                    found[kind] = (rows, float(data[kind]["fetched_at"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
        return found

    def save(self, known: Known) -> None:
        """Replace the file; readable by this user only. A full or read-only disk is not an error."""
        data: dict[str, Any] = {"format": FORMAT}
        for kind, (rows, fetched_at) in known.items():
            if kind in _ROWS:
                data[kind] = {"fetched_at": fetched_at, "rows": [asdict(row) for row in rows[:MOST_ROWS]]}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, json.dumps(data, separators=(",", ":")))
