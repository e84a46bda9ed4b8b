"""The execution environments of one version: kept warm, one invocation at a time in each."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from engine.errors import ServiceError
from engine.functions.sandbox import Plan, Sandbox

if TYPE_CHECKING:
    from engine.functions.supervisor import Functions

OLDEST_SECONDS = 4 * 3600.0
"""An environment of this age is replaced, long before its credentials end."""
GROW_SECONDS = 0.5
"""After so long without any invocation having ended, one more environment is started beyond what the machine is good for: those
that are busy may be waiting for the one that waits."""


class Pool:
    """Environments of one version, as it was configured at one time."""

    def __init__(self, functions: Functions, make: Callable[[], Awaitable[Plan]], revision: str) -> None:
        self.functions = functions
        self.revision = revision
        self.idle: list[Sandbox] = []
        self.busy: set[Sandbox] = set()
        self.closed = False
        self._make = make
        self._moved = time.monotonic()
        self._waiting: deque[asyncio.Future[Sandbox | None]] = deque()

    async def acquire(self) -> Sandbox:
        """A warm environment, else a new one; where the machine is full, the next one that is free, first come, first served.

        Raises:
            ServiceError: ``ServiceException``: the engine is stopping.
        """
        sandbox = None
        if not self._waiting:
            sandbox = self._warm()
            if sandbox is None and self.functions.may_start():
                sandbox = await self._new()
        if sandbox is None:
            sandbox = await self._next()
        self.busy.add(sandbox)
        return sandbox

    async def release(self, sandbox: Sandbox) -> None:
        """The end of an invocation: the environment is for the next one, unless it has ended or is out of date."""
        self.busy.discard(sandbox)
        self._moved = sandbox.used = time.monotonic()
        old = sandbox.used - sandbox.born > OLDEST_SECONDS
        if self.closed or sandbox.pid is None or old:
            await self._end(sandbox)
            # Whoever waits must not wait for an environment that will not come.
            self._wake(None)
            return
        if not self._wake(sandbox):
            self.idle.append(sandbox)

    async def reap(self, unused_since: float) -> None:
        """End the environments that nobody has asked since a moment (`time.monotonic`), and those that have died."""
        for sandbox in [one for one in self.idle if one.used < unused_since or one.pid is None]:
            if sandbox in self.idle:
                self.idle.remove(sandbox)
                await self._end(sandbox)

    async def evict(self) -> bool:
        """End the environment that was idle longest; False when none is."""
        if not self.idle:
            return False
        await self._end(self.idle.pop(0))
        return True

    async def close(self, *, now: bool = False) -> None:
        """End idle environments; busy ones end with their invocation, or with ``now`` at once."""
        self.closed = True
        idle, self.idle = self.idle, []
        doomed = [*idle, *(self.busy if now else ())]
        await asyncio.gather(*(self._end(sandbox) for sandbox in doomed))
        while self._waiting:
            self._wake(None)

    # Inside

    def _warm(self) -> Sandbox | None:
        while self.idle:
            # The last one used is the warmest; the others can be reaped.
            sandbox = self.idle.pop()
            if sandbox.pid is not None:
                return sandbox
            self.functions.spawn(self._end(sandbox))
        return None

    async def _new(self) -> Sandbox:
        functions = self.functions
        if functions.stopping:
            raise ServiceError("ServiceException", "The engine is stopping.", 500)
        functions.alive += 1
        functions.starting += 1
        sandbox = None
        try:
            plan = await self._make()
            sandbox = Sandbox(functions.engine, functions.running_root / os.urandom(8).hex(), plan)
            await sandbox.start()
            return sandbox
        except BaseException:
            if sandbox is None:
                functions.alive -= 1
            else:
                functions.spawn(self._end(sandbox))
            raise
        finally:
            functions.starting -= 1
            self._moved = time.monotonic()
            self._wake(None)

    async def _next(self) -> Sandbox:
        """Wait for a release, or for leave to start one more."""
        future: asyncio.Future[Sandbox | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            while True:
                await asyncio.wait([future], timeout=GROW_SECONDS)
                if future.done():
                    found = future.result()
                    if found is not None:
                        return found
                    if self.functions.stopping or self.functions.may_start():
                        return await self._new()
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.appendleft(future)
                elif self.functions.may_start() or self._stuck():
                    self._waiting.remove(future)
                    return await self._new()
        except asyncio.CancelledError:
            if future in self._waiting:
                self._waiting.remove(future)
            elif future.done() and (handed := future.result()) is not None:
                self.functions.spawn(self.release(handed))
            raise

    def _stuck(self) -> bool:
        """Whether nothing has moved for a while."""
        return time.monotonic() - self._moved > GROW_SECONDS and self.functions.may_grow()

    def _wake(self, sandbox: Sandbox | None) -> bool:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(sandbox)
                return True
        return False

    async def _end(self, sandbox: Sandbox) -> None:
        if not sandbox.ended:
            sandbox.ended = True
            self.functions.alive -= 1
            await sandbox.kill()
