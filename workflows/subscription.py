"""What a listener of the hub holds: it ends with `close`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows.topics import Topic

if TYPE_CHECKING:
    from workflows.hub import Hub


class Subscription:
    """Ends with `close`; also a context manager."""

    def __init__(self, hub: Hub, topic: Topic[Any], number: int) -> None:
        self._hub = hub
        self._number = number
        self.topic = topic

    def close(self) -> None:
        """No more snapshots; the last subscription of a topic ends its polling. Twice is harmless."""
        self._hub._unsubscribe(self.topic, self._number)

    def refresh(self) -> None:
        """Poll now."""
        self._hub.refresh(self.topic)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
