"""The XGBoost algorithm, as SageMaker's XGBoost container runs it in algorithm mode, on the xgboost library that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.builtin.job import Job
    from algorithms.container.serving import Servant


def train(job: Job) -> None:
    """Train a job's model. See `algorithms.builtin.xgb.training.train`."""
    from algorithms.builtin.xgb.training import train

    train(job)


def load(model_dir: Path, tag: str) -> Servant:
    """Load a model for serving. See `algorithms.builtin.xgb.serving.load`."""
    from algorithms.builtin.xgb.serving import load

    return load(model_dir, tag)
