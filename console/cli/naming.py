"""How a command names a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def complete_run(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids of runs, for the shell."""
    from workflows.runs import list_runs

    return [run.id for run in list_runs() if run.id.startswith(incomplete)]


def run_argument(**attributes: Any) -> Callable[[F], F]:
    """The argument RUN: an id, a beginning or an ending of one, or ``last``."""
    return click.argument("name", metavar="RUN", shell_complete=complete_run, **attributes)
