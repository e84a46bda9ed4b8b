"""Model files: written as the container's version does, read whatever version wrote them, one or several.

Before 1.3 the model is a pickle of the Booster, as on AWS. Unpickling runs what the file says: it is the user's own artefact, in
the user's own process, as in the container.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb import checkpoints, library
from algorithms.builtin.xgb.versions import Version

NAME = "xgboost-model"
ENSEMBLE = "SAGEMAKER_INFERENCE_ENSEMBLE"
_PICKLE = b"\x80"


class Loaded(NamedTuple):
    """A model for serving: one Booster, or several whose predictions are combined."""

    boosters: tuple[Any, ...]
    pickled: bool
    objective: str
    num_class: int
    features: int


def save(model: Any, path: Path, version: Version) -> None:
    """Write a model: a pickle for the containers before 1.3, else the library's own format."""
    if not version.pickles:
        checkpoints.write(model, path)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("wb") as file:
        pickle.dump(model, file)
    temporary.replace(path)


def load(folder: Path, threads: int) -> Loaded:
    """Every model file of a folder; only the first when `ENSEMBLE` is ``false``.

    Raises:
        ClientError: There is none, or one cannot be read.
    """
    xgboost = library.load()
    paths = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    ) if folder.is_dir() else []  # fmt: skip
    if not paths:
        raise ClientError(
            f"No model in {folder}. The archive must hold '{NAME}', as XGBoost's training jobs write it: a pickle of a Booster, or a "
            "file of its save_model, at the top and not in a folder."
        )
    if os.environ.get(ENSEMBLE, "true").lower() == "false":
        paths = paths[:1]
    found = [_read(path, xgboost) for path in paths]
    boosters = tuple(booster for booster, _ in found)
    for booster in boosters:
        booster.set_param({"nthread": threads})
    objective, classes = _learner(boosters[0])
    widths = [int(booster.num_features()) for booster in boosters]
    if len(set(widths)) > 1:
        listed = ", ".join(f"{path.name}: {width}" for path, width in zip(paths, widths, strict=True))
        raise ClientError(f"The models in {folder} have different numbers of features ({listed}).")
    return Loaded(boosters, all(pickled for _, pickled in found), objective, classes, widths[0])


def _read(path: Path, xgboost: Any) -> tuple[Any, bool]:
    with path.open("rb") as file:
        first = file.read(1)
    if first == _PICKLE:
        try:
            with path.open("rb") as file:
                found = pickle.load(file)
        except Exception as error:
            raise ClientError(
                f"Model at {path} cannot be loaded: it is a pickle that xgboost {xgboost.__version__} cannot read "
                f"({type(error).__name__}: {library.first_line(error)}). Save the model with Booster.save_model instead."
            ) from error
        found = found.get_booster() if hasattr(found, "get_booster") else found
        if not isinstance(found, xgboost.Booster):
            raise ClientError(f"Model at {path} cannot be loaded: it is a pickle of {type(found).__name__}, not of a Booster.")  # fmt: skip
        return found, True
    booster = xgboost.Booster()
    try:
        # By content, since the name of the file says nothing of its format.
        booster.load_model(bytearray(path.read_bytes()))
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise ClientError(
            f"Model at {path} cannot be loaded: it is neither a pickle of a Booster nor a file of its save_model "
            f"({library.first_line(error)})."
        ) from error
    return booster, False


def _learner(booster: Any) -> tuple[str, int]:
    import json

    learner = json.loads(booster.save_config())["learner"]
    return str(learner["objective"]["name"]), int(learner["learner_model_param"].get("num_class", 0) or 0)


def predict(booster: Any, matrix: Any) -> NDArray[np.float32]:
    """A Booster's predictions: of the best round, where early stopping found one."""
    best = booster.attr("best_iteration")
    end = int(best) + 1 if best is not None else 0
    found: NDArray[np.float32] = booster.predict(matrix, iteration_range=(0, end), validate_features=False)
    return found


def combined(model: Loaded, matrix: Any) -> NDArray[Any]:
    """The model's predictions: of several Boosters the mean, for objectives that answer classes the most frequent."""
    each = [predict(booster, matrix) for booster in model.boosters]
    if len(each) == 1:
        return each[0]
    if model.objective in ("multi:softmax", "binary:hinge"):
        return most_frequent(each).astype(np.float32)
    found: NDArray[Any] = np.mean(each, axis=0)
    return found


def most_frequent(votes: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
    """Per row the class that has the most votes, the smallest of several; votes of shape (voters, rows)."""
    stacked = np.asarray(votes)
    known = np.unique(stacked)
    counts = np.stack([(stacked == item).sum(axis=0) for item in known])
    found: NDArray[Any] = known[counts.argmax(axis=0)]
    return found
