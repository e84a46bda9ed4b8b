"""Asks before something is deleted or stopped."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def confirm(sentences: Sequence[str], *, yes: bool) -> None:
    """Show what will happen and ask; with ``yes`` nothing is asked.

    Raises:
        click.UsageError: Nobody can be asked.
        click.Abort: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here; say --yes to go on.")
    for sentence in sentences:
        click.echo(sentence, err=True)
    click.confirm("Go on?", abort=True, err=True)
