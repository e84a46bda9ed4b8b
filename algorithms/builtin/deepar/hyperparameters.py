"""DeepAR's hyperparameters: names, ranges and defaults of the developer guide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from algorithms.builtin import hyperparameters as base
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.failures import ClientError
from algorithms.builtin.hyperparameters import AUTO, REQUIRED, Parameter, choice, integer, real, structure

IGNORE: Final = "ignore"
LIKELIHOODS = ("gaussian", "beta", "negative-binomial", "student-T", "deterministic-L1")
QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Parsed hyperparameters.

    Attributes:
        cardinality: ``auto``, ``ignore``, None for "no categories", or the number of values of each category.
        num_dynamic_feat: ``auto``, ``ignore``, None for "no features", or how many features each series has.
        early_stopping_patience: Epochs without a better loss after which training ends; None for never.
        random_seed: Repeats a run; None for another outcome each time.
    """

    time_freq: Frequency
    context_length: int
    prediction_length: int
    epochs: int
    likelihood: str
    num_cells: int
    num_layers: int
    dropout_rate: float
    learning_rate: float
    mini_batch_size: int
    embedding_dimension: int
    cardinality: str | tuple[int, ...] | None
    num_dynamic_feat: str | int | None
    num_eval_samples: int
    test_quantiles: tuple[float, ...]
    early_stopping_patience: int | None
    random_seed: int | None


def parse(given: Mapping[str, Any]) -> Hyperparameters:
    """The hyperparameters of a job.

    Raises:
        ClientError: An unknown name, a missing required one, or a value outside its type or range.
    """
    values = base.parse(PARAMETERS, given)
    return Hyperparameters(
        **{name: values[name] for name in Hyperparameters.__dataclass_fields__},
    )


def _frequency(text: str) -> Frequency:
    try:
        return Frequency.parse(text)
    except ClientError as error:
        raise ValueError(text) from error


def _cardinality(value: Any) -> str | tuple[int, ...] | None:
    if value == "":
        return None
    if isinstance(value, str) and value.lower() in (AUTO, IGNORE):
        return value.lower()
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(item, int) and not isinstance(item, bool) and item >= 1 for item in value)
    ):
        raise ValueError(value)
    return tuple(value)


def _features(value: Any) -> str | int | None:
    if value == "":
        return None
    if isinstance(value, str) and value.lower() in (AUTO, IGNORE):
        return value.lower()
    return _count(value, 0) or None


def _patience(value: Any) -> int | None:
    if value == "":
        return None
    return _count(value, 1)


def _count(value: Any, least: int) -> int:
    """A whole number, also one written 5.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least or value % 1:
        raise ValueError(value)
    return int(value)


def _quantiles(value: Any) -> tuple[float, ...]:
    if (
        not isinstance(value, list)
        or not value
        or not all(
            isinstance(item, int | float) and not isinstance(item, bool) and 0 < item < 1 for item in value
        )
    ):
        raise ValueError(value)
    return tuple(float(item) for item in value)


def _either(*schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {"oneOf": [dict(schema) for schema in schemas]}


_WORDS = {"enum": [AUTO, IGNORE, ""], "type": "string"}
_COUNTS = {"items": {"minimum": 1, "type": "integer"}, "minItems": 1, "type": "array"}

PARAMETERS: Final[tuple[Parameter, ...]] = (
    Parameter(
        "time_freq",
        REQUIRED,
        _frequency,
        _either({"pattern": "^[1-9]?[0-9]*(M|W|D|H|min)$", "type": "string"}),
    ),
    integer("context_length", REQUIRED, 1),
    integer("prediction_length", REQUIRED, 1),
    integer("epochs", REQUIRED, 1),
    choice("likelihood", "student-T", LIKELIHOODS, fold=True),
    integer("num_cells", 40, 1),
    integer("num_layers", 2, 1),
    real("dropout_rate", 0.1, 0.0, below=1.0),
    real("learning_rate", 1e-3, maximum=1e6, above=0.0),
    integer("mini_batch_size", 128, 1),
    integer("embedding_dimension", 10, 1),
    structure("cardinality", AUTO, _cardinality, _either(_WORDS, _COUNTS)),
    structure("num_dynamic_feat", AUTO, _features, _either(_WORDS, {"minimum": 0, "type": "integer"})),
    integer("num_eval_samples", 100, 1),
    structure(
        "test_quantiles",
        QUANTILES,
        _quantiles,
        _either({"items": {"exclusiveMaximum": 1, "exclusiveMinimum": 0, "type": "number"}, "type": "array"}),
    ),
    structure(
        "early_stopping_patience",
        None,
        _patience,
        _either({"enum": [""], "type": "string"}, {"minimum": 1, "type": "integer"}),
    ),
    integer("random_seed", None, 0, 2**32 - 1),
)

DEFAULTS: Final = {
    "_kvstore": "auto",
    "_num_gpus": "auto",
    "_num_kv_servers": "auto",
    "_tuning_objective_metric": "",
    "cardinality": "auto",
    "dropout_rate": "0.10",
    "early_stopping_patience": "",
    "embedding_dimension": "10",
    "learning_rate": "0.001",
    "likelihood": "student-t",
    "mini_batch_size": "128",
    "num_cells": "40",
    "num_dynamic_feat": "auto",
    "num_eval_samples": "100",
    "num_layers": "2",
    "test_quantiles": "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]",
}
"""The default configuration as the container prints it."""
