"""A LinearLearner endpoint: scores, and labels at the calibrated threshold."""

from __future__ import annotations

from pathlib import Path

from algorithms.builtin.linear import artefact
from algorithms.builtin.servant import MatrixServant


def load(model_dir: Path) -> MatrixServant:
    """Load ``model_algo-1``; answers are ``{"predictions": [{"score": .., "predicted_label": ..}]}`` or what is accepted instead.

    Raises:
        ClientError: The folder holds no LinearLearner model.
    """
    model = artefact.load(model_dir)
    return MatrixServant(model.feature_dim, "predictions", model.answers)
