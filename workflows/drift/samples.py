"""Payloads as what can be compared: texts, or rows of a table."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Form = Literal["text", "table"]
Value = float | str | None
"""A number, a category, or missing."""
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
TAG = re.compile(r"<[^<>]{1,60}>")
TEXT_KEYS = ("text", "inputs", "input", "data", "review", "body", "sentence")
ROW_KEYS = ("instances", "features", "data", "values", "predictions", "outputs")
MOST_CELLS = 5_000_000
"""Cells of a table on one side: of a larger one every second, third … record is taken."""
MISSING = frozenset({"", "nan", "null", "none", "na", "n/a"})


@dataclass(slots=True)
class Samples:
    """Records of one side: texts, or rows with named columns. ``unread`` counts payloads that nobody can compare."""

    texts: list[str] = field(default_factory=list)
    rows: list[dict[str, Value]] = field(default_factory=list)
    unread: int = 0

    def __len__(self) -> int:
        return len(self.texts) + len(self.rows)

    def of(self, form: Form) -> Samples:
        """Only what is of this form; the rest counts as unread."""
        if form == "text":
            return Samples(texts=self.texts, unread=self.unread + len(self.rows))
        return Samples(rows=self.rows, unread=self.unread + len(self.texts))

    @property
    def form(self) -> Form:
        """What most of it is."""
        return "text" if len(self.texts) > len(self.rows) else "table"


def words(text: str) -> set[str]:
    """The different words of a text, in small letters, without HTML tags."""
    return {match.group() for match in WORD.finditer(TAG.sub(" ", text).lower())}


def add(samples: Samples, payload: bytes | str, content_type: str, column: str = "") -> None:
    """Take the records of one payload.

    Args:
        content_type: ``text/plain``: one text. ``text/csv``: rows, one a line. ``application/json`` and ``…jsonlines``: texts and
            rows as the usual containers take them; anything else is tried as one of these.
        column: The member of JSON objects, or the column of rows with names, that holds the text.
    """
    text = payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else payload
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        samples.texts.append(text)
    elif "jsonlines" in kind or "jsonl" in kind or "ndjson" in kind:
        for line in text.splitlines():
            if line.strip():
                _json(samples, line, column)
    elif "json" in kind or text.lstrip()[:1] in ("{", "["):
        _json(samples, text, column)
    elif kind in ("", "text/csv", "application/csv") and text.strip():
        _csv(samples, text)
    else:
        samples.unread += 1


def decoded(part: Mapping[str, Any]) -> tuple[bytes | str, str]:
    """Data and content type of ``endpointInput`` or ``endpointOutput`` of a captured line."""
    data = str(part.get("data") or "")
    kind = str(part.get("observedContentType") or "")
    if str(part.get("encoding") or "").upper() == "BASE64":
        return base64.b64decode(data), kind
    return data, kind


def value(text: object) -> Value:
    """A number where it is one, missing where nothing is there, else a category."""
    if text is None or isinstance(text, bool):
        return None if text is None else str(text).lower()
    if isinstance(text, int | float):
        return float(text) if float(text) == float(text) else None
    stripped = str(text).strip()
    if stripped.lower() in MISSING:
        return None
    try:
        return float(stripped)
    except ValueError:
        return stripped


def named(row: Sequence[object], names: Sequence[str] = ()) -> dict[str, Value]:
    """A row by column names; ``column 1`` … where it has none."""
    return {
        (names[index] if index < len(names) else f"column {index + 1}"): value(item)
        for index, item in enumerate(row)
    }


def table(text: str, *, header: bool | None = None) -> tuple[list[str], list[list[str]]]:
    """The column names (none without a header) and rows of a CSV text.

    Args:
        header: Whether the first line has names; None: it has when none of its cells is a number and the next line has one, or is
            longer than names are.
    """
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        return [], []
    if header is None:
        first = [value(cell) for cell in rows[0]]
        rest = rows[1] if len(rows) > 1 else []
        wordy = all(isinstance(cell, str) and len(cell) < 60 for cell in first)
        header = wordy and any(isinstance(value(cell), float) or len(cell) >= 60 for cell in rest)
    return (rows[0], rows[1:]) if header else ([], rows)


def _csv(samples: Samples, text: str) -> None:
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error:
        samples.unread += 1
        return
    # A sentence with commas is no row: one that has words in several places and no number at all.
    cells = [cell for row in rows for cell in row]
    numbers = sum(isinstance(value(cell), float) for cell in cells)
    if not numbers and sum(len(cell.split()) > 3 for cell in cells) * 2 >= len(rows):
        samples.texts.append(text)
        return
    samples.rows += [named(row) for row in rows]


def _json(samples: Samples, text: str, column: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        samples.unread += 1
        return
    _document(samples, document, column)


def _document(samples: Samples, document: Any, column: str) -> None:
    if isinstance(document, str):
        samples.texts.append(document)
    elif isinstance(document, list):
        if document and all(isinstance(item, int | float | bool) or item is None for item in document):
            samples.rows.append(named(document))
        else:
            for item in document:
                _document(samples, item, column)
    elif isinstance(document, dict):
        _mapping(samples, document, column)
    elif isinstance(document, int | float):
        samples.rows.append(named([document]))
    else:
        samples.unread += 1


def _mapping(samples: Samples, document: dict[str, Any], column: str) -> None:
    if column and isinstance(document.get(column), str):
        samples.texts.append(document[column])
        return
    for key in ROW_KEYS:
        if isinstance(document.get(key), list):
            _document(samples, document[key], column)
            return
    texts = [document[key] for key in TEXT_KEYS if isinstance(document.get(key), str)]
    if texts:
        samples.texts.append(texts[0])
        return
    flat = {str(name): item for name, item in document.items() if not isinstance(item, dict | list)}
    if flat:
        samples.rows.append({name: value(item) for name, item in flat.items()})
    else:
        samples.unread += 1


def columns(rows: Iterable[Mapping[str, Value]]) -> list[str]:
    """The names of all columns in the order in which they appear."""
    return list(dict.fromkeys(name for row in rows for name in row))
