"""``mlconsole report``: a run as one HTML file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from console.cli.naming import run_argument
from console.cli.options import json_option


@click.command()
@run_argument()
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Where to write it: a file, a folder, or - for standard output. Default: RUN.html here.",
)
@click.option("--force", is_flag=True, help="Write over a file that is no report.")
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser afterwards.")
@json_option
def report(name: str, output: Path | None, force: bool, open_it: bool, as_json: bool) -> None:
    """Write a run as one HTML file: figures, tables, gates, settings, lineage, cost.

    The file opens offline and needs no script. It can be written of any run: also of one that works still, failed, was refused or
    interrupted. Results whose files changed since are withheld, with the reason. An earlier report is written over, another file
    only with --force.
    """
    from console.cli.output import print_json
    from console.formatting import size
    from workflows.report import files
    from workflows.runs import find

    run = find(name)
    if output is not None and str(output) == "-":
        if open_it or as_json:
            raise click.UsageError("-o - prints the page itself: leave out --open and --json.")
        from workflows.report.page import render

        click.echo(render(run)[0])
        return
    written = files.write(run, output, force=force)
    if as_json:
        print_json(written)
    else:
        click.echo(f"Wrote {written.file} ({size(written.bytes)}).")
        if written.withheld:
            click.echo(written.withheld, err=True)
    if open_it:
        _open(written.file)


def _open(path: Path) -> None:
    """Show a file in the browser of the desktop; over SSH, say how to get it."""
    desktop = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if desktop and click.launch(path.as_uri()) == 0:
        return
    import socket

    click.echo(
        f"There is no desktop here to open it on. From your own machine: scp {socket.gethostname()}:{path} .",
        err=True,
    )
