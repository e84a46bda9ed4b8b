"""A test as it goes on: reads what is new in its journal, and tells where it stands."""

from __future__ import annotations

import threading
import time

from workflows.abtest import journal as journals
from workflows.abtest.journal import Journal
from workflows.abtest.report import Report, report
from workflows.abtest.tally import Tally


class Follower:
    """Keeps a tally up to date with its journal; each look costs what has happened since the last one. Safe for threads."""

    def __init__(self, journal: Journal) -> None:
        """
        Raises:
            Problem: There is no such test, or its file is damaged.
        """
        self.journal = journal
        self.experiment = journal.experiment()
        self.tally = Tally(self.experiment)
        self._offset = 0
        self._lock = threading.Lock()

    def update(self) -> Tally:
        """The tally with everything that is in the journal now."""
        with self._lock:
            lines, self._offset, damaged = self.journal.read(self._offset)
            self.tally.take(lines, damaged)
            return self.tally

    def report(self, now: float | None = None) -> Report:
        """Where the test stands."""
        tally = self.update()
        with self._lock:
            return report(tally, time.time() if now is None else now)


_FOLLOWERS: dict[str, Follower] = {}
_LOCK = threading.Lock()


def follower(name: str) -> Follower:
    """The follower of a test in this process, kept so that a screen that looks every second reads only what is new.

    Raises:
        Problem: There is no such test.
    """
    journal = journals.find(name)
    with _LOCK:
        key = str(journal.folder)
        known = _FOLLOWERS.get(key)
        if known is None or known.experiment != journal.experiment():  # removed, and made anew
            known = _FOLLOWERS[key] = Follower(journal)
        return known
