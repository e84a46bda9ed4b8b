"""Data sets as pandas tables. What cannot be read is a `Problem` that names the file and the reason."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from workflows.data.dataset import Dataset
from workflows.data.place import Located
from workflows.problem import Problem

SAMPLE_VALID, DISTINCT_VALID = 13_647, 283_253
"""Valid rows of ``creditcard_sample.csv.gz``, and distinct valid rows of the whole file."""


def table(located: Located) -> Any:
    """The table as a DataFrame, with the columns of the data set in their order.

    Numbers are int64 or float64, days are datetime64, categories are texts (labels 0 and 1 are integers); a corpus has its
    texts in one more column, ``Text``.

    Raises:
        Problem: The file is damaged, or its columns are others.
    """
    if located.dataset.name == "plagiarism":
        return corpus(located)
    return read(located.dataset, located.path)


def read(dataset: Dataset, path: Path) -> Any:
    """The table in a CSV file, plain or compressed.

    Raises:
        Problem: As `table`.
    """
    import pandas as pd

    names = [column.name for column in dataset.columns]
    try:
        frame = pd.read_csv(
            path, header=0 if dataset.header else None, names=None if dataset.header else names
        )
    except (OSError, EOFError, ValueError, zlib.error, MemoryError) as error:
        raise _unreadable(dataset, path, str(error)) from error
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise _unreadable(dataset, path, f"it has no column {', '.join(lacking[:5])}")
    frame = frame[names]
    for column in dataset.columns:
        values = frame[column.name]
        if column.kind in ("int", "float") and not pd.api.types.is_numeric_dtype(values):
            raise _unreadable(dataset, path, f"column {column.name} holds texts")
        if column.kind == "date":
            try:
                frame = frame.assign(**{column.name: pd.to_datetime(values, format="%Y-%m-%d")})
            except ValueError as error:
                raise _unreadable(dataset, path, f"column {column.name}: {error}") from error
        if column.kind == "category" and pd.api.types.is_numeric_dtype(values) and not values.isna().any():
            frame = frame.assign(**{column.name: values.astype("int64")})
    return frame


def corpus(located: Located) -> Any:
    """File, Task, Category and Text; bytes that are not UTF-8 are left out of the texts, as the reference does.

    Raises:
        Problem: As `table`, or a text is not there.
    """
    frame = read(located.dataset, located.path)
    texts = []
    for name in frame["File"]:
        try:
            texts.append((located.folder / str(name)).read_text(encoding="utf-8", errors="ignore"))
        except OSError as error:
            raise _unreadable(
                located.dataset, located.folder / str(name), error.strerror or str(error)
            ) from error
    return frame.assign(Text=texts)


def valid_weight(located: Located) -> float:
    """How many valid transactions of the population one valid row stands for: 1, but more in the sample of the real data,
    which has all distinct frauds and few of the valid rows."""
    return DISTINCT_VALID / SAMPLE_VALID if located.dataset.name == "creditcard" and located.sample else 1.0


def daily_power(located: Located) -> Any:
    """The mean power of each day in kW, a Series by date.

    Raises:
        Problem: As `table`.
    """
    from workflows.data.series import mean_power

    return mean_power(table(located))


def series(located: Located, role: str) -> list[dict[str, Any]]:
    """The JSON lines (``start``, ``target``) of the role ``train`` or ``test``, made from the daily table where the
    data set has no such file.

    Raises:
        Problem: As `table`.
    """
    from workflows.data import series as energy

    path = located.paths.get(role)
    if path is None:
        return energy.lines(daily_power(located), cut=energy.HORIZON if role == "train" else 0)
    try:
        found = energy.read(path)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _unreadable(located.dataset, path, str(error)) from error
    if not all(isinstance(line, dict) and {"start", "target"} <= line.keys() for line in found):
        raise _unreadable(located.dataset, path, "a line has no start or no target")
    return found


def _unreadable(dataset: Dataset, path: Path, reason: str) -> Problem:
    return Problem(
        f"{path} cannot be read as {dataset.name}: {reason.rstrip('.')}.",
        f"`mlconsole data check {path}` tells more.",
        "damaged-data",
    )
