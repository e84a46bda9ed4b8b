"""Writes commands.md from the command tree: ``python docs/commands.py`` (``--check`` only tells whether it is current)."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from console.cli.root import COMMANDS, cli

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 88

HEAD = """# Commands

<!-- Written by docs/commands.py from the command tree; a test holds it current. -->

`mlconsole` alone opens the console. Everything the console shows and does can be had from commands too.

**Where SageMaker is.** `--target embedded` (the default) is the SageMaker of this machine, `--target aws` the real one; with
`--profile`, `--region` and `--role` as on AWS. They stand before or after the command, and
[configuration](configuration.md) tells how to set them once.

**JSON.** With `--json` a command prints one JSON document; `run` and `runs attach` print one event a line, the last one the
result, and logs, `audit` and `watch` one object a line. Failures are JSON objects then too: `{"error": …, "remedy": …, "code": …}`, where the
code is `not-found` for whatever a name does not have; what keeps `watch` from telling news is said on standard
error, so that its lines stay changes.

**Before the command's name** stand `--read-only` (change nothing), `--dry-run` (show the calls that would change something, send none), `-q`
(standard error has questions and errors only) and `-v` (each AWS call on standard error): [safety](safety.md).

**Pipes.** Data goes to standard output, everything else to standard error; without a terminal there are no colours and no questions
(`--yes` answers them). An answer that is waited for longer than 3 s is named on standard error. A reader that has enough (`head`) ends a command with status 0. `mlconsole watch … --json` streams changes, one JSON
object a line.

**Exit status.**

| status | meaning |
|---|---|
| 0 | done |
| 1 | it failed, or was refused as a change (read-only); one sentence on standard error says why and what to do. `watch NAME`: it did not complete |
| 2 | wrong usage |
| 3 | `run`: a gate refused the model; `engine status`: the engine does not run; `drift`: there is drift |
| 4 | `drift`: too few records to tell; `watch`: its `--timeout` was over |
| 5 | `watch NAME`: there is none of that name, or none any more (`--appear` waits for it) |
| 129 | `run`, `runs attach`: the terminal hung up; the run goes on |
| 130, 143 | ended by Ctrl-C (SIGINT) or SIGTERM; a watched run was stopped and cleaned up |

**Watching a run.** A run is a process of its own. On a terminal Ctrl-C asks: detach, stop, or keep watching; a second Ctrl-C
detaches. Without a terminal (a pipe, CI, cron) SIGINT and SIGTERM stop the run with its clean-up. Closing the terminal or
losing the SSH line leaves it alone: `mlconsole runs attach last` comes back.

**Completion.** `eval "$(mlconsole completion bash)"` in `~/.bashrc` (zsh: the same with `zsh`; fish: see below).

**Colours** follow the terminal; `NO_COLOR=1` switches them off.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## Overview\n", "| command | what it does |", "|---|---|"]
    parts += [f"| [`mlconsole {name}`](#mlconsole-{name}) | {text} |" for name, (_, text) in COMMANDS.items()]
    for name, command in _tree(cli, "mlconsole"):
        level = "##" if name.count(" ") <= 1 else "###"
        body = _engine_help() if name == "mlconsole engine" else _help(command, name)
        parts.append(f"\n{level} {name}\n\n```text\n{body}\n```")
    return "\n".join(parts) + "\n"


def _tree(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _tree(found, f"{path} {name}")


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, max_content_width=WIDTH, terminal_width=WIDTH)
    return inspect.cleandoc(command.get_help(context))


def _engine_help() -> str:
    """The engine is a program of its own with a parser of its own."""
    texts = []
    for verb in ([], ["start"], ["stop"], ["status"], ["logs"], ["env"], ["reset"]):
        done = subprocess.run(
            [sys.executable, "-m", "engine", *verb, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": str(WIDTH), "PATH": ""},
            cwd=Path(__file__).parents[1],
        )
        texts.append(done.stdout.strip())
    return "\n\n".join(texts)


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv:
        return 0 if PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
