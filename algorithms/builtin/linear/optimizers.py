"""Adam, RMSProp and SGD for a matrix whose columns are models, each with its own learning rate.

Weight decay is added to the gradient, as MXNet's optimizers do. The l1 penalty is proximal: after a step the weights are shrunk
towards zero by l1 times the step size of their own coordinate, so that weights become exactly zero (Parikh and Boyd, Proximal
Algorithms, 2014, §4.2; for Adam and RMSProp with the diagonal metric of the step).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Optimizer(Protocol):
    """Moves weights against a gradient."""

    def step(self, weights: Array, gradient: Array, rate: Array) -> Array:
        """Change ``weights`` in place; all arguments broadcast to its shape.

        Returns:
            The step size by which each coordinate's gradient was multiplied, to scale the proximal step.
        """
        ...


class Sgd:
    """u = momentum * u - rate * g; w = w + u."""

    def __init__(self, shape: tuple[int, int], momentum: float) -> None:
        self._momentum = momentum
        self._velocity = np.zeros(shape, np.float32)

    def step(self, weights: Array, gradient: Array, rate: Array) -> Array:
        velocity = self._velocity
        velocity *= self._momentum
        velocity -= rate * gradient
        weights += velocity
        return rate


class RmsProp:
    """v = decay * v + (1 - decay) * g^2; w = w - rate * g / sqrt(v + epsilon)."""

    def __init__(self, shape: tuple[int, int], decay: float, epsilon: float = 1e-8) -> None:
        self._decay, self._epsilon = decay, epsilon
        self._square = np.zeros(shape, np.float32)

    def step(self, weights: Array, gradient: Array, rate: Array) -> Array:
        square = self._square
        square *= self._decay
        square += (1 - self._decay) * gradient * gradient
        size = square + np.float32(self._epsilon)
        np.sqrt(size, out=size)
        np.divide(rate, size, out=size)
        weights -= size * gradient
        return size


class Adam:
    """Kingma and Ba, 2015, algorithm 1 with bias-corrected moments."""

    def __init__(self, shape: tuple[int, int], beta_1: float, beta_2: float, epsilon: float = 1e-8) -> None:
        self._beta_1, self._beta_2, self._epsilon = beta_1, beta_2, epsilon
        self._mean = np.zeros(shape, np.float32)
        self._square = np.zeros(shape, np.float32)
        self._count = 0

    def step(self, weights: Array, gradient: Array, rate: Array) -> Array:
        self._count += 1
        mean, square = self._mean, self._square
        mean *= self._beta_1
        mean += (1 - self._beta_1) * gradient
        square *= self._beta_2
        gradient *= gradient
        gradient *= 1 - self._beta_2
        square += gradient
        root = 1 - self._beta_2**self._count
        size = np.sqrt(square)
        size += self._epsilon * root**0.5
        np.divide(rate * np.float32(root**0.5 / (1 - self._beta_1**self._count)), size, out=size)
        weights -= size * mean
        return size


def create(
    name: str,
    shape: tuple[int, int],
    *,
    momentum: float | None = None,
    beta_1: float | None = None,
    beta_2: float | None = None,
) -> Optimizer:
    """The optimizer of a hyperparameter's value; None stands for the defaults 0.9, 0.9 and 0.999."""
    if name == "sgd":
        return Sgd(shape, 0.9 if momentum is None else momentum)
    if name == "rmsprop":
        return RmsProp(shape, 0.9)
    return Adam(shape, 0.9 if beta_1 is None else beta_1, 0.999 if beta_2 is None else beta_2)


def shrink(weights: Array, amount: Array) -> None:
    """Move weights towards zero by ``amount``, not beyond it, in place."""
    np.copyto(weights, np.sign(weights) * np.maximum(np.abs(weights) - amount, 0))
