"""A shadow variant: copies of requests, whose answers nobody waits for."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from engine.hosting.capture import Event

if TYPE_CHECKING:
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.router import Router
    from engine.hosting.variant import Variant

UNDER_WAY = 64
"""Copies that may be under way per worker; while a shadow is slower than that, it gets no more."""
HELD_BYTES = 64 * 2**20


class Shadow:
    """Where copies go, and what share of the requests is copied: the shadow's weight as a part of the production variant's.

    Never in the way of production: a copy is a task of its own, is dropped when too many are under way, and its failure is only counted.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.share = 1.0
        self.dropped = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0

    def weigh(self, own: float, production: float) -> None:
        """Take this share of the production variant's requests from now on."""
        self.share = min(1.0, own / production) if production > 0 else 0.0

    def mirror(self, router: Router, endpoint: Endpoint, data: bytes, event: Event | None) -> None:
        """Send a copy, unless it is not in the sample; returns at once.

        Args:
            data: The request as containers get it.
            event: With which the answer is captured, too.
        """
        if self.share <= 0 or (self.share < 1 and router.rng.random() >= self.share):
            return
        room = UNDER_WAY * max(1, len(self.variant.workers))
        if len(self._tasks) >= room or self._bytes + len(data) > HELD_BYTES:
            self.dropped += 1
            return
        self._bytes += len(data)
        task = asyncio.create_task(self._send(router, endpoint, data, event), name=f"shadow {endpoint.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Break off what is under way; the variant is stopped by its owner."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, router: Router, endpoint: Endpoint, data: bytes, event: Event | None) -> None:
        began = time.perf_counter()
        try:
            outcome = await router.ask(endpoint, self.variant, data)
        finally:
            self._bytes -= len(data)
        router.measure(endpoint, self.variant, outcome, time.perf_counter() - began)
        if event is not None and outcome.error is None and outcome.reply is not None:
            reply = outcome.reply
            event.keep(self.variant.name, reply.headers.get("content-type", ""), reply.body)
