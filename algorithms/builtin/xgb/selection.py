"""Selectable inference: the contents that ``SAGEMAKER_INFERENCE_OUTPUT`` names, per prediction."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTPUT = "SAGEMAKER_INFERENCE_OUTPUT"

_SCORE = ("predicted_score",)
_LABELS = ("predicted_label", "labels")
_RAW = ("raw_score", "raw_scores")
_PROBABILITY = ("probability", "probabilities")
KEYS = {
    "reg:squarederror": _SCORE,
    "reg:linear": _SCORE,
    "reg:logistic": _SCORE,
    "reg:gamma": _SCORE,
    "reg:tweedie": _SCORE,
    "binary:logistic": (*_LABELS, *_PROBABILITY, *_RAW),
    "binary:logitraw": (*_LABELS, *_RAW),
    "binary:hinge": (*_LABELS, *_RAW),
    "multi:softmax": (*_LABELS, *_RAW),
    "multi:softprob": (*_LABELS, *_PROBABILITY, *_RAW),
}
"""The contents that each objective has. Others are answered as NaN."""


def keys(text: str) -> list[str]:
    """The names in the variable, in its order."""
    return [item for item in text.replace(" ", "").lower().split(",") if item]


def select(
    predictions: NDArray[Any], wanted: Sequence[str], objective: str, num_class: int
) -> list[dict[str, Any]]:
    """Per prediction the wanted contents.

    Raises:
        ValueError: The objective has no selectable contents.
    """
    known = KEYS.get(objective)
    if known is None:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    return [
        {key: _content(key, row, objective, num_class) if key in known else math.nan for key in wanted}
        for row in predictions
    ]


def _content(key: str, row: Any, objective: str, num_class: int) -> Any:
    several = isinstance(row, np.ndarray) and row.ndim > 0
    number = float(row.max()) if several else float(row)
    if key == "predicted_score":
        return number
    if key == "labels":
        return [0, 1] if objective.startswith("binary:") else list(range(num_class))
    if key == "predicted_label":
        if several:
            return int(row.argmax())
        if objective in ("binary:hinge", "multi:softmax"):
            return number
        return int(number > (0.0 if objective == "binary:logitraw" else 0.5))
    if key in ("probability", "raw_score"):
        return number
    return row.tolist() if several else [1.0 - number, number]


def csv(selected: Sequence[dict[str, Any]]) -> str:
    """One prediction a line; lists are quoted."""
    return "\n".join(
        ",".join(f'"{value}"' if isinstance(value, list) else str(value) for value in item.values())
        for item in selected
    )


def jsonlines(selected: Sequence[dict[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(item) + "\n" for item in selected)


def columns(selected: Sequence[dict[str, Any]]) -> dict[str, NDArray[np.float32]]:
    """Per content all predictions' values, for recordIO."""
    return {key: np.array([item[key] for item in selected], np.float32) for key in selected[0]}
