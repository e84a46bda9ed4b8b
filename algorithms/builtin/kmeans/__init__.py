"""K-Means: SageMaker's web-scale algorithm: many centres in one pass over the rows, then reduced to k."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.builtin.algorithm import Servant
    from algorithms.builtin.job import Job


def train(job: Job) -> None:
    """Train K-Means and leave ``model_algo-1`` in the model directory.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
    """
    from algorithms.builtin.kmeans import training

    training.train(job)


def load(model_dir: Path, tag: str) -> Servant:
    """Load ``model_algo-1`` for serving, also one that somebody wrote with ``mx.nd.save``.

    Raises:
        ClientError: The folder holds no centres.
    """
    from algorithms.builtin.kmeans import model

    return model.load(model_dir).servant()
