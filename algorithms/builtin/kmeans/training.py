"""K-Means' ``train``: the passes over the rows, the reduction to k centres, a score on the ``test`` channel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from algorithms.builtin import batches, hyperparameters
from algorithms.builtin.failures import ClientError
from algorithms.builtin.hyperparameters import AUTO, REQUIRED, boolean, choice, integer, real, structure
from algorithms.builtin.job import Job
from algorithms.builtin.kmeans import lloyd
from algorithms.builtin.kmeans.lloyd import Fit, Floats
from algorithms.builtin.kmeans.model import Model
from algorithms.builtin.kmeans.stream import Centers, Reservoir
from algorithms.builtin.log import Log

_METRICS = ("msd", "ssd")
_METHODS = ("random", "kmeans++")


def _metrics(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(name not in _METRICS for name in value):
        raise ValueError(value)
    return tuple(dict.fromkeys(value))


PARAMETERS = (
    integer("feature_dim", REQUIRED, 1),
    integer("k", REQUIRED, 1),
    integer("mini_batch_size", 5000, 1),
    integer("epochs", 1, 1),
    structure(
        "eval_metrics",
        '["msd"]',
        _metrics,
        {"oneOf": [{"items": {"enum": list(_METRICS)}, "minItems": 1, "type": "array"}]},
    ),
    integer("extra_center_factor", AUTO, 1, words=(AUTO,)),
    integer("half_life_time_size", 0, 0),
    choice("init_method", "random", _METHODS),
    choice("local_lloyd_init_method", "kmeans++", _METHODS),
    integer("local_lloyd_max_iter", 300, 1),
    integer("local_lloyd_num_trials", AUTO, 1, words=(AUTO,)),
    real("local_lloyd_tol", 0.0001, 0, 1),
    boolean("force_dense", True),
)

_FACTOR = 10
_TRIALS = 20
_TASTE = 5
_TASTE_ROWS = 2048
"""How many steps on how many of the sample's rows show which attempts are worth finishing."""
_REFINED = 3
_TELLING = 32
_SAMPLE_ROWS = 8192
_SAMPLE_ROWS_PER_CENTER = 128
_SAMPLE_NUMBERS = 1 << 24


@dataclass(frozen=True, slots=True)
class Settings:
    """The hyperparameters, ``auto`` resolved."""

    feature_dim: int
    k: int
    mini_batch_size: int
    epochs: int
    eval_metrics: tuple[str, ...]
    extra_center_factor: int
    half_life_time_size: int
    init_method: str
    local_lloyd_init_method: str
    local_lloyd_max_iter: int
    local_lloyd_num_trials: int
    local_lloyd_tol: float

    @classmethod
    def of(cls, values: dict[str, Any]) -> Settings:
        """From parsed hyperparameters; ``auto`` is ten centres for each wanted one, and twenty trials (fewer for many centres)."""
        chosen = {name: values[name] for name in cls.__slots__}
        if isinstance(chosen["eval_metrics"], str):
            chosen["eval_metrics"] = ("msd",)
        if chosen["extra_center_factor"] == AUTO:
            chosen["extra_center_factor"] = _FACTOR
        if chosen["local_lloyd_num_trials"] == AUTO:
            chosen["local_lloyd_num_trials"] = max(1, min(_TRIALS, 1000 // chosen["k"]))
        return cls(**chosen)


class _Trainer:
    """One training: what is known after the first batch, and the passes that follow."""

    def __init__(self, settings: Settings, log: Log, seed: int) -> None:
        self.settings = settings
        self.log = log
        self.random = np.random.default_rng(seed)
        wanted = max(_SAMPLE_ROWS, _SAMPLE_ROWS_PER_CENTER * settings.k)
        most = max(settings.k, _SAMPLE_NUMBERS // settings.feature_dim)
        self.sample = Reservoir(min(wanted, most), settings.feature_dim, self.random)
        self.shift = np.zeros(settings.feature_dim, np.float32)
        self._centers: Centers | None = None

    @property
    def centers(self) -> Centers:
        assert self._centers is not None
        return self._centers

    def passes(self, data: batches.Batches) -> None:
        """All epochs."""
        for epoch in range(self.settings.epochs):
            began = time.monotonic()
            distances = []
            for rows in self._rows(data, epoch):
                self.centers.update(rows)
                distances.append(self.centers.msd)
            spent = time.monotonic() - began
            count = -(-data.rows // self.settings.mini_batch_size)
            self.log.info(f"processed a total of {data.rows} examples")
            self.log.progress(100 * (epoch + 1) / self.settings.epochs)
            self.log.metrics(
                {
                    "Total Records Seen": (epoch + 1) * data.rows,
                    "Total Batches Seen": (epoch + 1) * count,
                    "Max Records Seen Between Resets": data.rows,
                    "Number of Records Since Last Reset": data.rows,
                    "Number of Batches Since Last Reset": count,
                    "Reset Count": epoch + 1,
                    "short_term_msd": distances,
                },
                Meta="training_data_iter",
                epoch=epoch,
            )
            self.log.throughput(data.rows / max(spent, 1e-9))

    def _rows(self, data: batches.Batches, epoch: int) -> Iterator[Floats]:
        """The mini-batches, moved by the first one's mean so that float32 keeps its digits; the first ones start the centres."""
        held: list[Floats] = []
        wanted = self.settings.k * self.settings.extra_center_factor
        count = 0
        for batch in data:
            rows: Floats = batch.features
            if self._centers is None:
                if not held:
                    self.shift = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
                held.append(rows - self.shift)
                count += len(rows)
                if count < wanted:
                    continue
                yield from self._begin(held, wanted)
                continue
            moved = rows - self.shift
            if epoch == 0:
                self.sample.update(moved)
            yield moved
        if self._centers is None:
            yield from self._begin(held, wanted)

    def _begin(self, held: list[Floats], wanted: int) -> Iterator[Floats]:
        rows = held[0] if len(held) == 1 else np.concatenate(held)
        settings = self.settings
        if len(rows) < settings.k:
            raise ClientError(
                f"k ({settings.k}) must not be greater than the number of rows in channel 'train' ({len(rows)}). "
                "Ask for fewer clusters or bring more rows."
            )
        if len(rows) < settings.mini_batch_size:
            self.log.warning(
                f"Batch size {settings.mini_batch_size} is bigger than the first batch data. "
                f"Effective batch size used to initialize is {len(rows)}"
            )
        count = min(wanted, len(rows))
        if settings.init_method == "kmeans++":
            start = lloyd.plus_plus(rows, np.ones(len(rows)), count, self.random)
        else:
            start = lloyd.scattered(rows, count, self.random)
        self._centers = Centers(start, settings.half_life_time_size)
        for part in held:
            self.sample.update(part)
            yield part

    def shrink(self) -> Fit:
        """The K centres reduced to k: weighted Lloyd from several starts; the best ones are finished on the sample of rows."""
        settings = self.settings
        points, weights = self.centers.points()
        self.log.info(f"shrinking {len(points)} centers into {settings.k}")
        sample = self.sample.rows
        stride = max(1, len(sample) // max(_TASTE_ROWS, _TELLING * settings.k))
        few = np.ascontiguousarray(sample[::stride])
        limit = settings.local_lloyd_max_iter
        # A sample with few rows for each centre knows less than the centres that saw all rows.
        telling = self.sample.complete or len(sample) >= _TELLING * settings.k
        found: list[Fit] = []
        for number in range(settings.local_lloyd_num_trials):
            # The first of several is from the rows themselves: centres that followed sorted data may all lie in one corner.
            raw = len(points) < settings.k or (
                telling and number == 0 and settings.local_lloyd_num_trials > 1
            )
            base, mass = (few, np.ones(len(few))) if raw else (points, weights)
            if settings.local_lloyd_init_method == "kmeans++":
                start = lloyd.plus_plus(base, mass, settings.k, self.random)
            else:
                start = lloyd.scattered(base, settings.k, self.random)
            attempt = self._lloyd(base, mass, start, min(_TASTE, limit) if raw else limit)
            if telling and not raw:
                attempt = self._lloyd(few, np.ones(len(few)), attempt.centers, min(_TASTE, limit))
            found.append(attempt)
            self.log.info(f"local kmeans attempt #{number}. Current mean square distance {attempt.msd:.6f}")
        found.sort(key=lambda one: one.msd)
        best = found[0]
        if telling:
            ones = np.ones(len(sample))
            finished = [self._lloyd(sample, ones, one.centers, limit) for one in found[:_REFINED]]
            best = min(finished, key=lambda one: one.msd)
        self.log.info(f"finished shrinking process. Mean Square Distance = {best.msd:.6f}")
        return best

    def _lloyd(self, points: Floats, weights: lloyd.Doubles, start: Floats, iterations: int) -> Fit:
        return lloyd.fit(
            points, weights, start, iterations=iterations, tolerance=self.settings.local_lloyd_tol
        )


def train(job: Job) -> None:
    """Train and leave the model in ``job.model_dir``.

    Raises:
        ClientError: The data or the hyperparameters cannot be used.
    """
    began = time.monotonic()
    log = Log("AWS/KMeansWebscale")
    values = hyperparameters.parse(PARAMETERS, job.hyperparameters)
    log.prelude(hyperparameters.defaults(PARAMETERS), job.hyperparameters, values)
    settings = Settings.of(values)
    job.allow("train", "test")
    data = batches.read(
        job.channel("train"), settings.mini_batch_size, feature_dim=settings.feature_dim, dense=True
    )
    # Here already, so that a channel that cannot be read fails the job before it trains.
    test = (
        batches.read(
            job.channels["test"], settings.mini_batch_size, feature_dim=settings.feature_dim, dense=True
        )
        if "test" in job.channels
        else None
    )
    log.info("Checkpoint loading and saving are disabled.")
    log.info(f"Setting up with params: {values}")
    trainer = _Trainer(settings, log, job.seed)
    setup = time.monotonic() - began
    log.metrics({"initialize.time": 1000 * setup})
    trainer.passes(data)
    started = time.monotonic()
    best = trainer.shrink()
    model = Model((best.centers.astype(np.float64) + trainer.shift).astype(np.float32))
    for name in settings.eval_metrics:
        log.quality(f"train {name}", best.msd * (data.rows if name == "ssd" else 1), sign="loss")
    model.save(job.model_dir)
    log.metrics({"finalize.time": 1000 * (time.monotonic() - started)})
    if test is not None:
        _score(test, settings, model, log)
    else:
        log.info("Test data is not provided.")
    log.metrics({"setuptime": 1000 * setup, "totaltime": 1000 * (time.monotonic() - began)})


def _score(test: batches.Batches, settings: Settings, model: Model, log: Log) -> None:
    total = sum(model.squares(batch.features) for batch in test)
    for name in settings.eval_metrics:
        value = total if name == "ssd" else total / test.rows
        log.info(f"#test_score (algo-1) : ('{name}', {value!r})")
        log.quality(f"test {name}", value, sign="loss")
