"""The moons data: two interleaved half circles with noise, split into 450 training and 150 test points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.failures import WorkflowError
from workflows.problem import Problem

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.data.place import Located

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


def imported(configuration: Configuration | None) -> Located:
    """The points that a person imported.

    Raises:
        WorkflowError: There are none.
    """
    from workflows.data.place import locate

    try:
        return locate("moons", configuration, "imported")
    except Problem as problem:
        raise WorkflowError(
            f"{problem.sentence} Import your points with `mlconsole data import moons FILE`, or set data=generated."
        ) from problem


def parted(place: Located) -> tuple[Any, Any, Any, Any]:
    """Training points, test points, training labels, test labels of somebody's file: a quarter of each class tests.

    Raises:
        WorkflowError: The file is damaged, or has one class only.
    """
    from sklearn.model_selection import train_test_split

    from workflows.data.loading import table

    try:
        frame = table(place)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    missing = int(frame.isna().to_numpy().sum())
    if missing:
        row = int(frame.isna().any(axis=1).to_numpy().argmax()) + 1
        raise WorkflowError(
            f"{place.path}: {missing} values are missing, the first in row {row}. Complete or remove the rows."
        )
    labels = frame[place.dataset.label].to_numpy().astype(int)
    points = frame.drop(columns=place.dataset.label).to_numpy(dtype=float)
    counts = {name: int((labels == name).sum()) for name in (0, 1)}
    if sum(counts.values()) < len(labels) or min(counts.values()) < 8:
        raise WorkflowError(
            f"{place.path}: {counts[0]} points have the label 0 and {counts[1]} the label 1; both classes must be there (one-class "
            "data teach nothing), with 8 points at least, and no other label."
        )
    train_x, test_x, train_y, test_y = train_test_split(
        points, labels, test_size=TEST_SHARE, random_state=1, stratify=labels
    )
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
