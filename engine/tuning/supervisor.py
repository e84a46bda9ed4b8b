"""Tuning jobs from their creation to their end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from engine.changes import Changes
from engine.statuses import OPEN
from engine.tuning import record, warm_start
from engine.tuning.run import INTERNAL, Run
from engine.tuning.suggestions import Advisor

if TYPE_CHECKING:
    from engine.context import Engine

_log = logging.getLogger("engine.tuning")


class Tuning:
    """Starts, stops and takes up tuning jobs, and tells each what its training jobs do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.advisor = Advisor(engine.layout.advisor_log)
        self._runs: dict[str, Run] = {}
        self._parents: dict[str, str] = {}
        self.changes = Changes()
        engine.jobs.listeners.append(self._child_changed)

    async def start(self) -> None:
        """Take up every tuning job that was not at its end."""
        for row in self.engine.store.with_status(record.KIND, *OPEN):
            try:
                self._begin(row.name)
            except Exception as error:  # one damaged record must not keep the engine from starting
                _log.exception("tuning job %s cannot go on", row.name)
                self._give_up(row.name, error)

    async def stop(self) -> None:
        """Leave the tuning jobs as the store has them, and end the advisor."""
        runs, self._runs = self._runs, {}
        self._parents.clear()
        for run in runs.values():
            await run.end()
        await self.advisor.close()

    async def reset(self) -> None:
        """Forget every tuning job."""
        await self.stop()
        self.changes.tell_all()

    def submit(self, document: dict[str, Any]) -> None:
        """Record a new tuning job and begin it.

        Raises:
            Exists: There is a tuning job of that name.
        """
        name = document["HyperParameterTuningJobName"]
        now = document["CreationTime"]
        store = self.engine.store
        if warm_start.names(document):
            # Parents may be deleted while the job runs. Written first: without the job nobody looks at it.
            found = [item._asdict() for item in warm_start.take(store, document)]
            store.delete(record.PRIOR, name)
            store.create(record.PRIOR, name, {"trials": found}, now=now)
        store.create(record.KIND, name, document, now=now, status=document["HyperParameterTuningJobStatus"])
        self._begin(name)

    def halt(self, name: str) -> None:
        """Stop a tuning job that is in progress, and its training jobs."""
        now = self.engine.clock.time()

        def change(document: dict[str, Any]) -> None:
            document["HyperParameterTuningJobStatus"] = "Stopping"
            document["LastModifiedTime"] = now

        self.engine.store.update(record.KIND, name, change, now=now, status="Stopping")
        self.changes.tell(name)
        run = self._runs.get(name)
        if run is not None:
            run.wake.set()

    def _begin(self, name: str) -> None:
        def adopt(child: str) -> None:
            self._parents[child] = name

        run = Run(self.engine, self.advisor, name, adopt, self.changes.tell)
        self._runs[name] = run
        run.start()
        if run.task is not None:
            run.task.add_done_callback(lambda _: self._forget(run))

    def _give_up(self, name: str, error: Exception) -> None:
        now = self.engine.clock.time()

        def change(document: dict[str, Any]) -> None:
            document["HyperParameterTuningJobStatus"] = "Failed"
            document["FailureReason"] = INTERNAL % f"its record cannot be read: {error}"
            document["HyperParameterTuningEndTime"] = document["LastModifiedTime"] = now

        self.engine.store.update(record.KIND, name, change, now=now, status="Failed")

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.name) is run:
            del self._runs[run.name]
        for trial in run.trials:
            self._parents.pop(trial.name, None)

    def _child_changed(self, name: str) -> None:
        run = self._runs.get(self._parents.get(name, ""))
        if run is not None:
            run.wake.set()
