"""Who waits for an answer at a terminal is told what for, once it takes long."""

from __future__ import annotations

import threading
import time

import click

LONG = 3.0
"""Seconds after which it is told."""
LOOK = 0.25
"""Seconds between two looks at what is under way."""
_KEY = "mlconsole.patience"


def begin(ctx: click.Context | None = None) -> None:
    """From now on, until the command ends, every AWS call that takes `LONG` is told on standard error, once."""
    ctx = ctx or click.get_current_context(silent=True)
    if ctx is None or _KEY in ctx.meta:
        return
    ended = ctx.meta[_KEY] = threading.Event()
    ctx.call_on_close(ended.set)
    threading.Thread(target=_look, args=(ended,), name="patience", daemon=True).start()


def _look(ended: threading.Event) -> None:
    from workflows import underway

    told = 0.0
    while not ended.wait(LOOK):
        wait = underway.oldest()
        if wait is None or wait.since == told or time.monotonic() - wait.since < LONG:
            continue
        told = wait.since
        click.echo(f"Waiting for {wait.what} …", err=True)
