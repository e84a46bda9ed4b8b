"""Training jobs from Pending to their end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.changes import Changes
from engine.jobs import launcher, processes, record
from engine.jobs.capacity import Capacity
from engine.jobs.run import Run, remove
from engine.statuses import OPEN

if TYPE_CHECKING:
    from engine.context import Engine


class Supervisor:
    """Queues, starts, watches, stops and re-adopts jobs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.capacity = Capacity(engine.settings.cores, engine.settings.memory_mb)
        self._runs: dict[str, Run] = {}
        self.changes = Changes()
        self.listeners: list[Callable[[str], None]] = []
        """Called with a job's name after each change of its status and of its objective's curve."""

    async def start(self) -> None:
        """Take up every job that was not at its end, running or not, and clear what ended jobs left behind."""
        rows = self.engine.store.with_status(record.KIND, *OPEN)
        await asyncio.to_thread(self._sweep, {row.name for row in rows})
        # Those that run hold their share before others are let in.
        for row in rows:
            if (self.engine.layout.jobs / row.name / "shim.json").exists():
                self.capacity.hold(row.name, row.document["ResourceConfig"]["InstanceType"])
        for row in rows:
            self._begin(row.name)

    async def stop(self) -> None:
        """Leave the jobs to their shims."""
        runs, self._runs = self._runs, {}
        for run in runs.values():
            if run.task is not None:
                run.task.cancel()
        for run in runs.values():
            if run.task is not None:
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await run.task

    async def reset(self) -> None:
        """Kill every job and delete its directory."""
        names = list(self._runs)
        await self.stop()
        for name in names:
            await asyncio.to_thread(processes.destroy, self.engine.layout.jobs / name)
        await asyncio.to_thread(remove, self.engine.layout.jobs)
        self.changes.tell_all()
        self.capacity = Capacity(self.engine.settings.cores, self.engine.settings.memory_mb)

    def submit(self, document: dict[str, Any]) -> None:
        """Record a new job and begin it.

        Raises:
            Exists: There is a job of that name.
        """
        name = document["TrainingJobName"]
        now = document["CreationTime"]
        record.move(document, "Starting", now)
        self.engine.store.create(record.KIND, name, document, now=now, status=document["TrainingJobStatus"])
        self._begin(name)

    def halt(self, name: str) -> None:
        """Stop a job that is in progress; nothing happens to one that is stopping already."""

        def change(document: dict[str, Any]) -> None:
            if document["TrainingJobStatus"] == "InProgress":
                document["TrainingJobStatus"] = "Stopping"
                record.move(document, "Stopping", self.engine.clock.time())

        self.engine.store.update(record.KIND, name, change, now=self.engine.clock.time(), status="Stopping")
        self._notify(name)
        run = self._runs.get(name)
        if run is not None:
            run.stop()

    def curve(self, name: str) -> list[float]:
        """The values that a running job has logged of its objective so far, oldest first; not to be changed."""
        run = self._runs.get(name)
        return run.curve if run is not None else []

    async def settle(self, name: str) -> None:
        """Wait until an ended job's directory is gone, so that its name is free again."""
        run = self._runs.get(name)
        if run is not None and run.task is not None:
            await asyncio.wait({run.task})

    def _begin(self, name: str) -> None:
        run = Run(self.engine, self.capacity, name, self._notify, self._tell)
        self._runs[name] = run
        run.start()
        if run.task is not None:
            run.task.add_done_callback(lambda _: self._forget(run))

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.name) is run:
            del self._runs[run.name]

    def _notify(self, name: str) -> None:
        self.changes.tell(name)
        self._tell(name)

    def _tell(self, name: str) -> None:
        for listener in self.listeners:
            listener(name)

    def _sweep(self, wanted: set[str]) -> None:
        """Delete directories of jobs that are at their end; try the namespaces once, ahead of the first job."""
        folder = self.engine.layout.jobs
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name not in wanted:
                processes.destroy(entry)
                remove(entry)
        launcher.namespaces_allowed()
