"""Labels, weights and features that cannot be trained on, found before the library sees them, so that file and row can be named."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb.data import Data
from algorithms.builtin.xgb.tables import as_text

DEFAULT_OBJECTIVE = "reg:squarederror"

_CHECKED = 1 << 20
"""Numbers that are looked at together."""


def check(data: Data, values: dict[str, Any]) -> None:
    """Refuse labels that are missing or outside what the objective takes, weights that are negative, features that are infinite.

    Raises:
        ClientError: Names the first one.
    """
    labels = data.labels
    _refuse(data, ~np.isfinite(labels), labels, "Label contains NaN, infinity or a value too large")
    if data.weights is not None:
        wrong = ~np.isfinite(data.weights) | (data.weights < 0)
        _refuse(data, wrong, data.weights, "Weights must be positive values")
    row = _infinite(data.features)
    if row is not None:
        raise ClientError(
            "Input data contains `inf` or a value too large, while `missing` is not set to `inf`: "
            f"{data.where(row)}. Replace infinite values, and those that float32 cannot hold; leave missing ones empty."
        )
    objective = values.get("objective", DEFAULT_OBJECTIVE)
    if objective in ("binary:logistic", "reg:logistic", "binary:logitraw"):
        wrong = (labels < 0) | (labels > 1)
        _refuse(data, wrong, labels, "label must be in [0,1] for logistic regression")
    elif objective == "binary:hinge":
        _refuse(data, (labels != 0) & (labels != 1), labels, "label must be 0 or 1 for binary:hinge")
    elif objective.startswith("multi:"):
        count = values["num_class"]
        wrong = (labels < 0) | (labels >= count) | (labels != np.floor(labels))
        said = f"label must be in [0, num_class); num_class is {count}, classes are whole numbers from 0"
        _refuse(data, wrong, labels, said)
    elif objective in ("count:poisson", "reg:tweedie"):
        name = "PoissonRegression" if objective == "count:poisson" else "TweedieRegression"
        _refuse(data, labels < 0, labels, f"{name}: label must be nonnegative")
    elif objective == "survival:aft":
        _refuse(data, labels <= 0, labels, "label must be a positive time for survival:aft")
    elif objective == "reg:gamma":
        _refuse(data, labels <= 0, labels, "GammaRegression: label must be positive")
    elif objective == "reg:squaredlogerror":
        _refuse(
            data, labels <= -1, labels, "label must be greater than -1 for rmsle so that log(label + 1) can be valid"
        )  # fmt: skip
    elif objective.startswith("rank:"):
        _refuse(data, labels < 0, labels, "relevance degrees must be greater than or equal to 0")
        if objective == "rank:map":
            _refuse(data, (labels != 0) & (labels != 1), labels, "label must be 0 or 1 for rank:map")
        if data.groups is not None and (np.diff(data.groups) < 0).any():
            raise ClientError("qid must be sorted in non-decreasing order along with data.")


def _infinite(features: Any) -> int | None:
    """The first row with an infinite feature."""
    if not isinstance(features, np.ndarray):
        found = np.flatnonzero(np.isinf(features.data))
        return int(np.searchsorted(features.indptr, found[0], side="right")) - 1 if len(found) else None
    step = max(1, _CHECKED // max(1, features.shape[1]))
    for start in range(0, len(features), step):
        found = np.flatnonzero(np.isinf(features[start : start + step]).any(axis=1))
        if len(found):
            return start + int(found[0])
    return None


def _refuse(data: Data, wrong: Any, numbers: Any, problem: str) -> None:
    found = np.flatnonzero(wrong)
    if len(found):
        row = int(found[0])
        more = f" ({len(found):,} rows in all)" if len(found) > 1 else ""
        raise ClientError(f"{problem}: {data.where(row)} has {as_text(numbers[row])}{more}.")
