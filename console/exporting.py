"""What is on the screen as a file: a list as CSV or JSON, any screen as a picture."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflows.problem import Problem

KINDS = ("csv", "json", "svg")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell that a spreadsheet would take for a formula begins with: names come from others (OWASP, CSV injection)."""


def as_csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as RFC 4180 with ``\\n``; a text that a spreadsheet would run gets an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_harmless(text) for text in row] for row in rows)
    return file.getvalue()


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) and not _number(text) else text


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_json(rows: Sequence[Any]) -> str:
    """Rows as they are known: times are epoch seconds."""
    plain = [
        dataclasses.asdict(row) if dataclasses.is_dataclass(row) and not isinstance(row, type) else row
        for row in rows
    ]
    return json.dumps(plain, indent=2, default=_default, ensure_ascii=False) + "\n"


def _default(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return dict(value) if isinstance(value, Mapping) else str(value)


def file_name(what: str, kind: str) -> str:
    """A name that sorts by time: ``jobs-20260915-140322.csv``."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in what)
    return f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}.{kind}"


def write(path: Path, text: str) -> Path:
    """A new file that only its owner can read: what is exported may be nobody else's business.

    Raises:
        Problem: There is such a file already, or it cannot be written.
    """
    path = path.expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Problem(
            f"{path} exists already.", "Give another name: nothing is overwritten.", "exists"
        ) from error
    except OSError as error:
        raise Problem(
            f"{path} cannot be written: {error.strerror}.", "Give another path: `:export csv PATH`.", "file"
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
