"""PCA's ``train``: one pass over the rows, the decomposition, a score on the ``test`` channel."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from algorithms.builtin import batches, hyperparameters
from algorithms.builtin.failures import AlgorithmError, ClientError
from algorithms.builtin.hyperparameters import REQUIRED, boolean, choice, integer
from algorithms.builtin.job import Job
from algorithms.builtin.log import Log
from algorithms.builtin.pca.accumulators import Accumulator, Covariance, Sketch
from algorithms.builtin.pca.model import Model

PARAMETERS = (
    integer("feature_dim", REQUIRED, 1),
    integer("mini_batch_size", REQUIRED, 1),
    integer("num_components", REQUIRED, 1),
    choice("algorithm_mode", "regular", ("regular", "randomized")),
    integer("extra_components", -1, -1),
    boolean("subtract_mean", True),
    integer("epochs", 1, 1),
    boolean("force_dense", True),
)

_LEAST_NUMBERS = 1 << 17
"""Batches are read at least this large: the result does not depend on their size, the time does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The hyperparameters."""

    feature_dim: int
    mini_batch_size: int
    num_components: int
    algorithm_mode: str
    extra_components: int
    subtract_mean: bool

    @property
    def sketch_size(self) -> int:
        """How many rows the sketch of mode ``randomized`` has; -1 extra components mean max(10, num_components)."""
        extra = self.extra_components
        return self.num_components + (max(10, self.num_components) if extra < 0 else extra)


def train(job: Job) -> None:
    """Train and leave the model in ``job.model_dir``.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
        AlgorithmError: The decomposition did not converge.
    """
    began = time.monotonic()
    log = Log("PCA")
    values = hyperparameters.parse(PARAMETERS, job.hyperparameters)
    log.prelude(hyperparameters.defaults(PARAMETERS), job.hyperparameters, values)
    settings = Settings(**{name: values[name] for name in Settings.__slots__})
    if settings.num_components > settings.feature_dim:
        raise ClientError(
            f"num_components ({settings.num_components}) must not be greater than feature_dim ({settings.feature_dim}). "
            "Ask for fewer components."
        )
    job.allow("train", "test")
    channel = job.channel("train")
    least = max(settings.mini_batch_size, _LEAST_NUMBERS // settings.feature_dim)
    data = batches.read(channel, least, feature_dim=settings.feature_dim, dense=True)
    # Here already, so that a channel that cannot be read fails the job before it trains.
    test = (
        batches.read(job.channels["test"], least, feature_dim=settings.feature_dim, dense=True)
        if "test" in job.channels
        else None
    )
    log.info("Loading entry points")
    log.info("The default executor is <PCAExecutor on cpu(0)>.")
    log.info(f"{settings.feature_dim} feature(s) found in 'data'.")
    log.info(f"<PCAExecutor on cpu(0)> is assigned to batch slice from 0 to {settings.mini_batch_size - 1}.")
    accumulator = _accumulator(settings, job.seed)
    log.metrics({"initialize.time": 1000 * (time.monotonic() - began)})
    setup = time.monotonic() - began

    started = time.monotonic()
    for batch in data:
        accumulator.update(batch.features)
    spent = time.monotonic() - started
    count = -(-data.rows // settings.mini_batch_size)
    log.metrics({"epochs": 1, "update.time": 1000 * spent})
    log.progress(100)
    log.metrics(
        {
            "Total Records Seen": data.rows,
            "Total Batches Seen": count,
            "Max Records Seen Between Resets": data.rows,
            "Max Batches Seen Between Resets": count,
            "Number of Records Since Last Reset": data.rows,
            "Number of Batches Since Last Reset": count,
            "Reset Count": 1,
        },
        Meta="training_data_iter",
        epoch=0,
    )
    log.throughput(data.rows / max(spent, 1e-9))
    if settings.num_components > data.rows:
        log.warning(
            f"num_components ({settings.num_components}) is greater than the number of rows ({data.rows}): "
            "the components beyond it have singular value 0."
        )

    started = time.monotonic()
    model = _solve(accumulator, settings)
    model.save(job.model_dir)
    log.metrics({"finalize.time": 1000 * (time.monotonic() - started)})
    if test is not None:
        _score(test, model, log)
    else:
        log.info("Test data is not provided.")
    log.metrics({"setuptime": 1000 * setup, "totaltime": 1000 * (time.monotonic() - began)})


def _accumulator(settings: Settings, seed: int) -> Accumulator:
    try:
        if settings.algorithm_mode == "randomized":
            return Sketch(settings.feature_dim, settings.sketch_size, seed)
        return Covariance(settings.feature_dim)
    except MemoryError as error:
        raise ClientError(
            f"Out of memory: algorithm_mode={settings.algorithm_mode} with feature_dim={settings.feature_dim} needs a matrix of "
            "feature_dim x feature_dim (regular) or (num_components + extra_components) x feature_dim (randomized) numbers. "
            "Use algorithm_mode=randomized or fewer features."
        ) from error


def _solve(accumulator: Accumulator, settings: Settings) -> Model:
    try:
        values, components, mean = accumulator.solve(settings.subtract_mean)
    except np.linalg.LinAlgError as error:
        raise AlgorithmError(f"The decomposition did not converge: {error}.") from error
    kept = settings.num_components
    return Model(
        mean.reshape(1, -1).astype(np.float32),
        np.ascontiguousarray(values[-kept:], np.float32),
        np.ascontiguousarray(components[:, -kept:], np.float32),
    )


def _score(data: batches.Batches, model: Model, log: Log) -> None:
    """How well the components reproduce the test rows."""
    lost = total = 0.0
    for batch in data:
        centred = batch.features - model.mean
        rest = centred - (centred @ model.v) @ model.v.T
        lost += float(np.square(rest, dtype=np.float64).sum())
        total += float(np.square(centred, dtype=np.float64).sum())
    log.info(f"#test_score (algo-1) : ('mean_squared_reconstruction_error', {lost / data.rows!r})")
    if total > 0:
        log.info(f"#test_score (algo-1) : ('explained_variance_ratio', {1 - lost / total!r})")
