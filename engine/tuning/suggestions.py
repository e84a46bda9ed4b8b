"""The advisor seen from the engine: a process that is started when it is first needed and ended when nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.tuning.ranges import Parameter

_log = logging.getLogger("engine.tuning")

_IDLE_SECONDS = 60.0
_ANSWER_SECONDS = 120.0
_LINE = 1 << 24
_COMMAND = (sys.executable, "-P", "-m", "engine.tuning.advisor")
# Threads of its own would take the cores from the trainings that it advises.
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class AdvisorError(Exception):
    """The advisor could not answer; the message says why."""


def request(
    space: Sequence[Parameter],
    trials: Sequence[tuple[Mapping[str, str], float | None]],
    *,
    minimize: bool,
    seed: int,
    sampler: str,
) -> dict[str, Any]:
    """What `Advisor.ask` is given.

    Args:
        trials: Configurations and their values, None for those that run.
        sampler: ``gp`` or ``tpe``.
    """
    return {
        "space": [parameter.specification() for parameter in space],
        "trials": [{"parameters": dict(given), "value": value} for given, value in trials],
        "minimize": minimize,
        "seed": seed,
        "sampler": sampler,
    }


class Advisor:
    """One advisor process for all tuning jobs; requests wait for each other.

    Args:
        log: Where the process's standard error goes.
    """

    def __init__(self, log: Path, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.log = log
        self.idle_seconds = idle_seconds
        self.process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._number = 0
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, what: Mapping[str, Any]) -> dict[str, str]:
        """The configuration to try next.

        A process that died is started again and asked once more.

        Raises:
            AdvisorError: It failed twice, or says itself that it cannot answer.
        """
        async with self._lock:
            self._rest(False)
            try:
                try:
                    return await self._ask(what)
                except (OSError, EOFError, ValueError, TimeoutError) as error:
                    _log.warning("the advisor's process ended or hung (%s); it is started again", error)
                    await self._end()
                    return await self._ask(what)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                await self._end()
                raise AdvisorError(f"its process does not answer: {error or type(error).__name__}") from error
            finally:
                self._rest(True)

    async def close(self) -> None:
        """End the process."""
        self._rest(False)
        await self._end()

    async def _ask(self, what: Mapping[str, Any]) -> dict[str, str]:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        self._number += 1
        process.stdin.write(json.dumps({"id": self._number, **what}).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_SECONDS):
            await process.stdin.drain()
            while True:
                line = await process.stdout.readline()
                if not line:
                    raise EOFError("no answer")
                answer = json.loads(line)
                # Whoever asked before may have been cancelled and left its answer unread.
                if answer.get("id") == self._number:
                    break
        if "error" in answer:
            raise AdvisorError(answer["error"])
        found: dict[str, str] = answer["parameters"]
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self.process is None or self.process.returncode is not None:
            with self.log.open("wb") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *_COMMAND,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    limit=_LINE,
                    env=os.environ | _THREADS,
                )
        return self.process

    async def _end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()

    def _rest(self, resting: bool) -> None:
        """Begin or end the time after which nobody is expected to ask."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if resting and self.process is not None:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self.idle_seconds, lambda: loop.create_task(self._retire()))

    async def _retire(self) -> None:
        async with self._lock:
            await self._end()
