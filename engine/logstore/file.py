r"""One log stream's file: a line per event, only ever appended to, read from both ends.

A line is ``<timestamp ms> <ingestion ms> <message>``, newlines in a message written as ``\n`` and backslashes as ``\\``, so the file can be
read with ``less``. Events within a stream are ordered by (timestamp, byte offset), which is also what a paging token holds: a position
needs no state and is found by bisecting the bytes. A batch that starts earlier than the last event opens a new *extent*; each extent is
sorted and a read merges the extents that overlap, one for nearly every stream.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import NamedTuple

_BLOCK = 1 << 18
_SCAN = 1 << 14


class Event(NamedTuple):
    """An event and its byte offset in the stream's file; times in milliseconds since the epoch."""

    timestamp: int
    offset: int
    ingestion: int
    message: str


class Position(NamedTuple):
    """A place in a stream's order."""

    timestamp: int
    offset: int


@dataclass(slots=True)
class Extent:
    """A sorted run of lines: bytes ``start`` to ``end``, timestamps of its first and last line."""

    start: int
    end: int
    first: int
    last: int


class StreamFile:
    """A stream's file and what is known of it without reading it whole.

    Args:
        path: The file; made by the first append.
        starts: Offsets at which extents begin, as recorded before each was begun.
    """

    def __init__(self, path: Path, starts: Sequence[int] = (0,)) -> None:
        self.path = path
        self.starts = list(starts)
        self.extents: list[Extent] = []
        self.size = 0
        self.ingested = 0
        if path.exists():
            self._load()

    @property
    def first(self) -> int | None:
        """The earliest timestamp."""
        return min(extent.first for extent in self.extents) if self.extents else None

    @property
    def last(self) -> int | None:
        """The latest timestamp."""
        return max(extent.last for extent in self.extents) if self.extents else None

    def opens_extent(self, timestamp: int) -> bool:
        """Whether a batch that starts at ``timestamp`` must begin a new extent, to be recorded before `append`."""
        return bool(self.extents) and timestamp < self.extents[-1].last

    def append(self, descriptor: int, events: Sequence[tuple[int, str]], ingestion: int) -> None:
        """Append events in timestamp order with one write."""
        data = b"".join(_line(timestamp, ingestion, message) for timestamp, message in events)
        first, last = events[0][0], events[-1][0]
        new = not self.extents or first < self.extents[-1].last
        start = self.size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:  # The disk is full, say: no half line stays.
            os.ftruncate(descriptor, start)
            raise
        self.size = start + len(data)
        self.ingested = ingestion
        if new:
            if self.extents:
                self.starts.append(start)
            self.extents.append(Extent(start, self.size, first, last))
        else:
            self.extents[-1].end, self.extents[-1].last = self.size, last

    def forward(self, after: Position | None = None) -> Iterator[Event]:
        """Events behind a position (all when None), ascending. Appends meanwhile are not seen."""
        extents = [Extent(e.start, e.end, e.first, e.last) for e in self.extents]
        if after is not None:
            extents = [extent for extent in extents if (extent.last, extent.end) > after]
        file = self._open() if extents else None
        if file is None:
            return
        with file:
            runs = []
            for extent in extents:
                runs.append(_ascending(file.fileno(), extent, after))
            yield from runs[0] if len(runs) == 1 else _merge(extents, runs)

    def backward(self, before: Position | None = None) -> Iterator[Event]:
        """Events ahead of a position (all when None), descending."""
        extents = [Extent(e.start, e.end, e.first, e.last) for e in self.extents]
        if before is not None:
            extents = [extent for extent in extents if (extent.first, extent.start) < before]
        file = self._open() if extents else None
        if file is None:
            return
        with file:
            runs = [_descending(file.fileno(), extent, before) for extent in extents]
            yield from runs[0] if len(runs) == 1 else heapq.merge(*runs, key=_position, reverse=True)

    def _open(self) -> FileIO | None:
        """The file for reading; None when its stream was deleted a moment ago."""
        try:
            return self.path.open("rb", buffering=0)
        except FileNotFoundError:
            return None

    def _load(self) -> None:
        with self.path.open("r+b", buffering=0) as file:
            descriptor = file.fileno()
            size = os.fstat(descriptor).st_size
            whole = _last_line_end(descriptor, size)
            if whole < size:
                os.ftruncate(descriptor, whole)  # The line that a killed engine was writing.
            self.size = whole
            self.starts = [start for start in self.starts if start <= whole]
            for start, end in zip(self.starts, [*self.starts[1:], whole], strict=True):
                if start < end:
                    first = next(_lines(descriptor, start, end))
                    last = next(_lines_back(descriptor, start, end))
                    self.extents.append(Extent(start, end, _timestamp(first[1]), _timestamp(last[1])))
                    self.ingested = int(last[1].split(b" ", 2)[1])


def _merge(extents: list[Extent], runs: list[Iterator[Event]]) -> Iterator[Event]:
    """Merge extents, opening each only when its first event is due: a stream may have many that do not overlap."""
    order = sorted(range(len(extents)), key=lambda i: (extents[i].first, extents[i].start))
    heap: list[tuple[int, int, int, Event]] = []
    due = 0
    while heap or due < len(order):
        while due < len(order) and (not heap or extents[order[due]].first <= heap[0][0]):
            run = order[due]
            due += 1
            event = next(runs[run], None)
            if event is not None:
                heapq.heappush(heap, (event.timestamp, event.offset, run, event))
        if not heap:
            continue
        _, _, run, event = heap[0]
        yield event
        following = next(runs[run], None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following.timestamp, following.offset, run, following))


def _ascending(descriptor: int, extent: Extent, after: Position | None) -> Iterator[Event]:
    start = extent.start if after is None else _seek(descriptor, extent, after)
    for offset, line in _lines(descriptor, start, extent.end):
        event = _event(offset, line)
        if after is None or (event.timestamp, offset) > after:
            yield event


def _descending(descriptor: int, extent: Extent, before: Position | None) -> Iterator[Event]:
    end = extent.end if before is None else _seek(descriptor, extent, before, past=_SCAN)
    for offset, line in _lines_back(descriptor, extent.start, end):
        event = _event(offset, line)
        if before is None or (event.timestamp, offset) < before:
            yield event


def _seek(descriptor: int, extent: Extent, position: Position, past: int = 0) -> int:
    """The start of a line near ``position``: at or before it, or with ``past`` at or behind it."""
    low, high = extent.start, extent.end
    while high - low > _SCAN:
        middle = (low + high) // 2
        offset, line = _line_after(descriptor, middle, high)
        if line is None:  # One line fills the upper half.
            high_line = next(_lines_back(descriptor, low, high))
            if (_timestamp(high_line[1]), high_line[0]) < position:
                low = high_line[0]
                break
            high = high_line[0]
        elif (_timestamp(line), offset) < position:
            low = offset
        else:
            high = offset
    return high if past else low


def _line_after(descriptor: int, offset: int, end: int) -> tuple[int, bytes | None]:
    """The first whole line that starts behind ``offset``."""
    position = offset
    while position < end:
        block = os.pread(descriptor, min(_SCAN, end - position), position)
        cut = block.find(b"\n")
        if cut >= 0:
            start = position + cut + 1
            return (start, os.pread(descriptor, 64, start)) if start < end else (end, None)
        position += len(block)
    return end, None


def _lines(descriptor: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(offset, line) from ``start``, which begins a line, to ``end``, which ends one."""
    offset, rest, position = start, b"", start
    while position < end:
        block = os.pread(descriptor, min(_BLOCK, end - position), position)
        if not block:
            return
        position += len(block)
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield offset, line
            offset += len(line) + 1


def _lines_back(descriptor: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines of `_lines`, last first."""
    position, rest = end, b""
    while position > start:
        size = min(_BLOCK, position - start)
        position -= size
        lines = (os.pread(descriptor, size, position) + rest).split(b"\n")
        # The last piece is what follows the final newline: nothing. The first is cut unless the block starts the extent.
        lines.pop()
        offset = position + sum(map(len, lines)) + len(lines)
        stop = 0
        if position > start:
            rest, stop = lines[0] + b"\n", 1
        for line in reversed(lines[stop:]):
            offset -= len(line) + 1
            yield offset, line


def _last_line_end(descriptor: int, size: int) -> int:
    position = size
    while position > 0:
        step = min(_BLOCK, position)
        cut = os.pread(descriptor, step, position - step).rfind(b"\n")
        if cut >= 0:
            return position - step + cut + 1
        position -= step
    return 0


def _line(timestamp: int, ingestion: int, message: str) -> bytes:
    if "\\" in message or "\n" in message:
        message = message.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{timestamp} {ingestion} {message}\n".encode("utf-8", "replace")


def _event(offset: int, line: bytes) -> Event:
    timestamp, ingestion, message = line.split(b" ", 2)
    text = message.decode()
    if "\\" in text:
        text = "\\".join(part.replace("\\n", "\n") for part in text.split("\\\\"))
    return Event(int(timestamp), offset, int(ingestion), text)


def _timestamp(line: bytes) -> int:
    return int(line[: line.index(b" ")])


def _position(event: Event) -> tuple[int, int]:
    return event.timestamp, event.offset
