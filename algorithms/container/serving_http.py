"""A small HTTP/1.1 server for one model: asyncio with httptools, predictions on threads so that ``/ping`` always answers."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol, cast

import httptools

from algorithms.container.serving import Reply, Servant

MAX_BODY = 110 * 2**20
"""Batch transform sends up to 100 MB at a time."""

log = logging.getLogger("serving")

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Invocation(NamedTuple):
    """One request as it was received; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class Sink(Protocol):
    """Where an answer goes; called on the event loop, but for `ready`."""

    def done(self, reply: Reply) -> None:
        """Send a whole answer."""
        ...

    def begin(self, reply: Reply) -> None:
        """Send the head of an answer in parts."""
        ...

    def part(self, data: bytes) -> None:
        """Send one of them."""
        ...

    def end(self, *, whole: bool) -> None:
        """There are no more; not ``whole``: the answer broke off."""
        ...

    def ready(self) -> bool:
        """Wait (in the predicting thread) until more may be sent; False when nobody reads it."""
        ...


class Predictor:
    """Threads that answer invocations in the order they came."""

    def __init__(self, model: Servant, workers: int) -> None:
        self._model = model
        self._queue: queue.SimpleQueue[tuple[Invocation, Sink]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self.waiting = 0
        for number in range(workers):
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True).start()

    def submit(self, invocation: Invocation, sink: Sink) -> None:
        """Answer an invocation."""
        self.waiting += 1
        self._queue.put((invocation, sink))

    def _work(self) -> None:
        while True:
            invocation, sink = self._queue.get()
            reply = self._model.answer(invocation.body, invocation.headers)
            if reply.parts is None:
                self._loop.call_soon_threadsafe(self._finish, sink.done, reply)
            else:
                self._stream(reply, reply.parts, sink)

    def _stream(self, reply: Reply, parts: Iterator[bytes], sink: Sink) -> None:
        """Send what a generator yields as it yields it; an error in it breaks the answer off, for its status was sent."""
        post = self._loop.call_soon_threadsafe
        post(sink.begin, reply)
        whole = True
        try:
            for part in parts:
                if part:
                    post(sink.part, part)
                if not sink.ready():
                    break
        except Exception:
            log.exception("The answer broke off.")
            whole = False
        post(self._finish, lambda ended: sink.end(whole=ended), whole)

    def _finish(self, done: Callable[[Any], None], what: Any) -> None:
        self.waiting -= 1
        done(what)


class _Answer:
    """The answer to one invocation on its connection."""

    def __init__(self, connection: Connection, keep_alive: bool) -> None:
        self._connection = connection
        self._keep_alive = keep_alive

    def done(self, reply: Reply) -> None:
        self._connection.send(reply, self._keep_alive)

    def begin(self, reply: Reply) -> None:
        self._connection.write(render(reply, self._keep_alive))

    def part(self, data: bytes) -> None:
        self._connection.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self, *, whole: bool) -> None:
        if whole:
            self._connection.write(b"0\r\n\r\n")
        self._connection.next(self._keep_alive and whole)

    def ready(self) -> bool:
        return self._connection.ready()


class Connection(asyncio.Protocol):
    """One keep-alive connection: requests are answered one after another."""

    def __init__(self, model: Servant, predictor: Predictor, workers: int) -> None:
        self._model = model
        self._predictor = predictor
        self._workers = workers
        self._parser = httptools.HttpRequestParser(self)
        self._pending: deque[Invocation] = deque()
        self._busy = False
        self._closed = False
        self._transport: asyncio.Transport | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._reset()

    def _reset(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        self._transport = None
        self._flowing.set()

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()

    def ready(self) -> bool:
        """Wait until the peer reads; False when it has gone. Called from the predicting threads."""
        self._flowing.wait()
        return not self._closed

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "Upgrade is not supported.")
        except httptools.HttpParserError as error:
            self._refuse(400, f"Malformed HTTP request: {error}")

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY:
            self._parts.clear()
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._size > MAX_BODY:
            self._refuse(413, f"The request body exceeds {MAX_BODY} bytes.")
            return
        parts = self._parts
        invocation = Invocation(
            self._parser.get_method().decode("latin-1"),
            self._path.partition(b"?")[0].decode("latin-1"),
            self._headers,
            parts[0] if len(parts) == 1 else b"".join(parts),
            bool(self._parser.should_keep_alive()),
        )
        self._reset()
        if self._busy:
            self._pending.append(invocation)
        else:
            self._handle(invocation)

    def _handle(self, invocation: Invocation) -> None:
        self._busy = True
        if invocation.path == "/invocations":
            if invocation.method == "POST":
                self._predictor.submit(invocation, _Answer(self, invocation.keep_alive))
                return
            reply = Reply(405, b"Method Not Allowed", "text/plain", {"allow": "POST"})
        elif invocation.path == "/ping":
            reply = Reply(200, b"", "application/json")
        elif invocation.path == "/execution-parameters":
            reply = self._model.execution_parameters(self._workers)
        else:
            reply = Reply(404, b"Not Found", "text/plain")
        self.send(reply, invocation.keep_alive)

    def send(self, reply: Reply, keep_alive: bool) -> None:
        """Send a whole answer and go on with the next request."""
        self.write(render(reply, keep_alive))
        self.next(keep_alive)

    def write(self, data: bytes) -> None:
        """Send, if the peer is still there."""
        if self._transport is not None:
            self._transport.write(data)

    def next(self, keep_alive: bool) -> None:
        """An answer was sent: the next request, or the end."""
        self._busy = False
        if self._closed or self._transport is None:
            return
        if not keep_alive:
            self._transport.close()
        elif self._pending:
            self._handle(self._pending.popleft())

    def _refuse(self, status: int, message: str) -> None:
        if self._transport is not None:
            self._transport.write(render(Reply(status, message.encode(), "text/plain"), False))
            self._transport.close()


def render(reply: Reply, keep_alive: bool) -> bytes:
    """A reply as HTTP/1.1, one in parts up to the first of them; line breaks in header values become spaces."""
    length = f"content-length: {len(reply.body)}" if reply.parts is None else "transfer-encoding: chunked"
    head = (
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n"
        f"content-type: {_clean(reply.content_type)}\r\n{length}\r\n"
    )
    for name, value in reply.headers.items():
        head += f"{_clean(name)}: {_clean(value)}\r\n"
    if not keep_alive:
        head += "connection: close\r\n"
    return head.encode("latin-1", "replace") + b"\r\n" + reply.body


def _clean(value: str) -> str:
    if "\r" in value or "\n" in value:
        return " ".join(value.split())
    return value
