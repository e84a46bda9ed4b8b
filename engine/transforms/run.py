"""One transform job's life: queue, list, start the container, feed it, end. A restarted engine does it again with what is left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import ServiceError
from engine.hosting.artifacts import ArtifactError
from engine.images import UnknownImage
from engine.jobs.channels import ChannelError, NothingFound
from engine.objects import Attributes
from engine.store import Missing
from engine.transforms import capture, record
from engine.transforms.feeding import Feeding, FeedingError
from engine.transforms.fleet import Broken, Fleet
from engine.transforms.inputs import inputs, output_place
from engine.transforms.journal import Entry, Journal
from engine.transforms.meters import Meters
from engine.transforms.plan import Input, Plan, load_inputs, save_inputs
from engine.transforms.settings import SINGLE, Settings, settings

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.jobs.capacity import Capacity, Share

_log = logging.getLogger("engine.transforms")


class Outcome(NamedTuple):
    """How a job ended."""

    status: str
    reason: str = ""


class Run:
    """A job that is not ended.

    Args:
        notify: Called after each change of the job's status.
    """

    def __init__(self, engine: Engine, name: str, notify: Callable[[str], None]) -> None:
        self.engine = engine
        self.name = name
        self.root = engine.layout.transforms / name
        self.notify = notify
        self.task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._capacity: Capacity = engine.jobs.capacity
        self._held: list[str] = []

    def start(self) -> asyncio.Task[None]:
        """Begin, or go on after a restart."""
        self.task = asyncio.create_task(self._live(), name=f"transform {self.name}")
        return self.task

    def stop(self) -> None:
        """Ask for the end of the job; results of objects that are done stay."""
        self._stop.set()

    async def _live(self) -> None:
        if self.document()["TransformJobStatus"] == "Stopping":
            self._stop.set()
        work = asyncio.create_task(self._work(), name=f"transform work {self.name}")
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
            outcome = Outcome("Stopped") if self._stop.is_set() or work.cancelled() else self._outcome(work)
        finally:
            # The engine ends, or the work has: in either case nothing of it goes on.
            stopping.cancel()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            for name in self._held:
                self._capacity.release(name)
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)
        self._end(outcome)

    def _outcome(self, work: asyncio.Task[Outcome]) -> Outcome:
        error = work.exception()
        if error is None:
            return work.result()
        if isinstance(error, ChannelError | ArtifactError | UnknownImage):
            return Outcome("Failed", f"ClientError: {error}")
        if isinstance(error, Broken):
            return Outcome("Failed", str(error))
        if isinstance(error, ServiceError):
            return Outcome("Failed", f"ClientError: The result could not be stored: {error.message}")
        if not isinstance(error, FeedingError):
            _log.error("transform job %s", self.name, exc_info=error)
        return Outcome("Failed", record.INTERNAL % error)

    async def _work(self) -> Outcome:
        document = self.document()
        share = await self._wait_for_room(document)
        document = self._change(
            lambda doc: doc.setdefault("TransformStartTime", round(self.engine.clock.time(), 3))
        )
        await asyncio.to_thread(self._list, document)
        journal = Journal(self.root / "journal")
        try:
            total, pending = await asyncio.to_thread(self._pending, journal)
            if pending:
                await self._transform(document, share, journal, total, pending)
            failed = journal.failure
            await asyncio.to_thread(self._capture, document, journal)
        finally:
            journal.close()
        return Outcome("Failed", f"{failed}: {record.SEE_LOGS}") if failed else Outcome("Completed")

    async def _wait_for_room(self, document: dict[str, Any]) -> Share:
        """The share of one instance, first come, first served among training and transform jobs; one that ran before has it."""
        name = held_as(self.name)
        self._held.append(name)
        instance = document["TransformResources"]["InstanceType"]
        if "TransformStartTime" in document:
            return self._capacity.hold(name, instance)
        return await self._capacity.take(name, instance)

    def _list(self, document: dict[str, Any]) -> None:
        """Write down the objects once: what comes later below the prefix is not the job's."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "inputs"
        if path.exists():
            return
        source = document["TransformInput"]["DataSource"]["S3DataSource"]
        try:
            save_inputs(path, inputs(self.engine.objects, document, region=self.engine.settings.region))
        except NothingFound as error:
            raise ChannelError(f"S3 key: {source['S3Uri']} matched no files on s3") from error

    def _pending(self, journal: Journal) -> tuple[int, int]:
        """Bytes of all objects, and how many objects are left: they are listed for the feeder."""
        total = pending = 0

        def left() -> Iterator[Input]:
            nonlocal total, pending
            for item in load_inputs(self.root / "inputs"):
                total += item.size
                if item.number not in journal.entries:
                    pending += 1
                    yield item

        save_inputs(self.root / "pending", left())
        return total, pending

    def _capture(self, document: dict[str, Any], journal: Journal) -> None:
        entries = journal.entries
        items = load_inputs(self.root / "inputs")
        done = (item for item in items if (entry := entries.get(item.number)) and not entry.failed)
        capture.store(self.engine.objects, document, done)

    async def _transform(
        self, document: dict[str, Any], share: Share, journal: Journal, total: int, pending: int
    ) -> None:
        ids = self._instances(document, share, pending)
        self._change(lambda doc: doc.update(_instances=ids))
        fleet = Fleet(self.engine, self.name, self.root, document, share)
        feeding: Feeding | None = None
        meters = Meters(self.engine, self.name, total, journal, fleet)
        try:
            await fleet.start(ids)
            chosen = settings(document, await fleet.wishes())
            self._announce(document, ids, chosen)
            feeding = await Feeding.start(self.root, self._plan(document, chosen, fleet))
            watching = asyncio.create_task(fleet.broken())
            feed = asyncio.create_task(self._follow(feeding, document, journal, meters, ids))
            meters.start()
            try:
                await asyncio.wait({watching, feed}, return_when=asyncio.FIRST_COMPLETED)
                if feed.done():
                    feed.result()
                else:
                    watching.result()
            finally:
                watching.cancel()
                feed.cancel()
                await asyncio.gather(watching, feed, return_exceptions=True)
        finally:
            if feeding is not None:
                await feeding.stop()
            await meters.stop()
            await fleet.stop()

    def _instances(self, document: dict[str, Any], share: Share, pending: int) -> list[str]:
        """As many instances as were asked for, as have an object to work on, and as the machine has room for now."""
        resources = document["TransformResources"]
        ids = list(document.get("_instances", []))
        wanted = min(resources["InstanceCount"], pending)
        while len(self._held) < wanted:
            name = f"{held_as(self.name)}/{len(self._held)}"
            if self._capacity.try_take(name, resources["InstanceType"]) is None:
                break
            self._held.append(name)
        count = len(self._held)
        return (ids + Fleet.ids(count))[:count]

    def _announce(self, document: dict[str, Any], ids: list[str], chosen: Settings) -> None:
        """What the data log of every instance begins with."""
        asked = document["TransformResources"]["InstanceCount"]
        lines = [str(chosen)]
        if asked > len(ids):
            lines.append(f"InstanceCount={asked}: objects are distributed over {len(ids)} on this machine")
        for name in ids:
            self.log(name, [_stamped(line) for line in lines])

    def _plan(self, document: dict[str, Any], chosen: Settings, fleet: Fleet) -> Plan:
        given, wanted = document["TransformInput"], document["TransformOutput"]
        client = document.get("ModelClientConfig", {})
        split = given["SplitType"]
        return Plan(
            inputs=str(self.root / "pending"),
            outputs=str(self.root / "out"),
            sockets=fleet.sockets,
            content_type=given.get("ContentType", ""),
            accept=wanted.get("Accept", ""),
            split=split,
            single=chosen.strategy == SINGLE and split != "None",
            gzip=given["CompressionType"] == "Gzip",
            lines=wanted["AssembleWith"] == "Line",
            concurrency=chosen.concurrency,
            payload_mb=chosen.payload_mb,
            timeout=float(client.get("InvocationsTimeoutInSeconds", 600)),
            retries=int(client.get("InvocationsMaxRetries", 3)),
            processing=document["DataProcessing"],
            moment=capture.moment(document),
        )

    async def _follow(
        self, feeding: Feeding, document: dict[str, Any], journal: Journal, meters: Meters, ids: list[str]
    ) -> None:
        """Store what the feeder finishes, log what it reports, until it has ended."""
        base = journal.records, journal.size
        async for event in feeding.events():
            kind = event["event"]
            if kind == "progress":
                meters.progress(base[0] + event["records"], base[1] + event["bytes"])
            elif kind == "done":
                await asyncio.to_thread(self._keep, document, event)
                journal.add(Entry(event["number"], event["records"], event["bytes"], ""))
            elif kind == "failed":
                self.log(ids[event["lane"]], event["lines"])
                journal.add(Entry(event["number"], 0, event["bytes"], event["kind"]))

    def _keep(self, document: dict[str, Any], event: dict[str, Any]) -> None:
        """Make a finished file the object that it is the content of."""
        objects = self.engine.objects
        bucket, _ = output_place(document)
        staged = objects.staging / os.urandom(16).hex()
        try:
            shutil.move(event["path"], staged)
            accept = document["TransformOutput"].get("Accept", "")
            attributes = Attributes(headers={"content-type": accept} if accept else {})
            objects.commit(bucket, event["output"], staged, event["size"], event["etag"], attributes)
        finally:
            staged.unlink(missing_ok=True)

    def log(self, instance: str, lines: list[str]) -> None:
        """Append to an instance's data log."""
        now = int(self.engine.clock.time() * 1000)
        stream = f"{self.name}/{instance}/data-log"
        self.engine.logs.append(record.GROUP, stream, [(now, line) for line in lines])

    # The record

    def document(self) -> dict[str, Any]:
        """The job as it is in the store."""
        return self.engine.store.get(record.KIND, self.name).document

    def _change(
        self, change: Callable[[dict[str, Any]], object], status: str | None = None, now: float = 0.0
    ) -> dict[str, Any]:
        def apply(document: dict[str, Any]) -> None:
            change(document)

        now = now or self.engine.clock.time()
        updated = self.engine.store.update(record.KIND, self.name, apply, now=now, status=status)
        self.notify(self.name)
        return updated.document

    def _end(self, outcome: Outcome) -> None:
        # One reading of the clock: a job is not modified before it ends.
        now = self.engine.clock.time()
        # A reset may have taken the job away meanwhile.
        with contextlib.suppress(Missing):
            self._change(
                lambda doc: record.end(doc, outcome.status, now, outcome.reason), outcome.status, now
            )


def held_as(name: str) -> str:
    """The name under which a job holds its share of the machine: a training job may have the same name as a transform job."""
    return f"{record.KIND}/{name}"


def _stamped(line: str) -> str:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{stamp}:[sagemaker logs]: {line}"
