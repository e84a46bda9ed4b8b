"""The processes of a job as seen from outside: alive or not, what they use, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from engine.jobs.shim import ALREADY_RUNNING, process_start
from engine.jobs.workspace import MARK

_PACKAGES = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from engine.jobs.shim import main; main(sys.argv[2])"


class StartError(Exception):
    """The shim did not start."""


def launch(root: Path) -> None:
    """Start the shim of a prepared job directory; a job that has one already keeps it. Takes some 30 ms.

    Raises:
        StartError: It could not start; the message says why.
    """
    command = [sys.executable, "-I", "-S", "-c", _START, _PACKAGES, str(root)]
    log = root / "shim.log"
    try:
        # A file, not a pipe: the shim keeps it open for as long as the job runs.
        with log.open("wb") as file:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=60,
                check=False,
                start_new_session=True,
                cwd="/",
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartError(str(error)) from error
    if done.returncode not in (0, ALREADY_RUNNING):
        said = log.read_text(errors="replace").strip()
        raise StartError(said[-500:] or f"exit status {done.returncode}")


def document(path: Path) -> dict[str, Any] | None:
    """A JSON file that the shim wrote, None when it is not there."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found


def alive(root: Path) -> bool:
    """Whether the job's shim runs: it holds its lock as long as it lives."""
    try:
        descriptor = os.open(root / "shim.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def terminate(root: Path) -> bool:
    """Ask the shim to stop its job; False when there is none."""
    return _signal_shim(root, signal.SIGTERM)


def _signal_shim(root: Path, number: signal.Signals) -> bool:
    found = document(root / "shim.json")
    if found is None or not alive(root):
        return False
    # A pid alone may be another process by now.
    if found["started"] and process_start(found["pid"]) != found["started"]:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found["pid"], number)
        return True
    return False


def destroy(root: Path) -> None:
    """Kill the shim and every process of the job, whatever became of their parents. May take a moment: not for the loop."""
    _signal_shim(root, signal.SIGKILL)
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        left = leftovers(root)
        if not left and not alive(root):
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def leftovers(root: Path) -> list[int]:
    """The processes that were started within the job, found by the variable that all of them inherit."""
    mark = f"{MARK}={root}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if mark in environment.split(b"\0") and process_start(int(entry.name)):
            found.append(int(entry.name))
    if not found and not Path("/proc/self").exists():
        job = document(root / "job.json")
        if job is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(job["pid"], signal.SIGKILL)
    return found


@contextlib.contextmanager
def watching(root: Path, ended: Callable[[], None]) -> Any:
    """Call ``ended`` on the running loop when the shim's process ends, where the kernel can tell; elsewhere nobody calls."""
    found = document(root / "shim.json")
    descriptor = -1
    if found is not None and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(found["pid"])
    if descriptor < 0:
        yield
        return
    loop = asyncio.get_running_loop()

    def told() -> None:
        loop.remove_reader(descriptor)
        ended()

    loop.add_reader(descriptor, told)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


class Usage(NamedTuple):
    """CPU in percent of one core, memory in percent of the machine's."""

    cpu: float
    memory: float


class Meter:
    """What a job's processes use, measured between two calls."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seconds: dict[int, float] = {}
        self._at = 0.0

    def sample(self) -> Usage | None:
        """Usage since the last call; None at the first, and when nothing runs. Reads /proc: not for the loop."""
        import psutil

        job = document(self.root / "job.json")
        if job is None:
            return None
        seconds: dict[int, float] = {}
        resident = 0
        try:
            main = psutil.Process(job["pid"])
            tree = [main, *main.children(recursive=True)]
        except psutil.Error:
            return None
        for process in tree:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds[process.pid] = times.user + times.system
                resident += process.memory_info().rss
        now = time.monotonic()
        before, at = self._seconds, self._at
        self._seconds, self._at = seconds, now
        if not at:
            return None
        used = sum(max(0.0, value - before.get(pid, 0.0)) for pid, value in seconds.items())
        return Usage(100 * used / (now - at), 100 * resident / psutil.virtual_memory().total)
