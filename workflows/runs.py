"""Runs of studies: each is a process of its own with a folder, detached from the terminal that started it.

The console and the command line start, follow, answer, stop and resume runs through this module. Importing it is cheap.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workflows import detached, locations, processes
from workflows.configuration import Configuration
from workflows.events import Event, Log, RunFinished, from_json, to_json
from workflows.failures import WorkflowError
from workflows.files import write_atomically
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.studies.parameters import Value

ACTIVE = frozenset({"starting", "running", "waiting", "stopping"})
POLL = 0.1
_LEAVING = 10.0  # Seconds that a process may take to go after its run has ended; it takes well under one.
"""Seconds between two looks at a run's event file while nothing comes."""


class RunError(WorkflowError):
    """A run that does not exist, or that cannot do what was asked; the text says why and what to do."""


@dataclass(slots=True)
class Run:
    """A run as its manifest ``run.json`` tells it.

    ``status``: starting, running, waiting (for an answer), stopping; completed, failed, stopped, refused (a gate said
    no) or interrupted (its process is gone). ``question`` is the open question while it waits, ``platform`` tells account, region, role and bucket,
    ``ttl`` is how many
    seconds a kept endpoint may live (0: any time), ``versions`` and ``sources`` are the libraries and the hashes of the code that it computes with, ``outcome`` is the status to return to when a completed run that kept its endpoint is cleaned up.
    """

    id: str
    folder: Path
    study: str
    interface: str
    status: str
    created: float
    parameters: dict[str, Any]
    configuration: dict[str, Any]
    keep: bool = False
    ttl: float = 0.0
    interactive: bool = False
    auto_answers: dict[str, str] = field(default_factory=dict)
    preset: str = ""
    pid: int = 0
    pid_started: str = ""
    started: float = 0.0
    ended: float = 0.0
    heartbeat: float = 0.0
    step: str = ""
    message: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    left_behind: list[str] = field(default_factory=list)
    question: dict[str, Any] | None = None
    platform: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    outcome: str = ""

    @property
    def target(self) -> str:
        """embedded or aws."""
        return str(self.configuration.get("target", "embedded"))

    @property
    def active(self) -> bool:
        """Whether its process works or waits."""
        return self.status in ACTIVE

    @property
    def synthetic(self) -> bool:
        """Whether its data were asked for as made up, or turned out to be where there were no others."""
        return bool(self.metrics.get("synthetic")) or self.parameters.get("data") == "synthetic"

    @property
    def events_file(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def control(self) -> Path:
        """Requests to the run, one file each: ``stop``, ``answer-<question>``."""
        return self.folder / "control"

    @property
    def work(self) -> Path:
        """Data, figures and downloads of the run."""
        return self.folder / "work"

    @property
    def log(self) -> Path:
        """What the run's process printed, tracebacks included."""
        return self.folder / "process.log"


def start(
    study: str,
    parameters: Mapping[str, Value] | None = None,
    *,
    interface: str = "",
    keep: bool = False,
    ttl: float = 0.0,
    configuration: Configuration | None = None,
    auto_answers: Mapping[str, str] | None = None,
    interactive: bool = False,
    preset: str = "",
) -> Run:
    """Starts a run of a study and returns at once.

    Args:
        study: A name of the catalog.
        parameters: Values by parameter name, as texts or typed; the others come from the preset, then the defaults.
        interface: ``low`` (boto3) or ``high`` (SageMaker SDK v3); empty: the configuration's.
        keep: Leave the endpoint and its model in place at the end.
        ttl: Seconds that a kept endpoint may live; 0: until somebody deletes it.
        configuration: Target, region, role and engine options; None: as configured.
        auto_answers: Choices by question, taken without asking.
        interactive: Whether other questions wait for a person. Otherwise their default is taken.
        preset: A named set of parameter values of the study, such as ``as-in-notebook``.

    Raises:
        ParameterError: A parameter is unknown, its value not allowed, or values do not go together.
        WorkflowError: There is no such study, preset or interface.
    """
    from workflows.configuration import load
    from workflows.studies.catalog import find as find_study
    from workflows.studies.parameters import parse_all

    info = find_study(study)
    if preset and preset not in info.presets:
        raise RunError(
            f"Study {study} has no preset {preset!r}. Presets: {', '.join(info.presets) or 'none'}."
        )
    options = configuration or load()
    chosen = interface or options.interface
    if chosen not in ("low", "high"):
        raise RunError(f"There is no interface {chosen!r}: choose low (boto3) or high (SageMaker SDK v3).")
    values = parse_all(info.parameters, {**info.presets.get(preset, {}), **(parameters or {})})
    if info.check is not None:
        info.check(values)
    run_id = f"{study}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    folder = locations.runs_dir() / run_id
    asked = {"study": study, "interface": chosen, "keep": keep, "parameters": dict(values)}
    with change("StartRun", run_id, asked, target=options.target, profile=options.profile):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)  # hosts are shared: data and parameters are this person's
        (folder / "control").mkdir()
        (folder / "work").mkdir()
        run = Run(
            id=run_id,
            folder=folder,
            study=study,
            interface=chosen,
            status="starting",
            created=time.time(),
            parameters=values,
            configuration=options.as_dict(),
            keep=keep,
            ttl=ttl,
            interactive=interactive,
            auto_answers=dict(auto_answers or {}),
            preset=preset,
        )
        save(run)
        run.events_file.touch()
        return _spawn(run, options)


def list_runs() -> list[Run]:
    """All runs, newest first; folders that hold no readable manifest are left out."""
    found = []
    for path in locations.runs_dir().glob("*/run.json"):
        with contextlib.suppress(RunError):
            found.append(read(path.parent))
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def find(name: str) -> Run:
    """The run of an id, of a beginning or an ending that only one id has, or the newest one (``last``).

    Raises:
        RunError: There is no such run, or there are several.
    """
    exact = locations.runs_dir() / name
    with contextlib.suppress(OSError):  # a name that is too long for a file
        if name and Path(name).name == name and (exact / "run.json").exists():
            return read(exact)
    everything = list_runs()
    if name == "last" and everything:
        return everything[0]
    matches = [run for run in everything if name and (run.id.startswith(name) or run.id.endswith(name))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        some = f"{len(matches)} runs match {name!r}, for example {matches[0].id} and {matches[1].id}."
        raise RunError(Problem(some, "Give more of the id.", "ambiguous"))
    if not everything:
        raise RunError(Problem("There is no run yet.", "`mlconsole run moons` starts one.", "not-found"))
    remedy = "`mlconsole runs ls` lists them; `last` is the newest."
    raise RunError(Problem(f"There is no run {name!r}.", remedy, "not-found"))


def read(folder: Path) -> Run:
    """The run of a folder. A run whose process is gone without an end reads as interrupted.

    Raises:
        RunError: The folder holds no manifest.
    """
    try:
        data = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        known = {name: value for name, value in data.items() if name in Run.__dataclass_fields__}
        run = Run(**(known | {"folder": folder}))
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{folder} holds no readable run: {error}.") from error
    if run.active and _gone(run) and json.loads((folder / "run.json").read_text(encoding="utf-8")) == data:
        run.status, run.question = "interrupted", None
        run.message = _interrupted(run)
    return run


def save(run: Run) -> None:
    """Writes the manifest atomically."""
    data = {name: getattr(run, name) for name in Run.__dataclass_fields__ if name != "folder"}
    write_atomically(run.folder / "run.json", json.dumps(data, indent=1, default=str))


def follow(run: Run, offset: int = 0, timeout: float | None = None) -> Iterator[Event]:
    """The run's events from number ``offset`` on, as they come, up to the last one: `RunFinished`.

    When the run's process dies without an end, the last event is a `RunFinished` with the status ``interrupted``.
    ``timeout`` ends the iteration after that many seconds without an event; 0 yields what is there now.
    """
    last_news = time.monotonic()
    seen = 0
    with run.events_file.open("rb") as file:
        pending = b""
        ended = False
        while True:
            alive = read(run.folder).active
            chunk = file.read()
            *lines, pending = (pending + chunk).split(b"\n") if chunk else [pending]
            for line in lines:
                seen += 1
                ended = False
                if seen <= offset:
                    ended = line.startswith(b'{"event":"run-finished"')
                    continue
                with contextlib.suppress(ValueError):
                    event = from_json(line.decode("utf-8", "replace"))
                    ended = isinstance(event, RunFinished)
                    yield event
            if chunk:
                last_news = time.monotonic()
                continue
            if ended and not alive:
                return
            if not alive:
                now = read(run.folder)
                yield RunFinished(
                    time=time.time(), run=run.id, status=now.status, metrics=now.metrics, message=now.message
                )
                return
            if timeout is not None and time.monotonic() - last_news >= timeout:
                return
            time.sleep(POLL)


def stop(run: Run) -> None:
    """Asks a run to stop and to delete what it made.

    A run that was interrupted, or that ended and kept its endpoint, gets a process that only deletes.

    Raises:
        RunError: The run has ended already and left nothing.
    """
    current = read(run.folder)
    if current.active:
        with _change("StopRun", current, {"deletes": left(current)}):
            (current.control / "stop").touch()
        if current.pid and processes.runs(current.pid, current.pid_started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(current.pid, signal.SIGTERM)
        return
    if current.status != "interrupted" and not left(current):
        raise RunError(f"Run {run.id} is not running: it is {current.status}, and it left nothing to delete.")
    with _change("StopRun", current, {"deletes": left(current)}):
        (current.control / "stop").touch()
    current.outcome = "" if current.status == "interrupted" else current.status
    _again(current, "Deleting what the run left.")


def left(run: Run) -> list[str]:
    """What a run made at its target and has not deleted, as its ledger tells: kept endpoints, leftovers of a crash."""
    try:
        recorded = json.loads((run.folder / "ledger.json").read_text(encoding="utf-8"))["resources"]
    except (OSError, ValueError, KeyError):
        return []
    return [f"{item['what']} {item['name']}" for item in recorded if item["state"] == "made"]


def answer(run: Run, question: str, choice: str) -> None:
    """Answers the question that a run waits for.

    Raises:
        RunError: The run waits for no such question, or the choice is not one of its choices.
    """
    current = read(run.folder)
    asked = current.question or {}
    if current.status != "waiting" or asked.get("question") != question:
        waits = f"it waits for {asked['question']!r}" if asked else f"it is {current.status} and asks nothing"
        raise RunError(f"Run {run.id} does not ask {question!r}: {waits}.")
    if choice not in asked["choices"]:
        raise RunError(f"{choice!r} is no answer to {question!r}. Choices: {', '.join(asked['choices'])}.")
    with _change("AnswerRun", current, {"question": question, "answer": choice}):
        write_atomically(current.control / f"answer-{question}", choice)


def resume(run: Run) -> Run:
    """Goes on with a run that was interrupted or failed: steps whose inputs are unchanged are reused.

    Raises:
        RunError: The run still works, or it ended in a way that leaves nothing to do.
    """
    current = read(run.folder)
    if current.active:
        raise RunError(f"Run {run.id} is {current.status}; `mlconsole runs attach {run.id}` shows it.")
    if current.status == "completed":
        raise RunError(f"Run {run.id} is completed: there is nothing left to do. Start a new one.")
    with _change("ResumeRun", current):
        for request in current.control.iterdir():
            request.unlink()
        return _again(current, "Resumed.")


def code(run: Run, interface: str = "") -> str:
    """The whole run as a plain Python script in its interface (or in another one), with its real values, that runs without mlconsole.

    Raises:
        RunError: The study cannot be written as a script.
    """
    from workflows.interfaces.code import script

    return script(replace(run, interface=interface or run.interface))


def delete(run: Run) -> None:
    """Removes a run's folder. Nothing at the target is touched: `stop` deletes what an unfinished run made there.

    Raises:
        RunError: The run still works, or it has ended and its process does not go.
    """
    current = read(run.folder)
    if current.active:
        raise RunError(f"Run {run.id} is {current.status}: stop it first (`mlconsole runs stop {run.id}`).")
    # A run that has just said how it ended still closes its files: they would come back into a folder being deleted.
    deadline = time.monotonic() + _LEAVING
    while processes.runs(current.pid, current.pid_started):
        if time.monotonic() > deadline:
            raise RunError(
                f"Run {run.id} is {current.status}, but its process {current.pid} still runs after {_LEAVING:.0f} s. "
                f"Try again, or end it first (`kill {current.pid}`)."
            )
        time.sleep(0.02)
    with _change("DeleteRun", current):
        shutil.rmtree(current.folder)


def _change(
    operation: str, run: Run, detail: Mapping[str, object] | None = None
) -> AbstractContextManager[None]:
    profile = str(run.configuration.get("profile") or "")
    return change(operation, run.id, detail, target=run.target, profile=profile)


def _again(run: Run, message: str) -> Run:
    run.status, run.pid, run.pid_started, run.message, run.question = "starting", 0, "", "", None
    run.ended, run.heartbeat = 0.0, time.time()
    (run.folder / "pid").unlink(missing_ok=True)
    save(run)
    note = to_json(Log(time=time.time(), message=message)) + "\n"
    with run.events_file.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end and file.seek(end - 1) is not None and file.read(1) != b"\n":
            file.write(b"\n")  # a line that the dead process had begun
        file.write(note.encode())
    return _spawn(run, Configuration.from_dict(run.configuration))


def _spawn(run: Run, options: Configuration) -> Run:
    # The manifest belongs to the new process from here on.
    detached.spawn("workflows.run_process", run.folder, options, log=run.log, cwd=run.work)
    return run


def _gone(run: Run) -> bool:
    """Whether the process of an active run has ended without saying so."""
    return detached.gone(run.folder, run.pid, run.pid_started, max(run.created, run.heartbeat))


def _interrupted(run: Run) -> str:
    return (
        f"The run's process ended without finishing. `mlconsole runs resume {run.id}` goes on, "
        f"`mlconsole runs stop {run.id}` deletes what it made. Its log: {run.log}"
    )
