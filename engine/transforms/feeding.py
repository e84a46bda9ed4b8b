"""The feeder's process as seen from the engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from engine.transforms.plan import Plan

_LINE = 4 * 2**20


class FeedingError(Exception):
    """The feeder could not do its work, through no fault of the data."""


class Feeding:
    """A running feeder."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, root: Path, plan: Plan) -> Feeding:
        """Start a feeder for a plan, with an empty directory for its outputs."""
        await asyncio.to_thread(_clear, Path(plan.outputs))
        path = root / "plan.json"
        plan.save(path)
        log = root / "feeder.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "engine.transforms.feeder", str(path)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                limit=_LINE,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What it reports, until it has done everything.

        Raises:
            FeedingError: It could not.
        """
        assert self._process.stdout is not None
        ended = False
        async for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == "error":
                raise FeedingError(event["message"])
            ended = ended or event["event"] == "end"
            yield event
        status = await self._process.wait()
        if not ended:
            said = self._log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise FeedingError(said or f"the process that feeds the container ended with status {status}")

    async def stop(self) -> None:
        """End it; harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
