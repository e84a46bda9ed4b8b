"""Messages that threads post and handlers take: the only way from a thread to a widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from workflows.events import Event
    from workflows.problem import Problem
    from workflows.targets.glance import Glance
    from workflows.topics import HubStatus, Snapshot


@dataclass
class SnapshotArrived(Message, bubble=False):
    """A newer snapshot of something that a screen watches."""

    snapshot: Snapshot[Any]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotArrived) and message.snapshot.topic == self.snapshot.topic


@dataclass
class WatchedArrived(Message, bubble=False):
    """A newer snapshot of something that a person wants to be told about, whatever is on the screen."""

    snapshot: Snapshot[Any]


@dataclass
class StatusArrived(Message, bubble=False):
    """The state of the backend and of the budget changed."""

    status: HubStatus

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StatusArrived)


@dataclass
class RunEventsArrived(Message, bubble=False):
    """New events of the run that a screen follows; ``problem`` when they cannot be read."""

    run: str
    events: Sequence[Event]
    problem: Problem | None = None


@dataclass
class GlanceArrived(Message, bubble=False):
    """One of several targets has answered, or has not in time."""

    glance: Glance


@dataclass
class FilesChanged(Message, bubble=False):
    """A file that a person edits while the console runs is another one than before: the keymap, a theme."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FilesChanged)


@dataclass
class WorkFinished(Message, bubble=False):
    """Blocking work has ended in its thread: exactly one of the two functions is to be called with the outcome."""

    succeeded: Callable[[Any], None]
    failed: Callable[[Problem], None]
    value: Any = None
    problem: Problem | None = None
