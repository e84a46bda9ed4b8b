"""One training job's life: queue, download, train, upload, end. Every step can be done again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.jobs import outputs, processes, record, workspace
from engine.jobs.capacity import Share
from engine.jobs.channels import ChannelError
from engine.jobs.ingest import GROUP, Ingest
from engine.jobs.metrics import Extractor

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.jobs.capacity import Capacity

_log = logging.getLogger("engine.jobs")

_METER_SECONDS = 5.0
_FIRST_POLL, _LAST_POLL = 0.01, 0.15
_RECENT = 200
# The most epochs that SageMaker's Hyperband takes.
_CURVE_LIMIT = 20_000

INTERNAL = "InternalServerError: We encountered an internal error. Please try again. (%s)"


class Run:
    """A job that is not ended.

    Args:
        notify: Called after each change of the job's status.
        measured: Called when the job's objective has new values (`curve`).
    """

    def __init__(
        self,
        engine: Engine,
        capacity: Capacity,
        name: str,
        notify: Callable[[str], None],
        measured: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.capacity = capacity
        self.name = name
        self.root = engine.layout.jobs / name
        self.notify = notify
        self.measured = measured
        self.stop_asked = asyncio.Event()
        self.wake = asyncio.Event()
        self.final: dict[str, dict[str, Any]] = {}
        self.objective: str | None = None
        self.curve: list[float] = []
        self.share: Share | None = None
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, or go on after a restart."""
        self.task = asyncio.create_task(self._guarded(), name=f"job {self.name}")

    def stop(self) -> None:
        """Ask for the end of the job: at once while it waits, with the grace period while it runs."""
        self.stop_asked.set()
        self.wake.set()

    async def _guarded(self) -> None:
        try:
            await self._live()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("training job %s", self.name)
            with contextlib.suppress(Exception):
                await asyncio.to_thread(processes.destroy, self.root)
                self._end("Failed", "Failed", INTERNAL % error)
        finally:
            self.capacity.release(self.name)

    async def _live(self) -> None:
        document = self.document()
        if document["TrainingJobStatus"] == "Stopping":
            self.stop_asked.set()
        attempts = int(document.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0))
        instance = document["ResourceConfig"]["InstanceType"]
        while True:
            if (self.root / "shim.json").exists():
                self.share = self.share or self.capacity.hold(self.name, instance)
            elif not (await self._queue(instance) and await self._prepare()):
                return
            ended = await self._watch()
            if ended is not None:
                await self._finish(ended)
                return
            await asyncio.to_thread(processes.destroy, self.root)
            used = int(self.document().get("_attempts", 0))
            if used >= attempts or self.stop_asked.is_set():
                self._end(
                    "Failed", "Failed", INTERNAL % "the process that ran the training job ended unexpectedly"
                )
                await self._clean()
                return
            await self._clean()
            self._change(self._restart)

    def _restart(self, document: dict[str, Any]) -> None:
        self._move(document, "Restarting")
        document["_attempts"] = document.get("_attempts", 0) + 1

    # Steps

    async def _queue(self, instance: str) -> bool:
        """Wait for room; False when the job ended instead."""
        if self.share is not None:
            return True
        self.share = self.capacity.try_take(self.name, instance)
        if self.share is None:
            self._change(lambda doc: self._move(doc, "Pending"))
            taking = asyncio.ensure_future(self.capacity.take(self.name, instance))
            stopping = asyncio.ensure_future(self.stop_asked.wait())
            limit = self._longest_wait()
            try:
                await asyncio.wait({taking, stopping}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                if taking.done():
                    self.share = taking.result()
            finally:
                stopping.cancel()
                if self.share is None:
                    taking.cancel()
            if self.share is None and not self.stop_asked.is_set():
                self._end("Stopped", "MaxWaitTimeExceeded")
                return False
        return not await self._stopped_early()

    def _longest_wait(self) -> float | None:
        """Seconds that the job may still wait for room: a spot job's MaxWaitTime, or its MaxPendingTime."""
        document = self.document()
        condition = document["StoppingCondition"]
        limits = [
            condition[key]
            for key in ("MaxWaitTimeInSeconds", "MaxPendingTimeInSeconds")
            if condition.get(key)
        ]
        waited = self.engine.clock.time() - document["CreationTime"]
        return max(0.0, min(limits) - waited) if limits else None

    async def _prepare(self) -> bool:
        """Bring in data and code and start the shim; False when the job ended instead."""
        engine, now = self.engine, self.engine.clock.time()

        def begin(doc: dict[str, Any]) -> None:
            self._move(doc, "Downloading")
            doc.setdefault("TrainingStartTime", round(now, 3))
            # Two attempts may begin within one second, and each has its own stream.
            doc["_stream"] = f"{self.name}/algo-1-{int(now) + doc.get('_attempts', 0)}"

        document = self._change(begin)
        assert self.share is not None
        settings = engine.settings
        context = workspace.Context(
            engine.objects,
            settings.region,
            f"http://{settings.host}:{settings.port}",
            self._credentials(document),
            self.share,
        )
        try:
            await asyncio.to_thread(workspace.prepare, self.root, document, context)
            if await self._stopped_early():
                return False
            self._change(lambda doc: self._move(doc, "Training"))
            await asyncio.to_thread(processes.launch, self.root)
        except ChannelError as error:
            reason = f"ClientError: {error}"
        except processes.StartError as error:
            reason = INTERNAL % f"the job's process could not be started: {error}"
        except OSError as error:
            reason = f"ClientError: The job's input could not be written: {error}"
        else:
            return True
        self._end("Failed", "Failed", reason)
        await self._clean()
        return False

    async def _stopped_early(self) -> bool:
        if not self.stop_asked.is_set():
            return False
        self._end("Stopped", "Stopped")
        await self._clean()
        return True

    async def _watch(self) -> dict[str, Any] | None:
        """Follow the job's output until its shim has ended; what the shim wrote down, None when it was killed."""
        document = self.document()
        self.objective, self.curve = document.get("_objective"), []
        extractor = Extractor(document["AlgorithmSpecification"].get("MetricDefinitions", []))
        self.ingest = await asyncio.to_thread(
            Ingest,
            self.name,
            self.root / "output",
            self.engine.logs,
            self.engine.metrics,
            document["_stream"],
            extractor,
        )
        meter = asyncio.create_task(self._meter())
        interval, told = _FIRST_POLL, False
        try:
            with processes.watching(self.root, self.wake.set):
                while True:
                    self.wake.clear()
                    gone = not processes.alive(self.root)
                    if self.stop_asked.is_set() and not told:
                        told = processes.terminate(self.root)
                    if self.ingest.behind():
                        await self._read()
                        interval = _FIRST_POLL
                    elif gone:
                        break
                    if not gone:
                        interval = min(interval * 1.5, _LAST_POLL)
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self.wake.wait(), interval)
        finally:
            meter.cancel()
        return processes.document(self.root / "exit.json")

    async def _read(self) -> None:
        batch = await asyncio.to_thread(self.ingest.read)
        for point in batch.points:
            self.final[point.name] = {
                "MetricName": point.name,
                "Value": point.value,
                "Timestamp": point.timestamp / 1000,
            }
        if self.objective is not None:
            values = [point.value for point in batch.points if point.name == self.objective]
            self.curve += values[: max(0, _CURVE_LIMIT - len(self.curve))]
            if values:
                self.measured(self.name)

    async def _meter(self) -> None:
        """CPUUtilization and MemoryUtilization every few seconds, as SageMaker's instances report them."""
        meter = processes.Meter(self.root)
        dimensions = {"Host": f"{self.name}/algo-1"}
        while True:
            usage = await asyncio.to_thread(meter.sample)
            if usage is not None:
                now = self.engine.clock.time()
                for metric, value in (("CPUUtilization", usage.cpu), ("MemoryUtilization", usage.memory)):
                    self.engine.metrics.put(GROUP, metric, dimensions, value, now, "Percent")
            await asyncio.sleep(_METER_SECONDS)

    async def _finish(self, ended: dict[str, Any]) -> None:
        """Store what the job left and end it by how its program ended."""
        failed = (
            not ended["stopped"] and (ended["error"] or ended["code"] != 0) and not self.stop_asked.is_set()
        )
        document = self._change(lambda doc: self._move(doc, "Uploading"))
        reason = ""
        if failed:
            reason = await asyncio.to_thread(self._reason, ended)
        try:
            await asyncio.to_thread(
                outputs.upload, self.root, document, self.engine.objects, model=not failed
            )
        except outputs.UploadError as error:
            reason = reason or f"ClientError: {error}"
        artifacts = {"S3ModelArtifacts": outputs.artifacts_uri(document)}

        def keep(doc: dict[str, Any]) -> None:
            if self.final:
                doc["FinalMetricDataList"] = list(self.final.values())
            if self.curve:
                doc["_curve"] = self.curve
            if not reason:
                doc["ModelArtifacts"] = artifacts

        if reason:
            self._end("Failed", "Failed", reason, keep)
        elif ended["stopped"] == "max-runtime" and not self.stop_asked.is_set():
            self._end("Stopped", "MaxRuntimeExceeded", change=keep)
        elif ended["stopped"] or self.stop_asked.is_set():
            self._end("Stopped", "Stopped", change=keep)
        else:
            self._end("Completed", "Completed", change=keep)
        await self._clean()

    def _reason(self, ended: dict[str, Any]) -> str:
        if ended["error"]:
            return f"AlgorithmError: The container's command could not be started: {ended['error']}, exit code: 127"
        return outputs.failure_reason(self.root / "ml", ended["code"], self.ingest.tail(_RECENT))

    async def _clean(self) -> None:
        await asyncio.to_thread(remove, self.root)
        self.capacity.release(self.name)
        self.share = None

    # The record

    def document(self) -> dict[str, Any]:
        """The job as it is in the store."""
        return self.engine.store.get(record.KIND, self.name).document

    def _move(self, document: dict[str, Any], secondary: str) -> None:
        record.move(document, secondary, self.engine.clock.time())

    def _change(
        self, change: Callable[[dict[str, Any]], object], status: str | None = None
    ) -> dict[str, Any]:
        def apply(document: dict[str, Any]) -> None:
            change(document)

        now = self.engine.clock.time()
        updated = self.engine.store.update(record.KIND, self.name, apply, now=now, status=status)
        self.notify(self.name)
        return updated.document

    def _end(
        self,
        status: str,
        secondary: str,
        reason: str = "",
        change: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        def apply(document: dict[str, Any]) -> None:
            if change is not None:
                change(document)
            record.end(document, status, secondary, self.engine.clock.time(), reason)

        self._change(apply, status)

    def _credentials(self, document: dict[str, Any]) -> dict[str, str]:
        """Temporary keys of the job's role, good for as long as the job may run."""
        role = document["RoleArn"].rpartition("/")[2]
        account = self.engine.settings.account_id
        principal = {
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/SageMaker",
            "id": f"AROASAGEMAKER{role.upper()}:SageMaker",
        }
        seconds = document["StoppingCondition"].get("MaxRuntimeInSeconds", 86400) + 3600
        key = self.engine.keys.issue(principal, seconds)
        return {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.token,
        }


def remove(root: Path) -> None:
    """Delete a job's directory, also what its program made unreadable."""

    def retry(function: Callable[..., Any], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            function(path)

    shutil.rmtree(root, onerror=retry)
