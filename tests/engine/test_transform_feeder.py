"""The feeder by itself, against a server that answers in any order, fails at times and never forgets what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.transforms import exchange, plan
from engine.transforms.feeder import Feeder
from engine.transforms.plan import Input, Plan, save_inputs

UNIT = 64
"""Bytes that stand for a MB here."""

line = st.text("abcdef", max_size=20)
objects = st.lists(st.lists(line, max_size=20), min_size=1, max_size=5)


class Server:
    """A container on a unix socket: upper-cases what it is sent after a while, refuses lines with x, breaks now and then.

    Args:
        breaks: The share of requests that end with 503 or a closed connection.
    """

    def __init__(self, rng: random.Random, breaks: float = 0.0) -> None:
        self.rng = rng
        self.breaks = breaks
        self.inside = self.most_inside = 0
        self.payloads: list[bytes] = []

    @contextlib.asynccontextmanager
    async def serve(self, path: str) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._connection, path)
        try:
            yield
        finally:
            server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The feeder leaves its connections open; they end with the loop.
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(row.split(": ", 1) for row in head.split("\r\n")[1:] if row)
                body = await self._body(reader, fields)
                if head.startswith("GET /ping"):
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    continue
                self.inside += 1
                self.most_inside = max(self.most_inside, self.inside)
                self.payloads.append(body)
                await asyncio.sleep(self.rng.random() * 0.002)
                self.inside -= 1
                if self.rng.random() < self.breaks:
                    if self.rng.random() < 0.5:
                        writer.close()
                        return
                    writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
                elif b"x" in body:
                    writer.write(b"HTTP/1.1 400 Bad\r\ncontent-length: 5\r\n\r\nno x!")
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body.upper())
        writer.close()

    async def _body(self, reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(fields.get("content-length", 0)))
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return b"".join(parts)


async def feed(
    folder: Path, contents: list[bytes], servers: list[Server], **changes: Any
) -> tuple[dict[int, bytes], list[dict[str, Any]]]:
    """Transform these objects; results by number, and all events."""
    items = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.csv"
        path.write_bytes(content)
        items.append(Input(number, f"bucket/{number}.csv", str(path), len(content), f"{number}.csv.out"))
    save_inputs(folder / "inputs", iter(items))
    (folder / "out").mkdir()
    sockets = [str(folder / f"s{number}") for number in range(len(servers))]
    wanted: dict[str, Any] = {
        "inputs": str(folder / "inputs"), "outputs": str(folder / "out"), "sockets": sockets, "content_type": "text/csv", "accept": "",
        "split": "Line", "single": False, "gzip": False, "lines": True, "concurrency": 3, "payload_mb": 1, "timeout": 20.0, "retries": 3,
    }  # fmt: skip
    events: list[dict[str, Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        for server, socket in zip(servers, sockets, strict=True):
            await stack.enter_async_context(server.serve(socket))
        await asyncio.wait_for(Feeder(Plan(**{**wanted, **changes}), events.append).run(), 60)
    done = {event["number"]: Path(event["path"]).read_bytes() for event in events if event["event"] == "done"}
    # What failed has left nothing behind.
    assert len(list((folder / "out").iterdir())) == len(done)
    return done, events


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MB", UNIT)
    monkeypatch.setattr(exchange, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(exchange, "_LAST_PAUSE", 0.005)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=objects,
    single=st.booleans(),
    concurrency=st.integers(1, 6),
    instances=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_answers_keep_the_order_of_their_records(
    objects: list[list[str]], single: bool, concurrency: int, instances: int, seed: int
) -> None:
    contents = ["".join(f"{text}\n" for text in lines).encode() for lines in objects]
    servers = [Server(random.Random(seed + number)) for number in range(instances)]
    with tempfile.TemporaryDirectory() as folder:
        done, events = asyncio.run(
            feed(Path(folder), contents, servers, single=single, concurrency=concurrency)
        )
    assert done == {number: content.upper() for number, content in enumerate(contents)}
    for server in servers:
        assert server.most_inside <= concurrency
        assert all(len(payload) <= UNIT for payload in server.payloads)
    last = [event for event in events if event["event"] == "progress"][-1]
    assert last["records"] == sum(map(len, objects))
    assert last["bytes"] == sum(map(len, contents))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=objects,
    bad=st.sets(st.integers(0, 5), max_size=3),
    single=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_an_object_is_done_wholly_or_not_at_all(
    objects: list[list[str]], bad: set[int], single: bool, seed: int
) -> None:
    texts = [[*lines, "xx"] if number in bad else lines for number, lines in enumerate(objects)]
    contents = ["".join(f"{text}\n" for text in lines).encode() for lines in texts]
    with tempfile.TemporaryDirectory() as folder:
        done, events = asyncio.run(feed(Path(folder), contents, [Server(random.Random(seed))], single=single))
    assert done == {number: content.upper() for number, content in enumerate(contents) if number not in bad}
    failed = {event["number"]: event for event in events if event["event"] == "failed"}
    assert set(failed) == bad & set(range(len(objects)))
    for number, event in failed.items():
        assert event["kind"] == "ClientError"
        count = len(texts[number])
        place = event["lines"][-1]
        assert f"record {count} " in place or f" to {count} of" in place
    # What failed counts as read, and its records do not count.
    last = [event for event in events if event["event"] == "progress"][-1]
    assert last["bytes"] == sum(map(len, contents))
    assert last["records"] == sum(len(lines) for number, lines in enumerate(texts) if number not in bad)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=objects, seed=st.integers(0, 1000))
def test_what_breaks_is_asked_again(objects: list[list[str]], seed: int) -> None:
    contents = ["".join(f"{text}\n" for text in lines).encode() for lines in objects]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(random.Random(seed), breaks=0.3)
        done, _ = asyncio.run(feed(Path(folder), contents, [server], retries=60))
    assert done == {number: content.upper() for number, content in enumerate(contents)}


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_streamed_objects_arrive_whole(sizes: list[int], seed: int) -> None:
    rng = random.Random(seed)
    contents = [bytes(rng.choices(b"abc\n", k=size)) for size in sizes]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(rng, breaks=0.2)
        done, _ = asyncio.run(
            feed(Path(folder), contents, [server], payload_mb=0, split="None", lines=False, retries=60)
        )
    assert done == {number: content.upper() for number, content in enumerate(contents)}
