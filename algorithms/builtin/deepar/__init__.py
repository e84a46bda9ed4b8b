"""DeepAR: probabilistic forecasts of many related time series with one recurrent network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.builtin.algorithm import Servant
    from algorithms.builtin.job import Job


def train(job: Job) -> None:
    """Train on the channel ``train``, score on ``test`` when there is one, and leave the model in ``job.model_dir``.

    Raises:
        ClientError: The hyperparameters or the data cannot be used.
        AlgorithmError: The loss is not finite.
    """
    from algorithms.builtin.deepar.run import train as run

    run(job)


def load(model_dir: Path, tag: str) -> Servant:
    """The model in a folder, ready to forecast.

    Raises:
        ClientError: The folder does not hold a DeepAR model.
    """
    from algorithms.builtin.deepar.servant import load as load_servant

    return load_servant(model_dir)
