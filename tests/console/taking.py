"""Lessons taken as persons take them: by one command, or from the menu of the installed program in tmux; to their ends, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.console.command import run as mlconsole
from tests.console.tmux import Tmux
from tests.workflows.taken import SIZES, taken
from tests.workflows.told import completed, printed
from workflows import runs
from workflows.lessons.catalog import find, number
from workflows.lessons.progress import INTERFACES
from workflows.studies.catalog import StudyInfo

LONG = 240.0


def by_command(
    name: str,
    interface: str,
    others: Mapping[str, Any] | None = None,
    *,
    prints: Mapping[str, str] | None = None,
) -> None:
    """Take a lesson with ``mlconsole lesson N``. ``prints`` has what its script prints before a number, and the metric that number is."""
    given = SIZES[name] | dict(others or {})
    run, told = launched(name, interface, given)
    assert "completed" in told and (("SYNTHETIC" in told) == bool(given))
    _check(run, given, prints or {})
    mine = progress(name)
    assert list(mine["done"]) == [interface] and mine["last"] == run.id
    assert mlconsole("runs", "rm", run.id, "--yes").returncode == 0 and runs.list_runs() == []
    assert progress(name)["done"] == mine["done"]


def launched(name: str, interface: str, given: Mapping[str, Any], *options: str) -> tuple[runs.Run, str]:
    """The run of a lesson that was taken by a command in the foreground, and what that has told."""
    settings = [part for one, value in given.items() for part in ("--set", f"{one}={value}")]
    done = mlconsole("lesson", str(number(find(name))), "--interface", interface, *settings, *options)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-2000:])
    (run,) = runs.list_runs()
    assert (run.study, run.interface, run.status) == (name, interface, "completed")
    return run, done.stdout


def progress(name: str) -> dict[str, Any]:
    """How far one is in a lesson, as ``mlconsole lessons ls`` tells it."""
    (one,) = [row for row in json.loads(mlconsole("lessons", "ls", "--json").stdout) if row["name"] == name]
    found: dict[str, Any] = one["progress"]
    return found


def from_menu(name: str, interface: str, *, prints: Mapping[str, str] | None = None) -> None:
    """Take a lesson in tmux: the list, its page, the form, the run to its end, and the list again, which remembers it."""
    info, given = find(name), SIZES[name]
    assert info.lesson is not None
    steps, place = len(info.steps), number(info)
    marks = " ".join(f"{one} {'✓' if one == interface else '–'}" for one in INTERFACES)
    tmux = Tmux()
    try:
        tmux.shows("Home", "live")
        tmux.press("7")
        tmux.shows("low – high –", "n start", "0/5")
        tmux.press(*["Down"] * (place - 1), "Enter")
        tmux.shows("How far you are", "not yet", f"Lesson {place}: ")
        tmux.press("Tab", *["Down"] * INTERFACES.index(interface), "Enter")
        tmux.shows("Ctrl+S  starts the run")
        fill(tmux, info, given)
        tmux.shows("Ctrl+S  starts the run")
        tmux.press("C-s")
        tmux.shows("Calls", "● running", f" of {steps}")
        tmux.shows(
            "✓ completed", "reads it at your pace", "── completed", f"interface {interface}", seconds=LONG
        )
        tmux.press("Tab")
        tmux.shows(f"step 1 of {steps}", info.steps[0][1])
        tmux.press("l")
        tried = sum(given | one.changes == given for one in info.lesson.tries)
        tmux.shows(marks, f"tried {tried} of {len(info.lesson.tries)}")
        tmux.press("7")
        rows = [line.lstrip("▌ ") for line in tmux.shows("1/5").splitlines()]
        (row,) = [line for line in rows if line.startswith(str(place)) and info.title[:8] in line]
        assert marks in row
        tmux.press("q")
        tmux.shows("left with 0")
    finally:
        tmux.close()
    (run,) = runs.list_runs()
    assert (run.study, run.interface) == (name, interface)
    _check(run, given, prints or {})


def fill(tmux: Tmux, info: StudyInfo, given: Mapping[str, Any]) -> None:
    """Type settings into the form of a lesson, of which the first field is in focus: interface, keep, then the parameters."""
    tmux.press("Tab")
    for item in info.parameters:
        tmux.press("Tab")
        if item.name not in given:
            continue
        if item.type == "choice":
            values = [value for value, _ in item.choices]
            tmux.press(*["Right"] * (values.index(given[item.name]) - values.index(str(item.default))))
        else:
            tmux.press("C-a", "C-k")
            tmux.write(str(given[item.name]))


def _check(run: runs.Run, given: Mapping[str, Any], prints: Mapping[str, str]) -> None:
    found, last = completed(run)
    taken(run, given, found, last)
    if prints:
        lines = printed(run)
        for text, metric in prints.items():
            shown = float(lines.rpartition(text)[2].split()[0])
            assert shown == pytest.approx(last.metrics[metric], rel=1e-4)
