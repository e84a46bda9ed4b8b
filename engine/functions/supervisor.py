"""All functions: invoking them, their environments, and how many may run at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import ServiceError
from engine.functions import runtime
from engine.functions.events import Events
from engine.functions.meters import Meters
from engine.functions.outcome import Invocation, Outcome
from engine.functions.packages import Packages
from engine.functions.pool import OLDEST_SECONDS, Pool
from engine.functions.record import FUNCTION, LAYER, VERSION, Target
from engine.functions.sandbox import NotStarted, Plan
from engine.hosting import processes
from engine.protocol.signature import Key
from engine.roles import ROLE

if TYPE_CHECKING:
    from engine.context import Engine

ACCOUNT_LIMIT = 1000
"""Concurrent executions of an account and region (Lambda's quota)."""
UNRESERVED = 100
"""What reservations must leave to everybody."""
IDLE_SECONDS = 300.0
"""An environment that nobody has asked for so long is ended."""
_KEY_SECONDS = 12 * 3600
_MOST = 128
"""Processes at a time, whatever waits."""
_TRIES = 3
_LARGE = 256 * 1024
_LOOK_SECONDS = 0.1

log = logging.getLogger(__name__)
T = TypeVar("T")


class Functions:
    """Runs functions; `packages` holds their code, `events` what was asked asynchronously."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.root = engine.layout.functions
        self.running_root = self.root / "run"
        self.packages = Packages(self.root / "packages", engine.settings.secret_key)
        self.packaging = asyncio.Lock()
        """Held from keeping a package until it is told who refers to it, and while packages are swept."""
        self.meters = Meters(engine)
        self.events = Events(engine)
        self.stopping = False
        self.alive = 0
        """Processes of all functions."""
        self.starting = 0
        """Of them those that have not loaded their handler yet."""
        self.running: Counter[str] = Counter()
        """Invocations under way by function."""
        self._pools: dict[tuple[str, str], Pool] = {}
        self._keys: dict[str, Key] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._busy = asyncio.Event()

    async def start(self) -> None:
        """Clear up after a killed engine, and go on with what was asked asynchronously."""
        await asyncio.to_thread(self._prepare)
        self.stopping = False
        self._watcher = asyncio.create_task(self._watch(), name="functions")
        self.events.start()

    async def stop(self) -> None:
        """End every environment; asynchronous invocations go on with the next engine."""
        self.stopping = True
        await self.events.stop()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await asyncio.gather(*(pool.close(now=True) for pool in self._pools.values()))
        self._pools.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def reset(self) -> None:
        """Forget everything (test mode; the store is cleared by its owner)."""
        await self.stop()
        self._keys.clear()
        self.running.clear()
        self.events.forget()
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)
        await self.start()

    async def invoke(
        self,
        target: Target,
        payload: bytes,
        *,
        request_id: str = "",
        client_context: str = "",
        trace: str = "",
    ) -> Outcome:
        """Run a version's handler.

        Args:
            payload: JSON, as it was checked by `checked`.

        Raises:
            ServiceError: ``TooManyRequestsException``.
        """
        self._admit(target)
        asked = Invocation(
            request_id or str(uuid.uuid4()), target.arn, payload or b"{}", client_context, trace
        )
        self.running[target.name] += 1
        self._busy.set()
        try:
            outcome = await self._run(target, asked)
        finally:
            running = self.running[target.name]
            self.running[target.name] = max(0, running - 1)
        self.meters.invoked(
            target, failed=bool(outcome.error), milliseconds=outcome.milliseconds, running=running
        )
        return outcome

    async def checked(self, payload: bytes) -> None:
        """Refuse a payload that is not JSON.

        Raises:
            ServiceError: ``InvalidRequestContentException``.
        """
        try:
            if len(payload) > _LARGE:
                await asyncio.to_thread(json.loads, payload)
            elif payload:
                json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise ServiceError(
                "InvalidRequestContentException",
                f"Could not parse request body into json: {error}",
                400,
                fields={"Type": "User"},
            ) from error

    async def forget(self, name: str, version: str = "") -> None:
        """End the environments of a function that was changed or deleted, or of one of its versions, as they become free."""
        for key in [key for key in self._pools if key[0] == name and version in ("", key[1])]:
            await self._pools.pop(key).close()

    async def sweep(self) -> None:
        """Remove the packages of what was deleted."""
        async with self.packaging:
            kept = {digest for row in self._referring() for digest in row}
            await asyncio.to_thread(self.packages.sweep, kept)

    def reserved(self, *, but: str = "") -> int:
        """Concurrency that functions have for themselves."""
        rows = self.engine.store.select(FUNCTION, shared=True)
        return sum(row.document["Reserved"] or 0 for row in rows if row.name != but)

    # For pools

    def may_start(self) -> bool:
        """Whether another process is good for the machine; an idle one of another version makes room for it.

        Loading a handler takes a core (0.3 to 1 s with boto3), so no more are loaded at a time than there are cores.
        """
        cores = self.engine.settings.cores
        if self.starting >= max(2, cores):
            return False
        if self.alive < max(4, 2 * cores):
            return True
        for pool in self._pools.values():
            if pool.idle:
                self.spawn(pool.evict())
                return True
        return False

    def may_grow(self) -> bool:
        """Whether one more may be started because an invocation waits for ones that may be waiting for it."""
        return self.alive < _MOST and not self.starting

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something that goes on although nobody waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Inside

    def _prepare(self) -> None:
        for memory in self.running_root.glob("*/pid"):
            processes.kill_remembered(memory)
        shutil.rmtree(self.running_root, ignore_errors=True)
        self.running_root.mkdir(parents=True)
        self.packages.recover()
        self.packages.sweep({digest for row in self._referring() for digest in row})
        runtime.make_sdk(self.root / "sdk")

    def _referring(self) -> list[list[str]]:
        store = self.engine.store
        found = [
            [row.document["Package"], *row.document["Layers"]]
            for kind in (FUNCTION, VERSION)
            for row in store.select(kind)
        ]
        return [*found, *([row.document["Package"]] for row in store.select(LAYER))]

    async def _run(self, target: Target, asked: Invocation) -> Outcome:
        """Run an invocation in one environment; in another one when that had gone before it began."""
        for left in reversed(range(_TRIES)):
            pool = self._pool(target)
            sandbox = await pool.acquire()
            try:
                return await sandbox.invoke(asked, last=not left)
            except NotStarted:
                continue
            finally:
                await pool.release(sandbox)
        raise AssertionError("the last try does not raise NotStarted")

    def _admit(self, target: Target) -> None:
        home = self.engine.store.find(FUNCTION, target.name)
        reserved = home.document["Reserved"] if home is not None else None
        if reserved is not None:
            if self.running[target.name] >= reserved:
                raise self._throttled(target, "ReservedFunctionConcurrentInvocationLimitExceeded")
        elif self.running.total() >= ACCOUNT_LIMIT - self.reserved():
            raise self._throttled(target, "ConcurrentInvocationLimitExceeded")

    def _throttled(self, target: Target, reason: str) -> ServiceError:
        self.meters.throttled(target)
        return ServiceError(
            "TooManyRequestsException", "Rate Exceeded.", 429, fields={"Reason": reason, "Type": "User"}
        )

    def _pool(self, target: Target) -> Pool:
        key, revision = (target.name, target.version), target.configuration["RevisionId"]
        found = self._pools.get(key)
        if found is None or found.revision != revision:
            if found is not None:
                self.spawn(found.close())

            async def make() -> Plan:
                layers = await asyncio.to_thread(self.packages.layered, target.layers)
                key = self._key(target)
                # The first one tries, in a process that is thrown away, whether functions can have their own /var/task.
                return await asyncio.to_thread(
                    runtime.plan, self.engine, target, key, layers, self.root / "sdk"
                )

            found = self._pools[key] = Pool(self, make, revision)
        return found

    def _key(self, target: Target) -> Key:
        """Temporary keys of the function's role, as ``assumed-role/ROLE/FUNCTION``; they outlive the environment."""
        role = target.configuration["Role"].rpartition("/")[2]
        known = self._keys.get(f"{role}/{target.name}")
        if known is None or (known.expires or 0) < self.engine.clock.time() + OLDEST_SECONDS + 3600:
            found = self.engine.store.find(ROLE, role)
            role_id = found.document["Role"]["RoleId"] if found is not None else "AROA"
            arn = f"arn:aws:sts::{self.engine.settings.account_id}:assumed-role/{role}/{target.name}"
            known = self.engine.keys.issue({"arn": arn, "id": f"{role_id}:{target.name}"}, _KEY_SECONDS)
            self._keys[f"{role}/{target.name}"] = known
        return known

    async def _watch(self) -> None:
        """Look at the memory of what runs, and end what nobody needs any more."""
        reaped = time.monotonic()
        while True:
            if self.running.total():
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                self._busy.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._busy.wait(), IDLE_SECONDS / 20)
            with contextlib.suppress(OSError):
                for pool in self._pools.values():
                    for sandbox in list(pool.busy):
                        sandbox.measure()
            now = time.monotonic()
            if now - reaped > IDLE_SECONDS / 20:
                reaped = now
                for pool in list(self._pools.values()):
                    try:
                        await pool.reap(now - IDLE_SECONDS)
                    except Exception:
                        log.exception("Idle environments could not be ended.")
