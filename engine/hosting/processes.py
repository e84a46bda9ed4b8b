"""Processes that outlived an engine: remembered by id and start time, so that a reused id is never killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """CPU seconds used so far and resident bytes."""

    cpu_seconds: float
    resident: int


def start_time(pid: int) -> str | None:
    """When a process started, in the kernel's ticks since boot (Linux); None when there is none."""
    fields = _stat(pid)
    return fields[19] if fields is not None else None


def usage(pid: int) -> Usage | None:
    """What a process has used; None when it has ended or the system does not tell."""
    fields = _stat(pid)
    if fields is None:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    seconds = (int(fields[11]) + int(fields[12])) / ticks
    return Usage(seconds, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


def remember(path: Path, pid: int) -> None:
    """Write a process's id and start time."""
    path.write_text(f"{pid} {start_time(pid) or ''}\n")


def kill_remembered(path: Path) -> bool:
    """Kill the process group that a file remembers, if it is still that process; True when there was one."""
    try:
        number, _, started = path.read_text().strip().partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return False
    if not started or start_time(pid) != started:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while start_time(pid) == started and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)
    return True


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the command name; a zombie counts as ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields
