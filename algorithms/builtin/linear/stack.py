"""Many linear models as the columns of one matrix: one product scores a mini-batch for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear import losses, optimizers
from algorithms.builtin.linear.grid import Candidate
from algorithms.builtin.linear.hyperparameters import BINARY, Settings
from algorithms.builtin.linear.scaling import Design

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Stack:
    """The models being trained.

    Args:
        candidates: Each model's settings.
        features: How many features a row has.
        loss: What is minimised.
        class_weights: A weight for the rows of each class, or None.

    Attributes:
        weights: Shape (features + 1, models * outputs); the last row is the bias, a model's outputs lie side by side.
    """

    def __init__(
        self,
        settings: Settings,
        candidates: Sequence[Candidate],
        features: int,
        loss: losses.Loss,
        class_weights: Floats | None = None,
        seed: int = 0,
    ) -> None:
        self.loss = loss
        self.models = len(candidates)
        self._outputs = settings.outputs
        shape = (features + 1, self.models * self._outputs)
        generator = np.random.default_rng(seed)
        if settings.init_method == "uniform":
            start = generator.uniform(-settings.init_scale, settings.init_scale, shape)
        else:
            start = generator.normal(0, settings.init_sigma, shape)
        start[-1] = settings.init_bias if settings.use_bias else 0.0
        self.weights: Floats = start.astype(np.float32)
        self._optimizer = optimizers.create(
            settings.optimizer,
            shape,
            momentum=settings.momentum,
            beta_1=settings.beta_1,
            beta_2=settings.beta_2,
        )
        self._rate = self._columns([one.learning_rate for one in candidates])
        self._every = self._columns([one.lr_scheduler_step for one in candidates])
        self._factor = self._columns([one.lr_scheduler_factor for one in candidates])
        # A rate below the minimum was asked for as it is.
        self._floor = np.minimum(
            self._columns([one.lr_scheduler_minimum_lr for one in candidates]), self._rate
        )
        bias_rate = 1.0 if settings.bias_lr_mult is None else settings.bias_lr_mult
        self._multiplier = np.ones((features + 1, 1), np.float32)
        self._multiplier[-1] = bias_rate if settings.use_bias else 0.0
        bias_decay = 0.0 if settings.bias_wd_mult is None else settings.bias_wd_mult
        self._decay = self._penalty([one.wd for one in candidates], bias_decay)
        self._l1 = self._penalty([one.l1 for one in candidates], bias_decay)
        self._steps = 0
        self._class_weights = class_weights
        mults = np.array([one.positive_weight for one in candidates], np.float32)
        if settings.predictor_type != BINARY or (mults == 1).all():
            mults = np.zeros(0, np.float32)
        elif (mults == mults[0]).all():
            mults = mults[:1]
        self._positive_weights = mults

    def learn(self, design: Design, labels: Floats) -> Doubles:
        """One step on a mini-batch.

        Returns:
            Each model's sum of weighted losses over the rows, before the step.
        """
        scores = design.scores(self.weights)
        loss, slope = self.loss.compute(scores, labels)
        weights = self._row_weights(labels)
        if weights is not None:
            loss = loss * weights
            slope = slope * (np.repeat(weights, self._outputs, axis=1) if weights.shape[1] > 1 else weights)
        gradient = design.gradient(slope)
        gradient *= np.float32(1 / len(labels))
        if self._decay is not None:
            gradient += self._decay * self.weights
        size = self._optimizer.step(self.weights, gradient, self._multiplier * self._current_rate())
        if self._l1 is not None:
            optimizers.shrink(self.weights, size * self._l1)
        self._steps += 1
        return _sum(loss)

    def losses(
        self, design: Design, labels: Floats, *, positive_weight: float = 1.0
    ) -> tuple[Doubles, Floats]:
        """Each model's sum of losses over rows, and all scores.

        Args:
            positive_weight: The weight of positive rows, the same for all models so that they can be compared.
        """
        scores = design.scores(self.weights)
        loss, _ = self.loss.compute(scores, labels)
        weights = self._class_weights
        if weights is not None:
            loss = loss * weights[labels.astype(np.intp)][:, None]
        elif positive_weight != 1:
            loss = loss * np.where(labels > 0.5, np.float32(positive_weight), np.float32(1))[:, None]
        return _sum(loss), scores

    def _current_rate(self) -> Floats:
        passed = (self._steps // self._every).astype(np.float32)
        rate: Floats = np.maximum(self._rate * self._factor**passed, self._floor).astype(np.float32)
        return rate

    def _row_weights(self, labels: Floats) -> Floats | None:
        if self._class_weights is not None:
            return self._class_weights[labels.astype(np.intp)][:, None]
        if not len(self._positive_weights):
            return None
        weights: Floats = 1 + labels[:, None] * (self._positive_weights - 1)
        return weights

    def _columns(self, values: Sequence[float]) -> Floats:
        return np.repeat(np.array(values, np.float32), self._outputs)

    def _penalty(self, values: Sequence[float], bias: float) -> Floats | None:
        if not any(values):
            return None
        matrix = np.ones((len(self._multiplier), 1), np.float32)
        matrix[-1] = bias
        result: Floats = matrix * self._columns(values)
        return result


def _sum(loss: NDArray[np.floating]) -> Doubles:
    # A product with ones is several times faster than adding up along rows.
    sums: Doubles = (np.ones(len(loss), loss.dtype) @ loss).astype(np.float64)
    return sums
