"""Trained centres: their file and the clusters of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.servant import MatrixServant
from algorithms.formats import ndarray

Floats = NDArray[np.float32]

FILE = "model_algo-1"
_PAIRS = 1 << 22


@dataclass(frozen=True, slots=True)
class Model:
    """The centres, float32 of shape (k, d)."""

    centers: Floats

    def predict(self, rows: Floats) -> Mapping[str, NDArray[Any]]:
        """The nearest centre of each row and the Euclidean distance to it, both float32 of shape (n,)."""
        closest = np.empty(len(rows), np.int64)
        distance = np.empty(len(rows))
        wide = self.centers.astype(np.float64)
        shift = wide.mean(axis=0)
        wide -= shift
        norms = np.square(wide).sum(axis=1) / 2
        step = max(1, _PAIRS // max(self.centers.shape))
        for start in range(0, len(rows), step):
            part = rows[start : start + step].astype(np.float64) - shift
            found = (part @ wide.T - norms).argmax(axis=1)
            closest[start : start + step] = found
            distance[start : start + step] = np.sqrt(np.square(part - wide[found]).sum(axis=1))
        return {
            "closest_cluster": closest.astype(np.float32),
            "distance_to_cluster": distance.astype(np.float32),
        }

    def squares(self, rows: Floats) -> float:
        """The sum of the rows' squared distances to their centres."""
        distance = self.predict(rows)["distance_to_cluster"]
        return float(np.square(distance, dtype=np.float64).sum())

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1``, an NDArray file with a list of one array."""
        folder.mkdir(parents=True, exist_ok=True)
        ndarray.save(folder / FILE, [self.centers])

    def servant(self) -> MatrixServant:
        """What answers requests: ``{"predictions": [{"closest_cluster": 1.0, "distance_to_cluster": 3.0}]}``."""
        return MatrixServant(self.centers.shape[1], "predictions", self.predict)


def load(folder: Path) -> Model:
    """The model in a folder.

    Raises:
        ClientError: There is no file ``model_algo-1``, or it holds no centres.
    """
    path = folder / FILE
    expected = "an MXNet NDArray file with one array of centres of shape (k, d)"
    if not path.is_file():
        held = ", ".join(sorted(entry.name for entry in folder.glob("*"))[:10]) or "nothing"
        raise ClientError(
            f"The model archive has no file {FILE}; it holds {held}. K-Means expects {FILE}, {expected}."
        )
    try:
        arrays = ndarray.load(path)
    except ndarray.NDArrayError as error:
        raise ClientError(f"{FILE} is not a K-Means model: {error}. Expected {expected}.") from error
    found = list(arrays.values()) if isinstance(arrays, dict) else arrays
    shapes = [array.shape for array in found]
    if len(found) != 1 or found[0].ndim != 2 or not found[0].size:
        raise ClientError(
            f"{FILE} is not a K-Means model: it holds arrays of shapes {shapes}. Expected {expected}."
        )
    centers = found[0].astype(np.float32)
    if not np.isfinite(centers).all():
        raise ClientError(f"{FILE} is not a K-Means model: its centres are not finite numbers.")
    return Model(np.ascontiguousarray(centers))
