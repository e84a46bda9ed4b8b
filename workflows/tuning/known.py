"""What is known of SageMaker's built-in algorithms: which ranges are recommended, what can be optimised, what is the default.

The ranges are those of the developer guide's pages "Tune an XGBoost / Linear Learner / K-Means / DeepAR model".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.observe.tuning_rows import Direction, Objective, Range
from workflows.tuning.request import categorical, continuous, integer

SCRIPT = "sagemaker_program"
"""The hyperparameter that makes a container run a script instead of its algorithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A built-in algorithm.

    Args:
        chosen: The hyperparameters that a first search varies; the other ``ranges`` can be chosen.
        seed: Its hyperparameter for a seed; empty: it has none, and repeated runs differ by themselves.
        required: Hyperparameters without a default, with a usual value (empty: the middle of the range is taken).
        like: Hyperparameters without a default whose usual value is that of another one.
        objectives: What can be optimised, the usual ones first.
    """

    name: str
    ranges: tuple[Range, ...] = ()
    chosen: tuple[str, ...] = ()
    seed: str = ""
    required: Mapping[str, str] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    objectives: tuple[Objective, ...] = ()


def _least(*names: str) -> tuple[Objective, ...]:
    return tuple(Objective(name=name, direction="Minimize") for name in names)


def _most(*names: str) -> tuple[Objective, ...]:
    return tuple(Objective(name=name, direction="Maximize") for name in names)


XGBOOST = Algorithm(
    name="xgboost",
    ranges=(
        continuous("eta", 0.1, 0.5),
        integer("max_depth", 0, 10),
        continuous("min_child_weight", 0.0, 120.0),
        continuous("subsample", 0.5, 1.0),
        continuous("gamma", 0.0, 5.0),
        continuous("alpha", 0.0, 1000.0),
        continuous("lambda", 0.0, 1000.0),
        integer("num_round", 1, 4000),
        continuous("colsample_bytree", 0.5, 1.0),
        continuous("colsample_bylevel", 0.1, 1.0),
        continuous("colsample_bynode", 0.1, 1.0),
        integer("max_delta_step", 0, 10),
    ),
    chosen=("eta", "max_depth", "min_child_weight", "subsample", "gamma"),
    seed="seed",
    required={"num_round": "100"},
    objectives=(
        *_least("validation:rmse", "validation:logloss", "validation:error"),
        *_most("validation:auc"),
        *_least("validation:mae", "validation:merror", "validation:mlogloss", "validation:mse"),
        *_most(
            "validation:accuracy", "validation:f1", "validation:aucpr", "validation:r2", "validation:ndcg"
        ),
    ),
)
LINEAR = Algorithm(
    name="linear-learner",
    ranges=(
        continuous("learning_rate", 1e-5, 1.0, "Logarithmic"),
        continuous("wd", 1e-7, 1.0, "Logarithmic"),
        continuous("l1", 1e-7, 1.0, "Logarithmic"),
        integer("mini_batch_size", 100, 5000),
        categorical("use_bias", ("true", "false")),
        continuous("positive_example_weight_mult", 1e-5, 1e5, "Logarithmic"),
    ),
    chosen=("learning_rate", "wd", "l1", "mini_batch_size"),
    objectives=(
        *_least("validation:objective_loss"),
        *_most("validation:binary_classification_accuracy", "validation:binary_f_beta", "validation:roc_auc_score"),
        *_most("validation:precision", "validation:recall", "validation:multiclass_accuracy", "validation:macro_f_beta"),
        *_least("validation:mse", "validation:absolute_loss", "validation:rmse"),
    ),
)  # fmt: skip
KMEANS = Algorithm(
    name="kmeans",
    ranges=(
        integer("mini_batch_size", 3000, 15000),
        integer("extra_center_factor", 4, 10),
        categorical("init_method", ("random", "kmeans++")),
        integer("epochs", 1, 10),
    ),
    chosen=("mini_batch_size", "extra_center_factor", "init_method", "epochs"),
    required={"k": ""},
    objectives=_least("test:msd", "test:ssd"),
)
DEEPAR = Algorithm(
    name="forecasting-deepar",
    ranges=(
        continuous("learning_rate", 1e-5, 1e-1, "Logarithmic"),
        integer("num_cells", 30, 200),
        integer("num_layers", 1, 8),
        integer("context_length", 1, 200),
        integer("mini_batch_size", 32, 1028),
        continuous("dropout_rate", 0.0, 0.2),
        integer("epochs", 1, 1000),
        integer("embedding_dimension", 1, 50),
    ),
    chosen=("learning_rate", "num_cells", "context_length", "mini_batch_size"),
    required={"epochs": "100", "context_length": "", "prediction_length": ""},
    like={"context_length": "prediction_length"},
    objectives=_least("test:RMSE", "test:mean_wQuantileLoss", "train:final_loss"),
)
PCA = Algorithm(name="pca", required={"num_components": "", "mini_batch_size": "500"})

_BY_REPOSITORY = {
    "xgboost": XGBOOST,
    "sagemaker-xgboost": XGBOOST,
    "linear-learner": LINEAR,
    "kmeans": KMEANS,
    "forecasting-deepar": DEEPAR,
    "pca": PCA,
}

_BETTER_HIGH = (
    "acc",
    "auc",
    "f1",
    "f_beta",
    "precision",
    "recall",
    "score",
    "r2",
    "map",
    "ndcg",
    "dcg",
    "bleu",
    "reward",
)


def repository(image: str) -> str:
    """The repository's name in an image's URI: what a container is known by, whatever account and region."""
    return image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]


def algorithm(image: str, hyperparameters: Mapping[str, str]) -> Algorithm | None:
    """The built-in algorithm that a training job runs; None where it runs a script or an unknown container."""
    if SCRIPT in hyperparameters:
        return None
    return _BY_REPOSITORY.get(repository(image))


def direction_of(metric: str) -> Direction:
    """The likely direction of a metric of a script, by its name: accuracies and scores up, everything else (losses,
    errors, distances) down. A person can turn it round."""
    name = metric.lower()
    return "Maximize" if any(part in name for part in _BETTER_HIGH) and "loss" not in name else "Minimize"


def middle(item: Range) -> str:
    """The middle of a range: geometric where it is searched logarithmically, the first of categories."""
    if item.kind == "auto":
        return item.hint
    if item.kind == "categorical":
        return item.values[0] if item.values else ""
    logarithmic = item.scaling == "Logarithmic" and item.low > 0
    value = math.sqrt(item.low * item.high) if logarithmic else (item.low + item.high) / 2
    return str(round(value)) if item.kind == "integer" else f"{value:g}"
