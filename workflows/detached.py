"""Processes that belong to no terminal: each works for a folder, and is found again by it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from workflows import processes
from workflows.configuration import Configuration
from workflows.files import write_atomically

STARTING = 30.0
"""Seconds that a folder may lack a process before that counts as gone."""


def spawn(module: str, folder: Path, options: Configuration, *, log: Path, cwd: Path) -> None:
    """Start ``python -m <module> <folder>`` in a session of its own; the engine's keys go through its environment.

    Its pid is noted in the folder, for the time until it speaks itself.
    """
    environment = dict(os.environ)
    for name in ("engine_access_key", "engine_secret_key"):
        if value := getattr(options, name):
            environment[f"MLCONSOLE_{name.upper()}"] = value
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
            cwd=cwd,
        )
    write_atomically(folder / "pid", f"{process.pid} {processes.started(process.pid)}")
    _CHILDREN.append(process)


def gone(folder: Path, pid: int, started: str, since: float) -> bool:
    """Whether the process that works for a folder has ended.

    Args:
        pid: What it has told about itself, with ``started``; 0: nothing yet.
        since: Epoch seconds of the last sign of it.
    """
    if pid:
        return not processes.runs(pid, started)
    try:
        noted, _, start = (folder / "pid").read_text().partition(" ")
        return not processes.runs(int(noted), start)
    except (OSError, ValueError):
        return time.time() - since > STARTING


def own_configuration(kept: dict[str, object]) -> Configuration:
    """The options that a folder keeps, with the engine's keys from the environment: they are not kept."""
    from dataclasses import replace

    from workflows.configuration import variables

    keys = {
        name: value
        for name, value in variables().items()
        if name in ("engine_access_key", "engine_secret_key")
    }
    return replace(Configuration.from_dict(kept), **keys)  # type: ignore[arg-type]


_CHILDREN: list[subprocess.Popen[bytes]] = []
"""Processes started here, kept so that they are not waited for by a destructor with a warning."""
