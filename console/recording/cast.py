"""asciicast v2, the file format of asciinema (https://docs.asciinema.org/manual/asciicast/v2/): a header line and one event a line."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflows.problem import Problem

VERSION = 2
LARGEST = 256 * 1024 * 1024
"""Bytes of a recording that is read into memory: days of a console."""
OUTPUT, INPUT, RESIZE, MARKER = "o", "i", "r", "m"
_GZIP = b"\x1f\x8b"
_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Header:
    """The first line. ``timestamp`` is the beginning in epoch seconds, ``idle`` the longest pause that a player should make, in seconds."""

    width: int
    height: int
    timestamp: int | None = None
    idle: float | None = None
    title: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """As it stands in the file, with its line feed."""
        document: dict[str, Any] = {"version": VERSION, "width": self.width, "height": self.height}
        for name, value in (
            ("timestamp", self.timestamp),
            ("idle_time_limit", self.idle),
            ("title", self.title or None),
        ):
            if value is not None:
                document[name] = value
        if self.env:
            document["env"] = dict(self.env)
        return json.dumps(document, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: seconds since the beginning, its code (``o`` output, ``i`` input, ``r`` size, ``m`` marker), and its text."""

    time: float
    code: str
    data: str

    def line(self) -> str:
        """As it stands in the file, with its line feed; microseconds are kept."""
        return json.dumps([round(self.time, 6), self.code, self.data], ensure_ascii=False) + "\n"

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and lines of an event that changes the size, else None."""
        found = _SIZE.fullmatch(self.data) if self.code == RESIZE else None
        return (int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole file. ``cut`` says that its last line is torn, as a full disk leaves it."""

    header: Header
    events: tuple[Event, ...]
    cut: bool = False

    @property
    def seconds(self) -> float:
        """How long it takes at its own speed."""
        return self.events[-1].time if self.events else 0.0

    @property
    def largest(self) -> tuple[int, int]:
        """The columns and lines that a terminal needs to show all of it."""
        sizes = [
            (self.header.width, self.header.height),
            *(event.size for event in self.events if event.size),
        ]
        return max(width for width, _ in sizes), max(height for _, height in sizes)


def read(path: Path) -> Recording:
    """Read a recording, also one that gzip has packed.

    Raises:
        Problem: It is not there, is no asciicast v2, or a line of it is broken (which is named).
    """
    try:
        if path.stat().st_size > LARGEST:
            raise Problem(
                f"{path} is larger than {LARGEST >> 20} MB.", "Cut it with asciinema's tools.", "too-large"
            )
        data = path.read_bytes()
        if data.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(LARGEST)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Problem(f"{path} cannot be read: {why}.", "`mlconsole replay` alone shows the demonstration.", "unreadable") from error  # fmt: skip
    return parse(data, str(path))


def parse(data: bytes, name: str) -> Recording:
    """A recording from the bytes of its file; ``name`` is what errors call it.

    Raises:
        Problem: It is no asciicast v2, or a line of it is broken.
    """
    lines = data.split(b"\n")
    torn = lines.pop()
    try:
        header = _header(lines[0] if lines else torn)
    except ValueError as error:
        raise _broken(name, 1, str(error)) from None
    events: list[Event] = []
    before = 0.0
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            event = _event(line)
            if event.time < before:
                raise ValueError("its time is before that of the line above")
        except ValueError as error:
            raise _broken(name, number, str(error)) from None
        before = event.time
        events.append(event)
    cut = False
    if lines and torn.strip():
        try:
            events.append(_event(torn))
        except ValueError:
            cut = True
    return Recording(header, tuple(events), cut)


def _broken(name: str, number: int, why: str) -> Problem:
    return Problem(
        f"{name}, line {number}: {why}.", "A recording is an asciicast v2 file, as mlconsole record and asciinema 2 write it.", "not-a-recording"
    )  # fmt: skip


def _decoded(line: bytes) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"it has {constant}, which is no JSON")

    try:
        return json.loads(line.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error.msg.lower()})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _header(line: bytes) -> Header:
    document = _decoded(line)
    if not isinstance(document, dict) or "version" not in document:
        raise ValueError("it is no header of a recording")
    if document["version"] != VERSION:
        raise ValueError(f"it is of version {document['version']!r}, and only version 2 can be shown")
    size = []
    for name in ("width", "height"):
        value = document.get(name)
        if type(value) is not int or not 0 < value < 10_000:
            raise ValueError(f"{name} has to be a number of columns or lines")
        size.append(value)
    stamp, idle, title, env = (
        document.get(name) for name in ("timestamp", "idle_time_limit", "title", "env")
    )
    if idle is not None and (type(idle) not in (int, float) or not math.isfinite(idle) or idle <= 0):
        raise ValueError("idle_time_limit has to be a number of seconds")
    if not all(
        isinstance(value, kind | None) for value, kind in ((stamp, int | float), (title, str), (env, dict))
    ):
        raise ValueError("timestamp, title or env is of another type than asciicast v2 has")
    kept = {name: value for name, value in (env or {}).items() if isinstance(value, str)}
    return Header(size[0], size[1], None if stamp is None else int(stamp), idle, title or "", kept)


def _event(line: bytes) -> Event:
    row = _decoded(line)
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError("it is no event ([seconds, code, text])")
    seconds, code, data = row
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or not 0 <= seconds < 1e9:
        raise ValueError("its time is no number of seconds")
    if not isinstance(code, str) or not isinstance(data, str):
        raise ValueError("its code or its data is no text")
    event = Event(float(seconds), code, data)
    if code == RESIZE and event.size is None:
        raise ValueError("its size is not COLUMNSxLINES")
    return event


class Writer:
    """Appends to a recording. Each event is one write of one whole line: `kill -9` tears none.

    Args:
        path: The file; readable by its owner only, since it holds all that was on the screen.
        replace: Whether there may be a file already.

    Raises:
        Problem: There is a file, or it cannot be made.
    """

    def __init__(self, path: Path, header: Header, *, replace: bool = False) -> None:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            raise Problem(
                f"{path} is there already.", "Name another file, or say --overwrite.", "exists"
            ) from None
        except OSError as error:
            raise Problem(f"{path} cannot be written: {error.strerror}.", "Name a file in a folder that you can write to.", "unwritable") from error  # fmt: skip
        os.fchmod(self._descriptor, 0o600)
        self.failure = ""
        """Why nothing is written any more, such as a full disk; the session goes on."""
        self._size = 0
        self.write(header)

    def write(self, what: Header | Event) -> None:
        """Append it. After a failure what was half written is taken away, and nothing more is written."""
        if self.failure:
            return
        data = what.line().encode()
        try:
            if os.write(self._descriptor, data) != len(data):
                raise OSError(28, "No space left on device")
            self._size += len(data)
        except OSError as error:
            self.failure = error.strerror or str(error)
            os.ftruncate(self._descriptor, self._size)

    def close(self) -> None:
        """Nothing follows."""
        os.close(self._descriptor)


def played(recording: Recording, idle: float | None = None) -> Iterator[Event]:
    """The events with their times as a player keeps them: no pause is longer than ``idle`` seconds, or the header's limit."""
    limit = recording.header.idle if idle is None else idle
    shift = before = 0.0
    for event in recording.events:
        pause = event.time - before
        if limit is not None and pause > limit:
            shift += pause - limit
        before = event.time
        yield Event(event.time - shift, event.code, event.data)
