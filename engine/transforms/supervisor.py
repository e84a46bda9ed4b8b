"""Transform jobs from their creation to their end."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING, Any

from engine.changes import Changes
from engine.hosting import processes
from engine.statuses import OPEN
from engine.transforms import record
from engine.transforms.run import Run, held_as

if TYPE_CHECKING:
    from engine.context import Engine

_log = logging.getLogger("engine.transforms")


class Transforms:
    """Starts, stops and takes up transform jobs. What is stored says what should run, so an engine that is killed goes on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._runs: dict[str, Run] = {}
        self.changes = Changes()

    def hold(self) -> None:
        """Take the shares of the jobs that ran when the engine ended, before jobs that waited are let in."""
        for row in self.engine.store.with_status(record.KIND, *OPEN):
            if "TransformStartTime" in row.document:
                instance = row.document["TransformResources"]["InstanceType"]
                self.engine.jobs.capacity.hold(held_as(row.name), instance)

    async def start(self) -> None:
        """Take up every job that was not at its end, oldest first, and clear what ended jobs left behind."""
        rows = self.engine.store.with_status(record.KIND, *OPEN)
        await asyncio.to_thread(self._sweep, {row.name for row in rows})
        for row in rows:
            self._begin(row.name)

    async def stop(self) -> None:
        """End the processes of every job; the jobs stay as they are stored and go on with the next engine."""
        runs, self._runs = self._runs, {}
        tasks = [run.task for run in runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reset(self) -> None:
        """End and forget every job (test mode; the store is cleared by the engine)."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.engine.layout.transforms, ignore_errors=True)
        self.changes.tell_all()

    def submit(self, document: dict[str, Any]) -> None:
        """Record a new job and begin it.

        Raises:
            Exists: There is a job of that name.
        """
        name = document["TransformJobName"]
        status = document["TransformJobStatus"]
        self.engine.store.create(record.KIND, name, document, now=document["CreationTime"], status=status)
        self._begin(name)

    def halt(self, name: str) -> None:
        """Stop a job that is in progress; nothing happens to one that is stopping already."""

        def change(document: dict[str, Any]) -> None:
            document["TransformJobStatus"] = "Stopping"

        self.engine.store.update(record.KIND, name, change, now=self.engine.clock.time(), status="Stopping")
        self.changes.tell(name)
        run = self._runs.get(name)
        if run is not None:
            run.stop()

    def _begin(self, name: str) -> None:
        run = Run(self.engine, name, self.changes.tell)
        self._runs[name] = run
        run.start().add_done_callback(lambda _: self._forget(run))

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.name) is run:
            del self._runs[run.name]

    def _sweep(self, wanted: set[str]) -> None:
        """Workers of a killed engine die with it; this is for the systems where they do not."""
        folder = self.engine.layout.transforms
        for path in folder.glob("*/workers/*/pid"):
            if processes.kill_remembered(path):
                _log.warning("Killed the worker that an earlier engine left behind: %s", path.parent)
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name not in wanted:
                shutil.rmtree(entry, ignore_errors=True)
