"""What SageMaker knows of its built-in algorithms: their metric definitions, objectives, tunable hyperparameters and content types.

AWS keeps these with the algorithm's image: a training job of a built-in algorithm has them without being told, Describe shows
them, and a tuner takes its objective from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["Minimize", "Maximize"]
Kind = Literal["Integer", "Continuous", "Categorical"]
Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]

ALIASES = {"sagemaker-xgboost": "xgboost"}
"""Repositories whose algorithm goes by another name."""


@dataclass(frozen=True, slots=True)
class Tunable:
    """The range in which Autotune searches a hyperparameter: AWS's recommended one.

    ``low`` and ``high`` are both included; ``values`` are the categories of a categorical one.
    """

    kind: Kind
    low: float = 0.0
    high: float = 0.0
    scaling: Scaling = "Auto"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Algorithm:
    metrics: Mapping[str, str] = field(default_factory=dict)
    objectives: Mapping[str, Direction] = field(default_factory=dict)
    tunable: Mapping[str, Tunable] = field(default_factory=dict)
    content_types: tuple[str, ...] = ()


def is_builtin(repository: str) -> bool:
    """Whether an image's repository is that of a built-in algorithm."""
    return ALIASES.get(repository, repository) in _TABLE


def metric_definitions(repository: str) -> list[dict[str, str]]:
    """``[{"Name": "test:msd", "Regex": "..."}]``, as Describe shows them; [] for an algorithm without, and for other images."""
    return [{"Name": name, "Regex": regex} for name, regex in _of(repository).metrics.items()]


def objectives(repository: str) -> dict[str, Direction]:
    """The metrics that a tuner may take as its objective, and in which direction."""
    return dict(_of(repository).objectives)


def tunable(repository: str) -> Mapping[str, Tunable]:
    """The hyperparameters that AWS tunes, with its recommended ranges."""
    return _of(repository).tunable


def content_types(repository: str) -> tuple[str, ...]:
    """The media types of training data."""
    return _of(repository).content_types


def _of(repository: str) -> _Algorithm:
    return _TABLE.get(ALIASES.get(repository, repository), _NONE)


_NONE = _Algorithm()
_HOST = r"#quality_metric: host=\S+, "
_PROGRESS = {
    "train:progress": r"#progress_metric: host=\S+, completed (\S+) %",
    "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
}
_CSV, _RECORDIO = "text/csv", "application/x-recordio-protobuf"
_FLAG = ("true", "false")


def _linear() -> _Algorithm:
    metrics: dict[str, str] = {}
    ways: dict[str, Direction] = {}
    names = (
        ("binary_classification_accuracy", "binary_classification_accuracy", "score"),
        ("binary_f_beta", r"binary_f_\S+", "score"),
        ("precision", "precision", "score"),
        ("recall", "recall", "score"),
        ("roc_auc_score", "roc_auc_score", "score"),
        ("multiclass_accuracy", "multiclass_accuracy", "score"),
        ("multiclass_top_k_accuracy", r"multiclass_top_k_accuracy_\S+", "score"),
        ("dcg", "dcg", "score"),
        ("macro_f_beta", r"macro_f_\S+", "score"),
        ("macro_precision", "macro_precision", "score"),
        ("macro_recall", "macro_recall", "score"),
        ("mse", "mse", "loss"),
        ("absolute_loss", "absolute_loss", "loss"),
        ("rmse", "rmse", "loss"),
    )
    trained = {"binary_classification_accuracy", "binary_f_beta", "precision", "recall", "mse", "absolute_loss"}  # fmt: skip
    for data in ("validation", "test", "train"):
        for name, printed, sign in names:
            if (data == "train" and name not in trained) or (name == "rmse" and data != "validation"):
                continue
            metrics[f"{data}:{name}"] = rf"{_HOST}{data} {printed} <{sign}>=(\S+)"
            if data != "train":
                ways[f"{data}:{name}"] = "Maximize" if sign == "score" else "Minimize"
    for data in ("train", "validation"):
        metrics[f"{data}:objective_loss"] = (
            rf"#quality_metric: host=\S+, epoch=\S+, {data} \S+_objective <loss>=(\S+)"
        )
        metrics[f"{data}:objective_loss:final"] = rf"{_HOST}{data} \S+_objective <loss>=(\S+)"
    metrics["test:objective_loss"] = rf"{_HOST}test \S+_objective <loss>=(\S+)"
    ways |= {"validation:objective_loss": "Minimize", "test:objective_loss": "Minimize"}
    return _Algorithm(
        metrics | _PROGRESS,
        ways,
        {
            "wd": Tunable("Continuous", 1e-7, 1.0, "Logarithmic"),
            "l1": Tunable("Continuous", 1e-7, 1.0, "Logarithmic"),
            "learning_rate": Tunable("Continuous", 1e-5, 1.0, "Logarithmic"),
            "mini_batch_size": Tunable("Integer", 100, 5000),
            "use_bias": Tunable("Categorical", values=_FLAG),
            "positive_example_weight_mult": Tunable("Continuous", 1e-5, 1e5, "Logarithmic"),
        },
        (_RECORDIO, _CSV),
    )


def _kmeans() -> _Algorithm:
    return _Algorithm(
        {
            "test:msd": rf"{_HOST}test msd <loss>=(\S+)",
            "test:ssd": rf"{_HOST}test ssd <loss>=(\S+)",
            **_PROGRESS,
        },
        {"test:msd": "Minimize", "test:ssd": "Minimize"},
        {
            "epochs": Tunable("Integer", 1, 10),
            "extra_center_factor": Tunable("Integer", 4, 10),
            "init_method": Tunable("Categorical", values=("kmeans++", "random")),
            "mini_batch_size": Tunable("Integer", 3000, 15000),
        },
        (_RECORDIO, _CSV),
    )


def _deepar() -> _Algorithm:
    return _Algorithm(
        {
            "test:RMSE": rf"{_HOST}test RMSE <loss>=(\S+)",
            "test:mean_wQuantileLoss": rf"{_HOST}test mean_wQuantileLoss <loss>=(\S+)",
            "train:final_loss": rf"{_HOST}train final_loss <loss>=(\S+)",
            "train:loss": r"#quality_metric: host=\S+, epoch=\S+, train loss <loss>=(\S+)",
            "train:loss:batch": r"#quality_metric: host=\S+, epoch=\S+, batch=\S+ train loss <loss>=(\S+)",
            **_PROGRESS,
        },
        {"test:RMSE": "Minimize", "test:mean_wQuantileLoss": "Minimize", "train:final_loss": "Minimize"},
        {
            "epochs": Tunable("Integer", 1, 1000),
            "context_length": Tunable("Integer", 1, 200),
            "mini_batch_size": Tunable("Integer", 32, 1028),
            "learning_rate": Tunable("Continuous", 1e-5, 1e-1, "Logarithmic"),
            "num_cells": Tunable("Integer", 30, 200),
            "num_layers": Tunable("Integer", 1, 8),
            "dropout_rate": Tunable("Continuous", 0.0, 0.2),
            "embedding_dimension": Tunable("Integer", 1, 50),
        },
        ("application/jsonlines", "application/json", "application/x-parquet"),
    )


XGBOOST_METRICS: Mapping[str, Direction] = {
    **dict.fromkeys(
        (
            "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision",
            "precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
        ),
        "Maximize",
    ),
    **dict.fromkeys(
        (
            "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss",
            "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
        ),
        "Minimize",
    ),
}  # fmt: skip
"""The metrics that the XGBoost container prints, and in which direction each is better."""


def _xgboost() -> _Algorithm:
    number = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
    return _Algorithm(
        {
            f"{data}:{name}": rf".*\[[0-9]+\].*#011{data}-{name}:{number}.*"
            for data in ("train", "validation")
            for name in XGBOOST_METRICS
        },
        {f"validation:{name}": way for name, way in XGBOOST_METRICS.items()},
        {
            "alpha": Tunable("Continuous", 0, 1000),
            "colsample_bylevel": Tunable("Continuous", 0.1, 1),
            "colsample_bynode": Tunable("Continuous", 0.1, 1),
            "colsample_bytree": Tunable("Continuous", 0.5, 1),
            "eta": Tunable("Continuous", 0.1, 0.5),
            "gamma": Tunable("Continuous", 0, 5),
            "lambda": Tunable("Continuous", 0, 1000),
            "max_delta_step": Tunable("Integer", 0, 10),
            "max_depth": Tunable("Integer", 0, 10),
            "min_child_weight": Tunable("Continuous", 0, 120),
            "num_round": Tunable("Integer", 1, 4000),
            "subsample": Tunable("Continuous", 0.5, 1),
        },
        (
            _CSV, "csv", "text/libsvm", "text/x-libsvm", "libsvm", "application/x-parquet", "parquet", _RECORDIO,
            "recordio-protobuf",
        ),
    )  # fmt: skip


_TABLE: Mapping[str, _Algorithm] = {
    "pca": _Algorithm(content_types=(_RECORDIO, _CSV)),
    "kmeans": _kmeans(),
    "linear-learner": _linear(),
    "forecasting-deepar": _deepar(),
    "xgboost": _xgboost(),
}
