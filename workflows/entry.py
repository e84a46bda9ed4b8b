"""What the hub keeps of one topic."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workflows.budget import Backoff
from workflows.topics import Snapshot

_log = logging.getLogger(__name__)

Deliver = Callable[[Snapshot[Any]], None]


@dataclass(slots=True)
class Entry:
    """One topic: who listens, what is known, when it is polled next (monotonic; None: not by itself)."""

    snapshot: Snapshot[Any]
    backoff: Backoff
    poller: Any = None
    listeners: dict[int, Deliver] = field(default_factory=dict)
    due: float | None = 0.0
    flight: int = 0
    """Number of the poll in flight; 0: none."""
    began: float = 0.0
    overdue: bool = False
    urgent: bool = True
    again: bool = False

    def tell(self) -> None:
        """Hand the snapshot to every listener."""
        for listener in list(self.listeners.values()):
            deliver(listener, self.snapshot)


def deliver(listener: Deliver, snapshot: Snapshot[Any]) -> None:
    """Hand a snapshot to a listener; what it raises is logged and harms nobody else."""
    try:
        listener(snapshot)
    except Exception:
        _log.exception("a listener of %s failed", snapshot.topic)
