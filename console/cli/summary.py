"""What is said when a run has ended, and the exit status that goes with it."""

from __future__ import annotations

import click

from console.cli.failures import FAILED, INTERRUPTED, REFUSED
from console.cli.output import prose, styled
from console.formatting import duration, number, status
from workflows.events import RunFinished
from workflows.runs import Run

EXIT = {"completed": 0, "failed": FAILED, "refused": REFUSED, "stopped": INTERRUPTED, "interrupted": FAILED}
"""Exit status by the run's status."""


def print_summary(run: Run, end: RunFinished) -> None:
    """The status, the metrics, what was left behind, and what to do next."""
    shown = status(end.status)
    took = f" in {duration(end.time - run.created)}" if run.created else ""
    click.echo()
    click.echo(styled(f"{shown.glyph} {run.study} {end.status}{took}", shown.role))
    if end.message:
        click.echo(prose(end.message))
    width = max((len(name) for name in end.metrics), default=0)
    for name, value in end.metrics.items():
        click.echo(f"  {name.ljust(width)}  {number(value)}")
    if end.left_behind:
        click.echo(prose(f"Left behind: {', '.join(end.left_behind)}."))
    click.echo(f"Details:     mlconsole runs show {run.id}")
    click.echo(f"As a script: mlconsole runs code {run.id}")
    if end.status in ("failed", "interrupted"):
        click.echo(f"Its process's output: {run.log}")
