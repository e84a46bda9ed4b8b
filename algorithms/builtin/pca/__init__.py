"""PCA: the principal components of a channel's rows, exactly (regular) or from a random sketch (randomized)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.builtin.algorithm import Servant
    from algorithms.builtin.job import Job


def train(job: Job) -> None:
    """Train PCA and leave ``model_algo-1`` in the model directory.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
    """
    from algorithms.builtin.pca import training

    training.train(job)


def load(model_dir: Path, tag: str) -> Servant:
    """Load ``model_algo-1`` for serving.

    Raises:
        ClientError: The folder holds no PCA model.
    """
    from algorithms.builtin.pca import model

    return model.load(model_dir).servant()
