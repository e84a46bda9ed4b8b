"""Replays and what they measured, kept in a folder each: while they go on, and afterwards.

``<state>/traffic/<id>/``: ``report.json`` (written anew each second), ``stop`` (asks it to end), ``process.log``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows import detached, locations, processes
from workflows.configuration import Configuration
from workflows.files import write_atomically
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.traffic.histogram import Histogram
from workflows.traffic.plan import Plan
from workflows.traffic.sources import Source
from workflows.traffic.summary import Summary

if TYPE_CHECKING:
    from workflows.traffic.replay import Replay

ACTIVE = frozenset({"starting", "running"})
EVERY = 1.0
"""Seconds between two reports of a replay that goes on, and between two looks for a request to stop."""


@dataclass(slots=True)
class Report:
    """A replay as its ``report.json`` tells it.

    ``status``: starting, running; completed, stopped, failed or interrupted (its process is gone). ``message`` says why
    it failed. ``confirmed`` is what somebody agreed to (see `bill`).
    """

    id: str
    folder: Path
    endpoint: str
    target: str
    region: str
    status: str
    created: float
    plan: Plan
    source: Source
    variant: str = ""
    confirmed: str = ""
    pid: int = 0
    pid_started: str = ""
    ended: float = 0.0
    message: str = ""
    summary: Summary | None = None
    histograms: dict[str, Histogram] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.status in ACTIVE

    @property
    def log(self) -> Path:
        """What its process printed."""
        return self.folder / "process.log"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `read` reads it."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "folder"}
        return values | {
            "plan": self.plan.as_dict(),
            "source": self.source.as_dict(),
            "summary": self.summary.as_dict() if self.summary else None,
            "histograms": {name: found.as_dict() for name, found in self.histograms.items()},
        }


def begin(
    endpoint: str,
    plan: Plan,
    source: Source,
    configuration: Configuration,
    *,
    region: str = "",
    variant: str = "",
    confirmed: str = "",
) -> Report:
    """A report for a replay that has not begun yet."""
    identifier = f"{endpoint[:40]}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    folder = _folder() / identifier
    with change(
        "StartReplay", identifier, {"endpoint": endpoint, "plan": plan.as_dict()},
        target=str(configuration.target), profile=configuration.profile,
    ):  # fmt: skip
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)  # hosts are shared: what is sent is this person's
        report = Report(
            id=identifier,
            folder=folder,
            endpoint=endpoint,
            target=str(configuration.target),
            region=region or configuration.region,
            status="starting",
            created=time.time(),
            plan=plan,
            source=source,
            variant=variant,
            confirmed=confirmed,
            configuration=configuration.as_dict(),
        )
        save(report)
        return report


def start(report: Report, configuration: Configuration) -> None:
    """Carry a replay out in a process of its own, which goes on when this one ends."""
    detached.spawn("workflows.traffic.process", report.folder, configuration, log=report.log, cwd=Path.cwd())


def carry_out(
    report: Report,
    replay: Replay,
    stop: threading.Event,
    *,
    on_progress: Callable[[Summary], None] | None = None,
) -> Summary:
    """Run a replay to its end and keep its report up to date. ``stop`` is the replay's own.

    Raises:
        Problem: It failed; the report says so, too.
    """
    failure: list[BaseException] = []

    def run() -> None:
        try:
            replay.run()
        except BaseException as error:
            failure.append(error)

    pid = os.getpid()
    report.status, report.pid, report.pid_started = "running", pid, processes.started(pid)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(EVERY)
            if (report.folder / "stop").exists():
                stop.set()
            if thread.is_alive():
                report.summary = replay.summary()
                save(report)
                if on_progress is not None:
                    on_progress(report.summary)
        summary = replay.summary()
        if failure:
            raise failure[0]
        report.status = "stopped" if summary.stopped else "completed"
        return summary
    except BaseException as error:
        stop.set()
        report.status = "failed" if isinstance(error, Exception) else "stopped"
        report.message = str(error)
        raise
    finally:
        report.summary, report.histograms = replay.summary(), replay.histograms()
        report.ended = time.time()
        save(report)


def list_reports(known: dict[Path, tuple[float, Report]] | None = None) -> list[Report]:
    """All reports, newest first; folders that hold no readable one are left out.

    Args:
        known: (time of the last change, report) by folder: kept from call to call, it saves reading what has not changed.
    """
    found = []
    kept = {} if known is None else known
    for path in _folder().glob("*/report.json"):
        with contextlib.suppress(Problem, OSError):
            changed = path.stat().st_mtime
            before = kept.get(path.parent)
            if before is None or before[0] != changed or before[1].active:
                kept[path.parent] = before = (changed, read(path.parent))
            found.append(before[1])
    return sorted(found, key=lambda report: (report.created, report.id), reverse=True)


def find(name: str) -> Report:
    """The report of an id, of a beginning or an ending that only one id has, or the newest one (``last``).

    Raises:
        Problem: There is no such report, or there are several.
    """
    everything = list_reports()
    exact = [report for report in everything if report.id == name]
    if exact or (name == "last" and everything):
        return (exact or everything)[0]
    matches = [report for report in everything if name and (report.id.startswith(name) or report.id.endswith(name))]  # fmt: skip
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise Problem(
            f"{len(matches)} reports match {name!r}, for example {matches[0].id} and {matches[1].id}.",
            "Give more of the id.",
            "ambiguous",
        )
    remedy = "`mlconsole traffic ls` lists them." if everything else "`mlconsole traffic run` makes one."
    raise Problem(f"There is no traffic report {name!r}.", remedy, "not-found")


def read(folder: Path) -> Report:
    """The report of a folder. One whose process is gone without an end reads as interrupted.

    Raises:
        Problem: The folder holds no report.
    """
    try:
        found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        known = {name: value for name, value in found.items() if name in Report.__dataclass_fields__}
        report = Report(
            **known
            | {
                "folder": folder,
                "plan": Plan.from_dict(found["plan"]),
                "source": Source.from_dict(found["source"]),
                "summary": Summary.from_dict(found["summary"]) if found["summary"] else None,
                "histograms": {
                    name: Histogram.from_dict(value) for name, value in found["histograms"].items()
                },
            }
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{folder} holds no readable traffic report: {error}.", "", "report") from error
    if report.active and detached.gone(folder, report.pid, report.pid_started, report.created):
        report.status = "interrupted"
        report.message = f"Its process ended without finishing. Its log: {report.log}"
    return report


def save(report: Report) -> None:
    """Write the report in one step."""
    write_atomically(report.folder / "report.json", json.dumps(report.as_dict(), indent=1))


def stop(report: Report) -> None:
    """Ask a replay to end; requests that are under way are waited for.

    Raises:
        Problem: It has ended already.
    """
    if not report.active:
        raise Problem(f"Replay {report.id} does not run: it is {report.status}.", "", "ended")
    with change("StopReplay", report.id, target=report.target):
        (report.folder / "stop").touch()


def delete(report: Report) -> None:
    """Remove a report.

    Raises:
        Problem: Its replay goes on.
    """
    if report.active:
        raise Problem(f"Replay {report.id} still runs.", f"`mlconsole traffic stop {report.id}` ends it.", "running")  # fmt: skip
    with change("DeleteReplay", report.id, target=report.target):
        shutil.rmtree(report.folder)


def _folder() -> Path:
    return locations.state_dir() / "traffic"
