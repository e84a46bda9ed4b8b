"""How a command names a run, and which names are near one that nothing has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def near(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Names that somebody may have meant: those that contain it, then those that are written alike."""
    import difflib

    known = list(dict.fromkeys(names))
    part = [one for one in known if name.lower() in one.lower()]
    alike = difflib.get_close_matches(name, known, n=most, cutoff=0.6)
    return list(dict.fromkeys([*part, *alike]))[:most]
