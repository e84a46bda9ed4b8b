"""Serves the moons net: npy, CSV or JSON in, probabilities of label 1 out (needs numpy and torch 2.x only)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from net import MoonsNet

NPY, CSV, JSON = "application/x-npy", "text/csv", "application/json"


def model_fn(model_dir: str) -> MoonsNet:
    """The net as train.py saved it, ready to predict."""
    folder = Path(model_dir)
    described = json.loads((folder / "model.json").read_text())
    return _net(described, folder / "model.pth")


def examine_fn(model_dir: str, points: torch.Tensor) -> dict[str, Any]:
    """What the archive tells beside its answers.

    ``dead_units`` of ``hidden`` are 0 for every one of the points; ``dead`` is why training was given up (empty: it was not);
    ``answers`` are the probabilities by the nets of all seeds, shape (seeds, n), in the order of ``seeds``.
    """
    folder = Path(model_dir)
    described = json.loads((folder / "model.json").read_text())
    nets = [_net(described, folder / "model.pth")]
    nets += [_net(described, folder / "seeds" / f"{seed}.pth") for seed in described["seeds"][1:]]
    return {
        **{name: described[name] for name in ("hidden", "seeds", "dead", "final_relu")},
        "dead_units": nets[0].dead_units(points),
        "answers": [net.probability(points).tolist() for net in nets],
    }


def _net(described: dict[str, Any], weights: Path) -> MoonsNet:
    net = MoonsNet(int(described["hidden"]), float(described["dropout"]), bool(described["final_relu"]))
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    net.eval()
    return net


def input_fn(body: bytes | str, content_type: str = NPY) -> torch.Tensor:
    """Points of shape (n, 2) from a request.

    JSON may be ``[[x, y], …]`` or ``{"instances": [[x, y], …]}``.

    Raises:
        ValueError: Another content type, another shape, or a value that is no finite number.
    """
    kind = (content_type or NPY).split(";")[0].strip().lower()
    raw = body.encode() if isinstance(body, str) else bytes(body)
    try:
        if kind == NPY:
            rows = np.load(io.BytesIO(raw), allow_pickle=False)
        elif kind == CSV:
            text = raw.decode("utf-8")
            rows = np.array(
                [[float(cell) for cell in line.split(",")] for line in text.splitlines() if line.strip()]
            )
        elif kind == JSON:
            data = json.loads(raw)
            rows = np.array(data["instances"] if isinstance(data, dict) else data, dtype=np.float64)
        else:
            raise ValueError(f"content type {content_type!r} is not served; send {NPY}, {CSV} or {JSON}")
    except (KeyError, TypeError, UnicodeDecodeError, EOFError) as error:
        raise ValueError(f"the {kind} body holds no points: {error!r}") from error
    rows = np.atleast_2d(np.asarray(rows, dtype=np.float32))
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"points have shape {rows.shape}; rows of two coordinates are expected")
    if not np.isfinite(rows).all():
        raise ValueError("a coordinate is NaN or infinite")
    return torch.from_numpy(rows)


def predict_fn(points: torch.Tensor, net: MoonsNet) -> np.ndarray:
    """Probabilities of label 1, float32 of shape (n,)."""
    probabilities: np.ndarray = net.probability(points).numpy()
    return probabilities


def output_fn(prediction: np.ndarray, accept: str = NPY) -> Any:
    """The answer in the format that was asked for; JSON when any will do.

    Raises:
        ValueError: Another format was asked for.
    """
    kinds = [part.split(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for kind in kinds:
        if kind == NPY:
            buffer = io.BytesIO()
            np.save(buffer, prediction)
            return buffer.getvalue()
        if kind == CSV:
            return "\n".join(repr(float(value)) for value in prediction) + "\n"
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": [float(value) for value in prediction]})
    raise ValueError(f"accept {accept!r} cannot be answered; ask for {NPY}, {CSV} or {JSON}")
