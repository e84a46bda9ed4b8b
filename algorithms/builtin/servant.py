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
            return responses.render(content_type, self._envelope, self._predict(rows))

        return responses.guarded(work)

    def execution_parameters(self, workers: int) -> Reply:
        """The answer to ``GET /execution-parameters``."""
        return responses.execution_parameters(workers)
