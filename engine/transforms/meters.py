"""A transform job's metrics: what its instances use, as on AWS, and how far it is, which only this engine tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.hosting import processes
from engine.transforms import record
from engine.transforms.journal import Journal

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.transforms.fleet import Fleet

PROGRESS_SECONDS = 1.0
UTILISATION_EVERY = 5
"""Progress is put every second, utilisation every so many of them."""


class Meters:
    """Puts metrics while a job runs.

    ``RecordsProcessed`` (Count), ``BytesProcessed`` and ``BytesTotal`` (Bytes) with the dimension TransformJobName are totals so far: a period's
    Maximum is the state at its end.
    """

    def __init__(self, engine: Engine, name: str, total: int, journal: Journal, fleet: Fleet) -> None:
        self._engine = engine
        self._name = name
        self._total = total
        self._fleet = fleet
        self._records, self._size = journal.records, journal.size
        self._before: dict[int, tuple[float, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=f"transform meters {self._name}")

    def progress(self, records: int, size: int) -> None:
        """Remember how far the job is."""
        self._records, self._size = records, size

    async def stop(self) -> None:
        """Put the last state and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._put_progress()

    async def _run(self) -> None:
        seconds = 0
        while True:
            self._put_progress()
            # The first interval is short, so that a short job has a point too.
            if seconds in (0, 1) or seconds % UTILISATION_EVERY == 0:
                self._put_utilisation()
            await asyncio.sleep(PROGRESS_SECONDS)
            seconds += 1

    def _put_progress(self) -> None:
        now = self._engine.clock.time()
        dimensions = {"TransformJobName": self._name}
        for metric, value, unit in (
            ("RecordsProcessed", self._records, "Count"),
            ("BytesProcessed", self._size, "Bytes"),
            ("BytesTotal", self._total, "Bytes"),
        ):
            self._engine.metrics.put(record.GROUP, metric, dimensions, float(value), now, unit)

    def _put_utilisation(self) -> None:
        memory = self._engine.settings.memory_mb * 2**20
        now = asyncio.get_running_loop().time()
        for worker in self._fleet.workers:
            pid = worker.pid
            used = processes.usage(pid) if pid is not None else None
            if pid is None or used is None:
                continue
            then, seconds = self._before.get(pid, (0.0, 0.0))
            self._before[pid] = (now, used.cpu_seconds)
            if not then:
                continue
            stamp = self._engine.clock.time()
            dimensions = {"Host": worker.instance.stream}
            percent = 100 * (used.cpu_seconds - seconds) / max(1e-6, now - then)
            for metric, value in (
                ("CPUUtilization", percent),
                ("MemoryUtilization", 100 * used.resident / memory),
            ):
                self._engine.metrics.put(record.GROUP, metric, dimensions, value, stamp, "Percent")
