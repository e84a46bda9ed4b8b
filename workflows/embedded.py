"""Finds the embedded SageMaker of a data directory, or starts it. It is a process of its own and outlives this one."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workflows import locations, processes, underway
from workflows.configuration import Configuration

START_TIMEOUT = 60.0
"""Seconds that a start may take, on a slow disk and a busy machine."""
SILENT_TIMEOUT = 20.0
"""Seconds for which an engine that runs may not answer: it starts, is very busy, or hangs."""


class EngineError(Exception):
    """The embedded SageMaker cannot be started or reached; the text says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a running engine. The keys are secrets of this user."""

    url: str
    pid: int
    region: str
    account_id: str
    access_key: str
    secret_key: str
    role_arn: str
    bucket: str
    data_dir: Path
    nonce: str = ""
    time_scale: float = 1.0


def connection(data_dir: Path | None = None) -> Connection | None:
    """The running engine of a data directory, or None: no connection file, a dead process, or no answer."""
    folder = data_dir or locations.engine_dir()
    found = _read(folder)
    return found if found and answers(found) else None


def recorded(data_dir: Path | None = None) -> Connection | None:
    """What the connection file of a data directory tells, whether or not anybody answers there."""
    return _read(data_dir or locations.engine_dir())


def ensure(data_dir: Path | None = None, configuration: Configuration | None = None) -> Connection:
    """The running engine of a data directory; it is started when none runs, and anew when it runs outdated code.

    Raises:
        EngineError: It does not start.
    """
    folder = data_dir or locations.engine_dir()
    found = _read(folder)
    health = _health(found) if found else None
    if found and health is not None and health.get("outdated") is not True:
        return found
    command = [sys.executable, "-P", "-m", "engine", "start", "--data-dir", str(folder), "--json"]
    command += _options(configuration or Configuration())
    silent = found is not None and health is None and bool(processes.started(found.pid))
    what = (
        f"the embedded SageMaker (process {found.pid}) to answer"
        if found and silent
        else "the embedded SageMaker to start"
    )
    try:
        with underway.waiting(what):
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SILENT_TIMEOUT if silent else START_TIMEOUT,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        if found and silent:
            raise EngineError(
                f"The embedded SageMaker (process {found.pid}) gives no answer at {found.url}. "
                "`mlconsole engine stop` and `start` begin anew, nothing is lost."
            ) from error
        raise EngineError(
            f"The embedded SageMaker did not start within {START_TIMEOUT:.0f} s. Its log: {folder / 'engine.log'}"
        ) from error
    started = connection(folder) if done.returncode == 0 else None
    if started is None:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[
            -1
        ]
        raise EngineError(
            f"The embedded SageMaker did not start: {said}. Its log: {folder / 'engine.log'}; "
            "`mlconsole engine status` tells more."
        )
    return started


def answers(found: Connection, timeout: float = 2.0) -> bool:
    """Whether the engine behind a connection answers its health check, and is the one of that data directory."""
    return _health(found, timeout) is not None


def _health(found: Connection, timeout: float = 2.0) -> dict[str, Any] | None:
    parts = urlsplit(found.url)
    channel = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)
    try:
        channel.request("GET", "/_engine/health")
        response = channel.getresponse()
        body = response.read(65536)
        if response.status != 200:
            return None
        health: dict[str, Any] = json.loads(body)
        return health if health["pid"] == found.pid and health.get("nonce", "") == found.nonce else None
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    finally:
        channel.close()


def _read(folder: Path) -> Connection | None:
    try:
        data: dict[str, Any] = json.loads((folder / "connection.json").read_text())
        account, region = str(data["account_id"]), str(data["region"])
        return Connection(
            url=str(data["url"]),
            pid=int(data["pid"]),
            region=region,
            account_id=account,
            access_key=str(data["access_key"]),
            secret_key=str(data["secret_key"]),
            role_arn=str(data.get("role_arn") or f"arn:aws:iam::{account}:role/MLConsoleExecutionRole"),
            bucket=str(data.get("default_bucket") or f"sagemaker-{region}-{account}"),
            data_dir=folder,
            nonce=str(data.get("nonce") or ""),
            time_scale=float(data.get("time_scale", 1.0)),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _options(configuration: Configuration) -> list[str]:
    options: list[str] = []
    for flag, value in (
        ("--port", configuration.engine_port),
        ("--region", configuration.region),
        ("--account-id", configuration.engine_account_id),
        ("--access-key", configuration.engine_access_key),
        ("--secret-key", configuration.engine_secret_key),
        ("--time-scale", configuration.engine_time_scale),
    ):
        if value not in (None, ""):
            options += [flag, str(value)]
    return options
