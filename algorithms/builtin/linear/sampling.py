"""Which rows a threshold is calibrated on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.linear.hyperparameters import Settings
from algorithms.builtin.linear.table import Table

TRAINING_SAMPLE = 100_000
"""Training rows to calibrate on where there is no validation data."""


def samples(settings: Settings, table: Table) -> int:
    """How many rows of a channel are used to calibrate on: of training data, which stands in for validation data, a sample."""
    limit = settings.num_calibration_samples
    return min(table.rows, min(limit, TRAINING_SAMPLE) if table.channel.name == "train" else limit)


class Picker:
    """Picks ``wanted`` of ``total`` rows, evenly spread over them."""

    def __init__(self, total: int, wanted: int) -> None:
        self.total, self.wanted = total, min(wanted, total)
        self._position = 0

    def next(self, count: int) -> NDArray[np.bool_]:
        """Which of the next rows are picked."""
        places = np.arange(self._position, self._position + count + 1, dtype=np.int64)
        self._position += count
        marks = places * self.wanted // self.total
        picked: NDArray[np.bool_] = marks[1:] != marks[:-1]
        return picked
