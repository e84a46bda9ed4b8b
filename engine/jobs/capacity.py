"""Which jobs may run at once: what the machine has, shared out first come, first served."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from engine.jobs.instances import shape


class Share(NamedTuple):
    """What a job holds while it runs, in whole cores and MiB, and how many threads it should use."""

    cores: int
    memory_mb: int
    threads: int


class Capacity:
    """Cores and memory, handed out in the order in which jobs asked.

    A job asks for its instance type's vCPUs and memory, but never for more than half the machine: a laptop runs two jobs at a
    time, and no job waits for what the machine does not have. A job that starts alone may use the threads of all its type's
    vCPUs. First come, first served without overtaking: a large job is not starved by small ones.
    """

    def __init__(self, cores: int, memory_mb: int) -> None:
        self.cores = max(1, cores)
        self.memory_mb = max(1, memory_mb)
        self._held: dict[str, Share] = {}
        self._queue: OrderedDict[str, tuple[Share, asyncio.Future[Share]]] = OrderedDict()

    def share(self, instance_type: str) -> Share:
        """What a job on that instance type is given here."""
        cpus, memory_mb, _ = shape(instance_type)
        cores = min(cpus, max(1, self.cores // 2))
        alone = not self._held and not self._queue
        threads = min(cpus, self.cores) if alone else cores
        return Share(cores, min(memory_mb, max(1, self.memory_mb // 2)), threads)

    def hold(self, name: str, instance_type: str) -> Share:
        """Take a share at once, room or not: for a job that is found running after a restart."""
        self._held[name] = self.share(instance_type)
        return self._held[name]

    def try_take(self, name: str, instance_type: str) -> Share | None:
        """The share when there is room and nobody waits, else None."""
        wanted = self.share(instance_type)
        if self._queue or not self._fits(wanted):
            return None
        self._held[name] = wanted
        return wanted

    async def take(self, name: str, instance_type: str) -> Share:
        """Wait for one's turn and take the share; cancelling leaves the queue."""
        future: asyncio.Future[Share] = asyncio.get_running_loop().create_future()
        self._queue[name] = (self.share(instance_type), future)
        self._admit()
        try:
            return await future
        except asyncio.CancelledError:
            self.release(name)
            raise

    def release(self, name: str) -> None:
        """Give back what a job holds, or leave the queue; the next ones are let in."""
        self._held.pop(name, None)
        waiting = self._queue.pop(name, None)
        if waiting is not None and not waiting[1].done():
            waiting[1].cancel()
        self._admit()

    def waiting(self) -> list[str]:
        """The jobs in the queue, next first."""
        return list(self._queue)

    def _fits(self, wanted: Share) -> bool:
        cores = sum(item.cores for item in self._held.values())
        memory = sum(item.memory_mb for item in self._held.values())
        return cores + wanted.cores <= self.cores and memory + wanted.memory_mb <= self.memory_mb

    def _admit(self) -> None:
        while self._queue:
            name, (wanted, future) = next(iter(self._queue.items()))
            if future.done():
                del self._queue[name]
                continue
            if not self._fits(wanted):
                return
            del self._queue[name]
            self._held[name] = wanted
            future.set_result(wanted)
