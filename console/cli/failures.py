"""Runs the command line so that every failure is one sentence with a next step and an honest exit status.

0: done. 1: it failed. 2: wrong usage. 3: a gate refused the model (``run``), there is drift (``drift``; 4: too few records, or the ``--timeout`` of ``watch`` was over). 5: there is none of the name that ``watch`` was given. 130 and 143: ended by SIGINT or SIGTERM.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

FAILED, USAGE, REFUSED, INTERRUPTED, TERMINATED, HUNG_UP = 1, 2, 3, 130, 143, 129

_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.EEXIST)
_USAGE_ERRORS = {"ParameterError", "ConfigurationError"}


def guarded(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit status."""
    from console.cli.manner import rehearsing
    from console.cli.root import cli

    as_json, result = "--json" in arguments, 0
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller: `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a glyph that the terminal cannot show is no failure
    stdout = sys.stdout
    try:
        try:
            with rehearsing(arguments):
                result = cli.main(args=list(arguments), prog_name="mlconsole", standalone_mode=False)
        finally:
            with contextlib.suppress(ValueError):
                sys.stdout.flush()
    except BrokenPipeError:
        return _unread(stdout)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return _unread(stdout)  # click has noticed the same, put its wrapper there, and calls it a failure
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        # Behind the terminal's ^C, where click has not ended that line already.
        if not isinstance(error.__cause__, KeyboardInterrupt | EOFError):
            with contextlib.suppress(OSError):
                click.echo("", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        return _refuse_usage(error, as_json)
    except Exception as error:
        return _fail(error, as_json)
    return result if isinstance(result, int) else 0


def _unread(stdout: TextIO) -> int:
    """The reader (head, less) has what it wanted: no failure, and Python must not complain when it flushes at exit."""
    sys.stdout = stdout
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
    return 0


def _refuse_usage(error: click.ClickException, as_json: bool) -> int:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "mlconsole"
    message = error.format_message()
    if message.startswith("Usage: "):  # a group without a command: its help is the answer
        if not as_json:
            click.echo(message, err=True)
            return USAGE
        message = f"`{path}` needs a command"
    _tell(
        message if message.endswith((".", "?", "!")) else f"{message}.",
        f"`{path} --help` tells how it is used.",
        "usage",
        as_json,
    )
    return USAGE


def _fail(error: Exception, as_json: bool) -> int:
    from workflows.explain import explain

    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, _expected()):
        problem = explain(error)
        _tell(problem.sentence, problem.remedy, problem.code, as_json)
        return USAGE if names & _USAGE_ERRORS else FAILED
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        _tell(f"{where}{error.strerror or error}.", _writable_place(error), type(error).__name__, as_json)
        return FAILED
    report = _crash_report(error)
    remedy = f"The whole story is in {report}" if report else ""
    from console.terminal import without_secrets

    sentence = f"Something unforeseen happened: {type(error).__name__}: {without_secrets(str(error))}"
    _tell(sentence, remedy, "crash", as_json)
    return FAILED


def _writable_place(error: OSError) -> str:
    """The remedy where one of mlconsole's own folders cannot be written to; empty for every other failure."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) and not error.filename:
        return "Make room; `mlconsole doctor` tells how much is left where."
    if error.errno not in _UNWRITABLE or not error.filename:
        return ""
    from workflows import locations

    failed = Path(os.fsdecode(error.filename))
    folders = [path for _, path, _ in locations.as_table()]
    if not any(failed.is_relative_to(folder) or folder.is_relative_to(failed) for folder in folders):
        return ""
    return f"`mlconsole where` shows the folders; set {locations.HOME} to one that you can write to."


def _expected() -> tuple[type[Exception], ...]:
    """The exceptions whose texts are made for people."""
    from workflows.configuration import ConfigurationError
    from workflows.embedded import EngineError
    from workflows.failures import WorkflowError
    from workflows.problem import Problem
    from workflows.studies.parameters import ParameterError

    return (Problem, WorkflowError, EngineError, ConfigurationError, ParameterError)


def _tell(sentence: str, remedy: str, code: str, as_json: bool) -> None:
    from console.cli.output import harmless_lines, print_json

    if as_json:
        with contextlib.suppress(OSError):
            print_json({"error": sentence, "remedy": remedy, "code": code})
            return
    with contextlib.suppress(OSError):  # what cannot be written as JSON is told all the same
        click.secho("Error: ", fg="red", nl=False, err=True)
        click.echo(harmless_lines(f"{sentence} {remedy}".strip()), err=True)


def _crash_report(error: Exception) -> str:
    """Write a report without secrets to a file readable by this user only; returns its path, empty when that fails too."""
    from console.terminal import write_crash_report
    from workflows import locations

    try:
        return str(write_crash_report(error, locations.state_dir() / "crashes"))
    except Exception:  # no home, no room, no right: the crash itself is told all the same
        return ""
