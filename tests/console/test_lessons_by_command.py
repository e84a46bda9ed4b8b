"""``mlconsole lesson N`` as a person types it: real engine, real training; the other interface of each is taken in tmux."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console.command import run as mlconsole
from tests.workflows.conftest import _calls_that_aws_would_take, engine_folder, on_engine
from tests.workflows.taken import SIZES, asked_by_curl, nothing_left, taken
from tests.workflows.told import completed, end, printed
from workflows import events, runs

__all__ = ["_calls_that_aws_would_take", "engine_folder", "on_engine"]


def launched(number: int, interface: str, given: dict[str, Any], *options: str) -> tuple[runs.Run, str]:
    """A lesson that was taken in the foreground, and what was told meanwhile."""
    settings = [part for name, value in given.items() for part in ("--set", f"{name}={value}")]
    done = mlconsole("lesson", str(number), "--interface", interface, *settings, *options)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-2000:])
    (run,) = runs.list_runs()
    assert (run.interface, run.status) == (interface, "completed")
    return run, done.stdout


def progress(name: str) -> dict[str, Any]:
    """How far one is in a lesson, as `mlconsole lessons ls` tells it."""
    (one,) = [row for row in json.loads(mlconsole("lessons", "ls", "--json").stdout) if row["name"] == name]
    found: dict[str, Any] = one["progress"]
    return found


@pytest.mark.parametrize(
    ("number", "name", "interface", "others", "prints"),
    [
        (2, "building", "high", {"subject": "reviews"}, {"xgboost: accuracy=": "score"}),
        (3, "deploying", "low", {}, {"accuracy=": "score", "probability=": "probability"}),
        (4, "tuning", "high", {}, {}),
        (5, "updating", "low", {}, {}),
    ],
)
def test_a_lesson_is_taken_by_one_command(
    on_engine: Path, number: int, name: str, interface: str, others: dict[str, Any], prints: dict[str, str]
) -> None:
    given = SIZES[name] | others
    run, told = launched(number, interface, given)
    assert run.study == name and "completed" in told and "SYNTHETIC" in told
    found, last = completed(run)
    taken(run, given, found, last)
    mine = progress(name)
    assert list(mine["done"]) == [interface] and mine["last"] == run.id
    if prints:
        lines = printed(run)
        for text, metric in prints.items():
            assert float(lines.rpartition(text)[2].split()[0]) == pytest.approx(
                last.metrics[metric], rel=1e-4
            )
    assert mlconsole("runs", "rm", run.id, "--yes").returncode == 0 and runs.list_runs() == []
    assert progress(name)["done"] == mine["done"]


def test_the_tour_is_taken_by_one_command_and_its_endpoint_kept(on_engine: Path) -> None:
    run, told = launched(1, "low", SIZES["introduction"], "--keep")
    found = list(runs.follow(run, timeout=60))
    last = end(found)
    assert f"endpoint {run.id}" in last.left_behind and f"endpoint {run.id}" in told
    asked_by_curl(found, last)
    assert list(progress("introduction")["done"]) == ["low"]
    stopped = mlconsole("runs", "stop", run.id)
    assert stopped.returncode == 0, stopped.stderr
    later = [event for event in runs.follow(run, timeout=120) if isinstance(event, events.RunFinished)]
    assert later[-1].left_behind == []
    nothing_left(run)
