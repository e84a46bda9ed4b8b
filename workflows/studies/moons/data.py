"""The moons data: two interleaved half circles with noise, split into 450 training and 150 test points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

POINTS = 600
NOISE = 0.25
TEST_SHARE = 0.25


def make() -> tuple[Any, Any, Any, Any]:
    """Training points (450, 2), test points (150, 2), training labels, test labels: the same in every run.

    NumPy's global generator is seeded with 0 as the notebook does; its state is put back afterwards.
    """
    import numpy as np
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    before = np.random.get_state()
    try:
        np.random.seed(0)
        points, labels = make_moons(POINTS, noise=NOISE)
    finally:
        np.random.set_state(before)
    train_x, test_x, train_y, test_y = train_test_split(points, labels, test_size=TEST_SHARE, random_state=1)
    return train_x, test_x, train_y, test_y


def write_csv(path: Path, points: Any, labels: Any) -> None:
    """One row a point, the label first, no header: the format of SageMaker's built-in algorithms."""
    rows = (
        f"{float(label)!r},{float(x)!r},{float(y)!r}" for label, (x, y) in zip(labels, points, strict=True)
    )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def read_csv(path: Path) -> tuple[Any, Any]:
    """Points (n, 2) and integer labels (n,) of a file that `write_csv` wrote."""
    import numpy as np

    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    return rows[:, 1:], rows[:, 0].astype(int)
