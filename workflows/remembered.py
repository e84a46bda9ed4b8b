"""The last known lists and the jobs that were looked at last, on disk, one file per target: the first paint shows them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from workflows import locations
from workflows.configuration import Configuration
from workflows.files import write_atomically
from workflows.observe import jobs
from workflows.observe.rows import EndpointRow, JobDetail, JobRow
from workflows.observe.transform_rows import TransformRow
from workflows.observe.tuning_rows import TrialCounts, TuningRow
from workflows.topics import Snapshot, Topic

MOST_ROWS = 2_000
"""Rows kept per list, the newest: 2,000 load in about 10 ms."""

MOST_JOBS = 60
"""Training jobs whose descriptions are kept, those seen last: a tall screen shows as many. 3 kB each."""

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


_MEMBERS = {cls: tuple(field.name for field in fields(cls)) for cls in (*_ROWS.values(), *_NESTED.values())}


def _made(cls: type[Any], document: dict[str, Any]) -> Any:
    """A row from its document; members that the row does not have (any more) are left out."""
    known = _MEMBERS[cls]
    members = {
        name: _made(_NESTED[name], value) if name in _NESTED else _frozen(value)
        for name, value in document.items()
        if name in known
    }
    return cls(**members)


def _document(row: Any) -> dict[str, Any]:
    """A row as JSON takes it. `dataclasses.asdict` copies all values, which takes ten times as long when the console is left."""
    found = {name: getattr(row, name) for name in _MEMBERS[type(row)]}
    return found | {name: asdict(found[name]) for name in _NESTED if name in found}


class Remembered:
    """One target's file. A file that is missing, damaged or of another format counts as empty."""

    def __init__(self, folder: Path, target: str, *distinguishing: str) -> None:
        digest = hashlib.sha256("\0".join((target, *distinguishing)).encode()).hexdigest()[:12]
        self.path = folder / f"last-known-{target}-{digest}.json"
        self._known: Known | None = None
        self._jobs: dict[str, tuple[JobDetail, float]] = {}
        self._saved_at: float | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, configuration: Configuration) -> Remembered:
        """The lists of a configuration's target, in the cache directory."""
        place = str(locations.engine_dir()) if configuration.target == "embedded" else configuration.profile
        return cls(locations.cache_dir(), configuration.target, place, configuration.region)

    def first(self, topic: Topic[Any]) -> tuple[Any, float | None]:
        """What is kept of a topic and the time of its fetching, or two times None."""
        with self._lock:
            if self._known is None:
                self._known, self._jobs = self.load()
            if topic.kind == "job":
                return self._jobs.get(topic.name, (None, None))
            return self._known.get(topic.kind, (None, None))

    def keep(self, shots: Iterable[Snapshot[Any]], now: float, *, force: bool = False) -> None:
        """Take the lists among the snapshots over, and write them unless that was done a moment ago.

        Args:
            now: Monotonic seconds.
            force: Write in any case.
        """
        with self._lock:
            before, described = self._known or {}, dict(self._jobs)
            known = dict(before)
            for shot in shots:
                if shot.value is None or shot.fetched_at is None:
                    continue
                if shot.topic.kind in _ROWS:
                    known[shot.topic.kind] = (shot.value, shot.fetched_at)
                elif shot.topic.kind == "job" and not shot.stale:
                    described.pop(shot.topic.name, None)  # it is the last one seen
                    described[shot.topic.name] = (shot.value, shot.fetched_at)
            described = dict(list(described.items())[-MOST_JOBS:])
            early = self._saved_at is not None and now - self._saved_at < SAVE_EVERY
            same = all(
                kind in before and rows is before[kind][0] for kind, (rows, _) in known.items()
            ) and all(
                name in self._jobs and detail is self._jobs[name][0]
                for name, (detail, _) in described.items()
            )
            if not (known or described) or (not force and (early or same)):
                return
            self._known, self._jobs, self._saved_at = known, described, now
            self.save(known, described)

    def see(self, kind: str, rows: Sequence[Any], at: float, *, whole: bool) -> None:
        """Take over what a list begins with, newest first, and write it; unless it is the ``whole`` list, older rows that were kept stay.

        Args:
            at: Epoch seconds of the fetching.
        """
        with self._lock:
            known, described = self.load()
            older = [] if whole or not rows else known.get(kind, ((), 0.0))[0]
            kept = [row for row in older if row.created < rows[-1].created]
            self._known, self._jobs = known | {kind: ((*rows, *kept), at)}, described
            self.save(self._known, self._jobs)

    def load(self) -> tuple[Known, dict[str, tuple[JobDetail, float]]]:
        """Rows by topic kind and jobs by name, each with the time of its fetching."""
        found: Known = {}
        described: dict[str, tuple[JobDetail, float]] = {}
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data.get("format") != FORMAT:
                return {}, {}
            for kind, cls in _ROWS.items():
                if kind in data:
                    rows = tuple(_made(cls, row) for row in data[kind]["rows"])
                    found[kind] = (rows, float(data[kind]["fetched_at"]))
            for kept in data.get("described", ()):
                detail = jobs.detail(kept["raw"])
                described[detail.name] = (detail, float(kept["fetched_at"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}, {}
        return found, described

    def save(self, known: Known, described: Mapping[str, tuple[JobDetail, float]]) -> None:
        """Replace the file; readable by this user only. A full or read-only disk is not an error.

        Of a job's description all is kept but its environment, in which people keep secrets.
        """
        data: dict[str, Any] = {"format": FORMAT}
        for kind, (rows, fetched_at) in known.items():
            if kind in _ROWS:
                data[kind] = {"fetched_at": fetched_at, "rows": [_document(row) for row in rows[:MOST_ROWS]]}
        data["described"] = [
            {
                "fetched_at": at,
                "raw": {name: value for name, value in detail.raw.items() if name != "Environment"},
            }
            for detail, at in described.values()
        ]
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, json.dumps(data, separators=(",", ":")))
