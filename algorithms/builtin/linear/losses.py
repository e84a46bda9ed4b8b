"""The losses: per row and model the loss and its derivative by the score, in closed form.

A loss works on a block of scores ``z`` of shape (rows, models), for softmax (rows, models * classes) with a model's classes side
by side. Labels have shape (rows,). All arrays keep the scores' dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear.hyperparameters import Settings

Array = NDArray[np.floating]
Block = tuple[Array, Array]
"""Losses of shape (rows, models), and derivatives of the scores' shape."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss.

    Attributes:
        objective: Its name in the log, for example ``mse_objective``.
        compute: Scores and labels to losses and derivatives.
        degree: By which power of the label's scale the loss grows; 0 for classification.
    """

    objective: str
    compute: Callable[[Array, Array], Block]
    degree: int


def of(settings: Settings, label_scale: float = 1.0) -> Loss:
    """The loss of a job on labels that were divided by ``label_scale``.

    Widths that the user gives in the label's own unit (``huber_delta``, ``loss_insensitivity``) are divided likewise, so that they
    mean what they say whether labels are normalised or not.
    """
    delta = settings.huber_delta / label_scale
    eps = settings.loss_insensitivity / label_scale
    return {
        "logistic": Loss("binary_classification_cross_entropy_objective", logistic, 0),
        "hinge_loss": Loss(
            "binary_classification_hinge_objective", lambda z, y: hinge(z, y, settings.margin), 0
        ),
        "softmax_loss": Loss(
            "multiclass_cross_entropy_objective", lambda z, y: softmax(z, y, settings.num_classes), 0
        ),
        "squared_loss": Loss("mse_objective", squared, 2),
        "absolute_loss": Loss("absolute_loss_objective", absolute, 1),
        "eps_insensitive_squared_loss": Loss(
            "eps_insensitive_squared_loss_objective", lambda z, y: eps_squared(z, y, eps), 2
        ),
        "eps_insensitive_absolute_loss": Loss(
            "eps_insensitive_absolute_loss_objective", lambda z, y: eps_absolute(z, y, eps), 1
        ),
        "quantile_loss": Loss("quantile_loss_objective", lambda z, y: quantile(z, y, settings.quantile), 1),
        "huber_loss": Loss("huber_loss_objective", lambda z, y: huber(z, y, delta), 2),
    }[settings.loss]


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)) without overflow."""
    small = np.exp(-np.abs(z))
    result: Array = np.where(z >= 0, 1, small) / (1 + small)
    return result


def logistic(z: Array, y: Array) -> Block:
    """log(1 + exp(z)) - y z, for y in {0, 1}."""
    # In place: this is where training spends most of its time.
    label = y[:, None]
    small = np.abs(z)
    np.negative(small, out=small)
    np.exp(small, out=small)
    loss = small + 1
    np.copyto(small, 1, where=z >= 0)
    small /= loss
    small -= label
    np.log(loss, out=loss)
    part = np.maximum(z, 0)
    loss += part
    np.multiply(label, z, out=part)
    loss -= part
    return loss, small


def hinge(z: Array, y: Array, margin: float) -> Block:
    """max(0, margin - s z), where s is 1 for y = 1 and -1 for y = 0."""
    side = (2 * y - 1)[:, None]
    gap = margin - side * z
    return np.maximum(gap, 0), -side * (gap > 0)


def softmax(z: Array, y: Array, classes: int) -> Block:
    """log of the sum of exp over a model's classes, minus the score of class y."""
    rows = len(z)
    cube = z.reshape(rows, -1, classes)
    lifted = cube - cube.max(axis=2, keepdims=True)
    right = y.astype(np.intp)[:, None, None]
    at_label = np.take_along_axis(lifted, right, axis=2)
    slope = np.exp(lifted)
    total = slope.sum(axis=2, keepdims=True)
    loss = (np.log(total) - at_label)[:, :, 0]
    slope /= total
    np.put_along_axis(slope, right, np.take_along_axis(slope, right, axis=2) - 1, axis=2)
    return loss, slope.reshape(z.shape)


def squared(z: Array, y: Array) -> Block:
    """(z - y)^2."""
    gap = z - y[:, None]
    return gap * gap, 2 * gap


def absolute(z: Array, y: Array) -> Block:
    """|z - y|."""
    gap = z - y[:, None]
    return np.abs(gap), np.sign(gap)


def eps_squared(z: Array, y: Array, eps: float) -> Block:
    """max(0, |z - y| - eps)^2."""
    gap = z - y[:, None]
    over = np.maximum(np.abs(gap) - eps, 0)
    return over * over, 2 * over * np.sign(gap)


def eps_absolute(z: Array, y: Array, eps: float) -> Block:
    """max(0, |z - y| - eps)."""
    gap = z - y[:, None]
    over = np.maximum(np.abs(gap) - eps, 0)
    return over, np.sign(gap) * (over > 0)


def quantile(z: Array, y: Array, level: float) -> Block:
    """level (y - z) where z is below y, (1 - level) (z - y) where it is above."""
    gap = z - y[:, None]
    slope = np.where(gap > 0, 1 - level, -level).astype(z.dtype)
    slope[gap == 0] = 0
    return slope * gap, slope


def huber(z: Array, y: Array, delta: float) -> Block:
    """(z - y)^2 / 2 within delta, delta (|z - y| - delta / 2) beyond."""
    gap = z - y[:, None]
    slope = np.clip(gap, -delta, delta)
    return slope * (gap - slope / 2), slope
