"""Checks of the energy study's series: start dates, lengths, numbers, and that training data ends before the test data."""

from __future__ import annotations

import calendar
import datetime
import json
import math
from pathlib import Path
from typing import Any

from workflows.data.findings import Finding

FIRST, LAST = 2006, 2010


def check_series(path: Path) -> list[Finding]:
    """The findings about a file of ``{"start", "target"}`` lines."""
    found: list[Finding] = []
    starts: dict[datetime.date, tuple[int, Any]] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return [
            Finding("error", "encoding", f"byte {error.start}", "The file is no UTF-8.", "Save it as UTF-8.")
        ]
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        try:
            series = json.loads(line)
        except ValueError as error:
            cut = number == len(lines) and not text.endswith("\n")
            what = "truncated" if cut else "json"
            found.append(
                Finding("error", what, where, f"The line is no JSON: {error}.", "Get the file again.")
            )
            continue
        if not isinstance(series, dict) or not {"start", "target"} <= series.keys():
            found.append(
                Finding("error", "members", where, "The line lacks start or target.", "DeepAR needs both.")
            )
            continue
        found += _line(where, series, starts, number)
    if not lines:
        found.append(Finding("error", "empty", "", "The file has no lines."))
    return found


def check_pair(paths: dict[str, Path]) -> list[Finding]:
    """Whether each training series is the beginning of a test series with the same start."""
    from workflows.data import series

    if "train" not in paths or "test" not in paths:
        return []
    found = []
    test = {str(line["start"])[:10]: line["target"] for line in series.read(paths["test"])}
    for number, line in enumerate(series.read(paths["train"]), 1):
        start, target = str(line["start"])[:10], line["target"]
        whole = test.get(start)
        where = f"{paths['train'].name}: line {number}"
        if whole is None:
            text = f"No test series starts on {start}: the years of the two files are not the same."
            found.append(Finding("error", "dates", where, text, "Correct the start dates."))
        elif whole[: len(target)] != target:
            text = f"The series of {start} has other values in the test data: the two are not aligned."
            found.append(Finding("error", "misaligned", where, text, "Make both files from one table."))
        elif len(whole) <= len(target):
            text = f"The series of {start} is as long as its test series: nothing is left to predict."
            found.append(
                Finding("error", "leakage", where, text, "Leave the last days out of the training series.")
            )
    return found


def _line(
    where: str, series: dict[str, Any], starts: dict[datetime.date, tuple[int, Any]], number: int
) -> list[Finding]:
    found = []
    target = series["target"]
    if not isinstance(target, list) or not target:
        return [Finding("error", "value", where, "The target is no list of numbers.")]
    bad = [
        index
        for index, value in enumerate(target, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ]
    if bad:
        text = f"{len(bad):,} values are no finite numbers, the first is value {bad[0]}."
        found.append(Finding("error", "value", where, text, "Fill them in.", len(bad)))
    try:
        start = datetime.date.fromisoformat(str(series["start"])[:10])
    except ValueError:
        text = f"{series['start']!r} is no date."
        return [*found, Finding("error", "dates", where, text, "A day is written 2007-01-31.")]
    earlier = starts.get(start)
    if earlier is not None and earlier[1] != target:
        text = (
            f"It starts on {start}, as line {earlier[0]} does, with other values: a year is stamped wrongly."
        )
        found.append(Finding("error", "dates", where, text, "Give each series the day on which it starts."))
    elif earlier is not None:
        found.append(
            Finding("error", "duplicates", where, f"It is a copy of line {earlier[0]}.", "Keep one.")
        )
    starts[start] = starts.get(start, (number, target))
    if not FIRST <= start.year <= LAST:
        text = f"It starts on {start}; the house was measured from {FIRST} to {LAST}."
        found.append(Finding("error", "dates", where, text, "Correct the start date."))
    whole = 366 if calendar.isleap(start.year) else 365
    if (start.month, start.day) == (1, 1) and len(target) > whole:
        text = f"It has {len(target)} days from {start}, but {start.year} has {whole}: the year is wrong, or two are joined."
        found.append(Finding("error", "dates", where, text, "Correct the start date."))
    return found
