"""Serves the classifier: CSV, JSON or npy features in, label and probability out (needs numpy and scikit-learn only)."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NPY, CSV, JSON = "application/x-npy", "text/csv", "application/json"


@dataclass
class Request:
    """Features (n, k); ``names`` in their order where the request gave names."""

    rows: np.ndarray
    names: tuple[str, ...] = ()


@dataclass
class Model:
    """The fitted estimator and what train.py wrote about it: classifier, features (names or none), count, threshold."""

    estimator: Any
    described: dict[str, Any]


@dataclass
class Prediction:
    """Probabilities of class 1 and the labels at the model's threshold, shape (n,) both."""

    labels: np.ndarray
    probabilities: np.ndarray


def model_fn(model_dir: str) -> Model:
    """The classifier as train.py saved it.

    Raises:
        RuntimeError: It was saved by a scikit-learn whose models this one cannot load.
    """
    import joblib
    import sklearn

    folder = Path(model_dir)
    described = json.loads((folder / "model.json").read_text())
    try:
        estimator = joblib.load(folder / "model.joblib")
    except (AttributeError, ImportError, ValueError) as error:
        raise RuntimeError(
            f"model.joblib was saved by scikit-learn {described['sklearn']} and this container has "
            f"{sklearn.__version__}; serve it with the image that trained it ({error})"
        ) from error
    return Model(estimator, described)


def input_fn(body: bytes | str, content_type: str = NPY) -> Request:
    """Feature rows from a request.

    JSON may be ``[[…], …]``, ``{"instances": [[…], …]}``, or instances by name: ``{"instances": [{"c_1": 0.4, …}, …]}``.

    Raises:
        ValueError: Another content type, no rows, or a value that is no finite number.
    """
    kind = (content_type or NPY).split(";")[0].strip().lower()
    raw = body.encode() if isinstance(body, str) else bytes(body)
    names: tuple[str, ...] = ()
    try:
        if kind == NPY:
            rows = np.load(io.BytesIO(raw), allow_pickle=False)
        elif kind == CSV:
            lines = [line for line in raw.decode("utf-8").splitlines() if line.strip()]
            rows = _matrix([[float(cell) for cell in line.split(",")] for line in lines])
        elif kind == JSON:
            data = json.loads(raw)
            data = data["instances"] if isinstance(data, dict) else data
            if data and isinstance(data[0], dict):
                names = tuple(data[0])
                if any(set(row) != set(names) for row in data):
                    raise ValueError("the instances name different features; name the same in each")
                data = [[row[name] for name in names] for row in data]
            rows = _matrix(data)
        else:
            raise ValueError(f"content type {content_type!r} is not served; send {NPY}, {CSV} or {JSON}")
        rows = np.atleast_2d(np.asarray(rows, dtype=np.float64))
    except (KeyError, TypeError, UnicodeDecodeError, EOFError) as error:
        raise ValueError(f"the {kind} body holds no features: {error!r}") from error
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(f"features have shape {rows.shape}; rows of features are expected")
    if not np.isfinite(rows).all():
        raise ValueError("a feature is NaN or infinite")
    return Request(rows, names)


def _matrix(rows: Any) -> np.ndarray:
    if rows and isinstance(rows[0], list) and any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("the rows have different numbers of features; give each row the same")
    return np.array(rows, dtype=np.float64)


def predict_fn(request: Request, model: Model) -> Prediction:
    """Labels and probabilities.

    Raises:
        ValueError: Other features than the model was trained on.
    """
    trained, count = tuple(model.described["features"]), int(model.described["count"])
    rows = request.rows
    wanted = f"{count} features" + (f" in the order {', '.join(trained)}" if trained else "")
    if request.names:
        if not trained:
            raise ValueError(f"the model was trained without names of features; send rows of {wanted}")
        if set(request.names) != set(trained):
            raise ValueError(f"the request names {', '.join(request.names)}; the model takes {wanted}")
        rows = rows[:, [request.names.index(name) for name in trained]]
    if rows.shape[1] != count:
        raise ValueError(f"rows have {rows.shape[1]} features; the model takes {wanted}")
    column = list(model.estimator.classes_).index(1)
    probabilities = model.estimator.predict_proba(rows)[:, column]
    return Prediction((probabilities >= model.described["threshold"]).astype(int), probabilities)


def output_fn(prediction: Prediction, accept: str = NPY) -> tuple[bytes | str, str]:
    """Label and probability of each row in the format that was asked for (JSON when any will do), and that format's name.

    npy has shape (n, 2); CSV a line ``label,probability`` a row; JSON ``{"predictions": [{"label": 1, "probability": 0.98}, …]}``.

    Raises:
        ValueError: Another format was asked for.
    """
    labels, probabilities = prediction.labels.tolist(), prediction.probabilities.tolist()
    both = list(zip(labels, probabilities))  # noqa: B905 - the container's Python may have no `strict`
    for kind in [part.split(";")[0].strip().lower() for part in (accept or "*/*").split(",")]:
        if kind == NPY:
            buffer = io.BytesIO()
            np.save(buffer, np.array(both, dtype=np.float64))
            return buffer.getvalue(), NPY
        if kind == CSV:
            return "".join(f"{label},{probability!r}\n" for label, probability in both), CSV
        if kind in (JSON, "*/*", "application/*"):
            answers = [{"label": label, "probability": value} for label, value in both]
            return json.dumps({"predictions": answers}), JSON
    raise ValueError(f"accept {accept!r} cannot be answered; ask for {NPY}, {CSV} or {JSON}")
