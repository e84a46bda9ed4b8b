"""The model that PCA leaves: explained variance, what components are made of, projections; c_1 is the one that explains most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError

FILE = "model_algo-1"


@dataclass(frozen=True, slots=True)
class Components:
    """PCA's arrays with the largest component first: singular values (m,), components as columns (d, m), mean (d,).

    ``total`` is the sum of the rows' squared distances to their mean: what all components together explain.
    """

    singular: Any
    vectors: Any
    mean: Any
    total: float

    @property
    def explained(self) -> Any:
        """The share of the variance, cumulated over components, shape (m,): sum s² of the first n / total."""
        return (self.singular.astype(float) ** 2).cumsum() / max(self.total, 1e-300)

    def needed(self, goal: float) -> int:
        """How many components explain at least the share ``goal``; all of them where none does."""
        import numpy as np

        # Single precision rounds the last digits of the sum.
        reached = np.flatnonzero(self.explained >= goal - 1e-6)
        return int(reached[0]) + 1 if len(reached) else len(self.singular)

    def first(self, count: int) -> Components:
        """The first ``count`` components alone."""
        return Components(self.singular[:count], self.vectors[:, :count], self.mean, self.total)

    def project(self, rows: Any) -> Any:
        """Rows (n, d) on the common scale in the components' coordinates (n, m), in single precision."""
        import numpy as np

        return ((np.asarray(rows, dtype=float) - self.mean) @ self.vectors.astype(float)).astype(np.float32)

    def makeup(self, number: int, columns: list[str], most: int) -> list[tuple[str, float]]:
        """The columns with the largest weights in component ``number`` (0 is the first), the largest in size first."""
        import numpy as np

        weights = self.vectors[:, number].astype(float)
        order = np.argsort(-np.abs(weights), kind="stable")[:most]
        return [(columns[index], float(weights[index])) for index in order]


def load(path: Path, total: float) -> Components:
    """From PCA's ``model_algo-1``, where they stand in ascending order.

    Raises:
        WorkflowError: It is no such file.
    """
    from algorithms.formats import ndarray

    try:
        arrays = ndarray.load(path)
    except (OSError, ndarray.NDArrayError) as error:
        raise WorkflowError(f"The PCA model cannot be read: {error}. Start a new run.") from error
    if not isinstance(arrays, dict) or not {"s", "v", "mean"} <= arrays.keys():
        raise WorkflowError("The PCA model has no arrays s, v and mean. Start a new run.")
    return descending(arrays["s"], arrays["v"], arrays["mean"], total)


def descending(singular: Any, vectors: Any, mean: Any, total: float) -> Components:
    """Turns the order of the artefact (ascending, columns of ``v`` with them) round.

    Raises:
        WorkflowError: The shapes do not belong together.
    """
    singular, mean = singular.reshape(-1), mean.reshape(-1)
    if vectors.shape != (len(mean), len(singular)):
        raise WorkflowError(
            f"The PCA model's arrays do not belong together: s {singular.shape}, v {vectors.shape}, mean {mean.shape}."
        )
    return Components(singular[::-1].copy(), vectors[:, ::-1].copy(), mean.copy(), total)


def fitted(rows: Any, count: int) -> Components:
    """The first ``count`` components of rows (n, d) on this machine, by singular value decomposition."""
    import numpy as np

    wide = np.asarray(rows, dtype=float)
    mean = wide.mean(axis=0)
    _, singular, turned = np.linalg.svd(wide - mean, full_matrices=False)
    return Components(singular[:count], turned[:count].T, mean, total_of(rows))


def total_of(rows: Any) -> float:
    """The sum of the rows' squared distances to their mean."""
    import numpy as np

    wide = np.asarray(rows, dtype=float)
    return float(((wide - wide.mean(axis=0)) ** 2).sum())


def centroids(path: Path) -> Any:
    """The centres (k, n) in K-Means' ``model_algo-1``.

    Raises:
        WorkflowError: It is no such file.
    """
    from algorithms.formats import ndarray

    try:
        arrays = ndarray.load(path)
    except (OSError, ndarray.NDArrayError) as error:
        raise WorkflowError(f"The K-Means model cannot be read: {error}. Start a new run.") from error
    found = list(arrays.values()) if isinstance(arrays, dict) else arrays
    if len(found) != 1 or found[0].ndim != 2:
        raise WorkflowError("The K-Means model does not hold one array of centres. Start a new run.")
    return found[0]
