"""``mlconsole record``: the console, or any of its commands, recorded."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from console.cli.options import Settings, platform_options

INSIDE = "MLCONSOLE_RECORDING"
_AFTER = "mlconsole.recorded"


class _WithCommand(click.Command):
    """What follows ``--`` is the recorded command, and no argument of ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_AFTER] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND …]"]


@click.command(cls=_WithCommand)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--title", default="", help="A title, kept in the file.")
@click.option("--keys", is_flag=True, help="Also record what is typed. It may hold secrets.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--read-only", is_flag=True, help="A console that only looks.")
@platform_options
@click.pass_context
def record(
    ctx: click.Context, file: Path | None, title: str, keys: bool, overwrite: bool, read_only: bool
) -> None:
    """Record the console, to be shown again with `mlconsole replay FILE`.

    The console is used as ever; leaving it ends the recording. Behind -- another command of mlconsole can be recorded: mlconsole
    record first.cast -- run moons. FILE (mlconsole-DATE-TIME.cast in this folder if none is named) is an asciicast v2 file, which
    asciinema plays, too. It holds all that was on the screen, and only you can read it. It is whole up to the last moment whatever
    ends the recording. Exit status: that of the command.
    """
    from console.pseudoterminal import console_command, passed_on
    from console.recording import recorder
    from console.recording.cast import Header, Writer
    from workflows.problem import Problem

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem("Recording needs a terminal.", "Run it in one; commands that print text can be redirected instead.", "no-terminal")  # fmt: skip
    if os.environ.get(INSIDE):
        raise Problem("This terminal is being recorded already.", f"End that recording ({os.environ[INSIDE]}) first.", "recording")  # fmt: skip
    settings = Settings.of(ctx)
    _ = settings.configuration
    read_only = read_only or bool(ctx.find_root().params.get("read_only"))
    path = file or Path(time.strftime("mlconsole-%Y%m%d-%H%M%S.cast"))
    size = os.get_terminal_size(0)
    header = Header(
        size.columns, size.lines, int(time.time()), None, title, {"TERM": os.environ.get("TERM", "")}
    )
    writer = Writer(path, header, replace=overwrite)
    arguments = [*passed_on(settings.flags, read_only=read_only), *ctx.meta[_AFTER]]
    environment = {**os.environ, INSIDE: str(path.absolute())}
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)
    try:
        status = recorder.record(console_command(arguments), environment, writer, keys=keys)
    finally:
        writer.close()
    if writer.failure:
        click.echo(
            f"The recording stopped before the end: {writer.failure}. {path} holds what was until then.",
            err=True,
        )
    else:
        click.echo(f"Recorded in {path}. Show it: mlconsole replay {path}", err=True)
    ctx.exit(status or (1 if writer.failure else 0))
