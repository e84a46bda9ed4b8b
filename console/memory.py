"""What the console remembers of a person: columns, orders and filters of lists, saved views, the last commands and places.

One small JSON file below the state folder. It is read once; what is put in is written a moment later by a thread of its own, into
what other consoles have written meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflows.files import write_atomically

LATER = 0.3
"""Seconds between a change and its writing: moving through columns makes many changes."""
MOST_COMMANDS = 200


class Memory:
    """Nested values by a path of names. Without a file it remembers until the console is left."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._unwritten: dict[tuple[str, ...], Any] = {}
        self._waiting = False
        self._values = _read(path) if path else {}

    def get(self, *names: str) -> Any:
        """The value at a path of names, or None."""
        value: Any = self._values
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def put(self, value: Any, *names: str) -> None:
        """Remember a JSON-ready value; None forgets it."""
        with self._lock:
            if self.get(*names) == value:
                return
            _place(self._values, names, value)
            if self._path is None:
                return
            self._unwritten[names] = value
            if self._waiting:
                return
            self._waiting = True
        timer = threading.Timer(LATER, self.flush)
        timer.daemon = True
        timer.start()

    def flush(self) -> None:
        """Write what is not written yet. A folder that cannot be written to costs the memory, nothing else."""
        with self._lock:
            changes, self._unwritten, self._waiting = self._unwritten, {}, False
            if not changes or self._path is None:
                return
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.with_suffix(".lock").open("a") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    _keep_broken(self._path)
                    values = _read(self._path)
                    for names, value in changes.items():
                        _place(values, names, value)
                    write_atomically(self._path, json.dumps(values, indent=1, sort_keys=True) + "\n")

    # The lines typed after ``:``

    def commands(self) -> Sequence[str]:
        """The last commands, newest last."""
        found = self.get("commands")
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    def add_command(self, text: str) -> None:
        """Remember a command; one that was there moves to the end."""
        if text:
            known = [other for other in self.commands() if other != text]
            self.put([*known, text][-MOST_COMMANDS:], "commands")


def _read(path: Path) -> dict[str, Any]:
    """What a file holds; one that cannot be read holds nothing."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _keep_broken(path: Path) -> None:
    """Put a file that holds no JSON object beside itself, before another one takes its place: somebody may mend it."""
    with contextlib.suppress(FileNotFoundError):
        try:
            broken = not isinstance(json.loads(path.read_bytes()), dict)
        except ValueError:
            broken = True
        if broken:
            path.replace(path.with_suffix(".broken.json"))


def _place(values: dict[str, Any], names: Sequence[str], value: Any) -> None:
    *folders, last = names
    for name in folders:
        inner = values.get(name)
        if not isinstance(inner, dict):
            inner = values[name] = {}
        values = inner
    if value is None:
        values.pop(last, None)
    else:
        values[last] = value
