"""What ``mlconsole --read-only`` leaves of the commands: those that only look."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workflows.safety.origin import came_from

LOOKING = frozenset(
    (
        "runs ls", "runs show", "runs code", "runs diff", "report", "studies ls", "studies show", "lessons ls", "lessons show", "population county", "population segments", "data ls", "data show", "data check", "jobs ls", "jobs show", "jobs logs", "jobs metrics",
        "endpoints ls", "endpoints show", "endpoints logs", "endpoints metrics", "endpoints captures", "endpoints alarms",
        "endpoints scaling", "ab ls", "ab show", "ab forecast", "traffic ls", "traffic show", "rollout ls", "rollout show",
        "rollout code", "rollout plan", "tuning ls", "tuning show", "tuning trials", "tuning importance", "tuning watch",
        "transform ls", "transform show", "webapp ls", "webapp show", "webapp open", "webapp pack", "transform logs", "transform output", "transform wait", "costs", "drift", "prices ls",
        "prices show", "engine status", "engine logs", "engine env", "doctor", "where", "describe", "related", "code", "s3 ls", "s3 show", "watch", "audit", "targets", "jobs compare", "ab watch", "runs attach", "lessons ls", "keys", "config show", "config path", "completion",
        "sweep --plan", "serve", "record", "replay",
    )
)  # fmt: skip
"""A command that is not here is refused: whoever adds one and forgets it here loses no data."""


def refuse_change(ctx: click.Context, command: click.Command, args: Sequence[str]) -> None:
    """Let a command pass that only looks; ``args`` are what follows its name.

    Raises:
        click.UsageError: It may change something, and the console's caller said ``--read-only``.
    """
    if isinstance(command, click.Group) or "--help" in args:
        return
    path = " ".join([*ctx.command_path.split()[1:], command.name or ""])
    came_from(f"mlconsole {path}")
    asked = ctx.find_root().params
    if not asked.get("read_only") or asked.get("dry_run"):
        return
    flags = {path, *(f"{path} {argument}" for argument in args)}
    if LOOKING.isdisjoint(flags):
        raise click.UsageError(
            f"`mlconsole {path}` may change something, and --read-only forbids that.", ctx=ctx
        )
