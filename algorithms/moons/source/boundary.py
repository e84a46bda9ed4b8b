"""The decision boundary as one short log line, so that whoever reads the log can draw it while the net is being trained."""

from __future__ import annotations

import string

import numpy as np
import torch
from net import MoonsNet

COLUMNS, ROWS = 41, 27
MARGIN = 0.25
LEVELS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
"""A character per probability, 64 levels: A is 0, / is 1."""


class Boundary:
    """A grid over the points' range, asked whenever a line is wanted."""

    def __init__(self, points: np.ndarray) -> None:
        low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
        self._axes = [
            f"{name}={low[axis]:.4f}:{high[axis]:.4f}:{count}"
            for axis, (name, count) in enumerate((("x", COLUMNS), ("y", ROWS)))
        ]
        xs, ys = np.linspace(low[0], high[0], COLUMNS), np.linspace(low[1], high[1], ROWS)
        grid = np.array([(x, y) for y in ys for x in xs], dtype=np.float32)
        self._grid = torch.from_numpy(grid)

    def line(self, net: MoonsNet, epoch: int) -> str:
        """The line: ranges and sizes of both axes, then the rows of the grid from the lowest y on."""
        levels = (net.probability(self._grid) * (len(LEVELS) - 1)).round().int().tolist()
        return f"boundary epoch={epoch} {' '.join(self._axes)} z={''.join(LEVELS[level] for level in levels)}"
