"""A serverless variant: workers are started by requests, end when nobody asks, and never work on more than was allowed."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.hosting.variant import (
    NotReady,
    Plan,
    Throttled,
    Unavailable,
    Variant,
    VariantFailed,
    failure_reason,
)
from engine.hosting.worker import Unhealthy, Worker

if TYPE_CHECKING:
    from engine.context import Engine

BODY_LIMIT = 4 * 2**20
IDLE_SECONDS = 300.0
"""Declared seconds without a request after which a worker ends; AWS does not say how long it keeps one."""
SHORTEST_IDLE = 1.0
RESTART_SECONDS = 0.5
"""Pause after a worker that did not come up, before the next is tried."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """``limit`` requests at a time at most, ``provisioned`` of them without a cold start."""

    limit: int
    provisioned: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Concurrency:
        """From a ServerlessConfig."""
        return cls(config["MaxConcurrency"], config.get("ProvisionedConcurrency") or 0)


class OnDemand(Variant):
    """Workers on demand.

    On AWS every concurrent request has an execution environment of its own. Here it has a worker of its own as long as there are no more
    than twice the cores; beyond that requests share workers.
    """

    body_limit = BODY_LIMIT

    def __init__(
        self, engine: Engine, plan: Plan, root: Path, sockets: Path, generation: str, concurrency: Concurrency
    ) -> None:
        super().__init__(engine, plan, root, sockets, generation)
        self.concurrency = concurrency
        self._busy = 0
        self._free = asyncio.Event()
        self._used: dict[Worker, float] = {}
        self._idle = max(SHORTEST_IDLE, IDLE_SECONDS * engine.clock.scale)
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def outstanding(self) -> int:
        """Requests that are being answered or wait for a worker."""
        return self._busy

    async def start(self) -> None:
        """Start what is provisioned, at least one worker, and wait until all are healthy: a container that cannot serve is found here.

        Raises:
            VariantFailed: One of them is not.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        workers = [self._add() for _ in range(max(1, min(self.concurrency.provisioned, self._room)))]
        results = await asyncio.gather(
            *(self._bring_up(worker) for worker in workers), return_exceptions=True
        )
        for worker, result in zip(workers, results, strict=True):
            if isinstance(result, BaseException):
                await self.stop()
                if isinstance(result, Unhealthy):
                    raise VariantFailed(failure_reason(self.name, worker, result))
                raise result
        for worker in workers:
            self._keep(worker, begin=False)

    def start_later(self) -> None:
        """Start what is provisioned in the background; everything else is started by requests."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._provision()

    def adjust(self, concurrency: Concurrency) -> None:
        """Another limit, and another number of workers that are always there."""
        self.concurrency = concurrency
        self._provision()

    async def stop(self, drain: float = 0.0) -> None:
        """End every worker, after the requests under way but no later than ``drain`` seconds."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        self._free.set()
        await super().stop(drain)
        self._free.set()

    async def acquire(self, timeout: float) -> Worker:
        """A worker, counted as busy with one request more; a new one is started when there is none without a request.

        Raises:
            Throttled: As many requests as allowed are under way.
            NotReady: The worker that was started was not healthy in time.
            Unavailable: The variant is being deleted.
        """
        if self._busy >= self.concurrency.limit:
            raise Throttled(
                f"Rate exceeded: variant {self.name} answers {self.concurrency.limit} requests at a time (MaxConcurrency)."
            )
        self._busy += 1
        try:
            worker = self._unused() or await self._started(timeout)
        except BaseException:
            self._busy -= 1
            raise
        worker.outstanding += 1
        return worker

    def take(self, worker: Worker) -> None:
        """Count one request more for a worker."""
        self._busy += 1
        worker.outstanding += 1

    def release(self, worker: Worker) -> None:
        """The end of a request that `acquire` began."""
        worker.outstanding -= 1
        self._busy -= 1
        self._used[worker] = time.monotonic()
        self._free.set()

    @property
    def _room(self) -> int:
        return max(1, 2 * self.engine.settings.cores)

    def _unused(self) -> Worker | None:
        return next((w for w in self.workers if w.ready and not w.outstanding), None)

    async def _started(self, timeout: float) -> Worker:
        """Wait for a worker without a request, or share the least busy one when no more can be started."""
        deadline = time.monotonic() + timeout
        self._waiting += 1
        try:
            while (worker := self._unused()) is None:
                if self._stopping:
                    raise Unavailable(f"Variant {self.name} is being deleted.")
                starting = sum(not worker.ready for worker in self.workers)
                if len(self.workers) < self._room and starting < self._waiting:
                    self._keep(self._add(), begin=True)
                elif not starting and (shared := self._choose()) is not None:
                    return shared
                self._free.clear()
                try:
                    await asyncio.wait_for(self._free.wait(), max(0.0, deadline - time.monotonic()))
                except TimeoutError as error:
                    raise NotReady(
                        f"Model for variant {self.name} of endpoint {self.plan.endpoint} is not ready for inference yet."
                    ) from error
            return worker
        finally:
            self._waiting -= 1

    def _provision(self) -> None:
        while len(self.workers) < min(self.concurrency.provisioned, self._room):
            self._keep(self._add(), begin=True)

    def _add(self) -> Worker:
        worker = self._make(f"i-{secrets.token_hex(9)[:17]}")
        self.workers.append(worker)
        self._used[worker] = time.monotonic()
        return worker

    def _keep(self, worker: Worker, *, begin: bool) -> None:
        self._watchers[worker.root.name] = asyncio.create_task(
            self._live(worker, begin), name=f"serverless {self.plan.endpoint}/{self.name}/{worker.root.name}"
        )
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep(), name=f"serverless sweep {self.plan.endpoint}")

    async def _live(self, worker: Worker, begin: bool) -> None:
        """One worker's life; whoever waits asks again when it is over."""
        try:
            if begin:
                began = time.monotonic()
                await self._bring_up(worker)
                took = time.monotonic() - began
                self.engine.hosting.meters.setup(self.plan.endpoint, self.name, took * 1e6)
                self._used[worker] = time.monotonic()
                self._free.set()
            await worker.ended()
            log.warning("Worker %s ended with status %s.", worker.instance.stream, worker.exit_status)
        except (Unhealthy, OSError) as error:
            log.warning("Worker %s is not healthy: %s.", worker.instance.stream, error)
            await asyncio.sleep(RESTART_SECONDS)
        await self._end(worker)
        self._provision()
        self._free.set()

    async def _end(self, worker: Worker) -> None:
        worker.ready = False
        if worker in self.workers:
            self.workers.remove(worker)
        self._watchers.pop(worker.root.name, None)
        self._used.pop(worker, None)
        await worker.stop()

    async def _sweep(self) -> None:
        """End workers that nobody has asked for a while, as long as there are any."""
        while self.workers:
            await asyncio.sleep(self._idle / 4)
            now = time.monotonic()
            spare = len(self.workers) - self.concurrency.provisioned
            for worker in list(self.workers):
                if spare <= 0:
                    break
                unused = worker.ready and not worker.outstanding
                if unused and now - self._used.get(worker, now) >= self._idle:
                    spare -= 1
                    watcher = self._watchers.pop(worker.root.name, None)
                    if watcher is not None:
                        watcher.cancel()
                        await asyncio.gather(watcher, return_exceptions=True)
                    await self._end(worker)
