"""Progress of a download in one line of a terminal; silent elsewhere."""

from __future__ import annotations

import sys
import time

import click

EVERY = 0.2
"""Seconds between two drawings."""


class Meter:
    """Takes (bytes that are there, bytes in all) and draws at most five times a second."""

    def __init__(self) -> None:
        self._drawn = 0.0
        self._shown = sys.stderr.isatty()
        self._any = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._any:
            click.echo(err=True)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._drawn < EVERY and done != total):
            return
        self._drawn, self._any = now, True
        share = f" of {total / 1e6:,.1f} MB ({done / total:.0%})" if total else " MB"
        click.echo(f"\r\x1b[K{done / 1e6:,.1f}{share}", nl=False, err=True)
