"""What a run has told: events of a kind, its end; and what its printed script does when a person runs it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from typing import TypeVar

from tests.workflows.conftest import everything
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform

E = TypeVar("E", bound=events.Event)
OURS = {"mlconsole", "workflows", "algorithms", "engine", "console"}


def of_kind(kind: type[E], found: list[events.Event], step: str = "") -> list[E]:
    """The events of a kind, of all steps or one."""
    return [event for event in found if isinstance(event, kind) and (not step or event.step == step)]


def end(found: list[events.Event]) -> events.RunFinished:
    """The last event, which must be the run's end."""
    last = found[-1]
    assert isinstance(last, events.RunFinished), last
    return last


def completed(run: runs.Run, seconds: float = 300) -> tuple[list[events.Event], events.RunFinished]:
    """All events of a run, which must complete and leave nothing."""
    found = everything(run, seconds)
    last = end(found)
    assert last.status == "completed", (last.message, run.log.read_text()[-3000:])
    assert last.left_behind == []
    return found, last


def executed(run: runs.Run) -> subprocess.CompletedProcess[str]:
    """What the script of a run did, run as a person would; it imports nothing of this project."""
    script = runs.code(runs.read(run.folder))
    # What a function or a training job brings along is text in it, and may import what lies beside it there.
    nodes = list(ast.walk(ast.parse(script)))
    found = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    found += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not OURS & {name.partition(".")[0] for name in found}
    path = run.work / "script.py"
    path.write_text(script, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", str(path)],
        env=dict(os.environ) | open_platform(Configuration()).environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def printed(run: runs.Run) -> str:
    """What the script of a run prints; it must end well, and leave no model and no endpoint."""
    done = executed(run)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-3000:])
    sagemaker = open_platform(Configuration()).client("sagemaker")
    assert sagemaker.list_models(NameContains=f"{run.study}-script")["Models"] == []
    endpoints = sagemaker.list_endpoints(NameContains=f"{run.study}-script")["Endpoints"]
    assert [one["EndpointName"] for one in endpoints if one["EndpointStatus"] != "Deleting"] == []
    return done.stdout
