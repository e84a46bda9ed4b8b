"""A minimal HTTP/1.1 client over unix sockets: keep-alive connections in a pool, answers whole or as they come."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple, cast

import httptools

MAX_REPLY = 64 * 2**20
"""A reply longer than this is refused; SageMaker itself ends at 6 MB, batch transform's containers at 100."""
HELD = 2**20
"""Bytes of an answer in pieces that are held for a slow reader before the container has to wait."""


class Reply(NamedTuple):
    """A container's answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Unreachable(Exception):
    """The container did not accept a connection, or closed it before it had answered."""


class Unsent(Unreachable):
    """The container cannot have had the whole request, so that sending it again repeats nothing.

    There was no connection, or it was closed with bytes unread: a unix socket whose owner closes it (or dies) before it has read
    everything answers with ECONNRESET or EPIPE, after that with a plain end (Linux, ``unix_release_sock``).
    """


_UNREAD = (ConnectionResetError, BrokenPipeError)


class Protocol(asyncio.Protocol):
    """One connection: at most one request at a time, its reply a future."""

    def __init__(self, limit: int = MAX_REPLY) -> None:
        self.transport: asyncio.Transport | None = None
        self.answered_any = False
        self._limit = limit
        self._flowing: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.on_message_begin()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self.transport is not None and not self.transport.is_closing() and self._waiter is None

    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def send(self, data: bytes, body: bytes = b"") -> asyncio.Future[Reply]:
        """Write a whole request, in two pieces when that saves a copy; the future ends with the reply or with `Unreachable`."""
        assert self.transport is not None and self._waiter is None
        self._waiter = asyncio.get_running_loop().create_future()
        self.answered_any = False
        self.transport.write(data)
        if body:
            self.transport.write(body)
        return self._waiter

    async def write(self, data: bytes) -> None:
        """Send more of a request's body; waits while the container does not read."""
        if self.transport is None:
            raise Unreachable("the container closed the connection before it had the whole request")
        self.transport.write(data)
        if self._flowing is not None:
            await self._flowing

    def pause_writing(self) -> None:
        self._flowing = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        flowing, self._flowing = self._flowing, None
        if flowing is not None and not flowing.done():
            flowing.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            # Bytes nobody asked for: the connection cannot be trusted any more.
            self.close()
            return
        self.answered_any = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(Unreachable("the container switched protocols"))
        except httptools.HttpParserError as error:
            self._fail(Unreachable(f"the container's answer is not HTTP: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._limit:
            self._fail(Unreachable(f"the container's answer exceeds {self._limit} bytes"))
            return
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return
        self._finish(status, self._parser.should_keep_alive())

    def _finish(self, status: int, keep_alive: bool) -> None:
        waiter, self._waiter = self._waiter, None
        parts = self._parts
        reply = Reply(status, self._headers, parts[0] if len(parts) == 1 else b"".join(parts))
        if not keep_alive:
            self.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(reply)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self.resume_writing()
        if self._waiter is None:
            return
        headers = self._headers
        if (
            self.answered_any
            and error is None
            and "content-length" not in headers
            and "chunked" not in headers.get("transfer-encoding", "")
            and headers
        ):
            # A body that ends with the connection (RFC 9112 §6.3).
            self._finish(self._parser.get_status_code(), True)
            return
        self._fail(self._broken(error))

    def _broken(self, error: Exception | None) -> Unreachable:
        if isinstance(error, _UNREAD) and not self.answered_any:
            return Unsent("the container closed the connection before it had read the request")
        return Unreachable("the container closed the connection before it had answered")

    def close(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.close()

    def _fail(self, error: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        self.close()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)


class Incoming(Protocol):
    """An answer that is read as it comes; ``status`` and ``headers`` are there once it has begun."""

    def __init__(self, limit: int = MAX_REPLY) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None
        super().__init__(limit)

    async def began(self) -> None:
        """Wait for the head.

        Raises:
            Unreachable: There will be none.
        """
        while not self.status:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()

    async def chunks(self, deadline: float) -> AsyncIterator[bytes]:
        """The body in the pieces that the container wrote, as far as they arrived one by one.

        Args:
            deadline: `time.monotonic` of when the last piece must be there.

        Raises:
            Unreachable: The container broke off.
            TimeoutError: It did not end in time.
        """
        while True:
            if self._parts:
                parts, self._parts, self._size = self._parts, [], 0
                if self.transport is not None:
                    self.transport.resume_reading()
                for part in parts:
                    yield part
            elif self._ended:
                return
            elif self._error is not None:
                raise self._error
            else:
                self._changed.clear()
                await asyncio.wait_for(self._changed.wait(), max(0.0, deadline - time.monotonic()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self.headers, self.status = self._headers, status
            self._changed.set()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)
        self._size += len(body)
        if self._size > HELD and self.transport is not None:
            self.transport.pause_reading()
        self._changed.set()

    def _finish(self, status: int, keep_alive: bool) -> None:
        self._ended = True
        self._end(None)
        self.close()

    def _fail(self, error: Exception) -> None:
        self._end(error)
        self.close()

    def _end(self, error: Exception | None) -> None:
        waiter, self._waiter = self._waiter, None
        self._error = self._error or error
        if waiter is not None:
            waiter.cancel()
        self._changed.set()


class Pool:
    """Connections to one container.

    Args:
        idle: How many are kept open.
        limit: Bytes that an answer may have.
    """

    def __init__(self, path: str, idle: int = 32, limit: int = MAX_REPLY) -> None:
        self.path = path
        self._idle: deque[Protocol] = deque()
        self._kept = idle
        self._limit = limit

    async def request(self, data: bytes, timeout: float, body: bytes = b"") -> Reply:
        """Send a request (its body apart, when it is large) and wait for its reply.

        A pooled connection that the container had closed is replaced by a new one, once.

        Raises:
            Unsent: The container cannot have had the request.
            Unreachable: The connection ended before the answer was complete; the container may have done the work.
            TimeoutError: No complete answer within ``timeout`` seconds.
        """
        pooled = self._take()
        if pooled is not None:
            try:
                return await self._exchange(pooled, data, timeout, body)
            except Unsent:
                pass
        return await self._exchange(await self._connect(), data, timeout, body)

    async def stream(
        self, head: bytes, body: AsyncIterable[bytes], timeout: float, *, chunked: bool = True
    ) -> Reply:
        """Send a request whose body comes in pieces; it cannot be sent again.

        Args:
            head: From `render_head`, with ``transfer-encoding: chunked``, or with the length when not ``chunked``.
            timeout: Seconds that the container may take for one piece, and for its answer after the last.

        Raises:
            Unreachable: No connection, or it ended before the answer was complete.
            TimeoutError: The container was slower than ``timeout``.
        """
        protocol = await self._connect()
        waiter = protocol.send(head)
        try:
            async for piece in body:
                if waiter.done():
                    break  # It answered without reading on.
                framed = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
                await asyncio.wait_for(protocol.write(framed), timeout)
            if chunked and not waiter.done():
                await protocol.write(b"0\r\n\r\n")
        except Unreachable:
            # It may have answered, and closed the connection, without reading on.
            if not waiter.done():
                raise
        except BaseException:
            protocol.close()
            raise
        try:
            return await asyncio.wait_for(waiter, timeout)
        finally:
            protocol.close()

    async def open(self, data: bytes, timeout: float) -> Incoming:
        """Send a request and wait for the head of its answer, whose body is read as it comes.

        Raises:
            Unsent: The container cannot have had the request.
            Unreachable: The connection ended before the answer began.
            TimeoutError: No head within ``timeout`` seconds.
        """
        protocol = await self._connect(Incoming)
        assert isinstance(protocol, Incoming)
        protocol.send(data)
        try:
            await asyncio.wait_for(protocol.began(), timeout)
        except BaseException:
            protocol.close()
            raise
        return protocol

    def close(self) -> None:
        """Drop the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Protocol | None:
        while self._idle:
            found = self._idle.pop()
            if found.usable:
                return found
        return None

    async def _connect(self, kind: type[Protocol] = Protocol) -> Protocol:
        try:
            _, protocol = await asyncio.get_running_loop().create_unix_connection(
                lambda: kind(self._limit), self.path
            )
        except OSError as error:
            raise Unsent(f"the container does not listen: {error}") from error
        return protocol

    async def _exchange(self, protocol: Protocol, data: bytes, timeout: float, body: bytes) -> Reply:
        loop = asyncio.get_running_loop()
        waiter = protocol.send(data, body)
        # A plain timer costs a third of asyncio.timeout's context manager.
        timer = loop.call_later(timeout, _expire, waiter)
        try:
            reply = await waiter
        except BaseException:
            protocol.close()
            raise
        finally:
            timer.cancel()
        if protocol.usable and len(self._idle) < self._kept:
            self._idle.append(protocol)
        else:
            protocol.close()
        return reply


def _expire(waiter: asyncio.Future[Reply]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def render(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request as HTTP/1.1; headers are Latin-1 as they came.

    Raises:
        ValueError: A line break in a header, or a character beyond Latin-1.
    """
    return render_head(method, path, {"content-length": str(len(body)), **headers}) + body


def render_head(method: str, path: str, headers: dict[str, str]) -> bytes:
    """A request up to its body, whose length or encoding the headers tell.

    Raises:
        ValueError: A line break in a header, or a character beyond Latin-1.
    """
    lines = [f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n"]
    for name, value in headers.items():
        lines.append(f"{name}: {value}\r\n")
    head = "".join(lines)
    if head.count("\n") != len(headers) + 2 or head.count("\r") != len(headers) + 2:
        raise ValueError("a header value must not contain line breaks")
    return head.encode("latin-1") + b"\r\n"
