"""Prints a log, and goes on while more comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from console.cli.output import escaped
from console.formatting import printable

if TYPE_CHECKING:
    from workflows.observe.gateway import Gateway
    from workflows.observe.logs import LogReader
    from workflows.observe.rows import LogLine

PAUSE = {"embedded": 0.5, "aws": 5.0}
"""Seconds between two reads while following."""


def narrowed(since: str | None, only: str) -> Callable[[LogLine], bool] | None:
    """What the options ``--since`` and ``--only`` leave of a log; None: all of it.

    Raises:
        click.BadParameter: One of them cannot be read.
    """
    if since is None and not only:
        return None
    from console import filtering
    from console.cli.values import parse_age

    after = time.time() - parse_age(since) if since is not None else 0.0
    wanted = filtering.parse(only, ("text", "stream"))
    if wanted.problem:
        raise click.BadParameter(f"{wanted.problem}.", param_hint="--only")
    return lambda line: (
        line.time >= after and (not wanted or wanted.matches({"text": line.text, "stream": line.stream}))
    )


def print_log(
    gateway: Gateway,
    reader: LogReader,
    *,
    most: int | None,
    goes_on: Callable[[], bool] | None,
    timestamps: bool,
    as_json: bool,
    wanted: Callable[[LogLine], bool] | None = None,
) -> None:
    """Print everything there is, then what comes.

    Args:
        most: Lines from the end to begin with; None: all.
        goes_on: Whether more can come; None: what is there now is enough.
        wanted: Which lines are printed; None: all.
    """
    first = True
    while True:
        more = goes_on() if goes_on else False
        lines: list[LogLine] = []
        complete = False
        while not complete:
            page = reader.read(gateway)
            complete = page.complete
            lines += page.lines if wanted is None else filter(wanted, page.lines)
            if most is None or not first:
                _print(lines, reader, timestamps, as_json)
                lines = []
        if lines:
            _print(lines[-most:] if most else lines, reader, timestamps, as_json)
        first = False
        if not more:
            return
        time.sleep(PAUSE[gateway.target])


def _print(lines: list[LogLine], reader: LogReader, timestamps: bool, as_json: bool) -> None:
    several = len(reader.streams) > 1
    for line in lines:
        if as_json:
            told = {"time": line.time, "stream": line.stream, "message": line.text}
            click.echo(escaped(json.dumps(told, ensure_ascii=False)))
            continue
        stamp = (
            f"{datetime.fromtimestamp(line.time, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z  "
            if timestamps
            else ""
        )
        stream = f"[{line.stream}] " if several else ""
        click.echo(f"{stamp}{stream}{printable(line.text)}")
