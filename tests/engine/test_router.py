"""The router's parts in process: the HTTP client against every way of splitting an answer, the pool, the choice of a variant."""

from __future__ import annotations

import asyncio
import math
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from engine.hosting.client import HELD, Pool, Protocol, Reply, Unreachable, Unsent, render
from engine.hosting.endpoint import Endpoint, Standing
from engine.hosting.fleet import Fleet

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Transport:
    """What the protocol needs of a transport."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def talk(chunks: list[bytes], *, end: bool = False) -> tuple[Reply | Exception, Protocol, _Transport]:
    """Send a request, feed these bytes, and return what came of it."""

    async def run() -> tuple[Reply | Exception, Protocol, _Transport]:
        protocol, transport = Protocol(), _Transport()
        protocol.connection_made(cast(asyncio.Transport, transport))
        waiter = protocol.send(b"request")
        for chunk in chunks:
            protocol.data_received(chunk)
        if end:
            protocol.connection_lost(None)
        try:
            return await asyncio.wait_for(waiter, 1), protocol, transport
        except (Unreachable, TimeoutError) as error:
            return error, protocol, transport

    return asyncio.run(run())


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a != b]


bodies = st.binary(max_size=300)
statuses = st.sampled_from([200, 201, 400, 415, 424, 500, 503])
cuts = st.lists(st.integers(0, 1000), max_size=12)


class TestParser:
    @given(statuses, bodies, cuts)
    def test_an_answer_with_a_length(self, status: int, body: bytes, where: list[int]) -> None:
        data = (
            b"HTTP/1.1 %d X\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
        )
        reply, protocol, transport = talk(split(data, where))
        assert reply == Reply(status, {"content-type": "a/b", "content-length": str(len(body))}, body)
        assert protocol.usable and not transport.closed

    @given(statuses, st.lists(st.binary(min_size=1, max_size=40), max_size=6), cuts)
    def test_a_chunked_answer(self, status: int, parts: list[bytes], where: list[int]) -> None:
        data = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status
        data += b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        reply, protocol, _ = talk(split(data, where))
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (status, b"".join(parts))
        assert protocol.usable

    @given(bodies, cuts)
    def test_a_body_that_ends_with_the_connection(self, body: bytes, where: list[int]) -> None:
        data = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n" + body
        reply, protocol, _ = talk(split(data, where), end=True)
        assert isinstance(reply, Reply)
        assert reply.body == body
        assert not protocol.usable

    @given(cuts)
    def test_an_interim_answer_is_passed_over(self, where: list[int]) -> None:
        data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        reply, _, _ = talk(split(data, where))
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (200, b"ok")

    @given(bodies, st.integers(1, 200))
    def test_an_answer_that_breaks_off_is_none(self, body: bytes, missing: int) -> None:
        data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + missing) + body
        reply, protocol, _ = talk([data], end=True)
        assert isinstance(reply, Unreachable)
        assert protocol.answered_any

    @given(st.binary(min_size=1, max_size=200), cuts)
    def test_any_bytes_end_in_an_answer_or_an_error(self, data: bytes, where: list[int]) -> None:
        reply, _, _ = talk(split(data, where), end=True)
        assert isinstance(reply, Reply | Unreachable)

    def test_a_connection_that_says_close_is_not_used_again(self) -> None:
        reply, protocol, transport = talk(
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
        )
        assert isinstance(reply, Reply)
        assert transport.closed and not protocol.usable

    def test_bytes_after_the_answer_spoil_the_connection(self) -> None:
        async def run() -> bool:
            protocol, transport = Protocol(), _Transport()
            protocol.connection_made(cast(asyncio.Transport, transport))
            protocol.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
            return transport.closed

        assert asyncio.run(run())

    @given(st.text(st.characters(max_codepoint=255), max_size=20))
    def test_a_header_never_becomes_two(self, value: str) -> None:
        try:
            data = render("POST", "/x", {"a": value}, b"body")
        except ValueError:
            assert "\r" in value or "\n" in value
        else:
            assert data.partition(b"\r\n\r\n")[0].count(b"\r\n") == 3


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server on a unix socket; its path."""
    with tempfile.TemporaryDirectory(prefix="rt") as folder:
        path = str(Path(folder) / "s")
        server = await asyncio.start_unix_server(handler, path)
        try:
            yield path
        finally:
            server.close()


REQUEST = render("GET", "/", {}, b"")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class TestPool:
    async def test_a_connection_is_used_again(self) -> None:
        connections = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(OK)

        async with serving(handler) as path:
            pool = Pool(path)
            for _ in range(5):
                assert (await pool.request(render("GET", "/", {}, b""), 5)).body == b"ok"
            assert connections == 1
            await asyncio.gather(*(pool.request(render("GET", "/", {}, b""), 5) for _ in range(4)))
            assert connections <= 4
            pool.close()

    @pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
    @pytest.mark.parametrize("read", [0, 10])
    def test_a_connection_that_was_closed_without_reading_the_request_is_replaced(
        self, read: int, run_loop: Callable[[Any], None]
    ) -> None:
        async def run(path: str) -> None:
            pool = Pool(path)
            assert (await pool.request(REQUEST, 5)).body == b"ok"
            if not read:
                closing.set()
                closed.wait(5)  # the loop stands still: the client has not seen the end yet
            assert (await pool.request(REQUEST, 5)).body == b"ok"
            pool.close()

        closing, closed = threading.Event(), threading.Event()
        with tempfile.TemporaryDirectory(prefix="rt") as folder:
            path = str(Path(folder) / "s")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen()

                def serve() -> None:
                    first, _ = listener.accept()
                    first.recv(65536)
                    first.sendall(OK)
                    if read:
                        first.recv(read)
                    else:
                        closing.wait(5)
                    first.close()
                    closed.set()
                    second, _ = listener.accept()
                    second.recv(65536)
                    second.sendall(OK)
                    second.close()

                thread = threading.Thread(target=serve)
                thread.start()
                run_loop(run(path))
                thread.join(5)

    async def test_a_request_that_was_read_is_never_sent_again(self) -> None:
        connections = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        async with serving(handler) as path:
            pool = Pool(path)
            assert (await pool.request(REQUEST, 5)).body == b"ok"
            with pytest.raises(Unreachable) as caught:
                await pool.request(REQUEST, 5)
            assert not isinstance(caught.value, Unsent)
            assert connections == 1

    async def test_a_new_connection_that_is_closed_is_not_tried_again(self) -> None:
        connections = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        async with serving(handler) as path:
            with pytest.raises(Unreachable):
                await Pool(path).request(render("GET", "/", {}, b""), 5)
            assert connections == 1

    async def test_a_half_answer_is_not_asked_for_again(self) -> None:
        requests = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            while True:
                await reader.readuntil(b"\r\n\r\n")
                requests += 1
                if requests == 2:
                    writer.write(OK[:-1])
                    await writer.drain()
                    writer.close()
                    return
                writer.write(OK)

        async with serving(handler) as path:
            pool = Pool(path)
            await pool.request(render("GET", "/", {}, b""), 5)
            with pytest.raises(Unreachable):
                await pool.request(render("GET", "/", {}, b""), 5)
            assert requests == 2

    async def test_an_answer_that_never_comes(self) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with serving(handler) as path:
            with pytest.raises(TimeoutError):
                await Pool(path).request(render("GET", "/", {}, b""), 0.05)

    async def test_nobody_listens(self) -> None:
        with pytest.raises(Unsent):
            await Pool("/nonexistent/socket").request(render("GET", "/", {}, b""), 5)


def fleet(weights: dict[str, float], name: str = "config") -> Fleet:
    variants: dict[str, Any] = {each: SimpleNamespace(name=each, label=f"{name}/{each}") for each in weights}
    return Fleet(name, {}, variants, weights)


class TestIncoming:
    async def test_pieces_come_as_they_are_written(self) -> None:
        more = asyncio.Event()

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n"
            )
            await more.wait()
            writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

        async with serving(handler) as path:
            incoming = await Pool(path).open(REQUEST, 5)
            assert (incoming.status, incoming.headers["content-type"]) == (200, "a/b")
            seen = []
            async for piece in incoming.chunks(time.monotonic() + 5):
                seen.append(piece)
                more.set()
            assert seen == [b"one", b"two"]

    @pytest.mark.parametrize("end", [b"3\r\ntwo\r\n0\r\n\r\n", b""])
    async def test_a_slow_reader_holds_the_container_up(self, end: bytes) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(80):
                writer.write(b"%x\r\n%b\r\n" % (2**16, bytes(2**16)))
                await writer.drain()
            writer.write(end)
            writer.close()

        async with serving(handler) as path:
            incoming = await Pool(path).open(REQUEST, 5)
            size = 0
            try:
                async for piece in incoming.chunks(time.monotonic() + 20):
                    size += len(piece)
                    assert incoming._size <= 2 * HELD
                    await asyncio.sleep(0)
                assert end and size == 80 * 2**16 + 3
            except Unreachable:
                assert not end and size == 80 * 2**16

    async def test_an_answer_that_breaks_off_or_stalls(self) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"never" in head:
                await reader.read()
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
            if b"break" in head:
                writer.close()
            else:
                await reader.read()

        async with serving(handler) as path:
            for word, error in (("break", Unreachable), ("stall", TimeoutError)):
                incoming = await Pool(path).open(render("GET", f"/{word}", {}, b""), 5)
                seen = b""
                with pytest.raises(error):
                    async for piece in incoming.chunks(time.monotonic() + 0.2):
                        seen += piece
                assert seen == b"half"
                incoming.close()
            with pytest.raises(TimeoutError):
                await Pool(path).open(render("GET", "/never", {}, b""), 0.05)


class TestChoice:
    def endpoint(self, weights: dict[str, float]) -> Endpoint:
        endpoint = Endpoint(cast(Any, None), "e", Path("/nonexistent"), Path("/nonexistent"))
        endpoint.standing = [Standing(fleet(weights), 1.0)]
        return endpoint

    @staticmethod
    def label(variant: Any) -> str:
        return str(variant.label)

    @pytest.mark.parametrize(
        "weights", [{"A": 1.0, "B": 1.0}, {"A": 9.0, "B": 1.0}, {"A": 0.1, "B": 0.2, "C": 0.7}]
    )
    def test_shares_follow_the_weights(self, weights: dict[str, float]) -> None:
        endpoint, rng, count = self.endpoint(weights), random.Random(7), 20_000
        seen = Counter(picked.name for _ in range(count) if (picked := endpoint.pick(rng)))
        for name, weight in weights.items():
            share = weight / sum(weights.values())
            assert abs(seen[name] - count * share) < 4 * math.sqrt(count * share * (1 - share))

    def test_the_same_seed_makes_the_same_choices(self) -> None:
        endpoint = self.endpoint({"A": 1.0, "B": 2.0})
        first, second = random.Random(3), random.Random(3)
        assert [endpoint.pick(first) for _ in range(50)] == [endpoint.pick(second) for _ in range(50)]

    def test_weight_zero_is_never_chosen(self) -> None:
        rng = random.Random(1)
        endpoint = self.endpoint({"A": 0.0, "B": 1.0})
        assert {picked.name for _ in range(50) if (picked := endpoint.pick(rng))} == {"B"}
        assert self.endpoint({"A": 0.0}).pick(rng) is None

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
    def test_green_gets_its_share_and_its_weights_hold_within_it(self, share: float) -> None:
        endpoint, rng, count = self.endpoint({"A": 1.0, "B": 1.0}), random.Random(11), 20_000
        endpoint.green, endpoint.share = fleet({"A": 3.0, "C": 1.0}, "green"), share
        seen = Counter(self.label(endpoint.pick(rng)) for _ in range(count))
        wanted = {
            "config/A": 0.5 * (1 - share), "config/B": 0.5 * (1 - share),
            "green/A": 0.75 * share, "green/C": 0.25 * share,
        }  # fmt: skip
        for name, part in wanted.items():
            assert abs(seen[name] - count * part) <= 4 * math.sqrt(count * part * (1 - part))

    def test_a_target_is_served_by_the_fleet_that_the_split_chooses(self) -> None:
        endpoint, rng = self.endpoint({"A": 1.0, "B": 1.0}), random.Random(5)
        endpoint.green, endpoint.share = fleet({"A": 1.0, "C": 1.0}, "green"), 0.25
        seen = Counter(self.label(endpoint.find("A", rng)) for _ in range(4000))
        assert abs(seen["green/A"] - 1000) < 4 * math.sqrt(4000 * 0.25 * 0.75)
        # What only one of the two has stays reachable, whatever the split says.
        assert {self.label(endpoint.find("B", rng)) for _ in range(50)} == {"config/B"}
        assert {self.label(endpoint.find("C", rng)) for _ in range(50)} == {"green/C"}
        assert endpoint.find("Z", rng) is None

    def test_two_standing_fleets_keep_their_shares_of_what_green_leaves(self) -> None:
        endpoint, rng, count = self.endpoint({"A": 1.0}), random.Random(2), 20_000
        endpoint.standing = [Standing(fleet({"A": 1.0}), 0.25), Standing(fleet({"A": 1.0}, "stuck"), 0.75)]
        endpoint.green, endpoint.share = fleet({"A": 1.0}, "green"), 0.2
        seen = Counter(self.label(endpoint.pick(rng)) for _ in range(count))
        for name, part in {"config/A": 0.2, "stuck/A": 0.6, "green/A": 0.2}.items():
            assert abs(seen[name] - count * part) <= 4 * math.sqrt(count * part * (1 - part))
