"""The router's decisions in process: which worker, how many may wait, and what is never sent twice."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import ServiceError
from engine.hosting import router as routing
from engine.hosting.client import Pool
from engine.hosting.fleet import Fleet
from engine.hosting.outcome import Outcome
from engine.hosting.router import Router
from engine.hosting.shadow import UNDER_WAY, Shadow
from engine.hosting.variant import QUEUE_PER_WORKER, Overloaded, Plan, Unavailable, Variant
from engine.settings import Settings

MACHINE = SimpleNamespace(settings=SimpleNamespace(cores=2))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"


def variant(*paths: str, routing: str = "", count: int = 0) -> Variant:
    """A variant whose workers listen (or do not) on these sockets, on a machine with two cores."""
    names = tuple(f"i-{number}" for number in range(len(paths)))
    plan = Plan("e", "A", (), {}, Path(), {}, names, count or len(names), 5.0, routing=routing)
    made = Variant(cast(Any, MACHINE), plan, Path(), Path(), "g")
    made.workers = [
        cast(Any, SimpleNamespace(ready=True, outstanding=0, pool=Pool(path), name=name))
        for path, name in zip(paths, names, strict=True)
    ]
    return made


class Answering:
    """A container that counts what it has read. ``dies`` after it has read a request; else it answers."""

    def __init__(self, dies: bool = False) -> None:
        self.read = 0
        self.dies = dies
        self.hold: asyncio.Event | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        with tempfile.TemporaryDirectory(prefix="bp") as folder:
            path = str(Path(folder) / "s")
            server = await asyncio.start_unix_server(self._handle, path)
            try:
                yield path
            finally:
                server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.read += 1
                if self.hold is not None:
                    await self.hold.wait()
                if self.dies:
                    break
                writer.write(OK)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def router(rng: random.Random | None = None) -> tuple[Router, list[dict[str, Any]]]:
    """A router, and what it measures."""
    measured: list[dict[str, Any]] = []
    meters = SimpleNamespace(record=lambda endpoint, name, **more: measured.append({"name": name, **more}))
    engine = SimpleNamespace(settings=Settings(Path(), "123456789012", "k", "s"))
    return Router(cast(Any, engine), cast(Any, meters), rng or random.Random(1)), measured


def endpoint() -> Any:
    return SimpleNamespace(name="e", green=None)


class TestRetry:
    async def test_a_request_that_nobody_read_goes_to_another_worker(self) -> None:
        async with Answering().serving() as path:
            made = variant("/nonexistent/socket", path)
            asked = asyncio.ensure_future(router()[0].ask(endpoint(), made, REQUEST))
            # The first worker's end is heard of a moment later, as its parent's is.
            await asyncio.sleep(0.02)
            made.workers[0].ready = False
            outcome = await asked
            assert outcome.error is None and outcome.reply is not None and outcome.reply.body == b"ok"
            assert [worker.outstanding for worker in made.workers] == [0, 0]

    async def test_a_request_that_was_read_is_not_repeated(self) -> None:
        deadly, other = Answering(dies=True), Answering()
        async with deadly.serving() as path, other.serving() as second:
            made = variant(path, second)
            outcome = await router()[0].ask(endpoint(), made, REQUEST)
            assert outcome.error is not None and outcome.error.code == "ModelError"
            assert outcome.error.fields["OriginalStatusCode"] == 0 and outcome.status == 500
            assert (deadly.read, other.read) == (1, 0)
            assert [worker.outstanding for worker in made.workers] == [0, 0]

    async def test_a_model_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(routing, "MODEL_SECONDS", 0.1)
        slow = Answering()
        slow.hold = asyncio.Event()
        async with slow.serving() as path:
            outcome = await router()[0].ask(endpoint(), variant(path), REQUEST)
            assert outcome.error is not None and outcome.error.code == "ModelError"
            assert "Your invocation timed out while waiting for a response" in outcome.error.message
            nobody = await router()[0].ask(endpoint(), variant("/nonexistent/socket"), REQUEST)
            assert nobody.error is not None and nobody.error.code == "ServiceUnavailable"
            slow.hold.set()


class TestQueue:
    async def test_full_workers_take_no_more(self) -> None:
        made = variant("/a", "/b")
        for worker in made.workers:
            worker.outstanding = QUEUE_PER_WORKER - 1
        assert {cast(Any, await made.acquire(1)).name for _ in range(2)} == {"i-0", "i-1"}
        for worker in made.workers:
            worker.outstanding = QUEUE_PER_WORKER
        with pytest.raises(Overloaded):
            await made.acquire(1)
        with pytest.raises(ServiceError) as caught:
            await router()[0].acquire(endpoint(), made, time.perf_counter() + 1)
        assert (caught.value.code, caught.value.status) == ("ServiceUnavailable", 503)

    async def test_only_so_many_wait_for_a_worker_that_comes_up(self) -> None:
        made = variant("/a")
        made.workers[0].ready = False
        waiting = [asyncio.ensure_future(made.acquire(30)) for _ in range(QUEUE_PER_WORKER)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await made.acquire(30)
        made.workers[0].ready = True
        made._available.set()
        assert len(await asyncio.gather(*waiting)) == QUEUE_PER_WORKER
        assert made.outstanding == QUEUE_PER_WORKER
        for worker in await asyncio.gather(*waiting):
            made.release(worker)
        assert made.outstanding == 0
        made.workers[0].ready = False
        with pytest.raises(Unavailable):
            await made.acquire(0.01)

    @pytest.mark.parametrize("strategy", ["", "LEAST_OUTSTANDING_REQUESTS", "RANDOM"])
    async def test_who_is_next(self, strategy: str) -> None:
        made = variant("/a", "/b", "/c", routing=strategy)
        made.workers[0].outstanding = 5
        made.workers[2].ready = False
        seen: Counter[str] = Counter()
        for _ in range(60):
            worker = await made.acquire(1)
            seen[cast(Any, worker).name] += 1
            made.release(worker)
        assert "i-2" not in seen
        assert (seen["i-0"] > 10) == (strategy == "RANDOM")


class TestDeclaredInstances:
    def test_a_request_counts_as_one_of_those_that_the_workers_stand_for(self) -> None:
        # Ten instances are four workers on two cores; a rolling update runs some of them.
        for paths, instances in (("/a", "/b", "/c", "/d"), 10), (("/a", "/b"), 5):
            made = variant(*paths, count=10)
            made.fleet = cast(Any, SimpleNamespace(name="c"))
            spare, measured = router()
            spare.measure(endpoint(), made, Outcome(None, None, 0.001), 0.002)
            assert [item["instances"] for item in measured] == [instances]

    async def test_their_number_changes_without_a_worker_that_does(self) -> None:
        made = variant("/a", "/b", "/c", "/d", count=10)
        for worker, name in zip(made.workers, made.plan.instances, strict=True):
            cast(Any, worker).root = Path(name)
        await made.scale(made.plan.instances, 40)
        assert (made.declared, len(made.workers)) == (40, 4)


class TestShadow:
    async def test_copies_are_dropped_rather_than_queued(self) -> None:
        slow = Answering()
        slow.hold = asyncio.Event()
        async with slow.serving() as path:
            made = variant(path)
            shadow = Shadow(made)
            made.fleet = cast(Any, SimpleNamespace(name="c"))
            spare, measured = router()
            for _ in range(UNDER_WAY + 20):
                shadow.mirror(spare, endpoint(), REQUEST, None)
            assert shadow.dropped == 20
            slow.hold.set()
            while len(measured) < UNDER_WAY or shadow._tasks:
                await asyncio.sleep(0.01)
            assert {item["status"] for item in measured} == {200}
            shadow.mirror(spare, endpoint(), REQUEST, None)
            assert shadow.dropped == 20
            await shadow.stop()

    @pytest.mark.parametrize(("own", "production", "share"), [(1.0, 1.0, 1.0), (0.5, 1.0, 0.5), (3.0, 1.0, 1.0), (0.0, 1.0, 0.0)])  # fmt: skip
    def test_its_share_is_its_weight_as_a_part_of_productions(
        self, own: float, production: float, share: float
    ) -> None:
        first, second = variant("/a"), variant("/b")
        second.name = "S"
        weights = {"A": production, "S": own}
        fleet = Fleet("c", {}, {"A": first}, weights, {"S": second})
        assert fleet.shadow is not None and fleet.shadow.share == share
        assert fleet.pick(random.Random(1)) is first
