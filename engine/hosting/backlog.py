"""The queue of an asynchronous endpoint: stored request by request, worked off by as many at a time as the workers take."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from engine.hosting.delivery import Delivery, Ticket
from engine.store import Filter, Missing

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.endpoint import Endpoint

KIND = "async-invocation"
DEFAULT_CONCURRENCY = 4
"""Requests at a time per instance where MaxConcurrentInvocationsPerInstance is not said; AWS "chooses an optimal value"."""
PUBLISH_SECONDS = 2.0
QUIET_EVERY = 15
"""An empty queue's metrics are put only every so many times."""


class Backlog:
    """What one endpoint still has to answer, oldest first.

    A request is in the store from before it is acknowledged until its answer is in S3, so that it is answered at least once whatever
    happens to the engine.
    """

    def __init__(self, engine: Engine, endpoint: Endpoint) -> None:
        self._engine = engine
        self._endpoint = endpoint
        self._waiting: OrderedDict[str, float] = OrderedDict()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._received: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Take up what an earlier engine left, and begin."""
        for found in self._engine.store.select(KIND, [Filter("parent", "=", self._endpoint.name)]):
            self._waiting[found.name] = found.created
        self._wake.set()
        name = self._endpoint.name
        self._tasks = [
            asyncio.create_task(self._work(), name=f"async {name}"),
            asyncio.create_task(self._publish(), name=f"async metrics {name}"),
        ]

    async def stop(self) -> None:
        """End; what was under way begins anew with the next engine."""
        tasks = [*self._tasks, *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []

    def add(self, ticket: Ticket, name: str) -> None:
        """Store a request; it will be answered."""
        self._engine.store.create(
            KIND, name, ticket.document(), now=ticket.received, parent=self._endpoint.name
        )
        self._waiting[name] = ticket.received
        self._wake.set()

    def _limit(self) -> int:
        config = self._endpoint.blue.config.get("AsyncInferenceConfig") or {}
        each = (config.get("ClientConfig") or {}).get("MaxConcurrentInvocationsPerInstance")
        workers = sum(len(variant.plan.instances) for variant in self._endpoint.variants.values())
        return max(1, workers) * (each or DEFAULT_CONCURRENCY)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and len(self._running) < self._limit():
                name, received = self._waiting.popitem(last=False)
                self._received[name] = received
                self._running[name] = asyncio.create_task(self._deliver(name), name=f"async {name}")

    async def _deliver(self, name: str) -> None:
        try:
            ticket = Ticket.of(self._engine.store.get(KIND, name).document)
            await Delivery(self._engine, self._endpoint, ticket).run()
            self._engine.store.delete(KIND, name)
        except Missing:
            pass  # A reset took it away.
        finally:
            self._running.pop(name, None)
            self._received.pop(name, None)
            self._wake.set()

    async def _publish(self) -> None:
        """The backlog's size and age, with EndpointName alone as AWS has them."""
        quiet = 0
        while True:
            size = len(self._waiting) + len(self._running)
            if size or quiet % QUIET_EVERY == 0:
                self._put(size)
            quiet = 0 if size else quiet + 1
            await asyncio.sleep(PUBLISH_SECONDS)

    def _put(self, size: int) -> None:
        oldest = min([*list(self._waiting.values())[:1], *self._received.values()], default=None)
        age = 0.0 if oldest is None else max(0.0, self._engine.clock.time() - oldest)
        instances = sum(variant.declared for variant in self._endpoint.variants.values())
        capacity = any(worker.ready for v in self._endpoint.variants.values() for worker in v.workers)
        for metric, value, unit in (
            ("ApproximateBacklogSize", float(size), "Count"),
            ("ApproximateBacklogSizePerInstance", size / max(1, instances), "Count"),
            ("ApproximateAgeOfOldestRequest", age, "Seconds"),
            ("HasBacklogWithoutCapacity", float(size > 0 and not capacity), "Count"),
        ):
            with contextlib.suppress(OSError):
                self._engine.hosting.meters.note(self._endpoint.name, "", metric, value, unit)


def forget(engine: Engine, endpoint: str) -> None:
    """Delete every stored request of an endpoint."""
    for found in engine.store.select(KIND, [Filter("parent", "=", endpoint)], shared=True):
        engine.store.delete(KIND, found.name)
