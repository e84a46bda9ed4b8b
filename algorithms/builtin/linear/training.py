"""LinearLearner's training: read and check the data, fit the models side by side, choose one, score it, write it down."""

from __future__ import annotations

import json
import time

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.hyperparameters import AUTO
from algorithms.builtin.job import Job
from algorithms.builtin.linear import artefact, choosing, grid, hyperparameters
from algorithms.builtin.linear.fitting import Fitting
from algorithms.builtin.linear.hyperparameters import BINARY, MULTICLASS, Settings
from algorithms.builtin.linear.metrics import LOSS_SIGN, evaluate
from algorithms.builtin.linear.model import Model
from algorithms.builtin.linear.scaling import Scaling
from algorithms.builtin.linear.table import Table
from algorithms.builtin.log import HOST, Log

Doubles = NDArray[np.float64]


def train(job: Job) -> None:
    """Train and leave ``model_algo-1`` in the model directory.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
        AlgorithmError: Every model's loss stopped being a number.
    """
    began = time.perf_counter()
    log = Log("Linear Learner")
    settings = hyperparameters.read(job.hyperparameters)
    defaults = hyperparameters.defaults()
    log.prelude(defaults, job.hyperparameters, {**defaults, **job.hyperparameters})
    job.allow("train", "validation", "test")
    scratch = job.model_dir.parent
    table = Table(job.channel("train"), settings, scratch)
    validation, test = (
        Table(job.channels[name], settings, scratch, feature_dim=table.feature_dim)
        if name in job.channels
        else None
        for name in ("validation", "test")
    )
    _check_classes(table, settings, log)
    scaling = table.scaling()
    _describe(scaling, log)
    if settings.mini_batch_size > table.rows:
        log.warning(
            f"mini_batch_size {settings.mini_batch_size} is larger than the {table.rows} rows of the train channel: "
            "each epoch is one step."
        )
    models = grid.count(settings, table.feature_dim)
    if settings.num_models is None and models < grid.MODELS:
        log.info(
            f"{models} models are trained in parallel: {grid.MODELS} of this size would need too much memory."
        )
    ratio = float(table.counts[0] / table.counts[1]) if settings.predictor_type == BINARY else 1.0
    steps = settings.epochs * -(-table.rows // settings.mini_batch_size)
    candidates = grid.candidates(settings, models, ratio, steps, job.seed)
    class_weights = _class_weights(settings, table)
    initialized = time.perf_counter()

    def keep(weights: NDArray[np.float32], losses: Doubles) -> None:
        # A job that is stopped keeps the best model so far.
        index = int(np.argmin(losses))
        path = artefact.save(choosing.model_of(settings, scaling, weights, index), job.model_dir)
        log.info(f'Saved checkpoint to "{path.name}"')

    fitted = Fitting(
        settings,
        candidates,
        table,
        validation,
        scaling,
        None if class_weights is None else class_weights.astype(np.float32),
        log,
        keep,
        job.seed,
    ).run()
    finishing = time.perf_counter()
    selection = table if validation is None else validation
    model, best = choosing.choose(
        settings, candidates, scaling, fitted.weights, fitted.losses, selection, log
    )
    weights = _objective_weights(settings, candidates[0].positive_weight, class_weights)
    _score("train" if validation is None else "validation", model, selection, settings, weights, log)
    described = json.dumps(candidates[best].described(settings.optimizer))
    log.info(f"Best model found for hyperparameters: {described}")
    if settings.positive_weight == AUTO and settings.predictor_type == BINARY:
        log.info(f"Best model found for positive_example_weight_mult: {candidates[best].positive_weight!r}")
    path = artefact.save(model, job.model_dir)
    log.info(f'Saved checkpoint to "{path.name}"')
    if test is None:
        log.info("Test data is not provided.")
    else:
        _score("test", model, test, settings, weights, log)
    ended = time.perf_counter()
    log.metrics(
        {
            "initialize.time": 1000 * (initialized - began),
            "epochs": fitted.epochs,
            **fitted.durations,
            "finalize.time": 1000 * (ended - finishing),
            "setuptime": 1000 * (initialized - began),
            "totaltime": 1000 * (ended - began),
        }
    )


def _check_classes(table: Table, settings: Settings, log: Log) -> None:
    if settings.predictor_type == BINARY and not table.counts.all():
        only = int(np.argmax(table.counts))
        raise ClientError(
            f"All {table.rows} rows of channel 'train' have the label {only}: a binary_classifier needs rows of both classes. "
            "Check that the label is the first column, and that the data was split by chance."
        )
    if settings.predictor_type == MULTICLASS:
        missing = np.flatnonzero(table.counts == 0)
        if len(missing) == len(table.counts) - 1:
            raise ClientError(
                f"All {table.rows} rows of channel 'train' have the label {int(np.argmax(table.counts))}: "
                "a multiclass_classifier needs rows of several classes."
            )
        if len(missing):
            listed = ", ".join(map(str, missing[:10].tolist())) + (", .." if len(missing) > 10 else "")
            log.warning(
                f"The train channel has no row of {len(missing)} of {len(table.counts)} classes: {listed}."
            )


def _class_weights(settings: Settings, table: Table) -> Doubles | None:
    if settings.predictor_type != MULTICLASS or not settings.balance_multiclass_weights:
        return None
    counts = table.counts
    return np.where(counts > 0, table.rows / (len(counts) * np.maximum(counts, 1)), 1.0)


def _objective_weights(
    settings: Settings, positive_weight: float, class_weights: Doubles | None
) -> Doubles | None:
    if settings.predictor_type == BINARY and settings.positive_weight != AUTO:
        return np.array([1.0, positive_weight])
    return class_weights


def _describe(scaling: Scaling, log: Log) -> None:
    def shown(values: Doubles) -> str:
        return f"\n{np.array2string(values.astype(np.float32))}\n<NDArray {len(values)} @cpu(0)>"

    log.info(
        "Scaling model computed with parameters:\n"
        f"    {{'stdev_weight': {shown(scaling.deviation)}, "
        f"'stdev_label': {shown(np.array([scaling.label_deviation]))}, "
        f"'mean_label': {shown(np.array([scaling.label_mean]))}, "
        f"'mean_weight': {shown(scaling.mean)}}}"
    )


def _score(
    channel: str, model: Model, table: Table, settings: Settings, weights: Doubles | None, log: Log
) -> None:
    found = evaluate(model, table, settings, weights)
    # The area under the curve of one class does not exist.
    found = {name: value for name, value in found.items() if np.isfinite(value)}
    for name, value in found.items():
        log.info(f"#{channel}_score ({HOST}) : ({name!r}, {value!r})")
    for name, value in found.items():
        sign = "loss" if name in LOSS_SIGN or name.endswith("_objective") else "score"
        log.quality(f"{channel} {name}", value, sign=sign)
