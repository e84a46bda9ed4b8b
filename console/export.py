"""Tables and figures of a run as CSV, for a spreadsheet or a notebook."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workflows.events import Figure, Table
from workflows.problem import Problem


def as_csv(result: Table | Figure) -> str:
    """RFC 4180 text with a heading line: a table as it is, a figure as one row per point.

    The points of a heat map or a field are ``series,x,y,z``, of bands ``series,x,low,high``, of all others ``series,x,y`` and
    their label where they have one.
    """
    if isinstance(result, Table):
        return _written([result.columns, *result.rows])
    if any("z" in one for one in result.series):
        columns = ["series", "x", "y", "z"]
        rows = [row for one in result.series for row in _cells(one)]
    else:
        columns = ["series", "x"] + [
            name for name in ("y", "low", "high", "labels") if any(name in one for one in result.series)
        ]
        rows = [
            [one.get("name", ""), x, *(_at(one.get(name), place) for name in columns[2:])]
            for one in result.series
            for place, x in enumerate(one.get("x", ()))
        ]
        columns = ["label" if name == "labels" else name for name in columns]
    return _written([columns, *rows])


def _cells(entry: dict[str, Any]) -> Iterable[list[Any]]:
    name = entry.get("name", "")
    if "z" not in entry:
        return [[name, x, y, None] for x, y in zip(entry.get("x", ()), entry.get("y", ()), strict=False)]
    return [
        [name, x, y, value]
        for y, values in zip(entry["y"], entry["z"], strict=False)
        for x, value in zip(entry["x"], values, strict=False)
    ]


def _at(values: Sequence[Any] | None, place: int) -> Any:
    return values[place] if values is not None and place < len(values) else None


def _written(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def file_name(run: str, title: str, ending: str = "csv") -> str:
    """``moons-20270115-075825-1f3a-free-baselines.csv``: short, and without characters that a shell reads."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:48].strip("-")
    return f"{run}-{words or 'result'}.{ending}"


def write(given: str, text: str) -> Path:
    """Write a new file; returns where it is. Nothing is left of a file that could not be written to its end.

    Raises:
        Problem: The file is there already, or it cannot be written.
    """
    path = Path(given).expanduser().absolute()
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise Problem(f"{path} is there already.", "Give another name.", "exists") from None
    except OSError as error:
        raise Problem(
            f"{path} cannot be written: {error.strerror or error}.", "Give another place.", "write"
        ) from None
    return path
