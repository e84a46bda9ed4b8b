"""Names of resources for the shell: those of the lists that the console or a command has seen last, so that a Tab neither waits nor calls AWS."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from console.cli.options import Settings

Complete = Callable[[click.Context, click.Parameter, str], list[str]]
MOST = 200
"""Names that a shell is given: more are no help."""


def names_of(kind: str) -> Complete:
    """Completes names of a topic kind (``jobs``, ``endpoints``, ``tuning-jobs``, ``transforms``), the newest first."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from workflows.remembered import Remembered
        from workflows.topics import Topic

        with contextlib.suppress(
            Exception
        ):  # a shell shows what is printed here in the middle of a command line
            rows, _ = Remembered.of(Settings.of(ctx).configuration).first(Topic(kind))
            return [row.name for row in rows or () if row.name.startswith(incomplete)][:MOST]
        return []

    return complete


def listed(ctx: click.Context, kind: str, rows: Sequence[Any], *, more: bool) -> None:
    """Remember the list that a command shows, so that the next Tab knows its names; not one that was narrowed or sorted otherwise."""
    from workflows.remembered import Remembered

    given = ctx.params
    narrowed = given.get("status") or given.get("part") or given.get("since")
    if not narrowed and given["sort"] == "created" and not given["reverse"]:
        Remembered.of(Settings.of(ctx).configuration).see(kind, rows, time.time(), whole=not more)


def experiments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name of an A/B test, which has a folder of that name."""
    from workflows import locations

    return _folders(locations.experiments_dir(), incomplete)


def rollouts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name of a rollout, which has a folder of that name."""
    from workflows import locations

    return _folders(locations.rollouts_dir(), incomplete)


def _folders(root: Path, incomplete: str) -> list[str]:
    """Names of folders, the one that was changed last first."""
    with contextlib.suppress(OSError):
        found = [one for one in root.iterdir() if one.name.startswith(incomplete) and one.is_dir()]
        return [one.name for one in sorted(found, key=lambda one: -one.stat().st_mtime)][:MOST]
    return []


def datasets(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name of a data set."""
    from workflows.data.catalog import DATASETS

    return [dataset.name for dataset in DATASETS if dataset.name.startswith(incomplete)]


_TOPICS = {
    "job": "jobs", "jobs": "jobs", "endpoint": "endpoints", "endpoints": "endpoints", "alarms": "endpoints",
    "tuning-job": "tuning-jobs", "tuning": "tuning-jobs", "transform": "transforms", "transforms": "transforms",
}  # fmt: skip


def names_of_kind(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name of a resource whose kind is the argument before it."""
    kind = str(ctx.params.get("kind") or "")
    if kind in ("run", "runs"):
        from workflows.runs import list_runs

        with contextlib.suppress(Exception):
            return [run.id for run in list_runs() if run.id.startswith(incomplete)][:MOST]
        return []
    return names_of(_TOPICS.get(kind, kind))(ctx, parameter, incomplete)
