"""A replay as a process of its own: closing the console does not end it. ``python -m workflows.abtest.background <test's folder>``."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from workflows import detached, processes
from workflows.abtest import journal as journals
from workflows.abtest.replaying import ReplayRequest, payloads, plan
from workflows.abtest.report import Feed
from workflows.configuration import Configuration
from workflows.files import write_atomically
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.safety.origin import came_from

FILE, LOG = "replay.json", "replay.log"
STARTING = 30.0
"""Seconds that a replay may take until its process speaks."""


def state(name: str) -> Feed | None:
    """The last replay that was started in the background, or None.

    Raises:
        Problem: There is no such test.
    """
    path = journals.find(name).folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = str(found["request"]["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    status = str(found["status"])
    if status == "starting" and time.time() - float(found["at"]) > STARTING:
        status = "interrupted"
    if status == "running" and not processes.runs(int(found["pid"]), str(found["pid_started"])):
        status = "interrupted"
    return Feed(status, rows, str(found.get("message") or ""), int(found.get("sent") or 0))


def start(name: str, request: ReplayRequest, configuration: Configuration, *, confirmed: str = "") -> None:
    """Start a replay; returns at once.

    Raises:
        Problem: There is no such test, one is running already, or the rows cannot be read.
    """
    folder = journals.find(name).folder
    known = state(name)
    if known is not None and known.active:
        raise Problem(
            f"A replay feeds A/B test {name} already.",
            f"`mlconsole ab replay {name} --stop` ends it.",
            "busy",
        )
    plan(request)
    source = request.source
    if not source.startswith("s3://"):
        payloads(request)
        source = str(Path(source).expanduser().absolute())
    request = replace(request, source=source)
    document = {
        "request": request.as_dict(),
        "configuration": configuration.as_dict(),
        "confirmed": confirmed,
    }
    detail = {"rows": source}
    with change("StartFeed", name, detail, target=str(configuration.target)):
        _write(folder, document, 0, status="starting")
        detached.spawn("workflows.abtest.background", folder, configuration, log=folder / LOG, cwd=folder)


def end(name: str) -> bool:
    """Ask the replay of a test to end; whether one was running.

    Raises:
        Problem: There is no such test.
    """
    known = state(name)
    if known is None or not known.active:
        return False
    deadline = time.monotonic() + STARTING
    while known is not None and known.status == "starting" and time.monotonic() < deadline:
        time.sleep(0.1)
        known = state(name)
    if known is None or known.status != "running":
        return False
    found = json.loads((journals.find(name).folder / FILE).read_text(encoding="utf-8"))
    with change("StopFeed", name):
        os.kill(int(found["pid"]), signal.SIGTERM)
    return True


def _write(folder: Path, document: dict[str, Any], pid: int, **more: Any) -> None:
    found = {**document, "pid": pid, "pid_started": processes.started(pid), "at": time.time(), **more}
    write_atomically(folder / FILE, json.dumps(found))


def main(folder: Path) -> int:
    """Carry out what `start` wrote; 0 when it was done."""
    from workflows import interfaces
    from workflows.abtest.replaying import replay
    from workflows.explain import explain
    from workflows.platform import open_platform

    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, asked)
    document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    request = ReplayRequest.from_dict(document["request"])
    configuration = detached.own_configuration(document["configuration"])
    came_from(f"feed of {folder.name}")
    _write(folder, document, os.getpid(), status="running")
    try:
        platform = open_platform(configuration, observing=True)
        with platform.applied():
            summary = replay(
                platform,
                interfaces.make(str(configuration.interface), platform).rollouts,
                folder.name,
                payloads(request, platform),
                plan(request),
                score=request.score,
                stop=stop,
                until_verdict=request.until_verdict,
                confirmed=str(document.get("confirmed") or ""),
            )
    except Exception as error:
        problem = explain(error)
        print(f"{time.strftime('%F %T')} {problem}", file=sys.stderr)
        _write(folder, document, os.getpid(), status="failed", message=str(problem))
        return 1
    _write(folder, document, os.getpid(), status="done", sent=summary.sent)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
