"""Which models are trained side by side: model 0 has the user's own settings, the others settings close by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np

from algorithms.builtin.hyperparameters import AUTO
from algorithms.builtin.linear.hyperparameters import BINARY, Settings

MODELS: Final = 32
"""What ``num_models=auto`` means, when memory allows."""

_PARAMETERS_LIMIT: Final = 1 << 24
_SCORES_LIMIT: Final = 1 << 23

# (fast, slow) per optimizer: the fast rate suits few steps, the slow one many features.
_RATES: Final = {
    "adam": (0.3, 0.01),
    "rmsprop": (0.1, 0.005),
    "sgd": (0.05, 0.005),
}
_UNSCHEDULED: Final = 0.2
"""By what automatic rates are multiplied when they are not to fall."""
_DECAYS: Final = (1e-4, 1e-2)
_L1: Final = (0.0, 1e-4)
_ENDS: Final = (0.1, 0.03, 0.01, 0.003)
"""To what part of itself an automatic schedule brings a rate until the last step."""
_MINIMUM: Final = 1e-5
_TUNED: Final = (10, 0.98, _MINIMUM)
"""What jobs that a tuning job started print as their schedule."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model's settings.

    Attributes:
        positive_weight: The weight of positive rows in the loss; negative ones weigh 1.
    """

    learning_rate: float
    wd: float
    l1: float
    lr_scheduler_step: int
    lr_scheduler_factor: float
    lr_scheduler_minimum_lr: float
    positive_weight: float

    def described(self, optimizer: str) -> dict[str, object]:
        """What the log line ``Best model found for hyperparameters`` shows."""
        values = asdict(self)
        del values["positive_weight"]
        first = ("learning_rate", "l1", "wd")
        return {
            "optimizer": optimizer,
            **{name: values[name] for name in first},
            **{name: value for name, value in values.items() if name not in first},
        }


def count(settings: Settings, features: int) -> int:
    """How many models are trained: ``num_models``, or as many of `MODELS` as fit into bounded memory."""
    if settings.num_models is not None:
        return settings.num_models
    outputs = settings.outputs
    rows = min(settings.mini_batch_size, 1 << 16)
    fitting = min(_PARAMETERS_LIMIT // ((features + 1) * outputs), _SCORES_LIMIT // (rows * outputs))
    return max(1, min(MODELS, fitting))


def candidates(settings: Settings, models: int, ratio: float, steps: int, seed: int = 0) -> list[Candidate]:
    """The settings of all models, model 0 first.

    A setting that the user gave is model 0's and gets one neighbour; one left to the algorithm gets two values (the scheduler
    four, which bring the learning rate down by different amounts until the last step). The grid's product is 32 with one positive weight. Fewer models than that take the nearest neighbours of model 0, the
    learning rate varying first; more are drawn at random around the grid.

    Args:
        ratio: Negative rows for each positive one in the training data.
        steps: How many mini-batches all epochs have.
    """
    weights = _weights(settings, ratio, alone=models == 1)
    rates = _rates(settings)
    decays = _pair(settings.wd, _DECAYS, 1e-4)
    sparsities = _pair(settings.l1, _L1, 1e-4)
    schedules = _schedules(settings, steps)
    sizes = [len(sparsities), len(decays), len(rates), len(schedules), len(weights)]
    # By distance from model 0: the axes that matter most are exhausted first.
    importance = (2, 4, 3, 1, 0)
    places = sorted(
        itertools.product(*map(range, sizes)),
        key=lambda place: [place[axis] for axis in reversed(importance)],
    )
    chosen = sorted(places[:models])
    found = [
        Candidate(rates[rate], decays[decay], sparsities[sparsity], *schedules[schedule], weights[weight])
        for sparsity, decay, rate, schedule, weight in chosen
    ]
    generator = np.random.default_rng(seed)
    base = tuple(found)
    while len(found) < models:
        found.append(_near(base[int(generator.integers(len(base)))], settings, generator))
    return found


def _near(base: Candidate, settings: Settings, generator: np.random.Generator) -> Candidate:
    def around(value: float, factor: float) -> float:
        return float(value * math.exp(generator.uniform(-math.log(factor), math.log(factor))))

    found = replace(
        base,
        learning_rate=around(base.learning_rate, 3),
        wd=around(base.wd or 1e-4, 10),
        l1=around(base.l1 or 1e-5, 10),
    )
    if settings.use_lr_scheduler:
        found = replace(found, lr_scheduler_step=max(1, round(around(base.lr_scheduler_step, 2))))
    return found


def _weights(settings: Settings, ratio: float, *, alone: bool) -> Sequence[float]:
    given = settings.positive_weight
    if settings.predictor_type != BINARY:
        return (1.0,)
    if given == "balanced":
        return (ratio,)
    if given == AUTO:
        return (1.0,) if alone else tuple(dict.fromkeys((1.0, math.sqrt(ratio), ratio)))
    return (float(given),)


def _rates(settings: Settings) -> Sequence[float]:
    if settings.learning_rate is not None:
        return (settings.learning_rate, settings.learning_rate * 3)
    scale = 1.0 if settings.use_lr_scheduler else _UNSCHEDULED
    return [rate * scale for rate in _RATES[settings.optimizer]]


def _pair(given: float | None, automatic: tuple[float, float], smallest: float) -> Sequence[float]:
    if given is None:
        return automatic
    return (given, given * 10 or smallest)


def _schedules(settings: Settings, steps: int) -> list[tuple[int, float, float]]:
    if not settings.use_lr_scheduler:
        return [(1, 1.0, 0.0)]
    step, factor, minimum = (
        settings.lr_scheduler_step,
        settings.lr_scheduler_factor,
        settings.lr_scheduler_minimum_lr,
    )
    if settings.tuning:
        return [(step or _TUNED[0], factor or _TUNED[1], minimum or _TUNED[2])]
    found = []
    for end in _ENDS:
        every = step or max(1, steps // 100)
        found.append((every, factor or float(end ** min(1.0, every / steps)), minimum or _MINIMUM))
    return list(dict.fromkeys(found))
