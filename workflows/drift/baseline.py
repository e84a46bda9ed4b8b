"""What captured data is compared with: a file, objects in S3, a training job's channel, or an earlier part of the capture."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflows.drift.samples import MOST_CELLS, Samples, add, named, table
from workflows.observe import jobs
from workflows.observe.gateway import Gateway
from workflows.observe.objects import listed, read_bytes
from workflows.problem import Problem

MOST_BYTES = 256 << 20
MOST_OBJECTS = 200
SPECIFICATION = re.compile(r"(first|before):(.+)")


@dataclass(frozen=True, slots=True)
class Split:
    """An earlier part of the capture: the ``first`` so many records (0: the first half), or all ``before`` so many seconds ago."""

    first: int | None = None
    before: float | None = None


def split(text: str) -> Split | None:
    """The part of the capture that a specification names; None for everything else.

    Raises:
        Problem: It begins as one and cannot be meant.
    """
    match = SPECIFICATION.fullmatch(text)
    if match is None:
        return None
    kind, amount = match.groups()
    try:
        if kind == "first":
            count = 0 if amount == "half" else int(amount)
            if count < 0 or (count == 0 and amount != "half"):
                raise ValueError
            return Split(first=count)
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86_400}[amount[-1:].lower()]
        return Split(before=float(amount[:-1]) * unit)
    except (KeyError, ValueError) as error:
        raise Problem(
            f"{text!r} names no part of the capture.",
            "Write first:500, first:half or before:1d.",
            "baseline",
        ) from error


def read(gateway: Gateway, text: str, column: str = "") -> Samples:
    """The records of a file, of objects below an S3 URI, or of ``job:NAME/CHANNEL`` (without a channel: ``train``).

    Args:
        column: The column that holds texts; empty: none, unless the payloads are texts.

    Raises:
        Problem: It is not there, too large, or holds nothing that can be compared.
    """
    found = Samples()
    if text.startswith("job:"):
        text = _channel(gateway, text.removeprefix("job:"))
    if text.startswith("s3://"):
        objects = listed(gateway, text, MOST_OBJECTS)
        if objects is None:
            raise Problem(
                f"More than {MOST_OBJECTS} objects are below {text}.", "Name fewer of them.", "size"
            )
        for item in objects:
            if item.size and not item.uri.endswith("/"):
                _file(found, item.uri, read_bytes(gateway, item.uri, MOST_BYTES), column)
    else:
        path = Path(text).expanduser()
        if not path.is_file():
            raise Problem(
                f"There is no file {text}.",
                "A baseline is a file, an s3:// URI, job:NAME/CHANNEL, first:N or before:1d.",
                "baseline",
            )
        if path.stat().st_size > MOST_BYTES:
            raise Problem(f"{text} has more than {MOST_BYTES >> 20} MB.", "Take a sample of it.", "size")
        _file(found, str(path), path.read_bytes(), column)
    if not len(found):
        raise Problem(f"{text} holds nothing that can be compared.", "Is it CSV, JSON or text?", "baseline")
    return found


def aligned(before: Samples, now: Samples) -> str:
    """Fit the baseline's columns to those of the requests, in place; returns what was done, empty: nothing.

    Training files of the built-in algorithms begin with the label, requests do not: one column more is that. Requests seldom have
    names: the baseline's are taken over by position.
    """
    if not before.rows or not now.rows:
        return ""
    old, new = list(before.rows[0]), list(now.rows[0])
    note = ""
    if len(old) == len(new) + 1 and not set(new) & set(old[1:]):
        note = f"The baseline's first column ({old[0]}) is taken for the label and left out."
        before.rows = [dict(list(row.items())[1:]) for row in before.rows]
    elif len(old) == len(new) + 1 and all(name.startswith("column ") for name in (*old, *new)):
        note = "The baseline has one column more: its first one is taken for the label and left out."
        before.rows = [
            {f"column {i + 1}": item for i, item in enumerate(list(row.values())[1:])} for row in before.rows
        ]
    old = list(before.rows[0])
    if len(old) == len(new) and not set(old) & set(new) and all(name.startswith("column ") for name in new):
        names = dict(zip(new, old, strict=True))
        now.rows = [{names.get(name, name): item for name, item in row.items()} for row in now.rows]
    elif not set(old) & set(new):
        raise Problem(
            f"Baseline and requests have no column in common: {', '.join(old[:3])} and {', '.join(new[:3])}.",
            "Take a baseline of the same form as the requests.",
            "baseline",
        )
    return note


def _channel(gateway: Gateway, text: str) -> str:
    name, _, channel = text.partition("/")
    places: Mapping[str, str] = {item.name: item.location for item in jobs.describe(gateway, name).channels}
    wanted = channel or "train"
    if wanted not in places:
        raise Problem(
            f"Training job {name} has no channel {wanted!r}.",
            f"It has: {', '.join(places) or 'none'}. Write job:{name}/CHANNEL.",
            "baseline",
        )
    return places[wanted]


def _file(found: Samples, name: str, data: bytes, column: str) -> None:
    if name.endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise Problem(f"{name} is no gzip file.", "", "baseline") from error
        name = name.removesuffix(".gz")
    text = data.decode("utf-8", errors="replace")
    ending = name.rpartition(".")[2].lower()
    if ending == "txt":
        found.texts += [line for line in text.splitlines() if line.strip()]
    elif ending in ("jsonl", "ndjson"):
        add(found, text, "application/jsonlines", column)
    elif ending == "json":
        add(found, text, "application/json", column)
    else:
        _table(found, name, text, column)


def _table(found: Samples, name: str, text: str, column: str) -> None:
    names, rows = table(text, header=True if column else None)
    if column:
        if column not in names:
            raise Problem(f"{name} has no column {column!r}.", f"It has: {', '.join(names[:8])}.", "baseline")
        at = names.index(column)
        found.texts += [row[at] for row in rows if len(row) > at]
    else:
        step = max(1, math.ceil(len(rows) * len(rows[0]) / MOST_CELLS)) if rows else 1
        found.rows += [named(row, names) for row in rows[::step]]
