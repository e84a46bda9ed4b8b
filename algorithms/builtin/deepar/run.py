"""A DeepAR training job from its hyperparameters to its scores."""

from __future__ import annotations

import contextlib
import ctypes
import secrets
import time
from typing import Any

import numpy as np

from algorithms.builtin.deepar import dataset, hyperparameters, lags, shape
from algorithms.builtin.deepar.hyperparameters import Hyperparameters
from algorithms.builtin.deepar.sampling import BATCHES, Passes
from algorithms.builtin.deepar.series import Series
from algorithms.builtin.deepar.windows import Panel, View
from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import Job
from algorithms.builtin.log import HOST, Log

MINIMUM = 300
"""Observations that all training series together must have."""


def train(job: Job) -> None:
    """Train, save, score; see `algorithms.builtin.deepar.train`."""
    began = time.monotonic()
    log = Log("AWS/DeepAR")
    log.prelude(
        hyperparameters.DEFAULTS, job.hyperparameters, {**hyperparameters.DEFAULTS, **job.hyperparameters}
    )
    given = hyperparameters.parse(job.hyperparameters)
    if given.early_stopping_patience is not None:
        log.info(f"Using early stopping with patience {given.early_stopping_patience}")
    seed = secrets.randbits(32) if given.random_seed is None else given.random_seed
    log.info(f"random_seed is {given.random_seed}")
    if given.random_seed is None:
        log.info(f"This run draws from seed {seed}; the hyperparameter random_seed={seed} repeats it.")

    job.allow("train", "test")
    channel = job.channel("train")
    data = dataset.read(channel, given.time_freq, given.likelihood, given.prediction_length)
    _refuse_unusable(data, given)
    parts, said = shape.resolve(given, data)
    for line in said:
        log.info(line)
    series = shape.fit_all(parts, data, "train")
    _ignored(log, "training", data.ignored, given)
    _describe(log, "Training", series)
    passes = Passes.plan(len(series), given.mini_batch_size)
    if len(series) < BATCHES * given.mini_batch_size:
        log.info(
            f"Small number of time series. Doing {passes.count} passes over dataset with prob {passes.probability} per epoch."
        )
    test = None
    if "test" in job.channels:
        tested = dataset.read(
            job.channels["test"], given.time_freq, given.likelihood, given.prediction_length
        )
        test = shape.fit_all(parts, tested, "test")
        _ignored(log, "test", tested.ignored, given)
        if test:
            _describe(log, "Test", test)
    log.metrics({"get_graph.time": (time.monotonic() - began) * 1000})
    # What was said so far needs no torch, whose import takes longer than most of what can go wrong before.
    import torch

    _keep_memory()
    torch.set_flush_denormal(True)
    try:
        _learn(log, job, given, parts, series, test, seed, began)
    finally:
        torch.set_flush_denormal(False)


def _learn(
    log: Log,
    job: Job,
    given: Hyperparameters,
    parts: shape.Shape,
    series: list[Series],
    test: list[Series] | None,
    seed: int,
    began: float,
) -> None:
    import torch

    from algorithms.builtin.deepar import artefact, evaluation, training
    from algorithms.builtin.deepar.likelihoods import likelihood
    from algorithms.builtin.deepar.network import Network

    building = time.monotonic()
    torch.set_num_threads(max(1, min(job.cpus, given.mini_batch_size * given.num_cells // 20_000)))
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    panel = Panel(series)
    density = likelihood(given.likelihood)
    view = View(
        given.time_freq,
        given.context_length,
        given.prediction_length,
        lags.lags(given.time_freq, int(panel.lengths.max())),
        density.scaled,
    )
    design = artefact.Design(
        view,
        parts,
        panel.normal(),
        given.likelihood,
        given.num_cells,
        given.num_layers,
        given.dropout_rate,
        given.embedding_dimension,
    )
    network = design.network()
    weights = sum(value.numel() for value in network.parameters())
    log.info(f"#memory_usage::<model> = {max(1, weights * 16 >> 20)} mb")
    log.metrics({"initialize.time": (time.monotonic() - building) * 1000})
    setup = (time.monotonic() - began) * 1000
    job.model_dir.mkdir(parents=True, exist_ok=True)

    def keep(best: Network) -> None:
        artefact.save(job.model_dir, design, best)
        log.info(f'Saved checkpoint to "/opt/ml/model/{artefact.PARAMS}"')

    training.fit(network, panel, view, design.normal, density, given, random, log, keep)
    log.info(f"Worker {HOST} finished training.")
    log.info("All workers finished. Serializing model for prediction.")
    log.info("Serializing to /opt/ml/model/model_algo-1")
    saving = time.monotonic()
    keep(network)
    log.metrics({"model.serialize.time": (time.monotonic() - saving) * 1000})
    log.info("Successfully serialized the model for prediction.")
    if test:
        log.info(f"Evaluating model accuracy on testset using {given.num_eval_samples} samples")
        scoring = time.monotonic()
        scores = evaluation.score(
            design.forecaster(network.requires_grad_(False)),
            test,
            given.test_quantiles,
            given.num_eval_samples,
            seed,
            lambda number: log.info(f"Number of test batches scored: {number}"),
        )
        log.metrics({"model.score.time": (time.monotonic() - scoring) * 1000})
    if test and not scores.count:
        log.warning(
            f"The last {given.prediction_length} points of all test time series are missing: there is no score."
        )
    elif test:
        for name, value in (
            ("RMSE", scores.rmse),
            ("mean_absolute_QuantileLoss", scores.mean_absolute),
            ("mean_wQuantileLoss", scores.mean_weighted),
            *((f"wQuantileLoss[{quantile}]", loss) for quantile, loss in scores.weighted.items()),
        ):
            log.info(f"#test_score ({HOST}, {name}): {value}")
        log.quality("test RMSE", scores.rmse, sign="loss")
        log.quality("test mean_wQuantileLoss", scores.mean_weighted, sign="loss")
    log.metrics({"setuptime": setup, "totaltime": (time.monotonic() - began) * 1000})


def _refuse_unusable(data: dataset.Dataset, given: Hyperparameters) -> None:
    if not data.series and not data.ignored:
        raise ClientError(
            "No usable time series in data channel 'train': its files hold no line. Check that the files were written completely."
        )
    if not data.series:
        raise ClientError(
            f"No usable time series in data channel 'train': {data.ignored} time series are shorter than prediction_length "
            f"({given.prediction_length}). Provide longer time series or use a smaller prediction_length."
        )
    observations = sum(int((~np.isnan(item.target)).sum()) for item in data.series)
    if observations < MINIMUM:
        raise ClientError(
            f"DeepAR needs at least {MINIMUM} observations in total across all training time series, but data channel 'train' has "
            f"{observations} in {len(data.series)} usable time series. Provide more or longer time series."
        )
    if not any(np.nan_to_num(item.target).any() for item in data.series):
        raise ClientError(
            "training time series consist of only zeros. Provide at least one that has other values."
        )


def _ignored(log: Log, name: str, count: int, given: Hyperparameters) -> None:
    if count:
        log.warning(
            f"{count} {name} time series are shorter than prediction_length ({given.prediction_length}) and are ignored."
        )


def _describe(log: Log, name: str, series: list[Series]) -> None:
    log.info(f"{name} set statistics:")
    for line in dataset.statistics(series):
        log.info(line)


def _keep_memory() -> None:
    """Have the C library keep what is freed: each mini-batch needs the same blocks again, and new pages cost a third of its time."""
    with contextlib.suppress(AttributeError, OSError):
        library: Any = ctypes.CDLL(None)
        for option in (-3, -1):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
            library.mallopt(option, 1 << 30)
