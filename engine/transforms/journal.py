"""Which of a job's objects are done: one line each, appended when the result is stored, so that a killed engine goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """One object that needs no more work. ``failed`` is whose fault it was, "" when its result is stored."""

    number: int
    records: int
    size: int
    failed: str


class Journal:
    """The entries of one job; a last line that was cut off by a power cut is as good as none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[int, Entry] = {}
        data = path.read_bytes() if path.exists() else b""
        for line in data.split(b"\n")[:-1]:
            entry = Entry(*json.loads(line))
            self.entries[entry.number] = entry
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
        self._file = path.open("ab", buffering=0)

    def add(self, entry: Entry) -> None:
        """Write down that an object is done."""
        self.entries[entry.number] = entry
        self._file.write(json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def records(self) -> int:
        """Records of the objects whose results are stored."""
        return sum(entry.records for entry in self.entries.values())

    @property
    def size(self) -> int:
        """Stored input bytes that are dealt with."""
        return sum(entry.size for entry in self.entries.values())

    @property
    def failure(self) -> str:
        """Whose fault the first failed object was, "" when none failed."""
        failed = [entry for entry in self.entries.values() if entry.failed]
        return failed[0].failed if failed else ""
