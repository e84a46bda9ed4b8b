"""Stateful sessions: requests that name a session go to the worker whose container opened it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.hosting.answers import CLOSED_SESSION, NEW_SESSION

if TYPE_CHECKING:
    from engine.hosting.variant import Variant
    from engine.hosting.worker import Worker

REMEMBERED = 10_000
"""Sessions, of all endpoints together; the least used are forgotten, and go to any worker then."""


class Sessions:
    """Which worker holds which session. A worker that ended takes its sessions with it, as an instance does."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[Variant, Worker]] = OrderedDict()

    def find(self, endpoint: str, session: str) -> tuple[Variant, Worker] | None:
        """The variant and worker of a session; None when nobody holds it."""
        held = self._held.get((endpoint, session))
        if held is None:
            return None
        if held[1] not in held[0].workers or not held[1].ready:
            del self._held[endpoint, session]
            return None
        self._held.move_to_end((endpoint, session))
        return held

    def heed(self, endpoint: str, variant: Variant, worker: Worker, headers: Mapping[str, str]) -> None:
        """Note what a container's answer says of sessions: ``<id>; Expires=<time>`` when it opened one, the id when it closed one."""
        opened = headers.get(NEW_SESSION, "").partition(";")[0].strip()
        if opened:
            self._held[endpoint, opened] = (variant, worker)
            if len(self._held) > REMEMBERED:
                self._held.popitem(last=False)
        closed = headers.get(CLOSED_SESSION, "").strip()
        if closed:
            self._held.pop((endpoint, closed), None)
