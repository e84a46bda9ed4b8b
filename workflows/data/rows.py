"""Reads a table strictly, row by row, in bounded memory: what is wrong is told by row and column."""

from __future__ import annotations

import csv
import datetime
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from workflows.data.dataset import Column, Dataset
from workflows.data.findings import Finding

MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
LONGEST = 10_000_000
"""Characters of one cell."""
BATCH = 2_000
"""Rows that are looked at together."""
FIRST = 20
"""Errors that are told one by one; the rest is counted."""
csv.field_size_limit(LONGEST)


@dataclass(slots=True)
class Facts:
    """What is known of a column after reading: numbers of values, bounds, how often each value of a few stands there."""

    column: Column
    filled: int = 0
    missing: int = 0
    least: float = math.inf
    most: float = -math.inf
    first: str | None = None
    constant: bool = True
    seen: Counter[float] = field(default_factory=Counter)


@dataclass(slots=True)
class Reading:
    """What reading found: rows, duplicates of earlier rows, facts by column, errors (the first of them, and how many)."""

    rows: int = 0
    duplicates: int = 0
    first_duplicate: int = 0
    facts: dict[str, Facts] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def findings(self) -> list[Finding]:
        """The errors, the last one telling how many more there are."""
        if not self.more:
            return self.errors
        text = f"There are {self.more:,} more errors of this kind in cells and rows."
        return [*self.errors, Finding("error", "more", "", text, count=self.more)]

    def error(self, what: str, where: str, text: str, remedy: str = "") -> None:
        """Notes an error, or only counts it when there are many already."""
        if len(self.errors) < FIRST:
            self.errors.append(Finding("error", what, where, text, remedy))
        else:
            self.more += 1


def read(dataset: Dataset, path: Path, codes: tuple[float, ...] = ()) -> Reading:
    """Reads the table of a data set; ``codes`` are the values whose number is counted in each column."""
    reading = Reading(facts={column.name: Facts(column) for column in dataset.columns})
    try:
        _read(dataset, path, reading, frozenset(codes))
    except UnicodeDecodeError as error:
        reading.error(
            "encoding",
            f"row {reading.rows + 1} or a little later",
            f"Byte 0x{error.object[error.start]:02x} is no UTF-8: the file has another encoding.",
            "Save it as UTF-8: iconv -f windows-1252 -t utf-8 FILE > NEW.",
        )
    except EOFError:
        reading.error(
            "truncated", f"after row {reading.rows}", "The compressed file ends too early.", "Get it again."
        )
    except (gzip.BadGzipFile, zlib.error) as error:
        reading.error(
            "corrupt",
            f"after row {reading.rows}",
            f"The compressed data is damaged: {error}.",
            "Get it again.",
        )
    except csv.Error as error:
        reading.error(
            "quoting",
            f"row {reading.rows + 1}",
            f"The row is no CSV: {error}.",
            "Look at its quotation marks.",
        )
    return reading


def _read(dataset: Dataset, path: Path, reading: Reading, codes: frozenset[float]) -> None:
    text: IO[str]
    with (
        gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8-sig", newline="")
    ) as text:
        rows = csv.reader(text, strict=True)
        order = _columns(dataset, rows, reading)
        if order is None:
            return
        known: set[int] = set()
        checks = [(index, column, reading.facts[column.name]) for index, column in order]
        for batch in _batches(rows):
            if not _fits(reading, checks, batch, codes):
                _each(reading, checks, batch, codes)
            for row, cells in enumerate(batch, reading.rows + 1 - len(batch)):
                digest = hash(tuple(cells))
                if digest in known:
                    reading.duplicates += 1
                    reading.first_duplicate = reading.first_duplicate or row
                known.add(digest)


def _batches(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """The rows in batches, without empty lines; what is wrong with a line is raised after the rows before it."""
    batch = []
    try:
        for cells in rows:
            if cells:
                batch.append(cells)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except (UnicodeDecodeError, csv.Error, EOFError, OSError, zlib.error):
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _fits(
    reading: Reading, checks: list[tuple[int, Column, Facts]], batch: list[list[str]], codes: frozenset[float]
) -> bool:
    """Takes a batch of rows in which nothing is wrong or missing as arrays; False when it has to be looked at by cell."""
    import numpy as np

    if any(len(cells) != len(checks) for cells in batch):
        return False
    columns = list(zip(*batch, strict=True))
    numbers = []
    for index, column, facts in checks:
        cells = columns[index]
        if column.kind in ("int", "float"):
            if not _plain("".join(cells)):
                return False
            try:
                values = np.array(cells, dtype=np.float64)
            except ValueError:
                return False
            least, most = float(values.min()), float(values.max())
            if not (math.isfinite(least) and math.isfinite(most)):
                return False
            if (column.least is not None and least < column.least) or (
                column.most is not None and most > column.most
            ):
                return False
            if column.kind == "int" and not (values == np.floor(values)).all():
                return False
            numbers.append((facts, values, least, most))
        elif column.kind == "category":
            if not set(cells) <= set(column.choices):
                return False
        elif column.kind == "date" or any(
            len(cell) < 7 and cell.strip().lower() in MISSING for cell in cells
        ):
            return False
    for facts, values, least, most in numbers:
        facts.least, facts.most = min(facts.least, least), max(facts.most, most)
        facts.filled += len(batch)
        for code in codes:
            if least <= code <= most:
                facts.seen[code] += int((values == code).sum())
    for index, column, facts in checks:
        if column.kind in ("category", "text"):
            facts.filled += len(batch)
            facts.first = columns[index][0] if facts.first is None else facts.first
            facts.constant = facts.constant and set(columns[index]) == {facts.first}
    reading.rows += len(batch)
    return True


def _each(
    reading: Reading, checks: list[tuple[int, Column, Facts]], batch: list[list[str]], codes: frozenset[float]
) -> None:
    """Takes a batch cell by cell."""
    for cells in batch:
        reading.rows += 1
        if len(cells) != len(checks):
            _ragged(reading, len(cells), len(checks))
            continue
        for index, column, facts in checks:
            _cell(reading, column, facts, cells[index], codes)


def _columns(
    dataset: Dataset, rows: Iterator[list[str]], reading: Reading
) -> list[tuple[int, Column]] | None:
    """Where each column stands, or None when some are not there."""
    if not dataset.header:
        return list(enumerate(dataset.columns))
    head = next(rows, None)
    if head is None:
        return None
    head = [name.strip() for name in head]
    wanted = [column.name for column in dataset.columns]
    lacking = [name for name in wanted if name not in head]
    unknown = [name for name in head if name not in wanted]
    twice = [name for name, count in Counter(head).items() if count > 1]
    for name in lacking:
        near = next((other for other in unknown if other.lower() == name.lower()), "")
        hint = f"Rename {near}." if near else "The header must name every column."
        reading.error("columns", "header", f"There is no column {name}.", hint)
    for name in twice:
        reading.error("columns", "header", f"There are several columns {name}.", "Keep one.")
    for name in unknown:
        reading.error(
            "columns",
            "header",
            f"The column {name or '(without a name)'} does not belong here.",
            "Remove it.",
        )
    if lacking or unknown or twice:
        return None
    return [(head.index(column.name), column) for column in dataset.columns]


def _ragged(reading: Reading, found: int, wanted: int) -> None:
    text = f"The row has {found} cells instead of {wanted}."
    reading.error(
        "cells", f"row {reading.rows}", text, "Look for a comma too many, or a row that was cut off."
    )


def _cell(reading: Reading, column: Column, facts: Facts, cell: str, codes: frozenset[float]) -> None:
    if column.kind in ("float", "int"):
        _number(reading, column, facts, cell, codes)
        return
    if cell.strip().lower() in MISSING:
        _missing(reading, column, facts)
        return
    facts.filled += 1
    if facts.first is None:
        facts.first = cell
    elif facts.constant and cell != facts.first:
        facts.constant = False
    if column.kind == "category" and cell not in column.choices:
        _wrong(reading, column, cell, f"allowed are {', '.join(column.choices)}")
    elif column.kind == "date":
        try:
            facts_day = float(datetime.date.fromisoformat(cell).toordinal())
        except ValueError:
            _wrong(reading, column, cell, "a day is written 2007-01-31")
        else:
            facts.least, facts.most = min(facts.least, facts_day), max(facts.most, facts_day)


def _plain(text: str) -> bool:
    """Whether only digits that everybody reads are in it: Python takes 1_000 and digits of other scripts for numbers, too."""
    return "_" not in text and text.isascii()


def _number(reading: Reading, column: Column, facts: Facts, cell: str, codes: frozenset[float]) -> None:
    try:
        if not _plain(cell):
            raise ValueError(cell)
        value = float(cell)
    except ValueError:
        if cell.strip().lower() in MISSING:
            _missing(reading, column, facts)
        else:
            _wrong(reading, column, cell, "a number is needed")
        return
    if value != value:
        _missing(reading, column, facts)
        return
    facts.filled += 1
    if value < facts.least:
        facts.least = value
    if value > facts.most:
        facts.most = value
    if value in codes:
        facts.seen[value] += 1
    if math.isinf(value):
        _wrong(reading, column, cell, "a finite number is needed")
    elif column.kind == "int" and not value.is_integer():
        _wrong(reading, column, cell, "a whole number is needed")
    elif (column.least is not None and value < column.least) or (
        column.most is not None and value > column.most
    ):
        code = " (a code for a missing value?)" if value in codes else ""
        _wrong(reading, column, cell, f"it must be from {column.least:,g} to {column.most:,g}{code}")


def _missing(reading: Reading, column: Column, facts: Facts) -> None:
    facts.missing += 1
    if column.missing is not None and facts.missing > column.missing:
        reading.error(
            "missing",
            f"row {reading.rows}, column {column.name}",
            "The cell is empty"
            + (f", and {column.missing} rows are without a value already." if column.missing else "."),
            "Fill it in, or leave the row out.",
        )


def _wrong(reading: Reading, column: Column, cell: str, why: str) -> None:
    shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
    reading.error("value", f"row {reading.rows}, column {column.name}", f"{shown!r} cannot be: {why}.")
