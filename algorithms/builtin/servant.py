"""A model that answers rows of numbers with columns of numbers: what PCA, K-Means and LinearLearner serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin import requests, responses
from algorithms.container.serving import Reply

Predict = Callable[[NDArray[np.float32]], Mapping[str, NDArray[Any]]]


class MatrixServant:
    """Serves ``predict`` over the first-party request and response formats.

    Args:
        feature_dim: How many features a row must have.
        envelope: The only member of a JSON answer, for example ``predictions``.
        predict: Rows of shape (n, feature_dim) to named arrays of shape (n,) or (n, m).
    """

    def __init__(self, feature_dim: int, envelope: str, predict: Predict) -> None:
        self.feature_dim = feature_dim
        self._envelope = envelope
        self._predict = predict

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer to ``POST /invocations``; a bad request is a 4xx with a message."""

        def work() -> Reply:
            rows = requests.parse(body, headers, self.feature_dim)
            content_type = responses.choose(headers.get("accept", ""))
            columns = self._predict(rows)
            _refuse_overflow(columns)
            return responses.render(content_type, self._envelope, columns)

        return responses.guarded(work)

    def execution_parameters(self, workers: int) -> Reply:
        """The answer to ``GET /execution-parameters``."""
        return responses.execution_parameters(workers)


def _refuse_overflow(columns: Mapping[str, NDArray[Any]]) -> None:
    # JSON has no word for infinity, so that an answer with one could not be read.
    for name, column in columns.items():
        wrong = np.flatnonzero(~np.isfinite(column.reshape(len(column), -1)).all(axis=1))
        if len(wrong):
            raise requests.BadRequest(
                400,
                f"unable to evaluate payload provided: row {wrong[0] + 1} has features so large that its {name} is not finite "
                "in float32.",
            )
