"""The engine as a background process: found, started, stopped, described."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from engine import connection
from engine.connection import Connection
from engine.layout import Layout
from engine.protocol.models import CONTROL

START_SECONDS = 60.0
STOP_SECONDS = 20.0
_POLL = 0.02
_COUNTED = {
    "training_jobs": ("training-job", ""),
    "training_jobs_in_progress": ("training-job", "InProgress"),
    "transform_jobs": ("transform-job", ""),
    "transform_jobs_in_progress": ("transform-job", "InProgress"),
    "models": ("model", ""),
    "endpoint_configs": ("endpoint-config", ""),
    "endpoints": ("endpoint", ""),
    "endpoints_in_service": ("endpoint", "InService"),
}


class DaemonError(Exception):
    """The engine cannot be started or stopped; the text says why and what to do."""


def running(layout: Layout) -> Connection | None:
    """The engine of the data directory, when its connection file is true: the process answers with the file's own nonce.

    A dead process, a process id that went to another program, and a port that something else answers on are all told apart.
    """
    found = _running(layout)
    return found[0] if found else None


def current(layout: Layout) -> Connection | None:
    """The running engine, unless its code has changed since it started."""
    found = _running(layout)
    return found[0] if found and not found[1] else None


def _running(layout: Layout) -> tuple[Connection, bool] | None:
    """The running engine, and whether its code has changed since it started."""
    found = connection.read(layout.connection)
    if found is None or not _alive(found.pid):
        return None
    health = ask_health(found)
    if health is None or health.get("nonce") != found.nonce:
        return None
    return found, health.get("outdated") is True


def ask_health(target: Connection, timeout: float = 2.0) -> dict[str, Any] | None:
    """What the engine says of itself, or None when nothing that is an engine answers."""
    channel = http.client.HTTPConnection(target.host, target.port, timeout=timeout)
    try:
        channel.request("GET", "/_engine/health")
        answer = channel.getresponse()
        document = json.loads(answer.read(65536))
        return document if answer.status == 200 and isinstance(document, dict) else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        channel.close()


def owner(layout: Layout) -> int | None:
    """The process that holds the data directory's lock, or None when it is free."""
    try:
        with layout.lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                text = file.read().strip()
                return int(text) if text.isdigit() else 0
    except FileNotFoundError:
        pass
    return None


def start(layout: Layout, options: Sequence[str]) -> tuple[Connection, bool]:
    """The running engine, started when none runs; True when this call started it.

    One that runs outdated code is ended first and started again as it was: its jobs go on behind their shims, its
    endpoints come back into service. Of several simultaneous calls exactly one starts it, and all return the same connection.

    Args:
        options: Further arguments of ``serve``.

    Raises:
        DaemonError: It does not start.
    """
    found = current(layout)
    if found is not None:
        return found, False
    layout.prepare()
    deadline = time.monotonic() + START_SECONDS
    with _starting(layout, deadline):
        while time.monotonic() < deadline:
            known = _running(layout)
            if known is not None and not known[1]:
                return known[0], False
            if known is not None:
                options = _as_started(known[0])
                stop(layout)
                continue
            # The lock without a connection: another engine is on its way up or down.
            if owner(layout) is None:
                return _spawn(layout, options, deadline), True
            time.sleep(_POLL)
    raise DaemonError(
        f"process {owner(layout)} holds {layout.lock} and does not answer; end it, then start again (its log: {layout.log})"
    )


def _as_started(found: Connection) -> list[str]:
    """The arguments of ``serve`` that start an engine like one that runs."""
    options = ["--host", found.host, "--port", str(found.port), "--region", found.region]
    return [*options, "--time-scale", str(found.time_scale), *(["--test-mode"] if found.test_mode else [])]


@contextmanager
def _starting(layout: Layout, deadline: float) -> Iterator[None]:
    with layout.start_lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise DaemonError(
                        f"another start is under way and does not come to an end ({layout.start_lock})"
                    ) from None
                time.sleep(_POLL)
        yield


def _spawn(layout: Layout, options: Sequence[str], deadline: float) -> Connection:
    command = [
        sys.executable,
        "-m",
        "engine",
        "serve",
        "--background",
        "--data-dir",
        str(layout.root),
        *options,
    ]
    mark = layout.log.stat().st_size if layout.log.exists() else 0
    descriptor = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A session of its own: neither the terminal's hang-up nor its Ctrl+C reaches the engine.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    while time.monotonic() < deadline:
        found = connection.read(layout.connection)
        if found is not None and found.pid == process.pid and ask_health(found) is not None:
            return found
        if process.poll() is not None:
            raise DaemonError(
                f"the engine ended with status {process.returncode}: {_last_words(layout.log, mark)}"
            )
        time.sleep(_POLL)
    process.kill()
    raise DaemonError(f"the engine did not answer within {START_SECONDS:.0f} s (its log: {layout.log})")


LEAST_ROOM = 1 << 20
"""Bytes without which an engine cannot even write why it ended."""


def _environment() -> dict[str, str]:
    """The caller's environment, with the folder of this package on the module path: the child runs in another directory."""
    here = str(Path(__file__).resolve().parent.parent)
    path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *[part for part in path if part != here]])}


def _last_words(log: Path, mark: int) -> str:
    with suppress(OSError), log.open("rb") as file:
        file.seek(mark if mark <= log.stat().st_size else 0)
        lines = file.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        if lines:
            return lines[-1].removeprefix("Error: ")
    with suppress(OSError):
        if shutil.disk_usage(log.parent).free < LEAST_ROOM:
            return f"no space is left on the disk of {log.parent}"
    return f"its log {log} is empty"


def stop(layout: Layout, seconds: float = STOP_SECONDS) -> tuple[int, bool] | None:
    """End the engine: SIGTERM, and SIGKILL when it is still there after ``seconds``.

    Returns:
        Its process id and whether it had to be killed; None when none runs.

    Raises:
        DaemonError: It belongs to another user.
    """
    pid = owner(layout)
    if not pid:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
        if _gone(layout, pid, seconds):
            return pid, False
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return pid, False
    except PermissionError as error:
        raise DaemonError(f"the engine (process {pid}) belongs to another user") from error
    if not _gone(layout, pid, 5.0):
        raise DaemonError(
            f"the engine (process {pid}) cannot be killed: it waits for the disk or is being traced"
        )
    layout.connection.unlink(missing_ok=True)
    return pid, True


def _gone(layout: Layout, pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if owner(layout) != pid:
            return True
        time.sleep(_POLL)
    return False


def reset(target: Connection) -> None:
    """Have a running engine wipe everything.

    Raises:
        DaemonError: It refuses or fails.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("POST", f"{target.url}/_engine/reset", data=b"")
    SigV4Auth(Credentials(target.access_key, target.secret_key), CONTROL.scope, target.region).add_auth(
        request
    )
    channel = http.client.HTTPConnection(target.host, target.port, timeout=120)
    try:
        channel.request("POST", "/_engine/reset", body=b"", headers=dict(request.headers.items()))
        answer = channel.getresponse()
        body = answer.read(65536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise DaemonError(f"the engine did not answer: {error}") from error
    finally:
        channel.close()
    if answer.status != 200:
        raise DaemonError(f"the engine refused: {body[:300]}")


def describe(layout: Layout) -> dict[str, Any]:
    """What ``status`` prints: whether it runs, where, since when, its memory, and how much it keeps."""
    found = running(layout)
    told: dict[str, Any] = {
        "running": found is not None,
        "data_dir": str(layout.root),
        "counts": counts(layout),
    }
    if found is None:
        held = owner(layout)
        if held:
            told["unresponsive_pid"] = held
        return told
    told |= {
        "url": found.url,
        "pid": found.pid,
        "uptime_seconds": round(max(0.0, time.time() - found.started), 1),
        "version": found.version,
        "region": found.region,
        "account_id": found.account_id,
        "role_arn": found.role_arn,
        "default_bucket": found.default_bucket,
        "time_scale": found.time_scale,
        "test_mode": found.test_mode,
        "rss_bytes": _rss(found.pid),
    }
    return told


def counts(layout: Layout) -> dict[str, int]:
    """How many resources the store keeps, read beside a running engine or without one."""
    if not layout.database.exists():
        return dict.fromkeys(_COUNTED, 0)
    try:
        with closing(sqlite3.connect(f"{layout.database.as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            rows = database.execute(
                "SELECT kind, status, count(*) FROM resources GROUP BY kind, status"
            ).fetchall()
    except sqlite3.Error:
        return dict.fromkeys(_COUNTED, 0)
    return {
        name: sum(number for kind, status, number in rows if kind == wanted and only in ("", status))
        for name, (wanted, only) in _COUNTED.items()
    }


def _rss(pid: int) -> int | None:
    import psutil

    try:
        rss: int = psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return None
    return rss


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
