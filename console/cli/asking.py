"""Asks before something is deleted or stopped."""

from __future__ import annotations

import select
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.cli.manner import heard

if TYPE_CHECKING:
    from workflows.safety.rehearsal import Rehearsal


def confirm(sentences: Sequence[str], *, yes: bool) -> None:
    """Show what will happen and ask; with ``yes`` nothing is asked. Empty sentences are left out.

    Raises:
        click.UsageError: Nobody can be asked.
        click.Abort: The answer is no.
    """
    told = [sentence for sentence in sentences if sentence]
    rehearsed = _rehearsed()
    if rehearsed is not None:
        rehearsed.questions += told
        return
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here; say --yes to go on.")
    with heard():
        for sentence in told:
            click.echo(sentence, err=True)
        click.confirm("Go on?", abort=True, err=True)


def _rehearsed() -> Rehearsal | None:
    """The dry run that goes on: nobody is asked in it, and what would be asked is told with its calls."""
    if "workflows.safety.rehearsal" not in sys.modules:
        return None
    from workflows.safety.rehearsal import current

    return current()


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
