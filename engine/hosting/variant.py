"""A production variant: its worker processes, replaced when they die, and which of them takes the next request."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.hosting.worker import Instance, Unhealthy, Worker, with_output

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.fleet import Fleet

BODY_LIMIT = 6_291_456
"""Bytes of a request's body."""
QUEUE_PER_WORKER = 256
"""Requests that may wait for one worker before further ones are refused."""
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 30.0
STEADY_SECONDS = 30.0
"""A worker that served this long begins its next backoff from the start."""

log = logging.getLogger(__name__)


class Overloaded(Exception):
    """Every worker's queue is full."""


class Unavailable(Exception):
    """No worker came up in time."""


class Throttled(Exception):
    """As many requests are under way as the variant may have."""


class NotReady(Exception):
    """A worker is on its way, but did not come up in time."""


class VariantFailed(Exception):
    """The variant's container did not come up; the message is what FailureReason says."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a variant runs here: ``count`` is the declared number of instances, ``instances`` names the workers that stand for them."""

    endpoint: str
    name: str
    command: Sequence[str]
    environment: dict[str, str]
    model: Path
    extra: dict[str, Path]
    instances: tuple[str, ...]
    count: int
    health_timeout: float
    isolate_network: bool = False
    routing: str = ""
    """RANDOM, or whatever means the worker with the fewest requests."""


class Variant:
    """The live workers of one production variant; ``fleet`` is set by the fleet that it becomes part of."""

    fleet: Fleet
    body_limit = BODY_LIMIT

    def __init__(self, engine: Engine, plan: Plan, root: Path, sockets: Path, generation: str) -> None:
        self.engine = engine
        self.plan = plan
        self.name = plan.name
        self.workers: list[Worker] = []
        self._root = root
        self._sockets = sockets
        self._generation = generation
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._available = asyncio.Event()
        self._stopping = False
        self._waiting = 0

    @property
    def outstanding(self) -> int:
        """Requests that are being answered or wait, also for a worker."""
        return self._waiting + sum(worker.outstanding for worker in self.workers)

    @property
    def declared(self) -> int:
        """The declared instances that the workers stand for now."""
        return declared(self.plan.count, len(self.plan.instances), self.engine.settings.cores)

    async def start(self) -> None:
        """Start every worker and wait until all are healthy.

        Raises:
            VariantFailed: One of them is not.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        workers = [self._make(instance) for instance in self.plan.instances]
        self.workers = workers
        results = await asyncio.gather(
            *(self._bring_up(worker) for worker in workers), return_exceptions=True
        )
        for worker, result in zip(workers, results, strict=True):
            if isinstance(result, Unhealthy):
                await self.stop()
                raise VariantFailed(failure_reason(self.name, worker, result))
            if isinstance(result, BaseException):
                await self.stop()
                raise result
        for worker in workers:
            self._watch(worker)

    def start_later(self) -> None:
        """Start the workers in the background, again and again until they are healthy: an endpoint that comes back."""
        for instance in self.plan.instances:
            worker = self._make(instance)
            self.workers.append(worker)
            self._watch(worker, begin=True)

    async def scale(self, instances: tuple[str, ...], count: int | None = None) -> None:
        """Run exactly these instances: new ones are started and healthy before the others are ended.

        Args:
            count: The declared number of all of them, when it changes.

        Raises:
            VariantFailed: A new worker is not healthy; what ran before goes on.
        """
        before = set(self.plan.instances)
        fresh = [self._make(instance) for instance in instances if instance not in before]
        try:
            results = await asyncio.gather(
                *(self._bring_up(worker) for worker in fresh), return_exceptions=True
            )
            for worker, result in zip(fresh, results, strict=True):
                if isinstance(result, Unhealthy):
                    raise VariantFailed(failure_reason(self.name, worker, result))
                if isinstance(result, BaseException):
                    raise result
        except BaseException:
            await asyncio.gather(*(worker.stop() for worker in fresh))
            raise
        gone = [worker for worker in self.workers if worker.root.name not in instances]
        self.workers = [worker for worker in self.workers if worker not in gone] + fresh
        self.plan = replace(self.plan, instances=instances, count=self.plan.count if count is None else count)
        for worker in fresh:
            self._watch(worker)
        await asyncio.gather(*(self._retire(worker) for worker in gone))

    async def stop(self, drain: float = 0.0) -> None:
        """End every worker, after the requests under way but no later than ``drain`` seconds."""
        deadline = asyncio.get_running_loop().time() + drain
        while self.outstanding and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        self._stopping = True
        for worker in self.workers:
            worker.ready = False  # Not even for a session that it holds.
        self._available.set()
        watchers = list(self._watchers.values())
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        self.workers = []

    async def acquire(self, timeout: float) -> Worker:
        """A healthy worker, counted as busy with one request more; waits while there is none.

        Raises:
            Overloaded: The queues are full: of the workers, or of those who wait for one.
            Unavailable: None became healthy in time.
        """
        found = self._choose()
        if found is None:
            if self._waiting >= QUEUE_PER_WORKER * max(1, len(self.plan.instances)):
                raise Overloaded(f"{self._waiting} requests wait for variant {self.name}.")
            self._waiting += 1
            try:
                found = await self._healthy(timeout)
            finally:
                self._waiting -= 1
        if found.outstanding >= QUEUE_PER_WORKER:
            raise Overloaded(
                f"Every instance of variant {self.name} has {QUEUE_PER_WORKER} requests waiting."
            )
        found.outstanding += 1
        return found

    def take(self, worker: Worker) -> None:
        """Count one request more for a worker."""
        worker.outstanding += 1

    def release(self, worker: Worker) -> None:
        """The end of a request that `acquire` began."""
        worker.outstanding -= 1

    async def _healthy(self, timeout: float) -> Worker:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (found := self._choose()) is None:
            if self._stopping:
                raise Unavailable(f"Variant {self.name} is being deleted.")
            self._available.clear()
            try:
                await asyncio.wait_for(self._available.wait(), deadline - loop.time())
            except TimeoutError as error:
                raise Unavailable(f"No instance of variant {self.name} is healthy.") from error
        return found

    def _choose(self) -> Worker | None:
        """The worker for the next request by the variant's routing strategy; one whose queue is full only when all are."""
        if self.plan.routing == "RANDOM":
            free = [w for w in self.workers if w.ready and w.outstanding < QUEUE_PER_WORKER]
            if free:
                return random.choice(free)
        best: Worker | None = None
        for worker in self.workers:
            if worker.ready and (best is None or worker.outstanding < best.outstanding):
                best = worker
        return best

    def _make(self, instance: str) -> Worker:
        plan = self.plan
        # Unix socket paths end at 108 bytes: a digest instead of the names.
        digest = hashlib.sha256(
            f"{plan.endpoint}/{plan.name}/{instance}/{self._generation}".encode()
        ).hexdigest()[:12]
        description = Instance(
            command=plan.command,
            environment=plan.environment,
            model=plan.model,
            extra=plan.extra,
            group=f"/aws/sagemaker/Endpoints/{plan.endpoint}",
            stream=f"{plan.name}/{instance}",
            isolate_network=plan.isolate_network,
        )
        return Worker(self.engine, self._root / instance, self._sockets / digest, description)

    async def _bring_up(self, worker: Worker) -> None:
        await worker.start()
        await worker.wait_ready(self.plan.health_timeout)
        self._available.set()

    def _watch(self, worker: Worker, *, begin: bool = False) -> None:
        self._watchers[worker.root.name] = asyncio.create_task(
            self._keep_alive(worker, begin), name=f"watch {self.plan.endpoint}/{self.name}/{worker.root.name}"
        )

    async def _retire(self, worker: Worker) -> None:
        watcher = self._watchers.pop(worker.root.name, None)
        worker.ready = False
        deadline = asyncio.get_running_loop().time() + 60
        try:
            while worker.outstanding and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.02)
        finally:
            # Also when this is cancelled: nobody else knows of the worker any more.
            if watcher is not None:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
            await worker.stop()

    async def _keep_alive(self, worker: Worker, begin: bool) -> None:
        """Wait for a worker's end and start it again, with growing pauses while it does not stay."""
        loop = asyncio.get_running_loop()
        backoff, healthy_since = FIRST_BACKOFF, loop.time()
        while True:
            if not begin:
                await worker.ended()
                log.warning("Worker %s ended with status %s.", worker.instance.stream, worker.exit_status)
                worker.pool.close()
                if loop.time() - healthy_since > STEADY_SECONDS:
                    backoff = FIRST_BACKOFF
                await asyncio.sleep(backoff)
                backoff = min(LAST_BACKOFF, backoff * 2)
            begin = False
            try:
                await self._bring_up(worker)
                healthy_since = loop.time()
            except Unhealthy as error:
                log.warning("Worker %s is not healthy: %s.", worker.instance.stream, error)
                with contextlib.suppress(Exception):
                    await worker.kill()
            except OSError as error:
                log.warning("Worker %s cannot be started: %s.", worker.instance.stream, error)


def processes(count: int, cores: int) -> int:
    """Worker processes that stand for ``count`` instances: one each, but never more than twice the cores."""
    return min(count, max(1, 2 * cores))


def declared(count: int, running: int, cores: int) -> int:
    """The instances for which ``running`` processes stand of a variant that has ``count``."""
    return round(count * running / max(1, processes(count, cores)))


def failure_reason(variant: str, worker: Worker, error: Unhealthy) -> str:
    """FailureReason for a container that did not come up: AWS's sentence, then the container's last lines, 1,024 characters."""
    text = (
        f"The primary container for production variant {variant} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    return with_output(text, worker, error)
