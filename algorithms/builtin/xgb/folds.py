"""Repeated k-fold cross-validation (``_kfold``, ``_num_cv_round``): a model per fold, and what each row was predicted as."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb import checkpoints, metrics, models, notes
from algorithms.builtin.xgb.data import Data
from algorithms.builtin.xgb.training import Plan, boost

PREDICTIONS = "predictions.csv"


def cross_validate(plan: Plan, train: Data, validation: Data | None, xgboost: Any) -> None:
    """Train a model per fold on the rows of both channels; writes the models and ``predictions.csv``.

    Folds of classes are stratified. They are drawn with the hyperparameter ``seed``, so that a job can be repeated.

    Raises:
        ClientError: There are fewer rows, or fewer of a class, than folds.
    """
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    folds, repeats = plan.values["_kfold"], plan.values.get("_num_cv_round", 1)
    wide = train.features.shape[1]
    labels = train.labels
    if validation is not None:
        notes.info("Read both train and validation data into one DMatrix")
    whole = _both(train, validation).matrix(xgboost, plan.objective, wide)
    labels = whole.get_label()
    rows = len(labels)
    classification = plan.objective.startswith(("binary:", "multi:"))
    if rows < folds:
        raise ClientError(f"Cannot have number of splits _kfold={folds} greater than the number of rows: {rows}.")  # fmt: skip
    if classification and np.unique(labels, return_counts=True)[1].max() < folds:
        raise ClientError(
            f"_kfold={folds} cannot be greater than the number of members in each class. Use fewer folds."
        )
    splitter = RepeatedStratifiedKFold if classification else RepeatedKFold
    split = splitter(n_splits=folds, n_repeats=repeats, random_state=abs(plan.values.get("seed", 0)))
    notes.info(f"Run {repeats}-round of {folds}-fold cross validation with {rows} rows")
    record = _Predictions(labels, repeats, plan.objective)
    finals: list[dict[str, float]] = []
    base = checkpoints.directory(plan.base)
    for number, (inside, outside) in enumerate(split.split(np.zeros((rows, 1)), labels)):
        notes.info(f"Train cross validation fold {number % folds + 1}")
        held = whole.slice(outside)
        target = plan.model_dir / f"{models.NAME}-{number}"
        model = boost(
            plan,
            [(whole.slice(inside), "train"), (held, "validation")],
            xgboost,
            folder=base / f"model-{number}" if base is not None else None,
            target=target,
        )
        models.save(model, target, plan.version)
        record.add(outside, models.predict(model, held))
        finals.append(_final(model, whole.slice(inside), held, plan))
        if (number + 1) % folds == 0:
            notes.info(f"The metrics of round {(number + 1) // folds} cross validation")
            _tell(plan, finals[-folds:])
    plan.output_dir.mkdir(parents=True, exist_ok=True)
    path = plan.output_dir / PREDICTIONS
    notes.info(f"Storing predictions on validation set(s) in {path}")
    np.savetxt(path, record.columns(), delimiter=",", fmt="%f")
    if repeats > 1:
        notes.info(f"The overall metrics of {repeats}-round cross validation")
        _tell(plan, finals)


def _both(train: Data, validation: Data | None) -> Data:
    """The rows of both channels as one."""
    if validation is None:
        return train
    if isinstance(train.features, np.ndarray) and isinstance(validation.features, np.ndarray):
        features: Any = np.concatenate([train.features, validation.features])
    else:
        from scipy.sparse import csr_matrix, vstack

        parts = [csr_matrix(item.features) for item in (train, validation)]
        wide = max(part.shape[1] for part in parts)
        for part in parts:
            part.resize((part.shape[0], wide))
        features = vstack(parts, "csr")
    weights = None
    if train.weights is not None and validation.weights is not None:
        weights = np.concatenate([train.weights, validation.weights])
    return Data(
        features,
        np.concatenate([train.labels, validation.labels]),
        weights,
        None,
        [*train.files, *validation.files],
        train.kind,
    )


def _final(model: Any, inside: Any, outside: Any, plan: Plan) -> dict[str, float]:
    """A fold's metrics, by ``<data>-<metric>``."""
    custom = metrics.function(plan.metrics.custom, plan.objective)
    text: str = model.eval_set([(inside, "train"), (outside, "validation")], 0, feval=custom, output_margin=False)  # fmt: skip
    pairs = (item.rpartition(":") for item in text.split("\t")[1:])
    found = {}
    for name, _, value in pairs:
        part, _, metric = name.partition("-")
        found[f"{part}-{metrics.shown(metric)}"] = float(value)
    return found


def _tell(plan: Plan, finals: list[dict[str, float]]) -> None:
    means = "".join(f"\t{name}:{np.mean([final[name] for final in finals]):.5f}" for name in finals[0])
    notes.plain(f"[{plan.values['num_round']}]{means}")


class _Predictions:
    """What the folds of each repetition predicted for each row."""

    def __init__(self, labels: NDArray[np.float32], repeats: int, objective: str) -> None:
        self._labels = labels
        self._objective = objective
        self._classification = objective.startswith(("binary:", "multi:"))
        self._scores = np.zeros((len(labels), repeats))
        self._classes = np.zeros((len(labels), repeats))
        self._seen = np.zeros(len(labels), int)

    def add(self, rows: NDArray[np.int64], predictions: NDArray[np.float32]) -> None:
        at = self._seen[rows]
        if self._classification:
            self._classes[rows, at] = metrics.classes(predictions, self._objective)
            predictions = predictions.max(axis=1) if predictions.ndim > 1 else predictions
        self._scores[rows, at] = predictions
        self._seen[rows] += 1

    def columns(self) -> NDArray[np.float64]:
        """Label and mean prediction; for classes label, mean probability and the class that most repetitions predicted."""
        found = [self._labels, self._scores.mean(axis=1)]
        if self._classification:
            found.append(models.most_frequent(self._classes.T))
        return np.column_stack(found)
