"""The last known lists on disk, one file per target, so that the first paint has something to show."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from workflows.files import write_atomically
from workflows.observe.rows import EndpointRow, JobRow

MOST_ROWS = 2_000
"""Rows kept per list, the newest: 2,000 load in about 10 ms."""

FORMAT = 1
_ROWS: dict[str, type[Any]] = {"jobs": JobRow, "endpoints": EndpointRow}


class Remembered:
    """One target's file. A file that is missing, damaged or of another format counts as empty."""

    def __init__(self, folder: Path, target: str, *distinguishing: str) -> None:
        digest = hashlib.sha256("\0".join((target, *distinguishing)).encode()).hexdigest()[:12]
        self.path = folder / f"last-known-{target}-{digest}.json"

    def load(self) -> dict[str, tuple[tuple[Any, ...], float]]:
        """Rows and the time of their fetching, by topic kind."""
        found: dict[str, tuple[tuple[Any, ...], float]] = {}
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data.get("format") != FORMAT:
                return {}
            for kind, cls in _ROWS.items():
                if kind in data:
                    known = {field.name for field in fields(cls)}
                    rows = tuple(
                        cls(**{name: value for name, value in row.items() if name in known})
                        for row in data[kind]["rows"]
                    )
                    found[kind] = (rows, float(data[kind]["fetched_at"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
        return found

    def save(self, known: dict[str, tuple[tuple[Any, ...], float]]) -> None:
        """Replace the file; readable by this user only. A full or read-only disk is not an error."""
        data: dict[str, Any] = {"format": FORMAT}
        for kind, (rows, fetched_at) in known.items():
            if kind in _ROWS:
                data[kind] = {"fetched_at": fetched_at, "rows": [asdict(row) for row in rows[:MOST_ROWS]]}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, json.dumps(data, separators=(",", ":")))
