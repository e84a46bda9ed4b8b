"""Reads the training channel: CSV files without a header, the label (0 or 1) first, then two coordinates."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class DataError(ValueError):
    """The data cannot be trained on; the text names the file, what is wrong and what is expected."""


EXPECTED = "expected rows label,x,y without a header, the label 0 or 1"


def read_points(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """All rows of the CSV files below a folder: coordinates (n, 2) and labels (n,), both float32.

    Raises:
        DataError: No file, an empty one, a cell that is no finite number, other columns, or one class only.
    """
    files = sorted(path for path in folder.rglob("*.csv") if path.is_file())
    if not files:
        raise DataError(f"channel 'train' holds no CSV file ({folder}); {EXPECTED}")
    rows = np.concatenate([_read(path) for path in files])
    labels = rows[:, 0]
    classes = np.unique(labels)
    if not set(classes.tolist()) <= {0.0, 1.0}:
        raise DataError(f"labels are {_listed(classes)}; {EXPECTED}")
    if len(classes) == 1:
        raise DataError(
            f"all {len(rows)} rows have the label {classes[0]:g}; a classifier needs both classes"
        )
    return rows[:, 1:].astype(np.float32), labels.astype(np.float32)


def split(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers for training and validation, stratified by label. A share of 0 keeps every row for training."""
    everything = np.arange(len(labels))
    if share <= 0:
        return everything, everything[:0]
    generator = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        chosen.append(members[: max(1, round(len(members) * share))])
    validation = np.sort(np.concatenate(chosen))
    training = np.setdiff1d(everything, validation)
    if len(np.unique(labels[training])) < 2:
        raise DataError(
            f"{len(labels)} rows are too few to hold out a share of {share:g} and keep both classes"
        )
    return training, validation


def _read(path: Path) -> np.ndarray:
    lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{path.name} is empty; {EXPECTED}")
    rows = np.empty((len(lines), 3), dtype=np.float64)
    for number, line in enumerate(lines, 1):
        cells = line.split(",")
        if len(cells) != 3:
            raise DataError(f"{path.name} line {number} has {len(cells)} columns; {EXPECTED}")
        try:
            rows[number - 1] = [float(cell) for cell in cells]
        except ValueError:
            raise DataError(f"{path.name} line {number} is not numeric: {line[:60]!r}; {EXPECTED}") from None
        if not np.isfinite(rows[number - 1]).all():
            raise DataError(
                f"{path.name} line {number} holds NaN or an infinite value: {line[:60]!r}; {EXPECTED}"
            )
    return rows


def _listed(classes: np.ndarray) -> str:
    shown = ", ".join(f"{value:g}" for value in classes[:6])
    return f"{shown}, … ({len(classes)} values)" if len(classes) > 6 else shown
