"""The epochs: mini-batch steps for all models at once, losses after each epoch, early stopping, the best epoch kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import AlgorithmError
from algorithms.builtin.linear import losses
from algorithms.builtin.linear.grid import Candidate
from algorithms.builtin.linear.hyperparameters import BINARY, Settings
from algorithms.builtin.linear.sampling import Picker
from algorithms.builtin.linear.scaling import Scaling
from algorithms.builtin.linear.selection import calibrate
from algorithms.builtin.linear.stack import Stack
from algorithms.builtin.linear.table import Table
from algorithms.builtin.log import HOST, Log

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SAMPLE = 100_000
"""Validation rows on which the selection criterion is computed after each epoch."""


@dataclass(slots=True)
class Fitted:
    """What the epochs left.

    Attributes:
        weights: Of the best epoch, as `Stack.weights`.
        losses: Each model's loss at that epoch, on validation where there is such data; infinite for a model that diverged.
        epochs: How many were run.
        durations: Milliseconds by the names of the log's timers.
    """

    weights: Floats
    losses: Doubles
    epochs: int = 0
    durations: dict[str, list[float]] = field(
        default_factory=lambda: {"update.time": [], "check_early_stopping.time": []}
    )


class Watch:
    """Early stopping: no improvement by ``tolerance``, relative to the best so far, for ``patience`` epochs.

    Values are losses; of a score, its distance from 1. A score moves in steps and may rest while the models still learn, so an
    epoch counts as idle only when the loss does not improve either.
    """

    def __init__(self, patience: int, tolerance: float) -> None:
        self._patience, self._tolerance = patience, tolerance
        self._best = (float("inf"), float("inf"))
        self._references = [float("inf"), float("inf")]
        self.waited = 0

    def see(self, value: float, loss: float) -> bool:
        """Take an epoch's value; whether it is the best so far, the loss deciding between equals."""
        idle = True
        for index, current in enumerate((value, loss)):
            reference = self._references[index]
            if reference == float("inf") or reference - current > self._tolerance * abs(reference):
                self._references[index] = current
                idle = False
        self.waited = self.waited + 1 if idle else 0
        improved = (value, loss) < self._best
        self._best = min(self._best, (value, loss))
        return improved

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.waited >= self._patience


class Fitting:
    """Trains a stack of models on a channel.

    Args:
        keep: Called with the weights and losses of each new best epoch.
    """

    def __init__(
        self,
        settings: Settings,
        candidates: Sequence[Candidate],
        train: Table,
        validation: Table | None,
        scaling: Scaling,
        class_weights: Floats | None,
        log: Log,
        keep: Callable[[Floats, Doubles], None],
        seed: int = 0,
    ) -> None:
        self._settings, self._train, self._validation = settings, train, validation
        self._scaling, self._log, self._keep = scaling, log, keep
        loss = losses.of(settings, scaling.label_deviation)
        self._stack = Stack(settings, candidates, train.feature_dim, loss, class_weights, seed)
        self._seed = seed
        self._to_label = scaling.label_deviation**loss.degree
        weights = [one.positive_weight for one in candidates]
        # Losses can be compared only where positive rows weigh the same.
        self._comparable = np.array(weights) == weights[0]
        self._positive_weight = weights[0]

    def run(self) -> Fitted:
        """Train until the last epoch or until nothing improves.

        Raises:
            AlgorithmError: No model's loss is finite any more.
        """
        settings, log = self._settings, self._log
        generator = np.random.default_rng(self._seed)
        watch = Watch(settings.early_stopping_patience, settings.early_stopping_tolerance)
        models = self._stack.models
        result = Fitted(self._stack.weights.copy(), np.full(models, np.inf))
        alive = np.ones(models, bool)
        seen_batches = seen_rows = kept = 0
        for epoch in range(settings.epochs):
            began = time.perf_counter()
            with np.errstate(all="ignore"):
                objective, batches = self._epoch(generator)
                self._report("train", objective, epoch)
                measured, criterion, value = self._check(objective, epoch, result)
            fine = np.isfinite(objective) & np.isfinite(measured)
            if (alive & ~fine).any():
                lost = ", ".join(str(number) for number in np.flatnonzero(alive & ~fine))
                log.warning(f"The loss of model {lost} is not finite any more; training goes on without it.")
            alive &= fine
            if not alive.any():
                raise AlgorithmError(
                    f"The loss is not finite in epoch {epoch}: training diverged. Use a smaller learning_rate "
                    f"({self._rates()}), normalize_data=true, or the optimizer adam."
                )
            measured = np.where(alive, measured, np.inf)
            log.info(
                f"#early_stopping_criteria_metric: host={HOST}, epoch={epoch}, criteria={criterion}, value={value!r}"
            )
            watched = 1 - value if criterion.startswith("sampled_") else value
            if watch.see(watched, float(measured.min())) or not epoch:
                log.info(f"Epoch {epoch}: Loss improved. Updating best model")
                kept = epoch
                result.weights, result.losses = self._stack.weights.copy(), measured
                log.info(f"Saving model for epoch: {epoch}")
                self._keep(result.weights, measured)
            else:
                log.info(f"Epoch {epoch}: Loss has not improved for {epoch - kept} epochs.")
            result.epochs = epoch + 1
            seen_batches += batches
            seen_rows += self._train.rows
            elapsed = time.perf_counter() - began
            result.durations["update.time"].append(elapsed * 1000)
            log.progress(100 * (epoch + 1) // settings.epochs)
            self._iterated(epoch, batches, seen_batches, seen_rows)
            log.throughput(self._train.rows / elapsed)
            if watch.over and epoch + 1 < settings.epochs:
                log.info("Early stop condition met. Stopping training.")
                break
        if self._validation is None:
            # Until now a model's loss was the mean over an epoch in which it changed.
            with np.errstate(all="ignore"):
                self._stack.weights = result.weights
                measured, _ = self._measure(self._train)
            result.losses = np.where(alive & np.isfinite(measured), measured, np.inf)
        return result

    def _epoch(self, generator: np.random.Generator) -> tuple[Doubles, int]:
        total = np.zeros(self._stack.models)
        batches = 0
        for features, labels in self._train.shuffled(self._settings.mini_batch_size, generator):
            total += self._stack.learn(self._scaling.design(features), self._scaling.labels(labels))
            batches += 1
        return total / self._train.rows, batches

    def _check(self, objective: Doubles, epoch: int, result: Fitted) -> tuple[Doubles, str, float]:
        """Each model's loss, the name of what early stopping watches, and its value for the best model."""
        began = time.perf_counter()
        name = self._stack.loss.objective
        measured = objective
        criterion = ""
        best = np.nan
        if self._validation is not None:
            wanted = self._settings.criterion_given and self._settings.predictor_type == BINARY
            if wanted and self._settings.criterion != "loss_function":
                criterion = f"sampled_{self._settings.criterion}"
            measured, scores = self._measure(self._validation, sample=SAMPLE if criterion else 0)
            measured = measured * self._to_label
            self._report("validation", measured, epoch)
            if scores is not None:
                best = self._criterion(*scores)
        if np.isnan(best):
            criterion = name
            comparable = measured if self._validation is not None else measured[self._comparable]
            finite = comparable[np.isfinite(comparable)]
            best = float(finite.min()) if len(finite) else float("inf")
        result.durations["check_early_stopping.time"].append((time.perf_counter() - began) * 1000)
        return measured, criterion, float(best)

    def _measure(self, table: Table, sample: int = 0) -> tuple[Doubles, tuple[Floats, Floats] | None]:
        """Each model's mean loss on a channel; with ``sample``, raw scores and labels of so many rows as well."""
        total = np.zeros(self._stack.models)
        picker = Picker(table.rows, sample or 1)
        scores, marks = [], []
        weight = 1.0 if not self._comparable.all() else self._positive_weight
        for features, labels in table.blocks():
            design = self._scaling.design(features)
            loss, raw = self._stack.losses(design, self._scaling.labels(labels), positive_weight=weight)
            total += loss
            if sample:
                picked = picker.next(len(labels))
                scores.append(raw[picked])
                marks.append(labels[picked])
        total /= table.rows
        return total, (np.concatenate(scores), np.concatenate(marks)) if sample else None

    def _criterion(self, raw: Floats, labels: Floats) -> float:
        best = float("nan")
        if not 0 < labels.sum() < len(labels):
            return best
        for column in raw.T:
            if np.isfinite(column).all():
                cut = calibrate(column, labels, self._settings)
                best = max(cut.merit, best if best == best else -1.0)
        return best

    def _report(self, channel: str, values: Doubles, epoch: int) -> None:
        name = f"{channel} {self._stack.loss.objective}"
        for model, value in enumerate(values.tolist()):
            self._log.metrics({name.replace(" ", "_"): value}, model=model, epoch=epoch)
        self._log.quality(name, float(values[0]), sign="loss", epoch=epoch)

    def _iterated(self, epoch: int, batches: int, all_batches: int, all_rows: int) -> None:
        self._log.metrics(
            {
                "Max Batches Seen Between Resets": batches,
                "Number of Batches Since Last Reset": batches,
                "Number of Records Since Last Reset": self._train.rows,
                "Total Batches Seen": all_batches,
                "Total Records Seen": all_rows,
                "Max Records Seen Between Resets": self._train.rows,
                "Reset Count": epoch + 1,
            },
            Meta="training_data_iter",
            epoch=epoch,
        )

    def _rates(self) -> str:
        given = self._settings.learning_rate
        return "it was chosen automatically" if given is None else f"it was {given:g}"
