"""The end of training: which of the models is kept, and at which threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear.grid import Candidate
from algorithms.builtin.linear.hyperparameters import BINARY, Settings
from algorithms.builtin.linear.model import Model, raw_scores, score_threshold
from algorithms.builtin.linear.sampling import Picker, samples
from algorithms.builtin.linear.scaling import Scaling
from algorithms.builtin.linear.selection import Cut, calibrate
from algorithms.builtin.linear.table import Table
from algorithms.builtin.log import Log

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SCORES = 1 << 20
"""Scores that are held at a time while thresholds are calibrated; beyond, the rows are read again for further models."""


def model_of(
    settings: Settings, scaling: Scaling, weights: Floats, index: int, threshold: float | None = None
) -> Model:
    """One model of a stack, for raw features; its threshold is the loss's own, 0, where none is given."""
    outputs = settings.outputs
    raw, bias = scaling.unscaled(weights[:, index * outputs : (index + 1) * outputs])
    if threshold is None:
        threshold = 0.0
    return Model(settings.predictor_type, settings.loss, raw, bias, threshold)


def choose(
    settings: Settings,
    candidates: Sequence[Candidate],
    scaling: Scaling,
    weights: Floats,
    losses: Doubles,
    table: Table,
    log: Log,
) -> tuple[Model, int]:
    """The best model and its number.

    A binary classifier's threshold is calibrated for each model on ``table`` (validation, else training data) and the models are
    compared by the criterion, then by their loss. Where the customer named no criterion, models whose accuracy is within a standard
    error of the best one's count as equal: single rows do not outweigh the loss. Other models are compared by their loss.
    """
    if settings.predictor_type != BINARY or settings.criterion == "loss_function":
        index = int(np.argmin(losses))
        return model_of(settings, scaling, weights, index), index
    finite = np.flatnonzero(np.isfinite(losses)).tolist()
    cuts = _cuts(settings, scaling, weights, finite, table)
    top = max(cut.merit for cut in cuts.values())
    slack = 0.0
    if not settings.criterion_given:
        slack = (top * (1 - top) / samples(settings, table)) ** 0.5
    equal = [number for number in finite if cuts[number].merit >= top - slack]
    best = min(equal, key=lambda number: float(losses[number]))
    cut = cuts[best]
    _tell(settings, cut, table, log)
    return model_of(settings, scaling, weights, best, cut.threshold), best


def _cuts(
    settings: Settings, scaling: Scaling, weights: Floats, models: list[int], table: Table
) -> dict[int, Cut]:
    rows = samples(settings, table)
    width = max(1, SCORES // rows)
    cuts: dict[int, Cut] = {}
    for start in range(0, len(models), width):
        group = models[start : start + width]
        raw, bias = scaling.unscaled(weights[:, group])
        scores = np.empty((len(group), rows), np.float32)
        marks = np.empty(rows, np.float32)
        picker = Picker(table.rows, rows)
        filled = 0
        for features, labels in table.blocks():
            picked = np.flatnonzero(picker.next(len(labels)))
            if not len(picked):
                continue
            values = raw_scores(features[picked], raw, bias)
            end = filled + len(picked)
            scores[:, filled:end] = values.T
            marks[filled:end] = labels[picked]
            filled = end
        for line, number in enumerate(group):
            cuts[number] = calibrate(scores[line], marks, settings)
    return cuts


def _tell(settings: Settings, cut: Cut, table: Table, log: Log) -> None:
    threshold = score_threshold(settings.loss, cut.threshold)
    positives = int(table.counts[1])
    if positives in (0, table.rows):
        log.warning(
            f"The {table.channel.name} data has rows of one class only ({positives} of {table.rows} are positive): "
            f"{settings.criterion} cannot be calibrated on it as it is meant."
        )
    if cut.reached:
        log.info(
            f"Calibrated threshold {threshold!r} for {settings.criterion} on {table.channel.name} data: "
            f"precision {cut.precision:.6g}, recall {cut.recall:.6g}"
        )
        return
    recall_wanted = settings.criterion == "precision_at_target_recall"
    target = settings.target_recall if recall_wanted else settings.target_precision
    name = "recall" if recall_wanted else "precision"
    log.warning(
        f"No threshold reaches target_{name} {target:g} on the {table.channel.name} data. The closest is taken: "
        f"threshold {threshold!r} with precision {cut.precision:.6g} and recall {cut.recall:.6g}."
    )
