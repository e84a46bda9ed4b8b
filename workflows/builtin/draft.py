"""The first draft of a training job of a built-in algorithm: content types by file name, and what the algorithm must be told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from workflows.builtin.images import ALGORITHMS, ALIASES
from workflows.problem import Problem

UNSUPERVISED = frozenset({"pca", "kmeans"})
_WITH_WIDTH = frozenset({"pca", "kmeans"})
_BY_SUFFIX = {
    ".csv": "text/csv",
    ".pbr": "application/x-recordio-protobuf",
    ".recordio": "application/x-recordio-protobuf",
    ".libsvm": "text/libsvm",
    ".svm": "text/libsvm",
    ".parquet": "application/x-parquet",
    ".json": "application/jsonlines",
    ".jsonl": "application/jsonlines",
}
_DEFAULTS: dict[str, dict[str, str]] = {
    "pca": {"mini_batch_size": "500"},
    "xgboost": {"num_round": "100"},
}
_FIRST_LINE = 1 << 20


def known(name: str) -> str:
    """The algorithm's own name for what a person typed.

    Raises:
        Problem: There is no such algorithm.
    """
    found = ALIASES.get(name.lower(), name.lower())
    if found not in ALGORITHMS:
        raise Problem(
            f"There is no built-in algorithm {name!r} here.",
            f"There are {', '.join(ALGORITHMS)}.",
            "algorithm",
        )
    return found


def content_type(algorithm: str, place: str, given: str = "") -> str:
    """A channel's content type: the given one, else by the name's ending; "" where the algorithm needs none.

    PCA and K-Means have no labels, and a CSV without ``label_size=0`` would lose its first column to one.
    """
    found = given or _BY_SUFFIX.get(Path(place).suffix.lower(), "")
    if algorithm == "forecasting-deepar":
        return given
    if not found and "." not in place.rpartition("/")[2]:
        found = "text/csv"
    if algorithm in UNSUPERVISED and found == "text/csv":
        return "text/csv;label_size=0"
    return found


def completed(
    algorithm: str, given: Mapping[str, str], train: Path | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The hyperparameters with what can be known without being told, and a sentence for each that was added.

    Args:
        train: The training data when it is a file of this machine: a CSV tells ``feature_dim``.
    """
    values = dict(given)
    notes = []
    for name, value in _DEFAULTS.get(algorithm, {}).items():
        if name not in values:
            values[name] = value
            notes.append(f"{name} is {value}, since none was given.")
    if algorithm in _WITH_WIDTH and "feature_dim" not in values and train is not None:
        width = columns(train)
        if width:
            values["feature_dim"] = str(width)
            notes.append(f"feature_dim is {width}: so many columns has {train.name}.")
    return values, tuple(notes)


def columns(path: Path) -> int:
    """How many columns the first line of a CSV file has; 0 when that is not clear."""
    if path.suffix.lower() != ".csv":
        return 0
    with path.open("rb") as file:
        line = file.readline(_FIRST_LINE)
    return line.count(b",") + 1 if line.strip() else 0


def named(algorithm: str, now: float | None = None) -> str:
    """A name for a training job: the algorithm and the time to the second."""
    return f"{algorithm}-{time.strftime('%m%d-%H%M%S', time.localtime(now))}"
