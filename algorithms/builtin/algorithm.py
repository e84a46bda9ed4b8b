"""What every built-in algorithm is to the container around it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from algorithms.container.serving import Servant as Servant

if TYPE_CHECKING:
    from algorithms.builtin.job import Job

REPOSITORIES = {
    "pca": "algorithms.builtin.pca",
    "kmeans": "algorithms.builtin.kmeans",
    "linear-learner": "algorithms.builtin.linear",
    "forecasting-deepar": "algorithms.builtin.deepar",
    "xgboost": "algorithms.builtin.xgb",
}
"""An image's repository name and the package that stands for it. Each has a ``train(job)`` and a ``load(model_dir, tag)``.

They are imported by name so that a job loads its own algorithm only: torch alone takes 1.3 s.
"""


class Algorithm(Protocol):
    """A package of `REPOSITORIES`."""

    def train(self, job: Job) -> None:
        """Train and leave the model in ``job.model_dir``.

        Raises:
            ClientError: The data or the hyperparameters cannot be used.
            AlgorithmError: Training failed for another reason.
        """
        ...

    def load(self, model_dir: Path, tag: str) -> Servant:
        """Load a model for serving; ``tag`` is the image's.

        Raises:
            ClientError: The folder does not hold a model of this algorithm; the message says what it holds and what is expected.
        """
        ...


def find(repository: str) -> Algorithm:
    """The algorithm for an image's repository name."""
    module: Algorithm = importlib.import_module(REPOSITORIES[repository])
    return module
