"""Inference code: what runs behind the endpoint. SageMaker's server calls these four functions for every request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import look
import numpy as np

LOOK = "application/x-look"
"""A request of this type is answered with what the container sees of itself."""


def model_fn(model_dir: str) -> Any:
    """Once, when the container starts: the artefact becomes a model."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: bytes | str, content_type: str) -> Any:
    """The request's body becomes what the model takes: points (n, 2) from CSV or JSON."""
    text = body if isinstance(body, str) else body.decode("utf-8")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == LOOK:
        return None
    if kind == "text/csv":
        rows = [[float(cell) for cell in line.split(",")] for line in text.splitlines() if line.strip()]
    elif kind == "application/json":
        rows = json.loads(text)
    else:
        raise ValueError(f"content type {content_type!r} is not served; send text/csv or application/json")
    points = np.array(rows, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points have shape {points.shape}; rows of two coordinates are expected")
    return points


def predict_fn(points: Any, model: Any) -> Any:
    """The model's answer: probabilities of class 1, (n,)."""
    if points is None:
        asked, answered = look.ping()
        return {
            "tree": look.tree("/opt/ml/model"),
            "processes": look.processes(),
            "variables": look.variables(),
            "listening": look.listening(),
            "ping": {"asked": asked, "answered": answered},
        }
    return model.predict_proba(points)[:, 1]


def output_fn(prediction: Any, accept: str) -> tuple[str, str]:
    """The answer becomes the response's body."""
    if isinstance(prediction, dict):
        return json.dumps(prediction), "application/json"
    values = [round(float(value), 6) for value in prediction]
    if "csv" in accept:
        return "\n".join(map(str, values)) + "\n", "text/csv"
    return json.dumps(values), "application/json"
