"""A serving process: started with its own /opt/ml, watched, its output in the endpoint's log stream, ended for good."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.hosting import processes
from engine.hosting.artifacts import link_tree
from engine.hosting.client import Pool, Unreachable, render
from engine.jobs.launcher import BASE, prepare, rewritten

if TYPE_CHECKING:
    from engine.context import Engine

GRACE_SECONDS = 6.0
PING_SECONDS = 2.0
"""SageMaker's own limit for one ``/ping``."""
MAX_LINE = 256 * 1024
"""Bytes of one log event (CloudWatch Logs' limit); a longer line is split."""

_PING = render("GET", "/ping", {}, b"")

log = logging.getLogger(__name__)


class Unhealthy(Exception):
    """The container did not come up: it ended, or did not answer ``/ping`` in time."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What a worker runs: the command, its environment, the unpacked model, and the log stream it writes to.

    ``extra`` are files put below ``/opt/ml`` beside the model: path below it -> file.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    model: Path
    extra: Mapping[str, Path]
    group: str
    stream: str
    isolate_network: bool = False


class Worker:
    """One process of a production variant."""

    def __init__(self, engine: Engine, root: Path, socket: Path, instance: Instance) -> None:
        self.engine = engine
        self.root = root
        self.socket = socket
        self.instance = instance
        self.pool = Pool(str(socket))
        self.ready = False
        self.outstanding = 0
        self.lines: deque[str] = deque(maxlen=20)
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def start(self) -> None:
        """Lay out the directory and start the process."""
        await asyncio.to_thread(self._lay_out)
        environment = {
            **self.instance.environment,
            "SAGEMAKER_BIND_TO_SOCKET": str(self.socket),
            "TMPDIR": str(self.root / "tmp"),
            "MLCONSOLE_PARENT_PID": str(os.getpid()),
        }
        launch = await asyncio.to_thread(
            prepare,
            self.instance.command,
            environment,
            self.root,
            isolate_network=self.instance.isolate_network,
            die_with_parent=True,
        )
        if launch.base != BASE:
            await asyncio.to_thread(_rewrite_code, self.root / "ml" / "model", launch.base)
        self._process = await asyncio.create_subprocess_exec(
            *launch.argv,
            env=launch.env,
            cwd=self.root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=MAX_LINE,
        )
        processes.remember(self.root / "pid", self._process.pid)
        self._pump = asyncio.create_task(self._read(), name=f"log {self.instance.stream}")

    async def wait_ready(self, timeout: float) -> None:
        """Wait until ``/ping`` answers 200.

        Raises:
            Unhealthy: The process ended, or the time is over.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        pause = 0.02
        while True:
            if self.pid is None:
                await self._drained()
                raise Unhealthy(f"the container ended with exit status {self.exit_status}")
            if self.socket.exists():
                with contextlib.suppress(Unreachable, TimeoutError):
                    reply = await self.pool.request(_PING, PING_SECONDS)
                    if reply.status == 200:
                        self.ready = True
                        return
            if loop.time() > deadline:
                raise Unhealthy(f"no answer to /ping within {timeout:g} s")
            await asyncio.sleep(pause)
            pause = min(0.25, pause * 1.1)

    @property
    def exit_status(self) -> int | None:
        """The process's exit status once it has ended, negative for a signal."""
        return self._process.returncode if self._process is not None else None

    async def ended(self) -> None:
        """Wait until the process has ended and its last output is in the log."""
        if self._process is not None:
            await self._process.wait()
            self.ready = False
            await self._drained()

    async def kill(self) -> None:
        """End the process and whatever it started; its files stay."""
        self.ready = False
        self.pool.close()
        process = self._process
        if process is not None:
            await end_group(process.pid, process.wait, process.returncode is None)
            await self._drained()

    async def stop(self) -> None:
        """End the process and whatever it started, and remove its files. Safe to call twice."""
        await self.kill()
        self.socket.unlink(missing_ok=True)
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)

    def _lay_out(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.socket.unlink(missing_ok=True)
        link_tree(self.instance.model, self.root / "ml" / "model")
        for name, source in self.instance.extra.items():
            target = self.root / "ml" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        (self.root / "tmp").mkdir()

    async def _drained(self) -> None:
        """Wait for the log reader, but not for a grandchild that keeps the pipe open."""
        if self._pump is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._pump), 1.0)
            if not self._pump.done():
                self._pump.cancel()

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        rest = b""
        while True:
            chunk = await self._process.stdout.read(65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            while len(rest) > MAX_LINE:
                lines.append(rest[:MAX_LINE])
                rest = rest[MAX_LINE:]
            self._log(lines)
        if rest:
            self._log([rest])

    def _log(self, lines: list[bytes]) -> None:
        texts = [text for line in lines if (text := line.decode("utf-8", "replace").rstrip("\r"))]
        if not texts:
            return
        self.lines.extend(texts)
        now = int(self.engine.clock.time() * 1000)
        try:
            self.engine.logs.append(
                self.instance.group, self.instance.stream, [(now, text) for text in texts]
            )
        except Exception:
            log.exception("The output of %s could not be logged.", self.instance.stream)


def with_output(text: str, worker: Worker, error: Unhealthy) -> str:
    """A FailureReason, what happened to the container and its last lines behind it, 1,024 characters in all."""
    happened = str(error)
    text = f"{text} {happened[:1].upper()}{happened[1:]}."
    if not worker.lines:
        return text
    tail = "\n".join(worker.lines)
    room = 1024 - len(text) - 1
    if len(tail) > room:
        cut = tail[-room:]
        # Whole lines read better than the rest of one, unless there is only that.
        tail = cut.partition("\n")[2] or cut
    return f"{text} {tail}"


async def end_group(pid: int, wait: Callable[[], Awaitable[object]], alive: bool) -> None:
    """SIGTERM to a process group, SIGKILL after a grace, and SIGKILL to what the leader left behind."""
    if alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGTERM)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    await wait()


def _rewrite_code(model: Path, base: str) -> None:
    """Without namespaces: scripts that spell /opt/ml out find their files all the same."""
    for path in [*model.glob("*.py"), *(model / "code").rglob("*.py")]:
        if path.is_symlink():
            continue
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        changed = rewritten(text, base)
        if changed != text:
            path.unlink()  # the file is a link to the unpacked model, which stays as it is
            path.write_text(changed, encoding="utf-8", errors="surrogateescape")
