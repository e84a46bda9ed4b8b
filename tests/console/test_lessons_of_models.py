"""Lessons 1 and 2, a tour and building models: each once by command and once from the menu, each time through the other interface; one of the two is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.command import run as mlconsole
from tests.console.taking import by_command, from_menu, launched, progress
from tests.console.tmux import needs_tmux
from tests.workflows.conftest import _calls_that_aws_would_take, _no_run_left, engine_folder, on_engine
from tests.workflows.taken import SIZES, asked_by_curl, taken
from tests.workflows.told import end
from workflows import runs

__all__ = ["_calls_that_aws_would_take", "_no_run_left", "engine_folder", "on_engine"]


def test_the_tour_by_command_and_its_endpoint_is_kept(on_engine: Path) -> None:
    run, told = launched("introduction", "low", SIZES["introduction"], "--keep")
    found = list(runs.follow(run, timeout=60))
    last = end(found)
    asked_by_curl(found, last)
    assert f"endpoint {run.id}" in told and list(progress("introduction")["done"]) == ["low"]
    stopped = mlconsole("runs", "stop", run.id)
    assert stopped.returncode == 0, stopped.stderr
    assert end(list(runs.follow(run, offset=len(found), timeout=120))).left_behind == []
    taken(run, SIZES["introduction"], found, last)


@needs_tmux
@pytest.mark.slow
def test_the_tour_from_the_menu(on_engine: Path) -> None:
    from_menu("introduction", "high")


@pytest.mark.slow
def test_building_models_by_command(on_engine: Path) -> None:
    by_command("building", "high", {"subject": "reviews"})


@needs_tmux
def test_building_models_from_the_menu(on_engine: Path) -> None:
    from_menu("building", "low", prints={"xgboost: RMSE=": "score"})
