"""A channel's rows with checked labels, read from its files once and iterated as often as there are epochs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.batches import Batch, read
from algorithms.builtin.failures import AlgorithmError, ClientError
from algorithms.builtin.job import Channel
from algorithms.builtin.linear.hyperparameters import BINARY, REGRESSOR, Settings
from algorithms.builtin.linear.scaling import Moments, Scaling
from algorithms.builtin.linear.spool import MEMORY, Spool

Floats = NDArray[np.float32]

BLOCK = 512
FILE_BLOCK = 1 << 20
"""Bytes of a file that are parsed at a time."""
WINDOW = 1 << 20
"""Bytes of rows (at least a mini-batch) within which rows are shuffled; the order of blocks is drawn over all data."""


class Rows(NamedTuple):
    """Some rows: features as float32 of shape (n, d) or a scipy CSR matrix, labels of shape (n,)."""

    features: Any
    labels: Floats


class Table:
    """All rows of a channel.

    Args:
        scratch: A folder for what does not fit into memory.
        feature_dim: How many features rows must have; None takes the first row's.
        memory: Bytes of rows that are kept in memory.

    Raises:
        ClientError: Rows that cannot be used, named by file and row.
        AlgorithmError: The scratch folder is full.
    """

    def __init__(
        self,
        channel: Channel,
        settings: Settings,
        scratch: Path,
        *,
        feature_dim: int | None = None,
        memory: int = MEMORY,
    ) -> None:
        self.channel = channel
        self.rows = 0
        self._settings = settings
        self._moments, self._label_moments = Moments(), Moments()
        classes = 2 if settings.predictor_type == BINARY else settings.outputs
        self.counts = np.zeros(0 if settings.predictor_type == REGRESSOR else classes, np.int64)
        """Rows of each class; empty for a regression."""
        self._spool = Spool(scratch, memory)
        self._sparse = False
        batches = read(
            channel,
            BLOCK,
            feature_dim=feature_dim or settings.feature_dim,
            labels=True,
            float32_only=True,
            block=FILE_BLOCK,
        )
        try:
            for batch in batches:
                self._add(batch)
        except OSError as error:
            raise AlgorithmError(
                f"The rows of channel '{channel.name}' could not be kept for the next epochs: {error}. Free disk space."
            ) from error
        assert batches.feature_dim is not None
        self.feature_dim: int = batches.feature_dim

    def blocks(self) -> Iterator[Rows]:
        """All rows in the order of the files, some hundred at a time."""
        for index in range(len(self._spool)):
            yield self._block(index)

    def shuffled(self, size: int, generator: np.random.Generator) -> Iterator[Rows]:
        """All rows as mini-batches in random order; the last one may be smaller."""
        order = generator.permutation(len(self._spool))
        held: list[Rows] = []
        count = weight = 0
        for number, index in enumerate(order.tolist(), 1):
            block = self._block(index)
            held.append(block)
            count += len(block.labels)
            weight += _bytes(block.features)
            last = number == len(order)
            if not last and (weight < WINDOW or count < size):
                continue
            rows = _joined(held)
            places = generator.permutation(count)
            end = count if last else count - count % size
            for start in range(0, end, size):
                chosen = places[start : min(start + size, end)]
                yield Rows(rows.features[chosen], rows.labels[chosen])
            rest = places[end:]
            held = [Rows(rows.features[rest], rows.labels[rest])] if len(rest) else []
            count, weight = len(rest), 0

    def scaling(self) -> Scaling:
        """Means and deviations of the first ``num_point_for_scaler`` rows, as far as the settings ask for them."""
        settings = self._settings
        zeros, ones = np.zeros(self.feature_dim), np.ones(self.feature_dim)
        return Scaling(
            self._moments.mean if settings.unbias_data else zeros,
            self._moments.deviation() if settings.normalize_data else ones,
            float(self._label_moments.mean[0]) if settings.unbias_label else 0.0,
            float(self._label_moments.deviation()[0]) if settings.normalize_label else 1.0,
        )

    def _add(self, batch: Batch) -> None:
        assert batch.labels is not None
        labels = batch.labels
        if labels.ndim != 1:
            raise ClientError(
                f"Channel '{self.channel.name}' has {labels.shape[1]} label columns; LinearLearner takes one. "
                "Use the content type text/csv or text/csv;label_size=1."
            )
        if len(self.counts):
            self._check(batch, labels)
            self.counts += np.bincount(labels.astype(np.intp), minlength=len(self.counts))
        wanted = self._settings.num_point_for_scaler - self.rows
        if wanted > 0:
            self._moments.add(batch.features[:wanted])
            self._label_moments.add(labels[:wanted, None])
        self.rows += len(batch)
        features = batch.features
        if isinstance(features, np.ndarray):
            if self._sparse:
                import scipy.sparse as sp

                features = sp.csr_matrix(features)
            else:
                self._spool.add(features, labels)
                return
        self._sparse = True
        self._spool.add(
            features.data.astype(np.float32, copy=False),
            features.indices,
            features.indptr,
            np.array([features.shape[1]]),
            labels,
        )

    def _check(self, batch: Batch, labels: Floats) -> None:
        classes = len(self.counts)
        wrong = np.flatnonzero((labels < 0) | (labels >= classes) | (labels != np.floor(labels)))
        if not len(wrong):
            return
        index = int(wrong[0])
        where = f"{batch.place(index)} of channel '{self.channel.name}' has the label {labels[index]:g}"
        if self._settings.predictor_type == BINARY:
            raise ClientError(
                f"{where}, but with predictor_type 'binary_classifier' labels must be 0 or 1. "
                "Map the two classes to 0 and 1, put the label into the first column of a CSV file, "
                "or use predictor_type 'multiclass_classifier' or 'regressor'."
            )
        raise ClientError(
            f"{where}, but with num_classes={classes} labels must be whole numbers from 0 to {classes - 1}. "
            "Set num_classes to the number of classes and number the classes from 0."
        )

    def _block(self, index: int) -> Rows:
        arrays = self._spool[index]
        if len(arrays) == 2:
            return Rows(*arrays)
        import scipy.sparse as sp

        data, indices, pointers, width, labels = arrays
        return Rows(sp.csr_matrix((data, indices, pointers), shape=(len(labels), int(width[0]))), labels)


def _bytes(features: Any) -> int:
    return int(features.nbytes if isinstance(features, np.ndarray) else features.data.nbytes * 3)


def _joined(held: list[Rows]) -> Rows:
    if len(held) == 1:
        return held[0]
    labels = np.concatenate([rows.labels for rows in held])
    if all(isinstance(rows.features, np.ndarray) for rows in held):
        return Rows(np.concatenate([rows.features for rows in held]), labels)
    import scipy.sparse as sp

    return Rows(sp.vstack([sp.csr_matrix(rows.features) for rows in held], "csr"), labels)
