"""``mlconsole replay``: shows a recording."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from console.cli.options import json_option

DEMONSTRATION = "demo"


@click.command()
@click.argument("file", default=DEMONSTRATION, type=click.Path(path_type=Path))
@click.option(
    "--speed", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="So many times as fast."
)
@click.option(
    "--idle",
    type=click.FloatRange(0.05),
    metavar="SECONDS",
    help="No pause is longer; else as the recording says.",
)
@json_option
@click.pass_context
def replay(ctx: click.Context, file: Path, speed: float, idle: float | None, as_json: bool) -> None:
    """Show a recording of the console, or any other asciicast v2 file; without FILE, the demonstration that ships.

    Space pauses, . goes on by one step, the arrows go 5 seconds back and forward, + and - change the speed, q quits. Nothing is done
    but showing: the recording cannot act on the console, the clipboard or the terminal. --json tells what the recording is instead.
    """
    from console.recording import cast, player
    from workflows.problem import Problem

    shipped = str(file) == DEMONSTRATION and not file.exists()
    recording = cast.read(Path(cast.__file__).with_name("demo.cast.gz") if shipped else file)
    width, height = recording.largest
    if as_json:
        from console.cli.output import print_json

        header = recording.header
        shown = [event.time for event in cast.played(recording, idle)]
        print_json(
            {
                "file": str(file), "title": header.title, "width": width, "height": height, "timestamp": header.timestamp,
                "seconds": round(recording.seconds, 3), "seconds_played": round(shown[-1] / speed, 3) if shown else 0.0,
                "events": len(recording.events), "keys": any(event.code == cast.INPUT for event in recording.events), "cut": recording.cut,
            }
        )  # fmt: skip
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem("A recording is shown on a terminal.", "Run it in one, or say --json.", "no-terminal")
    size = os.get_terminal_size(1)
    if size.columns < width or size.lines < height:
        click.echo(
            f"It was recorded on {width} × {height}, and this terminal has {size.columns} × {size.lines}: lines will break or be missing. "
            "Enter shows it all the same, q and Enter does not."
        )
        if sys.stdin.readline().strip():
            ctx.exit(0)
    status = player.play(recording, speed=speed, idle=idle)
    if recording.cut:
        click.echo("The last line of the recording is cut off; it was shown up to there.", err=True)
    ctx.exit(status)
