"""Lessons from the menu of the installed program to their ends: real engine, real training, keys as a person presses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.console.tmux import Tmux, needs_tmux
from tests.workflows.conftest import _calls_that_aws_would_take, _no_run_left, engine_folder, on_engine
from tests.workflows.taken import SIZES, taken
from tests.workflows.told import completed, printed
from workflows import runs
from workflows.lessons.catalog import find
from workflows.lessons.progress import INTERFACES
from workflows.studies.catalog import StudyInfo

__all__ = ["_calls_that_aws_would_take", "_no_run_left", "engine_folder", "on_engine"]
LONG = 240.0


def fill(tmux: Tmux, info: StudyInfo, given: dict[str, Any]) -> None:
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


@needs_tmux
@pytest.mark.parametrize(
    ("name", "interface", "score"),
    [
        ("introduction", "high", ""),
        ("building", "low", "xgboost: RMSE="),
        ("deploying", "high", ""),
        ("tuning", "low", ""),
        ("updating", "high", ""),
    ],
)
def test_a_lesson_is_taken_from_the_menu_to_its_end(
    on_engine: Path, name: str, interface: str, score: str
) -> None:
    info, given = find(name), SIZES[name]
    assert info.lesson is not None
    number, steps = info.lesson.number, len(info.steps)
    marks = " ".join(f"{one} {'✓' if one == interface else '–'}" for one in INTERFACES)
    tmux = Tmux()
    try:
        tmux.shows("Home", "live")
        tmux.press("7")
        tmux.shows("low – high –", "n start", "0/5")
        tmux.press(*["Down"] * (number - 1), "Enter")
        tmux.shows("Step by step", "How far you are", "not yet")
        tmux.press("Tab", *["Down"] * INTERFACES.index(interface), "Enter")
        tmux.shows("Ctrl+S  starts the run")
        fill(tmux, info, given)
        tmux.shows("Ctrl+S  starts the run")
        tmux.press("C-s")
        tmux.shows("Calls", "● running", f" of {steps}")
        tmux.shows(
            "✓ completed", "reads it at your pace", "✓ Clean up", f"interface {interface}", seconds=LONG
        )
        tmux.press("Tab")
        tmux.shows(f"step 1 of {steps}", info.steps[0][1])
        tmux.press("l")
        tmux.shows(marks, f"tried 0 of {len(info.lesson.tries)}")
        tmux.press("7")
        (row,) = [line for line in tmux.shows("1/5").splitlines() if f"{number}  {info.title[:20]}" in line]
        assert marks in row
        tmux.press("q")
        tmux.shows("left with 0")
    finally:
        tmux.close()
    (run,) = runs.list_runs()
    assert (run.study, run.interface) == (name, interface)
    found, last = completed(run)
    taken(run, given, found, last)
    if score:
        shown = float(printed(run).partition(score)[2].split()[0])
        assert shown == pytest.approx(last.metrics["score"], rel=1e-4)
