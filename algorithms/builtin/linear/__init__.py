"""LinearLearner: many linear models trained side by side on mini-batches, the best one kept, its threshold calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.builtin.algorithm import Servant
    from algorithms.builtin.job import Job


def train(job: Job) -> None:
    """Train LinearLearner and leave ``model_algo-1`` in the model directory.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
        AlgorithmError: The loss of every model stopped being a number.
    """
    from algorithms.builtin.linear.training import train as run

    run(job)


def load(model_dir: Path, tag: str) -> Servant:
    """Load ``model_algo-1`` for serving.

    Raises:
        ClientError: The folder holds no LinearLearner model.
    """
    from algorithms.builtin.linear.servant import load as open_model

    return open_model(model_dir)
