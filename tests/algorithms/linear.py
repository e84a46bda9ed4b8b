"""Small data sets and jobs for LinearLearner's tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.formats import records
from tests.algorithms.containers import Channels

CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
Arrays = tuple[Any, Any]


def binary(rows: int = 1200, seed: int = 0, *, positive: float = 0.3, noise: float = 1.0) -> Arrays:
    """Features on very different scales, and a label that is linear in them up to noise."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5))
    score = x @ [2.0, -1.0, 0.5, 0.0, 1.0] + random.normal(0, noise, rows)
    y = score > np.quantile(score, 1 - positive)
    return (x * [1, 100, 0.01, 1, 5] + [0, 50, 0, 3, -7]).astype("f4"), y.astype("f4")


def multiclass(rows: int = 1200, classes: int = 4, seed: int = 0) -> Arrays:
    """Blobs, one a class, that overlap a little."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 2, (classes, 5))
    y = random.integers(0, classes, rows)
    return (centres[y] + random.normal(size=(rows, 5)) + 4).astype("f4"), y.astype("f4")


def regression(rows: int = 1200, seed: int = 0) -> Arrays:
    """A plane around 40 with noise of deviation 0.5."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5))
    y = 40 + x @ [3.0, -2.0, 1.0, 0.0, 4.0] + random.normal(0, 0.5, rows)
    return (x * [1, 100, 0.01, 1, 5] + [0, 50, 0, 3, -7]).astype("f4"), y.astype("f4")


def csv(x: Any, y: Any) -> bytes:
    """Label first, no header."""
    return b"".join(
        b"%.9g,%s\n" % (label, ",".join(f"{v:.9g}" for v in row).encode())
        for row, label in zip(x, y, strict=True)
    )


def pbr(x: Any, y: Any = None) -> bytes:
    """recordIO-protobuf."""
    return b"".join(records.dense(x, y))


def channels(**data: Arrays) -> Channels:
    """recordIO channels of arrays."""
    return {name: (RECORDIO, {"matrix_0.pbr": pbr(*arrays)}) for name, arrays in data.items()}
