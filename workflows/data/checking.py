"""Whether a file or a folder can be used as a data set: what is wrong is named and explained."""

from __future__ import annotations

import datetime
from pathlib import Path

from workflows.data import signals
from workflows.data.corpus import check_corpus
from workflows.data.dataset import Dataset
from workflows.data.findings import Finding, errors, ranked
from workflows.data.jsonlines import check_series
from workflows.data.loading import SAMPLE_VALID
from workflows.data.place import parts_in
from workflows.data.rows import Reading, read
from workflows.problem import Problem

CODES = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0)
"""Numbers that people write where a value is missing."""
FEW = 3
"""A code counts as one when it stands in a column at least so often."""
SAMPLE_FRAUDS = 473
FIRST_DAY = datetime.date(2006, 12, 16)
LAST_DAY = datetime.date(2010, 11, 26)


def check(dataset: Dataset, path: Path) -> list[Finding]:
    """Everything that is wrong with a file or a folder that should be a data set, gravest first.

    Raises:
        Problem: There is no such file.
    """
    if path.is_dir():
        return ranked(_folder(dataset, path))
    if not path.exists():
        raise Problem(f"There is no file {path}.", "Look at the name.", "no-file")
    return ranked(check_file(dataset, path))


def check_file(dataset: Dataset, path: Path) -> list[Finding]:
    """The findings about one file: the table, or the series of the energy study."""
    unfit = signals.unfit(path)
    if unfit is not None:
        return [unfit]
    if dataset.name == "energy" and path.suffix in (".json", ".jsonl"):
        return check_series(path)
    return _table(dataset, path)


def guess(path: Path) -> Dataset | None:
    """The data set that a file or a folder looks like, by its header or its name."""
    from workflows.data.catalog import DATASETS

    if path.is_dir():
        fitting = [dataset for dataset in DATASETS if parts_in(dataset, path) is not None]
        return fitting[0] if fitting else None
    for dataset in DATASETS:
        if any(path.name in (*part.names, *part.samples) for part in dataset.parts):
            return dataset
    head = signals.header(path)
    best, share = None, 0.5
    for dataset in DATASETS:
        if dataset.header:
            names = {column.name for column in dataset.columns}
            common = len(names & set(head)) / len(names)
            if common > share:
                best, share = dataset, common
    if best is None and path.suffix in (".json", ".jsonl"):
        return next(dataset for dataset in DATASETS if dataset.name == "energy")
    return best


def _folder(dataset: Dataset, folder: Path) -> list[Finding]:
    paths = parts_in(dataset, folder)
    if paths is None:
        lacking = [
            " or ".join(part.names)
            for part in dataset.parts
            if not part.optional and not any((folder / name).is_file() for name in part.names)
        ]
        return [Finding("error", "files", str(folder), f"There is no {', no '.join(lacking)} in the folder.")]
    findings = []
    for role, path in paths.items():
        if role == "test_info":
            continue
        findings += [_at(finding, path.name, len(paths) > 1) for finding in check_file(dataset, path)]
    if dataset.name == "plagiarism" and not errors(findings):
        findings += check_corpus(folder, paths[dataset.main.role])
    if dataset.name == "energy" and not errors(findings):
        from workflows.data.jsonlines import check_pair

        findings += check_pair(paths)
    return findings


def _at(finding: Finding, name: str, several: bool) -> Finding:
    from dataclasses import replace

    return replace(finding, where=f"{name}: {finding.where}".rstrip(": ")) if several else finding


def _table(dataset: Dataset, path: Path) -> list[Finding]:
    reading = read(dataset, path, CODES)
    findings = reading.findings
    if not reading.rows and not findings:
        return [Finding("error", "empty", "", "The file has no rows.", "Get it again.")]
    if any(
        finding.what in ("columns", "encoding", "truncated", "corrupt", "quoting") for finding in findings
    ):
        return findings
    if reading.rows < dataset.rows and signals.cut_off(path):
        text = "The last line has no end and rows are lacking: the file was cut off."
        findings.append(Finding("error", "truncated", f"row {reading.rows}", text, "Get it again."))
    findings += _amount(dataset, path, reading)
    findings += _columns(reading)
    if dataset.name == "energy":
        findings += _days(reading)
    if not errors(findings):
        from workflows.data.relation import check_relation

        findings += check_relation(dataset, path)
    return findings


def _amount(dataset: Dataset, path: Path, reading: Reading) -> list[Finding]:
    """The number of rows, and rows that stand there twice."""
    found = []
    sample = path.name in dataset.main.samples
    if sample and dataset.name == "creditcard":
        expected = SAMPLE_VALID + SAMPLE_FRAUDS
        if reading.rows != expected:
            text = f"The sample has {reading.rows:,} rows, not {expected:,}: its weights would be wrong."
            found.append(Finding("error", "rows", "", text, "Get it again."))
    elif not sample and reading.rows < dataset.rows:
        text = f"There are {reading.rows:,} rows; the original has {dataset.rows:,}."
        found.append(
            Finding("note", "rows", "", text, "If you meant the original: it is cut off or filtered.")
        )
    if reading.duplicates:
        text = f"{reading.duplicates:,} rows are exact copies of earlier ones; they may stand on both sides of a split."
        where = f"first at row {reading.first_duplicate}"
        remedy = "Keep copies on one side of the split, or drop them."
        found.append(Finding("warning", "duplicates", where, text, remedy, reading.duplicates))
    return found


def _columns(reading: Reading) -> list[Finding]:
    """Columns without variation, values that are missing, numbers that are codes."""
    found = []
    for name, facts in reading.facts.items():
        where = f"column {name}"
        number = facts.column.kind in ("int", "float", "date")
        if (
            reading.rows > 1
            and facts.filled > 1
            and (facts.least == facts.most if number else facts.constant)
        ):
            text = f"All {facts.filled:,} values are the same: the column says nothing."
            found.append(Finding("warning", "constant", where, text, "Leave it out."))
        if facts.missing and (facts.column.missing is None or facts.missing <= facts.column.missing):
            text = f"{facts.missing:,} of {reading.rows:,} rows have no value."
            found.append(
                Finding("note", "missing", where, text, "The study leaves these rows out.", facts.missing)
            )
        for code, count in facts.seen.items():
            at_edge = code in (facts.least, facts.most)
            if count >= FEW and at_edge and facts.least != facts.most and facts.column.kind != "category":
                text = f"{code:g} stands there {count:,} times and nothing lies beyond: it may be a code for a missing value."
                if not _natural(facts.column.least, facts.column.most, code):
                    found.append(Finding("warning", "sentinel", where, text, "Empty these cells.", count))
    return found


def _natural(least: float | None, most: float | None, code: float) -> bool:
    """Whether a value that looks like a code is an ordinary one here, such as 99 per cent."""
    return code > 0 and least is not None and most is not None and least <= code <= most


def _days(reading: Reading) -> list[Finding]:
    facts = reading.facts["datetime"]
    if not facts.filled:
        return []
    first, last = (datetime.date.fromordinal(int(day)) for day in (facts.least, facts.most))
    found = []
    span = (last - first).days + 1
    if span != reading.rows:
        kind = "gaps" if span > reading.rows else "repeated days"
        text = f"{reading.rows:,} rows from {first} to {last}, which are {span:,} days: there are {kind}."
        found.append(Finding("error", "dates", "column datetime", text, "Each day must stand there once."))
    if first != FIRST_DAY and (last - first) == LAST_DAY - FIRST_DAY:
        text = (
            f"The days begin on {first}; the measurement began on {FIRST_DAY}: the year or the day is wrong."
        )
        found.append(Finding("error", "dates", "column datetime", text, "Correct the dates."))
    elif first < FIRST_DAY or last > LAST_DAY:
        text = f"The days are from {first} to {last}; the measurement was from {FIRST_DAY} to {LAST_DAY}."
        found.append(
            Finding("warning", "dates", "column datetime", text, "Is it another house, or a wrong year?")
        )
    return found
