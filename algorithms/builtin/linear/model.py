"""A finished linear model on raw features; training chooses its threshold with the very numbers that serving computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear.hyperparameters import BINARY, MULTICLASS
from algorithms.builtin.linear.losses import sigmoid

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def raw_scores(features: Any, weights: Doubles, bias: Doubles) -> Doubles:
    """Shape (n, outputs): features of shape (n, d), dense or sparse, times weights of shape (d, outputs), plus the biases."""
    wide = features.astype(np.float64)
    result: Doubles = wide @ weights + bias
    return result


@dataclass(frozen=True, slots=True)
class Model:
    """One linear model.

    Attributes:
        loss: The loss it was trained with; a logistic one's score is a probability, another one's is what the line gives.
        weights: Shape (features, outputs), of float32 precision.
        bias: Shape (outputs,).
        threshold: A binary classifier predicts 1 where the line's value, rounded to float32, is at or above it. For a logistic
            loss it is the logit of the score's threshold: probabilities close to 1 round to 1, where rows could not be told apart.
    """

    predictor_type: str
    loss: str
    weights: Doubles
    bias: Doubles
    threshold: float

    @property
    def feature_dim(self) -> int:
        """How many features a row has."""
        return len(self.weights)

    def answers(self, features: Any) -> dict[str, NDArray[Any]]:
        """``score`` (float32; (n, classes) for a multiclass classifier) and, for a classifier, ``predicted_label``."""
        raw = raw_scores(features, self.weights, self.bias)
        score = activated(self.predictor_type, self.loss, raw)
        if self.predictor_type == BINARY:
            return {"score": score, "predicted_label": predicted(raw, self.threshold)}
        if self.predictor_type == MULTICLASS:
            return {"score": score, "predicted_label": raw.argmax(axis=1).astype(np.int64)}
        return {"score": score}


def activated(predictor_type: str, loss: str, raw: Doubles) -> Floats:
    """What is answered as ``score`` for the line's values of shape (n, outputs): a probability per row or class, or the value."""
    if predictor_type == MULTICLASS:
        lifted = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares: Floats = (lifted / lifted.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares
    with np.errstate(over="ignore"):
        value = sigmoid(raw) if loss == "logistic" else raw
        return value[:, 0].astype(np.float32)


def predicted(raw: Doubles, threshold: float) -> NDArray[np.int64]:
    """1 where a binary classifier's value, shape (n, 1), is at or above the threshold, else 0."""
    return (raw[:, 0].astype(np.float32) >= threshold).astype(np.int64)


def score_threshold(loss: str, threshold: float) -> float:
    """The threshold on the score that belongs to one on the line's value."""
    return float(sigmoid(np.array([threshold]))[0]) if loss == "logistic" else threshold


def value_threshold(loss: str, threshold: float) -> float:
    """The opposite of `score_threshold`; infinite for a probability of 0 or 1."""
    if loss != "logistic":
        return threshold
    with np.errstate(divide="ignore"):
        return float(np.log(threshold) - np.log1p(-threshold))
