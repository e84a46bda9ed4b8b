"""All targets side by side: each answers for itself, and one that hangs keeps no other one waiting."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from workflows.configuration import Configuration
from workflows.problem import Problem
from workflows.targets.entries import Entry, listed
from workflows.targets.glance import Glance, Known, glance, unseen

AT_ONCE = 8
"""Targets that are asked at the same time."""
DEADLINE = 45.0
"""Seconds for one target: four lists on a slow line, and the wait for the account's budget of calls."""


class Glances:
    """Looks at the targets of a configuration again and again; connections and prices are kept in between. Safe for threads."""

    def __init__(self, configuration: Configuration, deadline: float = DEADLINE) -> None:
        self._configuration = configuration
        self._deadline = deadline
        self._known: dict[Entry, Known] = {}
        self._asked: set[Entry] = set()
        self._lock = threading.Lock()

    def look(self, entries: Sequence[Entry] = ()) -> Iterator[Glance]:
        """A glance at each of these targets (none: at all), in the order in which they answer. It blocks, and raises nothing.

        One that gives no answer in time is told as a problem. Its call goes on, and it is not asked once more before that has ended.
        """
        waiting = deque(dict.fromkeys(entries or listed(self._configuration)))
        answers: queue.SimpleQueue[Glance] = queue.SimpleQueue()
        running: dict[Entry, float] = {}
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                entry = waiting.popleft()
                if self._begin(entry, answers):
                    running[entry] = time.monotonic() + self._deadline
                else:
                    yield unseen(entry, self._silence(entry, "still gives no answer"))
            if not running:
                continue
            try:
                found = answers.get(timeout=max(0.0, min(running.values()) - time.monotonic()))
            except queue.Empty:
                late = [entry for entry, due in running.items() if due <= time.monotonic()]
                for entry in late:
                    del running[entry]
                    yield unseen(entry, self._silence(entry, f"gave no answer in {self._deadline:.0f} s"))
                continue
            if running.pop(found.entry, None) is not None:
                yield found

    def _begin(self, entry: Entry, answers: queue.SimpleQueue[Glance]) -> bool:
        """Ask a target in a thread of its own, which nobody waits for at the end; False while it is being asked."""
        with self._lock:
            if entry in self._asked:
                return False
            self._asked.add(entry)
            known = self._known.setdefault(entry, Known())

        def ask() -> None:
            try:
                found = glance(self._configuration, entry, known)
            finally:
                with self._lock:
                    self._asked.discard(entry)
            answers.put(found)

        threading.Thread(target=ask, name="glance", daemon=True).start()
        return True

    def _silence(self, entry: Entry, what: str) -> Problem:
        if entry.target == "embedded":
            return Problem(f"The embedded SageMaker {what}.", "`mlconsole engine status` tells whether it runs.", "timeout")  # fmt: skip
        return Problem(f"AWS {what}.", "Check the network, the proxy and the region.", "timeout")


def glances(configuration: Configuration, deadline: float = DEADLINE) -> Iterator[Glance]:
    """One look at all targets of a configuration, each as it answers. It blocks, and raises nothing."""
    return Glances(configuration, deadline).look()
