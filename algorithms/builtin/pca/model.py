"""A trained PCA: its file and its projections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.servant import MatrixServant
from algorithms.formats import ndarray

Floats = NDArray[np.float32]

FILE = "model_algo-1"


@dataclass(frozen=True, slots=True)
class Model:
    """What training found; the components are in ascending order, the one that explains most is the last.

    Attributes:
        mean: Shape (1, d); zeros when the mean was not subtracted.
        s: The singular values of the (centred) data, shape (n,).
        v: The components as columns, shape (d, n).
    """

    mean: Floats
    s: Floats
    v: Floats

    def project(self, rows: Floats) -> Floats:
        """Rows of shape (m, d) in the components' coordinates: shape (m, n)."""
        # In float64, so that a row's projection does not depend on the rows beside it.
        centred = rows.astype(np.float64) - self.mean
        with np.errstate(over="ignore"):
            return (centred @ self.v.astype(np.float64)).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1``, an NDArray file with the names ``s``, ``v`` and ``mean``."""
        folder.mkdir(parents=True, exist_ok=True)
        ndarray.save(folder / FILE, {"s": self.s, "v": self.v, "mean": self.mean})

    def servant(self) -> MatrixServant:
        """What answers requests: ``{"projections": [{"projection": [...]}]}``."""
        return MatrixServant(self.v.shape[0], "projections", lambda rows: {"projection": self.project(rows)})


def load(folder: Path) -> Model:
    """The model in a folder.

    Raises:
        ClientError: There is no file ``model_algo-1``, or it is not one of PCA.
    """
    path = folder / FILE
    expected = "an MXNet NDArray file with the arrays 's' (n), 'v' (d, n) and 'mean' (1, d)"
    if not path.is_file():
        held = ", ".join(sorted(entry.name for entry in folder.glob("*"))[:10]) or "nothing"
        raise ClientError(
            f"The model archive has no file {FILE}; it holds {held}. PCA expects {FILE}, {expected}."
        )
    try:
        arrays = ndarray.load(path)
    except ndarray.NDArrayError as error:
        raise ClientError(f"{FILE} is not a PCA model: {error}. Expected {expected}.") from error
    if not isinstance(arrays, dict) or "v" not in arrays:
        held = (
            f"the arrays {sorted(arrays)}" if isinstance(arrays, dict) else f"a list of {len(arrays)} arrays"
        )
        raise ClientError(f"{FILE} is not a PCA model: it holds {held}. Expected {expected}.")
    v = arrays["v"].astype(np.float32)
    if v.ndim != 2 or not v.size:
        raise ClientError(f"{FILE} is not a PCA model: 'v' has the shape {v.shape}. Expected {expected}.")
    mean = arrays.get("mean", np.zeros((1, v.shape[0]))).astype(np.float32)
    s = arrays.get("s", np.zeros(v.shape[1])).astype(np.float32)
    if mean.size != v.shape[0]:
        raise ClientError(
            f"{FILE} is not a PCA model: 'mean' has the shape {mean.shape}, 'v' {v.shape}. Expected {expected}."
        )
    return Model(mean.reshape(1, -1), s.reshape(-1), np.ascontiguousarray(v))
