"""The process of a run: ``python -m workflows.run_process <run folder>``. It belongs to no terminal.

SIGTERM and SIGHUP, or a file ``control/stop``, ask it to stop: it then deletes what it made and ends. A second SIGTERM
changes nothing; only SIGKILL ends it without a clean-up, and then `workflows.runs.resume` or `stop` go on.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from workflows import detached, events, processes, runs
from workflows.failures import Cancelled, WorkflowError, explained
from workflows.safety.origin import came_from

HEARTBEAT = 2.0
"""Seconds between two signs of life, and between two looks for a request to stop."""


class Recorder:
    """Writes the run's manifest and events; safe to use from several threads."""

    def __init__(self, run: runs.Run) -> None:
        self.run = run
        self._lock = threading.RLock()
        self._file = run.events_file.open("ab")

    def send(self, event: events.Event) -> None:
        """Appends one event; a reader sees whole lines only."""
        line = (events.to_json(event) + "\n").encode()
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def changed(self, **values: Any) -> None:
        """Changes members of the manifest and writes it."""
        with self._lock:
            for name, value in values.items():
                setattr(self.run, name, value)
            runs.save(self.run)


def main(folder: Path) -> int:
    """Carries out the run of a folder; 0 when it completed, 1 otherwise."""
    cancelled = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        cancelled.set()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    recorder = Recorder(runs.read(folder))
    run = recorder.run
    came_from(f"run {run.id}")
    only_clean_up = (run.control / "stop").exists()
    status = "stopping" if only_clean_up else "running"
    pid = os.getpid()
    recorder.changed(
        pid=pid,
        pid_started=processes.started(pid),
        status=status,
        started=time.time(),
        heartbeat=time.time(),
        message="",
    )
    ended = threading.Event()
    threading.Thread(target=_live, args=(recorder, cancelled, ended), daemon=True).start()
    try:
        return _carry_out(recorder, cancelled, only_clean_up)
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, Cancelled):
            status, sentence = "stopped", "Stopped on request before it began."
        else:
            sentence = str(error) if isinstance(error, WorkflowError) else explained(error, run.target)
            status = "failed"
            if not isinstance(error, WorkflowError):
                sentence = f"{sentence} The run's log tells more: {run.log}"
        left = runs.left(run)
        recorder.send(
            events.RunFinished(
                time=time.time(), run=run.id, status=status, metrics={}, message=sentence, left_behind=left
            )
        )
        recorder.changed(
            status=status, message=sentence, ended=time.time(), left_behind=left, step="", question=None
        )
        return 1
    finally:
        ended.set()


def _carry_out(recorder: Recorder, cancelled: threading.Event, only_clean_up: bool) -> int:
    run = recorder.run
    from workflows.studies.catalog import find
    from workflows.studies.parameters import filled

    info = find(run.study)
    recorder.changed(parameters=filled(info.parameters, run.parameters))
    recorder.send(
        events.RunStarted(
            time=time.time(),
            run=run.id,
            study=run.study,
            interface=run.interface,
            target=run.target,
            steps=[{"id": name, "title": title} for name, title in info.steps],
            parameters=run.parameters,
        )
    )
    from workflows import interfaces, versions
    from workflows.interfaces.waiting import Waiter, pace_of
    from workflows.ledger import Ledger
    from workflows.platform import open_platform
    from workflows.studies.context import Context
    from workflows.studies.runner import carry_out

    recorder.changed(versions=versions.libraries(), sources=versions.code(run.study, run.target))
    platform = open_platform(detached.own_configuration(run.configuration))
    recorder.changed(
        platform={
            "region": platform.region,
            "account": platform.account,
            "role_arn": platform.role_arn,
            "bucket": platform.bucket,
        }
    )
    with platform.applied():
        context = Context(
            run=run,
            platform=platform,
            interface=interfaces.make(run.interface, platform),
            ledger=Ledger(run.folder),
            waiter=Waiter(pace_of(platform.target), cancelled, platform.revive),
            cancelled=cancelled,
            send=recorder.send,
            changed=recorder.changed,
        )
        platform.observe(lambda call: recorder.send(_in_step(call, context.step)))
        finished = carry_out(info.load(), context, only_clean_up)
    return 0 if finished.status == "completed" else 1


def _in_step(call: events.ApiCall, step: str) -> events.ApiCall:
    from dataclasses import replace

    return replace(call, step=step)


def _live(recorder: Recorder, cancelled: threading.Event, ended: threading.Event) -> None:
    """Signs of life, and the request to stop for a process that gets no signal."""
    while not ended.wait(HEARTBEAT):
        recorder.changed(heartbeat=time.time())
        if (recorder.run.control / "stop").exists():
            cancelled.set()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
