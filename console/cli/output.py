"""What commands print: aligned tables, pairs, JSON. Colours only where click finds a terminal and NO_COLOR is not set."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import click

from console.formatting import printable, status
from workflows.wording import ESCAPED

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_PLAIN = "\x1b[0m"
COLOURS = {"ok": "green", "bad": "red", "live": "cyan", "wait": "yellow", "idle": None}


def plain(value: Any) -> Any:
    """A JSON-ready copy of dataclasses, tuples and paths; NaN and infinities become null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def escaped(document: str) -> str:
    """A JSON text in which no character is left that a terminal would obey; it means the same."""
    return document.translate(ESCAPED)


def print_json(value: Any) -> None:
    """One JSON document: indented for a terminal, one line for a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(escaped(json.dumps(plain(value), indent=indent, ensure_ascii=False)))


def coloured() -> bool:
    """Whether standard output takes colours: a terminal, no NO_COLOR, not dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, role: str) -> str:
    """The text in the colour of a role (ok, bad, live, wait, idle)."""
    colour = COLOURS.get(role)
    return click.style(text, fg=colour) if colour and coloured() else text


def status_text(word: str) -> str:
    """A status with its glyph, in its colour."""
    shown = status(word)
    return styled(str(shown), shown.role)


def harmless(text: str) -> str:
    """One line that does not steer the terminal, whoever has written it; of escape sequences colours stay, which are our own."""
    if text.isprintable():
        return text
    parts = _COLOUR.split(text)
    shown = "".join(part if at % 2 else printable(part) for at, part in enumerate(parts))
    return shown if len(parts) == 1 or shown.endswith(_PLAIN) else shown + _PLAIN


def harmless_lines(text: str) -> str:
    """The same for several lines."""
    return "\n".join(map(harmless, text.split("\n")))


def nothing(noun: str, narrowed: bool, remedy: str) -> str:
    """What is said instead of a table without rows; ``narrowed``: only some were asked for."""
    return f"There is no such {noun}." if narrowed else f"There is no {noun} yet. {remedy}"


def tell_more(more: bool, by: str = "--limit") -> None:
    """Say on standard error, below what the command prints, that a list goes on; also beside JSON, which looks like all there is."""
    if more:
        click.get_current_context().call_on_close(
            lambda: click.echo(f"There are more: {by} shows them.", err=True)
        )


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str = "") -> None:
    """An aligned table with a head; ``empty`` is said on standard error when there are no rows."""
    body = [[harmless(str(cell)) for cell in row] for row in rows]
    if not body:
        if empty:
            click.echo(empty, err=True)
        return
    widths = [max(_width(row[index]) for row in [list(columns), *body]) for index in range(len(columns))]
    click.echo(_line(columns, widths, bold=coloured()))
    for row in body:
        click.echo(_line(row, widths))


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """``name  value`` lines; empty values are left out."""
    kept = [(name, str(value)) for name, value in pairs if value not in (None, "", (), {})]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        click.echo(f"{harmless(name).ljust(width)}  {harmless_lines(value)}")


def prose(text: str) -> str:
    """Wrapped between words for a terminal; as it is for a pipe."""
    if not sys.stdout.isatty():
        return text
    import shutil
    import textwrap

    width = max(20, shutil.get_terminal_size().columns)
    lines = (
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join(lines)


def heading(text: str) -> None:
    """A blank line and a head above what follows."""
    click.echo()
    click.echo(click.style(text, bold=True) if coloured() else text)


def _line(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> str:
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)]
    line = "  ".join(padded).rstrip()
    return click.style(line, bold=True) if bold else line


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(click.unstyle(text))


class Outcomes:
    """What became of each thing that a command was asked to change: told as it happens, or as one JSON list at the end.

    The list is printed also when one of them fails: what was done before is not lost.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Outcomes:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._as_json and (kind is None or self._rows):
            print_json(self._rows)

    def tell(self, name: str, outcome: str, sentence: str, **more: Any) -> None:
        """One of them is done: ``outcome`` is a word such as ``deleted``."""
        self._rows.append({"name": name, "outcome": outcome, **more})
        if not self._as_json:
            click.echo(sentence)
