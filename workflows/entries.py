"""All topics that the hub knows: those that are listened to, and the last values of some that are not any more."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, ValuesView
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workflows.budget import Backoff, Pace
from workflows.entry import Entry
from workflows.observe.rows import LogTail
from workflows.pollers import poller
from workflows.topics import Snapshot, Topic

if TYPE_CHECKING:
    from workflows.clock import Clock
    from workflows.remembered import Remembered

KEPT = 30
"""Topics nobody looks at whose last value is kept."""
LEFT_LINES = 10_000
"""Lines of a log that nobody looks at: 3 MB."""


class Entries:
    """Entries by topic. Its user holds a lock around every call.

    Args:
        first_wait: Seconds that the first wait after an error has at most.
        remembered: Where the last known lists are kept; None: nowhere.
    """

    def __init__(
        self,
        pace: Pace,
        clock: Clock,
        random_: Callable[[], float],
        first_wait: float,
        remembered: Remembered | None,
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._random = random_
        self._first_wait = first_wait
        self._remembered = remembered
        self._entries: dict[Topic[Any], Entry] = {}

    def get(self, topic: Topic[Any]) -> Entry | None:
        """The entry of a topic, if it is known."""
        return self._entries.get(topic)

    def items(self) -> ItemsView[Topic[Any], Entry]:
        """Topics and entries."""
        return self._entries.items()

    def values(self) -> ValuesView[Entry]:
        """The entries."""
        return self._entries.values()

    def found(self, topic: Topic[Any]) -> Entry:
        """The entry of a topic, made where it is not known.

        Raises:
            Problem: There is no such topic.
        """
        entry = self._entries.get(topic)
        if entry is None:
            entry = self._entries[topic] = self._new(topic)
        return entry

    def first_snapshot(self, topic: Topic[Any]) -> Snapshot[Any]:
        """What is known of a topic from an earlier session."""
        value, fetched_at = self._remembered.first(topic) if self._remembered else (None, None)
        return Snapshot(topic=topic, value=value, fetched_at=fetched_at, stale=value is not None)

    def begin(self, topic: Topic[Any], entry: Entry, generation: int) -> None:
        """A first listener: a new generation with a new poller; an answer still in flight for the old one is dropped."""
        entry.flight = 0
        entry.overdue = False
        entry.poller = poller(topic, entry.snapshot.value, self._pace)
        entry.backoff.reset()
        entry.due = self._clock.monotonic()
        entry.urgent = True
        entry.snapshot = replace(
            entry.snapshot,
            generation=generation,
            stale=entry.snapshot.value is not None,
            next_at=self._clock.time(),
        )

    def leave(self, topic: Topic[Any], number: int) -> None:
        """A listener goes; the most recently left topic is kept longest."""
        entry = self._entries.get(topic)
        if entry is None or entry.listeners.pop(number, None) is None:
            return
        if not entry.listeners:
            entry.flight = 0
            if isinstance(entry.snapshot.value, LogTail):
                entry.snapshot = replace(entry.snapshot, value=entry.snapshot.value.shortened(LEFT_LINES))
            self._entries[topic] = self._entries.pop(topic)

    def whole(self) -> list[Snapshot[Any]]:
        """The snapshots that are not still being paged in."""
        return [entry.snapshot for entry in self._entries.values() if entry.snapshot.complete]

    def _new(self, topic: Topic[Any]) -> Entry:
        poller(topic, None, self._pace)  # an unknown topic is refused here
        quiet = [found for found, entry in self._entries.items() if not entry.listeners and not entry.flight]
        for found in quiet[: max(0, len(quiet) - KEPT)]:
            del self._entries[found]
        return Entry(snapshot=self.first_snapshot(topic), backoff=Backoff(self._first_wait, self._random))
