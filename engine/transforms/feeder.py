"""``python -m engine.transforms.feeder PLAN``: reads objects, asks the workers, writes the answers; a process of its own.

The engine's loop has people waiting for it, and filters are Python at work: what a job needs of time and memory is spent here. Events go to
standard output, one JSON object a line; when standard input ends, the engine is gone, and so is the feeder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from engine.objectstore.staging import Staged
from engine.transforms.exchange import CLIENT, Caller, Failure
from engine.transforms.plan import Input, Plan, load_inputs
from engine.transforms.processing import Processing, ProcessingError
from engine.transforms.reading import ReadError, Source
from engine.transforms.splitting import Batch, SplitError, batches
from engine.transforms.window import Window

HELD = 128 * 2**20
"""Bytes of payloads and input that one worker's requests may hold, but for one request whatever its size."""
PROGRESS_SECONDS = 0.5
_LARGE = 64 * 1024

Emit = Callable[[dict[str, Any]], None]


class Sent(NamedTuple):
    """A request under way: what it carries, its answer, what it weighs, and how much of the stored object was read for it."""

    batch: Batch
    answer: asyncio.Task[bytes]
    weight: int
    position: int


@dataclass(slots=True)
class Progress:
    """Records and stored input bytes whose answers are written."""

    records: int = 0
    size: int = 0


@dataclass(slots=True)
class Work:
    """One object on its way: requests in order, ended by a failure or by None."""

    item: Input
    queue: asyncio.Queue[Sent | Failure | None] = field(default_factory=asyncio.Queue)
    failed: bool = False
    done: Progress = field(default_factory=Progress)


class Lane:
    """One worker: its connections, and how much may be under way at once."""

    def __init__(self, number: int, plan: Plan, socket: str) -> None:
        self.number = number
        self.caller = Caller(
            socket,
            content_type=plan.content_type,
            accept=plan.accept,
            timeout=plan.timeout,
            retries=plan.retries,
            idle=plan.concurrency,
        )
        self.turns = asyncio.Semaphore(plan.concurrency)
        # Answers that wait for an earlier one do not keep a worker idle: twice as many are read as are asked.
        self.window = Window(2 * plan.concurrency, HELD)
        self.writers: set[asyncio.Task[None]] = set()


class Feeder:
    """Feeds every worker with the objects of one list, each worker taking the next object when it has read its last."""

    def __init__(self, plan: Plan, emit: Emit) -> None:
        self.plan = plan
        self.emit = emit
        self.total = Progress()
        self._outputs = Path(plan.outputs)
        self._processing = Processing(
            plan.processing, plan.content_type, plan.accept, split=plan.split != "None", moment=plan.moment
        )

    async def run(self) -> None:
        """Transform everything; failures of single objects are told and do not end it.

        Raises:
            OSError: Answers cannot be written.
        """
        inputs = load_inputs(Path(self.plan.inputs))
        reporter = asyncio.create_task(self._report())
        try:
            async with asyncio.TaskGroup() as group:
                for number, socket in enumerate(self.plan.sockets):
                    group.create_task(self._serve(Lane(number, self.plan, socket), inputs))
        except BaseExceptionGroup as error:
            raise error.exceptions[0] from error
        finally:
            reporter.cancel()
            self._tell()

    async def _serve(self, lane: Lane, inputs: Iterator[Input]) -> None:
        async with asyncio.TaskGroup() as writers:
            for item in inputs:
                await self._feed(lane, Work(item), writers)

    async def _feed(self, lane: Lane, work: Work, writers: asyncio.TaskGroup) -> None:
        """Read one object and send it; its answers are written while the next one is read."""
        writer = writers.create_task(self._write(lane, work))
        try:
            if self.plan.streams and work.item.size:
                await self._send_whole(lane, work)
            else:
                await self._send_batches(lane, work)
        except SplitError as error:
            work.queue.put_nowait(Failure(CLIENT, [str(error)]))
        except ReadError as error:
            work.queue.put_nowait(Failure(CLIENT, [str(error)]))
        finally:
            work.queue.put_nowait(None)
        if work.failed:
            await writer

    async def _send_batches(self, lane: Lane, work: Work) -> None:
        plan = self.plan
        with Source(Path(work.item.path), gzip=plan.gzip) as source:
            found = batches(source.chunks(), plan.split, limit=plan.limit, single=plan.single)
            while not work.failed:
                # A thread for the megabytes of a mini-batch; a single record is there before a thread is.
                batch = next(found, None) if plan.single else await asyncio.to_thread(next, found, None)
                if batch is None:
                    return
                try:
                    payload = await self._payload(batch)
                except ProcessingError as error:
                    work.queue.put_nowait(_unprocessed(error, batch))
                    return
                if len(payload) > plan.limit:
                    text = f"Too much data for max payload size. InputFilter makes {len(batch.data)} bytes {len(payload)}"
                    work.queue.put_nowait(Failure(CLIENT, [text, _place(batch)]))
                    return
                weight = len(payload) + (0 if payload is batch.data else len(batch.data))
                await lane.window.enter(weight)
                answer = asyncio.create_task(self._ask(lane, work, batch, payload))
                work.queue.put_nowait(Sent(batch, answer, weight, source.position))

    async def _payload(self, batch: Batch) -> bytes:
        if not self._processing.filters_input:
            return batch.data
        payload: bytes = await _aside(self._processing.payload, batch.data, size=len(batch.data))
        return payload

    async def _ask(self, lane: Lane, work: Work, batch: Batch, payload: bytes) -> bytes:
        async with lane.turns:
            if work.failed:
                return b""
            try:
                reply = await lane.caller.send(payload)
            except Failure as failure:
                failure.lines.append(_place(batch))
                raise
        return reply.body

    async def _send_whole(self, lane: Lane, work: Work) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            with Source(Path(work.item.path), gzip=self.plan.gzip) as source:
                found = source.chunks()
                while (piece := await asyncio.to_thread(next, found, None)) is not None:
                    yield piece

        async def ask() -> bytes:
            async with lane.turns:
                try:
                    return (await lane.caller.stream(pieces)).body
                except ReadError as error:
                    raise Failure(CLIENT, [str(error)]) from error

        await lane.window.enter(1)
        batch = Batch(b"", 1, 1, 0, work.item.size)
        work.queue.put_nowait(Sent(batch, asyncio.create_task(ask()), 1, work.item.size))

    async def _write(self, lane: Lane, work: Work) -> None:
        """Write one object's answers in order; at its end the file is told of, after a failure nothing is left."""
        output: Staged | None = None
        try:
            while (sent := await work.queue.get()) is not None:
                if isinstance(sent, Failure):
                    self._fail(lane, work, sent)
                    continue
                try:
                    answer = await sent.answer
                    if not work.failed:
                        output = output or Staged(self._outputs)
                        await self._store(output, sent.batch, answer)
                        self._count(work, sent)
                except Failure as failure:
                    self._fail(lane, work, failure)
                except ProcessingError as error:
                    self._fail(lane, work, _unprocessed(error, sent.batch))
                finally:
                    lane.window.leave(sent.weight)
            if work.failed:
                return
            output = output or Staged(self._outputs)
            output.close()
            self._finish(work, output)
            output = None
        finally:
            if output is not None:
                output.drop()

    async def _store(self, output: Staged, batch: Batch, answer: bytes) -> None:
        processing = self._processing
        if processing.changes_output:
            size = len(batch.data) + len(answer)
            answer = await _aside(processing.stored, batch.data, answer, size=size)
        elif self.plan.lines and not answer.endswith(b"\n"):
            answer += b"\n"
        await _aside(output.write, answer, size=len(answer))

    def _count(self, work: Work, sent: Sent) -> None:
        for progress in (work.done, self.total):
            progress.records += sent.batch.records
        # The last mini-batch of an object has read all of it, also what followed the last record.
        self.total.size += sent.position - work.done.size
        work.done.size = sent.position

    def _finish(self, work: Work, output: Staged) -> None:
        self.total.size += work.item.size - work.done.size
        self.emit(
            {
                "event": "done",
                "number": work.item.number,
                "output": work.item.output,
                "path": str(output.path),
                "size": output.size,
                "etag": output.md5.digest().hex(),
                "records": work.done.records,
                "bytes": work.item.size,
            }
        )

    def _fail(self, lane: Lane, work: Work, failure: Failure) -> None:
        if work.failed:
            return
        work.failed = True
        self.total.records -= work.done.records
        self.total.size += work.item.size - work.done.size
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        lines = [f"{stamp}:[sagemaker logs]: {work.item.name}: {line}" for line in failure.lines]
        self.emit(
            {
                "event": "failed",
                "number": work.item.number,
                "lane": lane.number,
                "kind": failure.kind,
                "lines": lines,
                "bytes": work.item.size,
            }
        )

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._tell()

    def _tell(self) -> None:
        self.emit({"event": "progress", "records": self.total.records, "bytes": self.total.size})


def _place(batch: Batch) -> str:
    """Where a mini-batch lies in its object, for whoever looks for the bad record."""
    last = batch.first + batch.records - 1
    records = f"record {batch.first}" if last == batch.first else f"records {batch.first} to {last}"
    return f"The request carried {records} of the object (bytes {batch.offset} to {batch.end})"


def _unprocessed(error: ProcessingError, batch: Batch) -> Failure:
    return Failure(CLIENT, [str(error), f"Record {batch.first + error.record} of the object", _place(batch)])


async def _aside(function: Callable[..., Any], *arguments: Any, size: int) -> Any:
    """Call it on a thread when it is worth one."""
    if size < _LARGE:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def _emit(event: dict[str, Any]) -> None:
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


async def _follow() -> None:
    """End when the engine does: whatever ends it, its end of the pipe is closed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    os._exit(1)


async def _main(plan: Plan) -> None:
    follower = asyncio.create_task(_follow())
    await Feeder(plan, _emit).run()
    follower.cancel()


def main() -> int:
    """Feed until every object is done; the exit status is 1 when answers cannot be written."""
    plan = Plan.load(Path(sys.argv[1]))
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    try:
        asyncio.run(_main(plan))
    except OSError as error:
        _emit({"event": "error", "message": str(error)})
        return 1
    _emit({"event": "end", "time": time.time()})
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)
