"""One asynchronous invocation: its input read from S3, its answer or its failure written there."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.hosting import answers
from engine.hosting.client import Pool, Reply, Unreachable, Unsent, render_head
from engine.hosting.variant import BODY_LIMIT
from engine.objects import DEFAULT_TYPE

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.variant import Variant
    from engine.hosting.worker import Worker

MAX_ANSWER = 512 * 2**20
"""Bytes of an answer, which is held in memory."""
MAX_INPUT = 2**30
PIECE = 256 * 2**10
ATTEMPTS = 3
"""How often a request is given to a worker that dies of it, or is killed while it has it."""
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request as it is stored: what goes in, where the answer goes, until when.

    ``source`` is (bucket, key), or None for an inline body. Times are epoch seconds, ``timeout`` seconds. ``failure`` is None where
    failures are only logged.
    """

    inference_id: str
    source: tuple[str, str] | None
    body: bytes
    headers: Mapping[str, str]
    output: tuple[str, str]
    failure: tuple[str, str] | None
    received: float
    expires: float
    timeout: float

    def document(self) -> dict[str, Any]:
        """As the store keeps it."""
        return {
            "InferenceId": self.inference_id,
            "Source": self.source,
            "Body": base64.b64encode(self.body).decode(),
            "Headers": dict(self.headers),
            "Output": self.output,
            "Failure": self.failure,
            "Received": self.received,
            "Expires": self.expires,
            "Timeout": self.timeout,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Ticket:
        """From the store."""
        source, failure = document["Source"], document["Failure"]
        return cls(
            inference_id=document["InferenceId"],
            source=(source[0], source[1]) if source else None,
            body=base64.b64decode(document["Body"]),
            headers=document["Headers"],
            output=(document["Output"][0], document["Output"][1]),
            failure=(failure[0], failure[1]) if failure else None,
            received=document["Received"],
            expires=document["Expires"],
            timeout=document["Timeout"],
        )


class Failed(Exception):
    """The request has no answer: the metric that counts it, and what the failure object says."""

    def __init__(self, metric: str, text: str) -> None:
        super().__init__(text)
        self.metric = metric
        self.text = text


class Delivery:
    """Carries one request through; afterwards its answer or its failure is stored, and who asked is told as far as that is possible."""

    def __init__(self, engine: Engine, endpoint: Endpoint, ticket: Ticket) -> None:
        self._engine = engine
        self._endpoint = endpoint
        self._ticket = ticket
        # Of the worker that had the request last.
        self._variant = next(iter(endpoint.variants), "")
        self._stream = f"{self._variant}/data-log"

    async def run(self) -> None:
        """Answer the request. Breaking it off leaves it as if it had not begun."""
        ticket = self._ticket
        began = self._engine.clock.time()
        try:
            reply = await self._answer()
            await self._store(reply)
        except Exception as error:
            problem = error
            if not isinstance(problem, Failed):
                log.exception("An asynchronous request of endpoint %s failed.", self._endpoint.name)
                problem = Failed(
                    "InvocationFailures", "The request failed; the traceback is in the engine's log."
                )
            self._count(problem.metric, 1.0)
            await self._fail(problem.text)
            self._notify("ErrorTopic")
            return
        now = self._engine.clock.time()
        # AWS's own spelling.
        self._count("InvocationsProcesssed", 1.0)
        self._count("TimeInBacklog", 1000 * (began - ticket.received), "Milliseconds")
        self._count("TotalProcessingTime", 1000 * (now - ticket.received), "Milliseconds")
        self._notify("SuccessTopic")

    async def _answer(self) -> Reply:
        """The container's answer, 2xx.

        Raises:
            Failed: There is none.
        """
        tried = 0
        while True:
            variant, worker = await self._worker()
            self._variant = variant.name
            self._stream = f"{worker.instance.stream}/data-log"
            began = time.perf_counter()
            try:
                reply = await asyncio.wait_for(self._ask(worker), self._ticket.timeout)
            except Unsent:
                await asyncio.sleep(0.05)
                continue
            except Unreachable as problem:
                tried += 1
                if tried < ATTEMPTS:
                    await asyncio.sleep(0.05)
                    continue
                text = answers.refusal(0, f"The container did not answer: {problem}.")
                raise Failed("InvocationFailures", text) from problem
            except TimeoutError as problem:
                text = answers.refusal(0, answers.TIMED_OUT)
                raise Failed("InvocationFailures", text) from problem
            finally:
                variant.release(worker)
            self._count("ModelLatency", 1e6 * (time.perf_counter() - began), "Microseconds")
            if not 200 <= reply.status < 300:
                raise Failed("InvocationFailures", answers.refusal(reply.status, answers.text(reply.body)))
            return reply

    async def _worker(self) -> tuple[Variant, Worker]:
        """A worker that has room; waits for one until the request expires.

        Raises:
            Failed: It expired.
        """
        router = self._engine.hosting.router
        while True:
            left = self._ticket.expires - self._engine.clock.time()
            if left <= 0:
                raise Failed("ExpiredRequests", "The request expired in the queue (RequestTTLSeconds).")
            variant = self._endpoint.pick(router.rng)
            if variant is not None:
                self._variant = variant.name
                try:
                    # Not for long at a time: an update may put another fleet in the place of this one.
                    deadline = time.perf_counter() + min(left, RETRY_SECONDS)
                    return variant, await router.acquire(self._endpoint, variant, deadline)
                except ServiceError:
                    pass
            await asyncio.sleep(min(left, RETRY_SECONDS))

    async def _ask(self, worker: Worker) -> Reply:
        ticket = self._ticket
        headers = dict(ticket.headers)
        pool = Pool(str(worker.socket), idle=0, limit=MAX_ANSWER)
        if ticket.source is None:
            headers["content-length"] = str(len(ticket.body))
            return await pool.request(_head(headers), ticket.timeout, ticket.body)
        began = time.perf_counter()
        found = await asyncio.to_thread(self._engine.objects.open, *ticket.source)
        where = f"s3://{ticket.source[0]}/{ticket.source[1]}"
        if found is None:
            raise Failed(
                "RequestDownloadFailures",
                f"Failed to download the request payload from {where}: there is no such object.",
            )
        info, descriptor = found
        try:
            if info.size > MAX_INPUT:
                raise Failed(
                    "RequestDownloadFailures", f"The request payload {where} exceeds {MAX_INPUT} bytes."
                )
            if "content-type" not in headers and info.content_type != DEFAULT_TYPE:
                headers["content-type"] = info.content_type
            headers["content-length"] = str(info.size)
            self._count("RequestDownloadLatency", 1e6 * (time.perf_counter() - began), "Microseconds")
            return await pool.stream(_head(headers), _pieces(descriptor), ticket.timeout, chunked=False)
        finally:
            os.close(descriptor)

    async def _capture(self, variant: Variant, reply: Reply) -> None:
        """Keep the request as a real-time one is kept, unless its input or its answer is larger than such a one may be."""
        capture = variant.fleet.capture
        if capture is None or len(reply.body) > BODY_LIMIT:
            return
        if not capture.chosen(self._engine.hosting.router.rng):
            return
        body, headers = self._ticket.body, dict(self._ticket.headers)
        if self._ticket.source is not None:
            info = self._engine.objects.find(*self._ticket.source)
            if info is None or info.size > BODY_LIMIT:
                return
            headers.setdefault("content-type", info.content_type)
            body = await asyncio.to_thread(info.path.read_bytes)
        event = capture.begin(headers, body)
        event.keep(variant.name, reply.headers.get("content-type", ""), reply.body)

    async def _store(self, reply: Reply) -> None:
        bucket, key = self._ticket.output
        kind = reply.headers.get("content-type", DEFAULT_TYPE)
        began = time.perf_counter()
        try:
            await asyncio.to_thread(self._engine.objects.put_bytes, bucket, key, reply.body, kind)
        except (ServiceError, OSError) as error:
            text = error.message if isinstance(error, ServiceError) else str(error)
            raise Failed(
                "ResponseUploadFailures", f"Failed to upload the response to s3://{bucket}/{key}: {text}."
            ) from error
        self._count("ResponseUploadLatency", 1e6 * (time.perf_counter() - began), "Microseconds")

    async def _fail(self, text: str) -> None:
        self._log(text)
        if self._ticket.failure is None:
            return
        bucket, key = self._ticket.failure
        try:
            await asyncio.to_thread(self._engine.objects.put_bytes, bucket, key, text.encode(), "text/plain")
        except (ServiceError, OSError) as error:
            self._log(f"The failure could not be stored in s3://{bucket}/{key}: {error}.")

    def _notify(self, topic: str) -> None:
        """There is no SNS here: the log says what would have been told to whom."""
        config = self._endpoint.blue.config.get("AsyncInferenceConfig") or {}
        arn = (config.get("OutputConfig", {}).get("NotificationConfig") or {}).get(topic)
        if arn:
            self._count("NotificationFailures", 1.0)
            self._log(f"The notification to {arn} was not delivered: this engine has no SNS.")

    def _log(self, text: str) -> None:
        now = self._engine.clock.time()
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        line = f"{stamp}:[sagemaker logs] [{self._ticket.inference_id}] {text}"
        group = f"/aws/sagemaker/Endpoints/{self._endpoint.name}"
        try:
            self._engine.logs.append(group, self._stream, [(int(now * 1000), line)])
        except Exception:
            log.exception("What became of an asynchronous request could not be logged.")

    def _count(self, metric: str, value: float, unit: str = "None") -> None:
        self._engine.hosting.meters.note(self._endpoint.name, self._variant, metric, value, unit)


def _head(headers: dict[str, str]) -> bytes:
    return render_head("POST", "/invocations", headers)


async def _pieces(descriptor: int) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(os.read, descriptor, PIECE):
        yield piece
