"""``model_algo-1``: a zip of an MXNet symbol, its parameters and two JSON files, as LinearLearner leaves it.

The weights are for raw features: normalisation is folded into them, so that whoever loads ``mx-mod`` with MXNet or reads
``fc0_weight`` gets the scores that an endpoint answers.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from algorithms.builtin.failures import ClientError
from algorithms.builtin.linear.hyperparameters import BINARY, LOSSES, MULTICLASS, REGRESSOR
from algorithms.builtin.linear.model import Model, score_threshold, value_threshold
from algorithms.formats import ndarray

FILE: Final = "model_algo-1"
SYMBOL: Final = "mx-mod-symbol.json"
PARAMETERS: Final = "mx-mod-0000.params"
ADDITIONAL: Final = "additional-params.json"
MANIFEST: Final = "manifest.json"

_OUTPUTS: Final = {
    BINARY: "LogisticRegressionOutput",
    MULTICLASS: "SoftmaxOutput",
    REGRESSOR: "LinearRegressionOutput",
}
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, struct.error)
"""What reading a damaged zip raises."""
_KINDS: Final = {operator: kind for kind, operator in _OUTPUTS.items()}


def save(model: Model, folder: Path) -> Path:
    """Write ``model_algo-1``; one that is there is replaced in one step, so that a job may be stopped at any time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    fresh = folder / f".{FILE}"
    parameters = {
        "arg:fc0_weight": np.ascontiguousarray(model.weights.T, np.float32),
        "arg:fc0_bias": model.bias.astype(np.float32),
    }
    binary = model.predictor_type == BINARY
    additional = {
        "predictor_type": model.predictor_type,
        "loss": model.loss,
        "feature_dim": model.feature_dim,
        "num_classes": len(model.bias) if model.predictor_type == MULTICLASS else 1,
        "threshold": score_threshold(model.loss, model.threshold) if binary else None,
        "value_threshold": model.threshold if binary else None,
    }
    files = {
        ADDITIONAL: json.dumps(additional).encode(),
        SYMBOL: json.dumps(symbol(model), indent=2).encode(),
        PARAMETERS: ndarray.encode(parameters),
    }
    files[MANIFEST] = json.dumps({"algorithm": "linear-learner", "files": sorted(files)}).encode()
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed time makes the same model the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    fresh.replace(path)
    return path


def symbol(model: Model) -> dict[str, Any]:
    """MXNet's graph: data -> FullyConnected ``fc0`` -> an output layer ``out`` with the label ``out_label``."""
    operator = "LinearRegressionOutput" if model.loss == "hinge_loss" else _OUTPUTS[model.predictor_type]
    outputs = len(model.bias)
    return {
        "nodes": [
            {"op": "null", "name": "data", "inputs": []},
            {"op": "null", "name": "fc0_weight", "inputs": []},
            {"op": "null", "name": "fc0_bias", "inputs": []},
            {
                "op": "FullyConnected",
                "name": "fc0",
                "attrs": {"num_hidden": str(outputs)},
                "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
            },
            {"op": "null", "name": "out_label", "inputs": []},
            {"op": operator, "name": "out", "inputs": [[3, 0, 0], [4, 0, 0]]},
        ],
        "arg_nodes": [0, 1, 2, 4],
        "node_row_ptr": [0, 1, 2, 3, 4, 5, 6],
        "heads": [[5, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }


def load(folder: Path) -> Model:
    """Read ``model_algo-1``. What ``additional-params.json`` does not say is taken from the graph.

    Raises:
        ClientError: There is no such file, or it is no LinearLearner model.
    """
    path = folder / FILE
    if not path.is_file():
        held = ", ".join(sorted(item.name for item in folder.iterdir())[:10]) if folder.is_dir() else ""
        raise ClientError(
            f"The model archive holds {held or 'nothing'}; LinearLearner serves a file '{FILE}'. "
            "Set ModelDataUrl to the model.tar.gz of a linear-learner training job."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            parameters = ndarray.decode(archive.read(_one(names, ".params")))
            graph = json.loads(archive.read(_one(names, "symbol.json")))
            additional = json.loads(archive.read(ADDITIONAL)) if ADDITIONAL in names else {}
        return _model(parameters, graph, additional)
    except (*_DAMAGE, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError) as error:
        raise ClientError(f"'{FILE}' is no LinearLearner model: {error}.") from error


def _model(parameters: ndarray.Arrays, graph: Any, additional: Any) -> Model:
    if not isinstance(parameters, dict):
        raise ValueError("its parameters have no names")
    bare = {name.partition(":")[2] or name: array for name, array in parameters.items()}
    if "fc0_weight" not in bare:
        raise ValueError(f"its parameters are {', '.join(sorted(bare)) or 'none'}, expected fc0_weight")
    weights = bare["fc0_weight"].astype(np.float64)
    if weights.ndim != 2:
        raise ValueError(f"fc0_weight has the shape {weights.shape}, expected (outputs, features)")
    bias = bare["fc0_bias"].astype(np.float64) if "fc0_bias" in bare else np.zeros(len(weights))
    if bias.shape != (len(weights),):
        raise ValueError(f"fc0_bias has the shape {bias.shape}, expected ({len(weights)},)")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError("its weights are not finite")
    said = additional if isinstance(additional, dict) else {}
    operators = [node.get("op") for node in graph["nodes"]]
    kind = str(said.get("predictor_type"))
    if kind not in LOSSES:
        kind = next((_KINDS[operator] for operator in operators if operator in _KINDS), REGRESSOR)
    loss = str(said.get("loss"))
    if loss not in LOSSES[kind]:
        loss = LOSSES[kind][0]
    if (kind == MULTICLASS) != (len(bias) > 1):
        raise ValueError(f"a {kind} with {len(bias)} outputs")
    threshold = 0.0
    if isinstance(said.get("value_threshold"), int | float):
        threshold = float(said["value_threshold"])
    elif isinstance(said.get("threshold"), int | float):
        threshold = value_threshold(loss, float(said["threshold"]))
    return Model(kind, loss, np.ascontiguousarray(weights.T), bias, threshold)


def _one(names: list[str], ending: str) -> str:
    found = [name for name in names if name.endswith(ending)]
    if not found:
        raise ValueError(f"it holds {', '.join(names) or 'nothing'}, but no *{ending}")
    return sorted(found)[0]
