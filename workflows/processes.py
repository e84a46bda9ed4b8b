"""Whether a process still runs, told apart from another one that got the same pid later."""

from __future__ import annotations

from pathlib import Path


def started(pid: int) -> str:
    """When a process started, as an opaque text that is equal for the same process only; empty when it does not run.

    A process that ended and was not yet waited for (a zombie) does not run.
    """
    if pid <= 0:
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _without_proc(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else f"{_boot()}{fields[19]}"


def runs(pid: int, start: str) -> bool:
    """Whether the process that `started` described as ``start`` still runs."""
    return bool(start) and started(pid) == start


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8] + "-"
    except OSError:
        return ""


def _without_proc(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.3f}"
    except psutil.Error:
        return ""
