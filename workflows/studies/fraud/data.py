"""The transactions: read, thinned where wanted, weighted to the population, and split so that copies of a row stay together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workflows.failures import WorkflowError
from workflows.problem import Problem

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.data.place import Located

DATASET = "creditcard"
LABEL = "Class"
SETS = ("train", "validation", "test")
TEST_SHARE = 0.3
VALIDATION_SHARE = 0.2
"""Of all rows, and of those that are not test rows."""
CUT = TEST_SHARE + VALIDATION_SHARE * (1 - TEST_SHARE)
Split = Literal["content", "random"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some transactions: features (n, 30) in single precision, labels (n,) 0 or 1, weights (n,)."""

    features: Any
    labels: Any
    weights: Any

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, chosen: Any) -> Rows:
        """The rows of a mask or of indices."""
        return Rows(self.features[chosen], self.labels[chosen], self.weights[chosen])

    @property
    def fraud_share(self) -> float:
        """The share of frauds in the population that the rows stand for."""
        return float(self.weights[self.labels == 1].sum() / self.weights.sum())


def located(configuration: Configuration | None, source: str = "") -> Located:
    """Where the transactions are: the person's own, the folder of real data, what was fetched, else the built-in sample.

    ``source`` asks for one of these places only.

    Raises:
        WorkflowError: They are nowhere.
    """
    from workflows.data.place import locate

    try:
        return locate(DATASET, configuration, source)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem


def read(place: Located) -> tuple[list[str], Any, Any, float]:
    """Names of the features, features (n, 30) in double precision, labels (n,), and how many valid transactions there are in the population.

    Raises:
        WorkflowError: The table cannot be used: it is damaged, a value is missing, or there is only one class.
    """
    from workflows.data.loading import table, valid_weight

    try:
        found = table(place)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    missing = int(found.isna().to_numpy().sum())
    if missing:
        row = int(found.isna().any(axis=1).to_numpy().argmax()) + 1
        raise WorkflowError(
            f"{place.path}: {missing} values are missing, the first in data row {row}. Complete or remove the rows."
        )
    labels = found[LABEL].to_numpy()
    seen = sorted({str(value) for value in labels.tolist()})
    if seen != ["0", "1"]:
        raise WorkflowError(
            f"{place.path}: {LABEL} holds {', '.join(seen[:5])}; it must hold 0 (valid) and 1 (fraud), and both of them."
        )
    labels = labels.astype(int)
    features = found.drop(columns=LABEL)
    return (
        list(features.columns),
        features.to_numpy(dtype=float),
        labels,
        float((labels == 0).sum()) * valid_weight(place),
    )


def positions(features: Any, seed: int) -> Any:
    """A number in [0, 1) for each row, from a hash (SHA-256) of its content and the seed: copies of a row get the same."""
    import hashlib

    import numpy as np

    salt = f"fraud:{seed}:".encode()
    values = np.ascontiguousarray(np.asarray(features, dtype=np.float64) + 0.0)
    found = [int.from_bytes(hashlib.sha256(salt + row.tobytes()).digest()[:8], "big") for row in values]
    return np.array(found, dtype=np.float64) / 2.0**64


def assign(features: Any, seed: int, how: Split = "content") -> Any:
    """The set of each row: 0 training, 1 validation, 2 test. ``random`` shuffles rows as the notebook does: copies part."""
    import numpy as np

    if how == "random":
        place = np.random.default_rng(seed).permutation(len(features)) / len(features)
    else:
        place = positions(features, seed)
    return np.where(place < TEST_SHARE, 2, np.where(place < CUT, 1, 0))


def duplicates(features: Any, labels: Any) -> tuple[Any, int]:
    """A mask of the rows that repeat an earlier one (label included), and how many of them are frauds."""
    import numpy as np

    rows = np.ascontiguousarray(np.column_stack([features, labels]))
    keys = rows.view([("", rows.dtype)] * rows.shape[1]).ravel()
    _, first = np.unique(keys, return_index=True)
    repeated = np.ones(len(rows), dtype=bool)
    repeated[first] = False
    return repeated, int(labels[repeated].sum())


def thin(features: Any, labels: Any, most: int, seed: int) -> Any:
    """A mask that keeps every fraud and at most ``most`` valid rows (0: all), chosen by content."""
    import numpy as np

    valid = np.flatnonzero(labels == 0)
    keep = np.ones(len(labels), dtype=bool)
    if most and len(valid) > most:
        order = np.argsort(positions(features[valid], seed + 1_000_003), kind="stable")
        keep[valid[order[most:]]] = False
    return keep


def weights(labels: Any, valid_in_population: float) -> Any:
    """1 for a fraud; for a valid row how many valid transactions of the population it stands for."""
    import numpy as np

    return np.where(labels == 1, 1.0, valid_in_population / max(int((labels == 0).sum()), 1))


def repeated(rows: Rows) -> Any:
    """Indices that repeat each row as often as its weight says, rounded so that the totals are kept."""
    import numpy as np

    ends = np.floor(np.cumsum(rows.weights) + 0.5).astype(int)
    return np.repeat(np.arange(len(rows)), np.diff(np.append(0, ends)))


def save(path: Path, rows: Rows) -> None:
    """Writes rows; the same rows give the same bytes."""
    import numpy as np

    np.savez(path, features=rows.features, labels=rows.labels, weights=rows.weights)


def load(path: Path) -> Rows:
    """Rows that `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        return Rows(file["features"], file["labels"], file["weights"])


def csv_lines(features: Any) -> str:
    """One row a line, without a label: what an endpoint and a batch transform are asked with."""
    return "\n".join(",".join(repr(value) for value in row) for row in features.astype(float).tolist()) + "\n"
