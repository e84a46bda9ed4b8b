"""How a command is carried out: only looking, rehearsing, quiet, verbose. The options stand before the command's name."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from workflows.events import ApiCall
    from workflows.safety.rehearsal import Rehearsal

F = TypeVar("F", bound=Callable[..., Any])
READ_ONLY = "MLCONSOLE_READ_ONLY"


def manner_options(command: F) -> F:
    """``--read-only``, ``--dry-run``, ``--quiet`` and ``--verbose`` as parameters of the same names."""
    for option in (
        click.option("--verbose", "-v", is_flag=True, help="Tell each AWS call on standard error."),
        click.option("--quiet", "-q", is_flag=True, help="Nothing on standard error but questions and errors."),
        click.option(
            "--dry-run", is_flag=True, help="Show the calls that a command would change something with; send none."
        ),
        click.option("--read-only", is_flag=True, help="Only look: the console and the commands change nothing."),
    ):  # fmt: skip
        command = option(command)
    return command


def apply(ctx: click.Context, *, read_only: bool, dry_run: bool, quiet: bool, verbose: bool) -> None:
    """Put the options into force until the context closes."""
    if read_only:
        before = os.environ.get(READ_ONLY)
        os.environ[READ_ONLY] = "all"  # processes that are started from here are bound by it, too
        ctx.call_on_close(lambda: _restored(before))
    if verbose:
        from workflows.platform import observe_all

        ctx.call_on_close(observe_all(tell_call))
    if quiet:
        loud = sys.stderr
        sys.stderr = _Silence(loud)
        ctx.call_on_close(lambda: setattr(sys, "stderr", loud))
    if dry_run:
        from workflows.safety import rehearsal

        rehearsal.begin()


class _Silence(io.StringIO):
    """A standard error that nobody hears; ``loud`` is the real one."""

    def __init__(self, loud: Any) -> None:
        super().__init__()
        self.loud = loud

    def write(self, text: str) -> int:
        return len(text)

    def isatty(self) -> bool:
        return bool(self.loud.isatty())


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """What a ``with`` block says on standard error is heard even with ``--quiet``: questions."""
    silence = sys.stderr
    if not isinstance(silence, _Silence):
        yield
        return
    sys.stderr = silence.loud
    try:
        yield
    finally:
        sys.stderr = silence


def tell_call(call: ApiCall) -> None:
    """One AWS call as ``--verbose`` tells it."""
    from workflows.safety.operations import resource

    outcome = call.error or f"{call.seconds * 1000:.0f} ms"
    about = resource(call.service, call.parameters)
    click.echo(f"{call.service} {call.operation} {about} {outcome}".replace("  ", " "), err=True)


@contextlib.contextmanager
def rehearsing(arguments: Sequence[str]) -> Iterator[None]:
    """Tell what was rehearsed when a ``with`` block has ended; what the command printed meanwhile is about things that did not happen.

    Without ``--dry-run`` nothing is different.
    """
    if "--dry-run" not in arguments:
        yield
        return
    from workflows.safety import rehearsal

    said, real = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), sys.stdout
    sys.stdout = said
    failure: BaseException | None = None
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except (Exception, rehearsal.Rehearsed) as error:
        failure = error
    finally:
        sys.stdout = real
        played = rehearsal.current()
        rehearsal.end()
        if played is None or not played.calls:
            real.write(said.buffer.getvalue().decode("utf-8", "replace"))
    if played is not None and played.calls:
        _tell(played, failure, as_json="--json" in arguments)
    elif failure is not None:
        raise failure
    elif played is not None:
        click.echo("Nothing would be changed.", err=True)


def _tell(played: Rehearsal, failure: BaseException | None, *, as_json: bool) -> None:
    from console.cli.output import print_json

    rest = played.ended
    if failure is not None and not rest:
        known = type(failure).__module__.startswith("workflows.")
        rest = f"Then: {failure}" if known else "What follows depends on the answers to these calls."
    if as_json:
        print_json({"dry_run": True, "questions": played.questions, "calls": played.calls, "then": rest})
        return
    for sentence in played.questions:
        click.echo(sentence)
    from workflows.safety.rehearsal import told

    for line in told(played.calls):
        click.echo(line)
    if rest:
        click.echo(rest)
    click.echo("Dry run: nothing was sent, nothing has changed.", err=True)


def _restored(before: str | None) -> None:
    if before is None:
        os.environ.pop(READ_ONLY, None)
    else:
        os.environ[READ_ONLY] = before
