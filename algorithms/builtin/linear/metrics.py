"""The scores of a model on a channel, under the names of LinearLearner's log lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear import losses
from algorithms.builtin.linear.hyperparameters import BINARY, MULTICLASS, Settings
from algorithms.builtin.linear.model import Model, predicted, raw_scores
from algorithms.builtin.linear.sampling import Picker, samples
from algorithms.builtin.linear.table import Table

LOSS_SIGN = frozenset({"mse", "absolute_loss", "rmse"})
"""Metrics of which less is better, beside the objective."""

Doubles = NDArray[np.float64]


def evaluate(model: Model, table: Table, settings: Settings, weights: Doubles | None) -> dict[str, float]:
    """All scores of a model on a channel, the objective first.

    Args:
        weights: A weight of the objective per class; None weighs all rows alike.
    """
    loss = losses.of(settings)
    parts: _Binary | _Multiclass | _Regression
    if model.predictor_type == BINARY:
        parts = _Binary(model, table, settings)
    elif model.predictor_type == MULTICLASS:
        parts = _Multiclass(settings)
    else:
        parts = _Regression()
    total = 0.0
    for features, labels in table.blocks():
        raw = raw_scores(features, model.weights, model.bias)
        each, _ = loss.compute(raw, labels.astype(np.float64))
        if weights is not None:
            each = each * weights[labels.astype(np.intp)][:, None]
        total += float(each.sum())
        parts.add(raw, labels)
    return {loss.objective: total / table.rows, **parts.scores()}


class _Binary:
    def __init__(self, model: Model, table: Table, settings: Settings) -> None:
        self._model, self._beta = model, settings.f_beta
        self._table = np.zeros((2, 2), np.int64)
        self._log_loss = 0.0
        self._picker = Picker(table.rows, samples(settings, table))
        self._scores = np.empty(self._picker.wanted, np.float32)
        self._labels = np.empty(self._picker.wanted, bool)
        self._filled = 0

    def add(self, raw: Doubles, labels: NDArray[np.float32]) -> None:
        model = self._model
        guess = predicted(raw, model.threshold)
        truth = labels.astype(np.int64)
        self._table += np.bincount(2 * truth + guess, minlength=4).reshape(2, 2)
        self._log_loss += float(losses.logistic(raw, labels.astype(np.float64))[0].sum())
        picked = self._picker.next(len(labels))
        end = self._filled + int(picked.sum())
        self._scores[self._filled : end] = raw[picked, 0]
        self._labels[self._filled : end] = labels[picked] > 0.5
        self._filled = end

    def scores(self) -> dict[str, float]:
        (true_negative, false_positive), (false_negative, true_positive) = self._table.tolist()
        rows = int(self._table.sum())
        square = self._beta**2
        weighted = (1 + square) * true_positive
        recall = _ratio(true_positive, true_positive + false_negative)
        specificity = _ratio(true_negative, true_negative + false_positive)
        found = {
            "binary_classification_accuracy": (true_positive + true_negative) / rows,
            f"binary_f_{self._beta:.3f}": _ratio(
                weighted, weighted + square * false_negative + false_positive
            ),
            "precision": _ratio(true_positive, true_positive + false_positive),
            "recall": recall,
            "roc_auc_score": roc_auc(self._scores, self._labels),
            "binary_balanced_accuracy": (recall + specificity) / 2,
        }
        if self._model.loss == "logistic":
            found["binary_log_loss"] = self._log_loss / rows
        return found


class _Multiclass:
    def __init__(self, settings: Settings) -> None:
        classes = settings.num_classes
        self._top, self._beta = settings.accuracy_top_k, settings.f_beta
        self._hits, self._guessed, self._true = (np.zeros(classes, np.int64) for _ in range(3))
        self._in_top = self._rows = 0
        self._gain = self._log_loss = 0.0

    def add(self, raw: Doubles, labels: NDArray[np.float32]) -> None:
        truth = labels.astype(np.intp)
        own = raw[np.arange(len(truth)), truth][:, None]
        before = np.arange(raw.shape[1]) < truth[:, None]
        rank = 1 + ((raw > own) | ((raw == own) & before)).sum(axis=1)
        guess = raw.argmax(axis=1)
        classes = len(self._true)
        self._true += np.bincount(truth, minlength=classes)
        self._guessed += np.bincount(guess, minlength=classes)
        self._hits += np.bincount(truth[guess == truth], minlength=classes)
        self._in_top += int((rank <= self._top).sum())
        self._gain += float((1 / np.log2(1 + rank)).sum())
        self._log_loss += float(losses.softmax(raw, labels, classes)[0].sum())
        self._rows += len(truth)

    def scores(self) -> dict[str, float]:
        recall = self._hits / np.maximum(self._true, 1)
        precision = self._hits / np.maximum(self._guessed, 1)
        square = self._beta**2
        f_beta = (1 + square) * self._hits / np.maximum(square * self._true + self._guessed, 1)
        # A class that neither occurs nor is predicted says nothing about the model.
        seen = (self._true + self._guessed) > 0
        return {
            "multiclass_accuracy": float(self._hits.sum() / self._rows),
            f"multiclass_top_k_accuracy_{self._top}": self._in_top / self._rows,
            "dcg": self._gain / self._rows,
            "macro_recall": float(recall[seen].mean()),
            "macro_precision": float(precision[seen].mean()),
            f"macro_f_{self._beta:.3f}": float(f_beta[seen].mean()),
            "multiclass_balanced_accuracy": float(recall[self._true > 0].mean()),
            "multiclass_log_loss": self._log_loss / self._rows,
        }


class _Regression:
    def __init__(self) -> None:
        self._rows = 0
        self._square = self._absolute = 0.0

    def add(self, raw: Doubles, labels: NDArray[np.float32]) -> None:
        gap = raw[:, 0] - labels
        self._rows += len(gap)
        self._square += float(gap @ gap)
        self._absolute += float(np.abs(gap).sum())

    def scores(self) -> dict[str, float]:
        mse = self._square / self._rows
        return {"mse": mse, "absolute_loss": self._absolute / self._rows, "rmse": mse**0.5}


def roc_auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: how often a positive row scores above a negative one, ties counting half; nan for one class."""
    ups = int(positive.sum())
    downs = len(positive) - ups
    if not ups or not downs:
        return float("nan")
    below = np.sort(scores[~positive])
    above = scores[positive]
    # Mann and Whitney's U: for each positive row the negative ones below it, and half of those beside it.
    beaten = (
        np.searchsorted(below, above, side="left").sum() + np.searchsorted(below, above, side="right").sum()
    )
    return float(beaten / 2 / (ups * downs))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
