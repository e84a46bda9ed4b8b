"""The model's files: ``model_algo-1-0000.params``, ``model_algo-1-config.json``, ``model_algo-1-symbol.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from algorithms.builtin.deepar import calendar
from algorithms.builtin.deepar.forecasting import Forecaster
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.likelihoods import likelihood
from algorithms.builtin.deepar.network import Network
from algorithms.builtin.deepar.shape import Shape
from algorithms.builtin.deepar.windows import Normal, View
from algorithms.builtin.failures import ClientError
from algorithms.formats import ndarray

PARAMS: Final = "model_algo-1-0000.params"
CONFIG: Final = "model_algo-1-config.json"
SYMBOL: Final = "model_algo-1-symbol.json"
_ARGUMENT: Final = "arg:"


@dataclass(frozen=True, slots=True)
class Design:
    """All of a model but its weights.

    Attributes:
        likelihood: The hyperparameter's value.
    """

    view: View
    shape: Shape
    normal: Normal
    likelihood: str
    cells: int
    layers: int
    zoneout: float
    embedding: int

    def network(self) -> Network:
        """A new network of this design."""
        inputs = len(self.view.lags) + calendar.count(self.view.frequency) + 2 + self.shape.features
        return Network(
            inputs,
            self.shape.cardinality,
            self.embedding,
            self.cells,
            self.layers,
            self.zoneout,
            likelihood(self.likelihood).outputs,
        )

    def forecaster(self, network: Network) -> Forecaster:
        """What forecasts with a network of this design."""
        return Forecaster(network, likelihood(self.likelihood), self.view, self.normal)


def save(folder: Path, design: Design, network: Network) -> None:
    """Write the three files; one that is there is replaced in one move."""
    arrays = {f"{_ARGUMENT}{name}": value.detach().numpy() for name, value in network.state_dict().items()}
    symbol = {"nodes": [{"name": name, "shape": list(value.shape)} for name, value in arrays.items()]}
    for name, content in (
        (CONFIG, json.dumps(_document(design), indent=1).encode()),
        (SYMBOL, json.dumps(symbol, indent=1).encode()),
        (PARAMS, ndarray.encode(arrays)),
    ):
        # A job that is stopped leaves its model directory as it is: never with half a file of the model.
        draft = folder / f".{name}"
        draft.write_bytes(content)
        draft.replace(folder / name)


def load(folder: Path) -> tuple[Design, Network]:
    """The design and the network in a folder.

    Raises:
        ClientError: The folder does not hold a DeepAR model, or a damaged one.
    """
    for name in (CONFIG, PARAMS):
        if not (folder / name).is_file():
            held = ", ".join(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ""
            raise ClientError(
                f"The model data hold no {name}: this is not a model of forecasting-deepar. They hold: {held or 'nothing'}. "
                "Use the model.tar.gz of a DeepAR training job."
            )
    try:
        design = _design(json.loads((folder / CONFIG).read_text()))
        arrays = ndarray.load(folder / PARAMS)
        if not isinstance(arrays, dict):
            raise ValueError("its arrays have no names")
        network = design.network()
        network.load_state_dict(
            {
                name.removeprefix(_ARGUMENT): torch.from_numpy(np.array(value))
                for name, value in arrays.items()
            }
        )
    except (ValueError, KeyError, TypeError, RuntimeError, OSError, ClientError) as error:
        raise ClientError(
            f"The DeepAR model cannot be read ({type(error).__name__}: {error}). Deploy the model.tar.gz of a DeepAR training job."
        ) from error
    return design, network.requires_grad_(False)


def _document(design: Design) -> dict[str, Any]:
    return {
        "version": 1,
        "time_freq": str(design.view.frequency),
        "context_length": design.view.context,
        "prediction_length": design.view.horizon,
        "likelihood": design.likelihood,
        "num_cells": design.cells,
        "num_layers": design.layers,
        "dropout_rate": design.zoneout,
        "embedding_dimension": design.embedding,
        "cardinality": list(design.shape.cardinality),
        "num_dynamic_feat": design.shape.features,
        "ignore_cat": design.shape.ignore_cat,
        "ignore_dynamic_feat": design.shape.ignore_features,
        "lags": list(design.view.lags),
        "scaled": design.view.scaled,
        "scale": design.normal.scale,
        "scales": [[list(cat), scale] for cat, scale in design.normal.scales.items()],
        "feature_means": list(design.normal.feature_means),
        "feature_spreads": list(design.normal.feature_spreads),
    }


def _design(document: dict[str, Any]) -> Design:
    return Design(
        View(
            Frequency.parse(document["time_freq"]),
            int(document["context_length"]),
            int(document["prediction_length"]),
            tuple(int(lag) for lag in document["lags"]),
            bool(document["scaled"]),
        ),
        Shape(
            tuple(int(size) for size in document["cardinality"]),
            int(document["num_dynamic_feat"]),
            bool(document["ignore_cat"]),
            bool(document["ignore_dynamic_feat"]),
        ),
        Normal(
            float(document["scale"]),
            {tuple(cat): float(scale) for cat, scale in document["scales"]},
            tuple(document["feature_means"]),
            tuple(document["feature_spreads"]),
        ),
        document["likelihood"],
        int(document["num_cells"]),
        int(document["num_layers"]),
        float(document["dropout_rate"]),
        int(document["embedding_dimension"]),
    )
