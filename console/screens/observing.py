"""What a screen observes while it is in sight: topics of the hub, of which it keeps the newest snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual._context import active_app
from textual.screen import ModalScreen, Screen

from console.messages import SnapshotArrived
from console.services import Unwatch
from workflows.observe.reading import not_found
from workflows.topics import Snapshot, Topic

if TYPE_CHECKING:
    from console.app import Console


class Observing(Screen[None], inherit_bindings=False):
    """A screen with topics. ``snapshots`` has the newest of each."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshots: dict[Topic[Any], Snapshot[Any]] = {}
        self._taken: dict[Topic[Any], object] = {}
        self._unwatch: dict[Topic[Any], Unwatch] = {}
        self._frame_due = False
        self._in_sight = False
        # A new screen is styled by the sheet as it is: otherwise Textual parses it again, twice, for a section's first opening.
        self._css_update_count = active_app.get()._css_update_count

    @property
    def console(self) -> Console:
        """The application, typed."""
        return self.app  # type: ignore[return-value]

    def draw_frame(self) -> None:
        """Draw what stands around the body, in which a snapshot may change something."""
        raise NotImplementedError

    def topics(self) -> Sequence[Topic[Any]]:
        """What this screen observes while it is in sight; the first gives the age in the header."""
        return ()

    def on_screen_suspend(self) -> None:
        if not isinstance(self.app.screen, ModalScreen):
            self.stop_observing()

    def on_unmount(self) -> None:
        self.stop_observing()

    def observe(self) -> None:
        """Observe what `topics` tells, and nothing else any more; nothing at all while the screen is out of sight."""
        if not self._in_sight:
            return  # a snapshot that was under way arrives after the screen has gone
        wanted = self.topics()
        for topic in [topic for topic in self._unwatch if topic not in wanted]:
            self._unwatch.pop(topic)()
        for topic in wanted:
            if topic not in self._unwatch:
                self._unwatch[topic] = self.console.services.watch(topic, self._deliver)

    def stop_observing(self) -> None:
        self._in_sight = False
        for unwatch in self._unwatch.values():
            unwatch()
        self._unwatch.clear()

    def _deliver(self, snapshot: Snapshot[Any]) -> None:
        self.post_message(SnapshotArrived(snapshot))

    @on(SnapshotArrived)
    def _snapshot(self, message: SnapshotArrived) -> None:
        snapshot = message.snapshot
        known = self.snapshots.get(snapshot.topic)
        if known is not None and snapshot.generation < known.generation:
            return
        self.snapshots[snapshot.topic] = snapshot
        self.console.remember(snapshot)
        if self.is_attached:
            self.arrived(snapshot)
            self.draw_frame_soon()

    def draw_frame_soon(self) -> None:
        """Draw it when all that has come by now was taken: many snapshots come at once when the backend goes."""
        if not self._frame_due:
            self._frame_due = True
            self.call_after_refresh(self._draw_due_frame)

    def _draw_due_frame(self) -> None:
        self._frame_due = False
        self.draw_frame()

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        """A newer snapshot is in ``snapshots``: show it."""

    def news(self, snapshot: Snapshot[Any]) -> bool:
        """Whether it brings another value than the one before it: most polls do not. One without a value always is news."""
        known = self._taken.get(snapshot.topic)
        self._taken[snapshot.topic] = snapshot.value
        return snapshot.value is None or snapshot.value is not known

    def value(self, topic: Topic[Any]) -> Any:
        """The last good value of a topic, or None."""
        snapshot = self.snapshots.get(topic)
        return snapshot.value if snapshot else None

    def is_missing(self, topic: Topic[Any]) -> bool:
        """Whether the answer to a topic was that there is no such thing."""
        snapshot = self.snapshots.get(topic)
        return snapshot is not None and snapshot.value is None and _says_missing(snapshot)

    @property
    def deleted(self) -> bool:
        """Whether what is opened here was deleted while it was looked at."""
        snapshot = self._primary()
        return snapshot is not None and snapshot.value is not None and _says_missing(snapshot)

    def _primary(self) -> Snapshot[Any] | None:
        topics = self.topics()
        return self.snapshots.get(topics[0]) if topics else None


def _says_missing(snapshot: Snapshot[Any]) -> bool:
    return snapshot.error is not None and not_found(snapshot.error)
