"""What the hub asks of a poller: one per topic, used by one thread at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from workflows.budget import Pace
from workflows.observe.gateway import Gateway


class Poller(Protocol):
    """Asks for one topic, again and again; it is used by one thread at a time."""

    def poll(self, gateway: Gateway, emit: Callable[[Any], None], now: float) -> Any:
        """The value now. ``emit`` shows a part of it early; ``now`` is epoch seconds."""

    def interval(self, pace: Pace) -> float | None:
        """Seconds until the next poll; None: it cannot change by itself any more."""


class LocalPoller:
    """A poller of files on this machine: it makes no call, and needs no backend."""

    def poll(self, gateway: Gateway | None, emit: Callable[[Any], None], now: float) -> Any:
        """The value now."""
        raise NotImplementedError
