"""Asks before something is deleted or stopped."""

from __future__ import annotations

import select
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


def read_line(prompt: str) -> str:
    """One line that a person types, without blanks around it.

    Not ``input()``: a signal that comes just before it begins to read is noticed only after the next key.

    Raises:
        EOFError: There is no more input.
    """
    click.echo(prompt, nl=False)
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        pass
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()
