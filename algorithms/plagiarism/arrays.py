"""Features and classes as arrays, and as the CSV files that are uploaded: label first, no header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from algorithms.plagiarism.features import FeatureError
from algorithms.plagiarism.split import TEST, TRAIN

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Features (n, k) and classes (n,) of the files that are named in the same order."""

    x: NDArray[np.float64]
    y: NDArray[np.int64]
    files: tuple[str, ...]


def train_test(frame: pd.DataFrame, features: pd.DataFrame, names: Sequence[str]) -> tuple[Rows, Rows]:
    """The rows that train and those that test; originals are in neither.

    Args:
        frame: Columns File, Class and Datatype (see `split.datatypes`).
        features: The feature table of the same documents.
        names: The columns to take, in this order.

    Raises:
        FeatureError: A column that the table lacks, or tables whose rows are not the same documents.
    """
    missing = [name for name in names if name not in features.columns]
    if missing or not names:
        has = ", ".join(map(str, features.columns))
        raise FeatureError(
            f"the table has no column {', '.join(missing) or 'that is asked for'}; it has {has}"
        )
    if not frame.index.equals(features.index):
        raise FeatureError(
            f"{len(features)} rows of features do not belong to {len(frame)} documents; "
            "work out the features of this very corpus"
        )
    return _rows(frame, features, names, TRAIN), _rows(frame, features, names, TEST)


def write_csv(path: Path, x: NDArray[np.float64], y: NDArray[np.int64]) -> None:
    """One line a row: the label, then the features; folders are made, an existing file is replaced whole.

    Raises:
        FeatureError: Other shapes, or a value that is no finite number.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y)
    if x.ndim != 2 or y.shape != (len(x),):
        raise FeatureError(f"features {x.shape} and labels {y.shape} do not fit; give (n, k) and (n,)")
    if not np.isfinite(x).all():
        row, column = (int(place) for place in np.argwhere(~np.isfinite(x))[0])
        raise FeatureError(f"row {row} has {x[row, column]} in column {column}; leave the row out")
    lines = [
        ",".join([str(int(label)), *map(repr, row)])
        for label, row in zip(y.tolist(), x.tolist(), strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("\n".join(lines) + "\n" if lines else "")
    partial.replace(path)


def _rows(frame: pd.DataFrame, features: pd.DataFrame, names: Sequence[str], kind: str) -> Rows:
    chosen = (frame["Datatype"] == kind).to_numpy()
    return Rows(
        features.loc[chosen, list(names)].to_numpy(np.float64),
        frame.loc[chosen, "Class"].to_numpy(np.int64),
        tuple(frame.loc[chosen, "File"]),
    )
