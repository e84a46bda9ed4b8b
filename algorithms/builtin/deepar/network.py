"""The network: embedded categories and inputs, LSTM layers, parameters of the forecast's distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from algorithms.builtin.deepar.lstm import Layer


class Network(nn.Module):
    """DeepAR's network (Salinas et al. 2017, arXiv:1704.04110).

    Args:
        inputs: Values at each point, see `windows.Batch`.
        cardinality: The number of values of each category.
        embedding: The length of a category's embedding.
        cells: LSTM units in each layer.
        layers: LSTM layers.
        zoneout: Probability that a unit keeps its state for a step.
        outputs: Parameters of the distribution.
    """

    def __init__(
        self,
        inputs: int,
        cardinality: Sequence[int],
        embedding: int,
        cells: int,
        layers: int,
        zoneout: float,
        outputs: int,
    ) -> None:
        super().__init__()
        self.zoneout = zoneout
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding) for size in cardinality)
        width = inputs + embedding * len(cardinality)
        self.layers = nn.ModuleList(Layer(width if k == 0 else cells, cells, zoneout) for k in range(layers))
        self.head = nn.Linear(cells, outputs)

    def windows(self, inputs: Tensor, cat: Tensor, random: np.random.Generator) -> Tensor:
        """Distribution parameters for whole windows, with gradients: (T, B, outputs).

        Args:
            inputs: (T, B, inputs).
            cat: (B, categories).
            random: Draws what zoneout keeps.
        """
        steps, rows, _ = inputs.shape
        state = self.widen(inputs, cat).transpose(1, 2)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            state = layer.window(state, self._kept(steps, rows, layer.cells, random))
        return self.parameters_of(state)

    def parameters_of(self, state: Tensor) -> Tensor:
        """Distribution parameters (…, B, outputs) for the last layer's state (…, cells, B)."""
        found: Tensor = self.head(state.transpose(-1, -2))
        return found

    def widen(self, inputs: Tensor, cat: Tensor) -> Tensor:
        """Inputs with embedded categories behind them."""
        if not len(self.embeddings):
            return inputs
        embedded = torch.cat([table(cat[:, k]) for k, table in enumerate(self.embeddings)], dim=-1)
        return torch.cat([inputs, embedded.expand(*inputs.shape[:-1], -1)], dim=-1)

    def _kept(self, steps: int, rows: int, cells: int, random: np.random.Generator) -> Tensor | None:
        if not self.zoneout:
            return None
        drawn = random.integers(0, 1 << 16, (2, steps, cells, rows), dtype=np.uint16)
        return torch.from_numpy((drawn < round(self.zoneout * (1 << 16))).astype(np.float32))
