"""One execution environment: a process that has loaded a version's handler and answers one invocation at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import shutil
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.functions import bootstrap
from engine.functions.outcome import ANSWER_LIMIT, Invocation, Outcome, failed, too_large
from engine.hosting import processes
from engine.hosting.worker import MAX_LINE

if TYPE_CHECKING:
    from engine.context import Engine

INIT_SECONDS = 10.0
"""What a handler's module may take to load before the function's own timeout begins to run (Lambda's init phase)."""
_TAIL = 4096
_DRAIN_SECONDS = 1.0

log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What an environment runs. ``timeout`` in seconds, ``memory`` in MB."""

    name: str
    version: str
    folder: Path
    python_path: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: int
    memory: int
    group: str


class NotStarted(Exception):
    """The process had gone before it read the invocation: another one may be asked without repeating anything."""


class Sandbox:
    """A process, its control socket, its log stream."""

    def __init__(self, engine: Engine, root: Path, plan: Plan) -> None:
        self.engine = engine
        self.root = root
        self.plan = plan
        self.born = self.used = time.monotonic()
        self.stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{plan.version}]{os.urandom(16).hex()}"
        self.init_ms = 0.0
        self.peak_mb = 0
        self.over_memory = False
        self.ended = False
        self._cold = True
        self._state = ""
        self._fault: bytes | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._pump: asyncio.Task[None] | None = None
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._mark = b""
        self._marked = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start the process and let it load the handler; what comes of it is the first invocation's to tell."""
        began = time.monotonic()
        # Lambda gives the module 10 s of its own; what it takes longer is the invocation's time.
        self._state = await self._start(INIT_SECONDS + self.plan.timeout)
        self.init_ms = (time.monotonic() - began) * 1000

    async def invoke(self, asked: Invocation, *, last: bool = False) -> Outcome:
        """Ask the handler.

        Args:
            last: There is no other environment to ask: a process that had gone before is told as one that exits.

        Raises:
            NotStarted: The process had gone before; nothing was run.
        """
        self.used = time.monotonic()
        cold, self._cold = self._cold, False
        if not cold:
            self._tail.clear()
            self._tail_size = 0
        if self._state != "ready":
            return await self._failed_start(asked, self._state)
        began = time.monotonic()
        self._log([f"START RequestId: {asked.request_id} Version: {self.plan.version}"])
        try:
            outcome = await self._exchange(asked, last)
        except asyncio.CancelledError:
            await self.kill()
            raise
        self._report(asked.request_id, (time.monotonic() - began) * 1000, cold, outcome)
        return outcome

    def measure(self) -> None:
        """Note the memory in use; a process beyond its limit is killed, as on Lambda."""
        pid = self.pid
        used = processes.usage(pid) if pid is not None else None
        if used is None or pid is None:
            return
        megabytes = math.ceil(used.resident / 2**20)
        self.peak_mb = max(self.peak_mb, megabytes)
        if megabytes > self.plan.memory:
            self.over_memory = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    async def kill(self) -> None:
        """End the process and what it started, and remove its files. Safe to call twice."""
        if self._writer is not None:
            self._writer.close()
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await self._drained()
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)

    # Inside

    async def _start(self, seconds: float) -> str:
        """Start the process and wait for its module; ``ready``, ``fault``, ``timeout`` or ``exit``."""
        plan = self.plan
        await asyncio.to_thread((self.root / "tmp").mkdir, parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                bootstrap.__file__,
                str(theirs.fileno()),
                env={
                    **plan.environment,
                    "AWS_LAMBDA_LOG_GROUP_NAME": plan.group,
                    "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
                    "HOME": str(self.root / "tmp"),
                    "TMPDIR": str(self.root / "tmp"),
                    "MLCONSOLE_PYTHON_PATH": os.pathsep.join(plan.python_path),
                },
                cwd=plan.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                limit=MAX_LINE,
            )
        processes.remember(self.root / "pid", self._process.pid)
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=2**20)
        self._log([f"INIT_START Runtime Version: python:{sys.version.split()[0]}"])
        self._pump = asyncio.create_task(self._read_output(), name=f"log {self.stream}")
        try:
            async with asyncio.timeout(seconds):
                head, body = await self._read_frame()
        except TimeoutError:
            return "timeout"
        except (EOFError, OSError):
            return "exit"
        if head["type"] == "fault":
            self._fault = body
            await self._drained()
            self._log([head["log"]])
        return str(head["type"])

    async def _failed_start(self, asked: Invocation, how: str) -> Outcome:
        """The answer when the handler could not be loaded; the process is of no use any more."""
        self._log([f"START RequestId: {asked.request_id} Version: {self.plan.version}"])
        if how == "fault":
            document = {**json.loads(self._fault or b"{}"), "requestId": asked.request_id}
            order = ("errorMessage", "errorType", "requestId", "stackTrace")
            payload = json.dumps({name: document[name] for name in order if name in document}).encode()
            outcome = Outcome(payload, "Unhandled")
        elif how == "timeout":
            outcome = self._timed_out(asked)
        else:
            await self._ended()
            outcome = self._exited(asked)
        await self.kill()
        self._report(asked.request_id, self.init_ms, True, outcome)
        return outcome

    async def _exchange(self, asked: Invocation, last: bool) -> Outcome:
        assert self._writer is not None
        self._mark = b"\0" + asked.request_id.encode()
        self._marked.clear()
        head = {
            "id": asked.request_id,
            "arn": asked.arn,
            "deadline": int((time.time() + self.plan.timeout) * 1000),
            "client_context": asked.client_context,
            "trace": asked.trace,
            "length": len(asked.payload),
        }
        text = json.dumps(head).encode()
        started = False
        try:
            async with asyncio.timeout(self.plan.timeout):
                self._writer.write(len(text).to_bytes(4, "big") + text + asked.payload)
                await self._writer.drain()
                while True:
                    told, body = await self._read_frame()
                    if told["type"] != "started":
                        break
                    started = True
        except TimeoutError:
            await self.kill()
            return self._timed_out(asked)
        except (EOFError, OSError) as error:
            if not started and not last:
                await self.kill()
                raise NotStarted from error
            await self._ended()
            return self._exited(asked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._marked.wait()
        if told["log"]:
            self._log([told["log"]])
        if len(body) > ANSWER_LIMIT:
            return Outcome(too_large(len(body)), "Unhandled")
        return Outcome(body, "Unhandled" if told["type"] == "error" else "")

    async def _read_frame(self) -> tuple[dict[str, Any], bytes]:
        assert self._reader is not None
        size = int.from_bytes(await self._reader.readexactly(4), "big")
        head: dict[str, Any] = json.loads(await self._reader.readexactly(size))
        return head, await self._reader.readexactly(head["length"]) if head["length"] else b""

    def _timed_out(self, asked: Invocation) -> Outcome:
        text = f"Task timed out after {self.plan.timeout:.2f} seconds"
        moment = self.engine.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        self._log([f"{moment}Z {asked.request_id} {text}"])
        return Outcome(
            failed("Sandbox.Timedout", f"RequestId: {asked.request_id} Error: {text}"), "Unhandled"
        )

    def _exited(self, asked: Invocation) -> Outcome:
        status = self._process.returncode if self._process is not None else None
        if status is None or status == 0:
            how = "Runtime exited without providing a reason"
        elif status < 0:
            how = f"Runtime exited with error: signal: {_signal_name(-status)}"
        else:
            how = f"Runtime exited with error: exit status {status}"
        text = f"RequestId: {asked.request_id} Error: {how}"
        self._log([text])
        return Outcome(failed("Runtime.ExitError", text), "Unhandled")

    async def _ended(self) -> None:
        """Wait for a process that has closed its socket."""
        if self._process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._process.wait()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        await self._drained()

    def _report(self, request_id: str, milliseconds: float, cold: bool, outcome: Outcome) -> None:
        self.measure()
        if self.over_memory:
            self.peak_mb = self.plan.memory  # the kernel of a real environment would not have let it grow on
        billed = math.ceil(milliseconds + (self.init_ms if cold else 0.0))
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {self.plan.memory} MB\tMax Memory Used: {self.peak_mb} MB\t"
        )
        if cold:
            report += f"Init Duration: {self.init_ms:.2f} ms\t"
        if b"Sandbox.Timedout" in outcome.payload[:40]:
            report += "Status: timeout"
        elif outcome.payload.startswith(b'{"errorType":"Runtime.ExitError"'):
            report += "Status: error\tError Type: Runtime.ExitError"
        self._log([f"END RequestId: {request_id}", report])
        outcome.tail = b"".join(self._tail)[-_TAIL:]
        outcome.version = self.plan.version
        outcome.milliseconds = milliseconds

    async def _read_output(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        rest = b""
        while chunk := await self._process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            while len(rest) > MAX_LINE:
                lines.append(rest[:MAX_LINE])
                rest = rest[MAX_LINE:]
            self._take(lines)
        if rest:
            self._take([rest])

    def _take(self, lines: list[bytes]) -> None:
        texts = []
        marked = False
        for line in lines:
            if self._mark and line.endswith(self._mark):
                line, marked = line[: -len(self._mark)], True
            if line:
                texts.append(line.decode("utf-8", "replace"))
        self._log(texts)
        if marked:
            self._marked.set()

    def _log(self, texts: list[str]) -> None:
        """Lines for the log stream, and for the tail that a caller may have asked for."""
        texts = [text for text in texts if text]
        if not texts:
            return
        for text in texts:
            line = text.encode() + b"\n"
            self._tail.append(line[-_TAIL:])
            self._tail_size += len(self._tail[-1])
            while self._tail_size - len(self._tail[0]) >= _TAIL:
                self._tail_size -= len(self._tail.popleft())
        now = int(self.engine.clock.time() * 1000)
        try:
            self.engine.logs.append(self.plan.group, self.stream, [(now, text) for text in texts])
        except Exception:
            log.exception("The output of %s could not be logged.", self.stream)

    async def _drained(self) -> None:
        """Wait for the log reader, but not for a grandchild that keeps the pipe open."""
        if self._pump is not None and not self._pump.done():
            await asyncio.wait([self._pump], timeout=_DRAIN_SECONDS)
            self._pump.cancel()


def _signal_name(number: int) -> str:
    """A signal in the words of Lambda's own supervisor (Go's)."""
    names = {
        signal.SIGKILL: "killed",
        signal.SIGTERM: "terminated",
        signal.SIGSEGV: "segmentation fault",
        signal.SIGABRT: "aborted",
    }
    return names.get(signal.Signals(number), signal.Signals(number).name.removeprefix("SIG").lower())
