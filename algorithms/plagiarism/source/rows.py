"""Reads a channel: CSV files without a header, the class (0 or 1) first, then the features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

EXPECTED = "expected rows label,feature,… without a header, the label 0 or 1"


class DataError(ValueError):
    """The data cannot be trained on; the text names the file, what is wrong and what is expected."""


def read(folder: Path, channel: str = "train", both_classes: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """All rows of the CSV files below a folder: features (n, k) and classes (n,).

    Raises:
        DataError: No file, an empty one, a cell that is no finite number, ragged rows, other labels, one class
            only where both are needed, or originals' rows.
    """
    files = sorted(path for path in folder.rglob("*.csv") if path.is_file())
    if not files:
        raise DataError(f"channel '{channel}' holds no CSV file ({folder}); {EXPECTED}")
    tables = [_table(path) for path in files]
    for path, table in zip(files, tables):  # noqa: B905 - the container's Python may have no `strict`
        if table.shape[1] != tables[0].shape[1]:
            raise DataError(
                f"{path.name} has {table.shape[1]} columns, {files[0].name} {tables[0].shape[1]}; {EXPECTED}"
            )
    rows = np.concatenate(tables)
    classes = rows[:, 0].astype(int)
    if both_classes and len(set(classes.tolist())) == 1:
        raise DataError(f"all {len(rows)} rows have the label {classes[0]}; a classifier needs both classes")
    return rows[:, 1:], classes


def _table(path: Path) -> np.ndarray:
    rows: list[list[float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError:
            raise DataError(f"{where} is not numeric: {line[:60]!r}; {EXPECTED}") from None
        if len(row) < 2 or (rows and len(row) != len(rows[0])):
            raise DataError(f"{where} has {len(row)} columns; {EXPECTED}, as many in every row")
        if not np.isfinite(row).all():
            raise DataError(f"{where} holds NaN or an infinite value: {line[:60]!r}; {EXPECTED}")
        if row[0] == -1:
            raise DataError(
                f"{where} is an original (label -1); upload the answers only, originals have no class"
            )
        if row[0] not in (0, 1):
            raise DataError(f"{where} has the label {row[0]:g}; {EXPECTED}")
        rows.append(row)
    if not rows:
        raise DataError(f"{path.name} is empty; {EXPECTED}")
    return np.array(rows)
