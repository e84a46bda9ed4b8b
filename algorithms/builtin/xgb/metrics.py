"""Evaluation metrics: the library's, and those that the container computes itself with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAXIMIZE = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2", "recall",
    "precision_macro", "precision_micro", "recall_macro", "recall_micro",
)  # fmt: skip
MINIMIZE = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss", "mae",
    "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip

_AVERAGED = {
    "f1": ("f1_score", "macro"),
    "f1_macro": ("f1_score", "macro"),
    "f1_binary": ("f1_score", "binary"),
    "precision": ("precision_score", "binary"),
    "precision_macro": ("precision_score", "macro"),
    "precision_micro": ("precision_score", "micro"),
    "recall": ("recall_score", "binary"),
    "recall_macro": ("recall_score", "macro"),
    "recall_micro": ("recall_score", "micro"),
}
_OF_LABELS = ("accuracy", "balanced_accuracy", *_AVERAGED)
_OF_NUMBERS = {"mse": "mean_squared_error", "r2": "r2_score"}
CUSTOM = (*_OF_LABELS, *_OF_NUMBERS)
"""Those that the container computes."""


class Plan(NamedTuple):
    """Which metrics a training computes.

    Attributes:
        library: For the parameter ``eval_metric``; empty means the objective's own.
        custom: Names of `CUSTOM`.
        stopping: The one that early stopping watches, None for the objective's own.
    """

    library: list[str]
    custom: list[str]
    stopping: str | None


_RANKING = {"rank:pairwise": "ndcg", "rank:ndcg": "ndcg", "rank:map": "map"}
"""The metric of a ranking objective for which none is asked: the library's own goes by a name that AWS does not look for."""
_TWEEDIE = "tweedie-nloglik"


def plan(
    eval_metric: Sequence[str] | None, tuning_metric: str | None, objective: str = "", power: float = 1.5
) -> Plan:
    """The metrics for ``eval_metric`` and a tuner's objective (``validation:rmse``), which is computed in any case.

    Args:
        power: ``tweedie_variance_power``, with which the library wants its metric named.
    """
    wanted = list(dict.fromkeys(eval_metric or ()))
    if not wanted and not tuning_metric and objective in _RANKING:
        wanted = [_RANKING[objective]]
    stopping = wanted[-1] if wanted else None
    if tuning_metric:
        stopping = tuning_metric.split(":")[1]
        # Sorted, as every host of a distributed training must have the same order.
        wanted = sorted({*wanted, stopping})
    names = {_TWEEDIE: f"{_TWEEDIE}@{power:g}"}
    return Plan(
        [names.get(item, item) for item in wanted if item not in CUSTOM],
        [item for item in wanted if item in CUSTOM],
        names.get(stopping, stopping) if stopping else None,
    )


def shown(metric: str) -> str:
    """A metric's name in the log: Tweedie's without its power, as AWS's definitions look for it."""
    return _TWEEDIE if metric.startswith(f"{_TWEEDIE}@") else metric


def is_maximized(metric: str) -> bool:
    """Whether more is better."""
    return metric.partition("@")[0] in MAXIMIZE


def function(names: Sequence[str], objective: str) -> Callable[[Array, Any], list[tuple[str, float]]] | None:
    """The library's ``custom_metric`` for some of `CUSTOM`, None for none.

    Args:
        objective: Tells how labels follow from predictions.
    """
    if not names:
        return None

    def compute(predictions: Array, data: Any) -> list[tuple[str, float]]:
        labels = data.get_label()
        decided = classes(predictions, objective)
        return [(name, value(name, labels, predictions, decided)) for name in names]

    return compute


def classes(predictions: Array, objective: str) -> Array:
    """The classes that predictions stand for."""
    if predictions.ndim > 1:
        best: Array = np.argmax(predictions, axis=1)
        return best
    if objective == "multi:softmax":
        return predictions
    return (predictions > (0.0 if objective == "binary:logitraw" else 0.5)).astype(np.float32)


def value(name: str, labels: Array, predictions: Array, decided: Array) -> float:
    """One of `CUSTOM`.

    Raises:
        ValueError: It is for two classes and there are more, or for classes and the labels are none.
    """
    import warnings

    from sklearn import metrics

    with warnings.catch_warnings():
        # One class missing from a fold is worth a 0, not a warning per round.
        warnings.simplefilter("ignore")
        if name in _OF_NUMBERS:
            return float(getattr(metrics, _OF_NUMBERS[name])(labels, predictions))
        if name in _AVERAGED:
            score, average = _AVERAGED[name]
            return float(getattr(metrics, score)(labels, decided, average=average, zero_division=0))
        return float(getattr(metrics, f"{name}_score")(labels, decided))
