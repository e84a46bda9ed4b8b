"""Lessons 3 and 4, deploying and tuning: each once by command and once from the menu, each time through the other interface; one of the two is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.taking import by_command, from_menu
from tests.console.tmux import needs_tmux
from tests.workflows.conftest import _calls_that_aws_would_take, _no_run_left, engine_folder, on_engine

__all__ = ["_calls_that_aws_would_take", "_no_run_left", "engine_folder", "on_engine"]


def test_deploying_by_command(on_engine: Path) -> None:
    by_command("deploying", "low", prints={"accuracy=": "score", "probability=": "probability"})


@needs_tmux
@pytest.mark.slow
def test_deploying_from_the_menu(on_engine: Path) -> None:
    from_menu("deploying", "high")


@pytest.mark.slow
def test_tuning_by_command(on_engine: Path) -> None:
    by_command("tuning", "high")


@needs_tmux
def test_tuning_from_the_menu(on_engine: Path) -> None:
    from_menu("tuning", "low")
