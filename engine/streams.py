"""CloudWatch Logs' groups and streams as append-only files."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from engine.errors import ServiceError
from engine.logstore.catalog import Catalog, Group, Stream
from engine.logstore.file import Event, Position

_OPEN_FILES = 128
_DAY_MS = 86_400_000


def no_such_group() -> ServiceError:
    """``ResourceNotFoundException`` for a log group."""
    return ServiceError("ResourceNotFoundException", "The specified log group does not exist.")


def no_such_stream() -> ServiceError:
    """``ResourceNotFoundException`` for a log stream."""
    return ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")


class LogStore:
    """Log groups, streams and events, appended as they come and read from both ends.

    What was appended is in the kernel's hands when the call returns: killing the engine loses nothing. Methods may be called from any
    thread; appends take some 20 µs. Times are milliseconds since the epoch.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.RLock()
        self._catalog = Catalog(root)
        self._descriptors: OrderedDict[int, int] = OrderedDict()

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            self._close_files()
            self._catalog.close()

    def clear(self) -> None:
        """Delete every group."""
        with self._lock:
            self._close_files()
            self._catalog.clear()

    # Groups and streams

    def groups(self) -> list[Group]:
        """All groups by name."""
        with self._lock:
            return [group for _, group in sorted(self._catalog.groups.items())]

    def group(self, name: str) -> Group:
        """The group.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        found = self._catalog.groups.get(name)
        if found is None:
            raise no_such_group()
        return found

    def streams(self, group: str) -> list[Stream]:
        """All streams of a group by name.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            return [stream for _, stream in sorted(self.group(group).streams.items())]

    def stream(self, group: str, name: str) -> Stream:
        """The stream.

        Raises:
            ServiceError: ``ResourceNotFoundException``, naming group or stream.
        """
        found = self.group(group).streams.get(name)
        if found is None:
            raise no_such_stream()
        return found

    def create_group(self, name: str, document: dict[str, object] | None = None) -> Group:
        """Create a group.

        Raises:
            ServiceError: ``ResourceAlreadyExistsException``.
        """
        with self._lock:
            if name in self._catalog.groups:
                raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
            return self._catalog.create_group(name, _now(), document or {})

    def create_stream(self, group: str, name: str) -> Stream:
        """Create a stream.

        Raises:
            ServiceError: ``ResourceNotFoundException`` or ``ResourceAlreadyExistsException``.
        """
        with self._lock:
            found = self.group(group)
            if name in found.streams:
                raise ServiceError(
                    "ResourceAlreadyExistsException", "The specified log stream already exists"
                )
            return self._catalog.create_stream(found, name, _now())

    def change_group(self, name: str, document: dict[str, object]) -> None:
        """Set entries of a group's document; None removes one.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            group = self.group(name)
            merged = {**group.document, **document}
            group.document = {key: value for key, value in merged.items() if value is not None}
            self._catalog.save_group(group)

    def delete_group(self, name: str) -> None:
        """Delete a group with everything in it.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            for stream in self.group(name).streams.values():
                self._close_file(stream)
            self._catalog.delete_group(name)

    def delete_stream(self, group: str, name: str) -> None:
        """Delete a stream.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            self._close_file(self.stream(group, name))
            self._catalog.delete_stream(self.group(group), name)

    # Events

    def append(self, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append lines as a program prints them; group and stream are created when absent.

        The order of the calls is kept: a timestamp below that of the line before it is raised to it.
        """
        with self._lock:
            home = self._catalog.groups.get(group) or self._catalog.create_group(group, _now(), {})
            target = home.streams.get(stream) or self._catalog.create_stream(home, stream, _now())
            last = target.file.last or 0
            ordered: list[tuple[int, str]] = []
            for timestamp, message in events:
                last = max(last, int(timestamp))
                ordered.append((last, message))
            self._write(target, ordered)

    def put(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Append events that are in timestamp order among themselves, each with just its timestamp.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            self._write(self.stream(group, stream), events)

    def tail(self, group: str, stream: str, lines: int) -> list[str]:
        """The last messages of a stream, oldest first; none when it does not exist."""
        with self._lock:
            home = self._catalog.groups.get(group)
            found = home.streams.get(stream) if home else None
        if found is None:
            return []
        return [event.message for event in itertools.islice(found.file.backward(), lines)][::-1]

    def read(
        self, group: str, stream: str, *, after: Position | None = None, before: Position | None = None
    ) -> Iterator[Event]:
        """Events of a stream: ascending behind ``after``, or descending ahead of ``before`` when that is given.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        with self._lock:
            file = self.stream(group, stream).file
        return file.forward(after) if before is None else file.backward(before)

    def oldest_kept(self, group: Group) -> int:
        """The time before which a group's retention hides events; 0 without one."""
        days = group.document.get("retentionInDays")
        return _now() - int(days) * _DAY_MS if isinstance(days, int) else 0

    # Inside

    def _write(self, stream: Stream, events: Sequence[tuple[int, str]]) -> None:
        if not events:
            return
        file = stream.file
        if file.opens_extent(events[0][0]):
            self._catalog.save_starts(stream, [*file.starts, file.size])
        file.append(self._descriptor(stream), events, _now())

    def _descriptor(self, stream: Stream) -> int:
        found = self._descriptors.get(stream.id)
        if found is None:
            stream.path.parent.mkdir(parents=True, exist_ok=True)
            found = os.open(stream.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._descriptors[stream.id] = found
            while len(self._descriptors) > _OPEN_FILES:
                os.close(self._descriptors.popitem(last=False)[1])
        else:
            self._descriptors.move_to_end(stream.id)
        return found

    def _close_file(self, stream: Stream) -> None:
        descriptor = self._descriptors.pop(stream.id, None)
        if descriptor is not None:
            os.close(descriptor)

    def _close_files(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])


def _now() -> int:
    return int(time.time() * 1000)
