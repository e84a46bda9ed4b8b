"""Forecasts: many sample paths of a series' future, drawn point after point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.builtin.deepar.likelihoods import Likelihood
from algorithms.builtin.deepar.lstm import Layer
from algorithms.builtin.deepar.network import Network
from algorithms.builtin.deepar.series import Series
from algorithms.builtin.deepar.windows import Normal, Panel, View

_PATHS: Final = 4096
"""Sample paths that are drawn at a time: what a forecast needs of memory does not grow with the request."""

_FARTHEST: Final = 1e4
"""Samples are kept within this many scales, so that one far outlier of a heavy tail cannot carry a path to infinity."""


@dataclass(frozen=True, slots=True)
class Forecaster:
    """A trained network and what belongs to it; may be used from several threads at once."""

    network: Network
    likelihood: Likelihood
    view: View
    normal: Normal

    def paths(self, series: Sequence[Series], samples: int, seed: int) -> Iterator[NDArray[np.float32]]:
        """For each series its sample paths, shape (samples, horizon), in order; the same for the same seed.

        The horizon begins after a series' last value. Dynamic features reach over it.
        """
        generator = torch.Generator().manual_seed(seed)
        different = samples if self.likelihood.random else 1
        together = max(1, _PATHS // different)
        for begin in range(0, len(series), together):
            part = series[begin : begin + together]
            with torch.no_grad():
                drawn = [
                    self._draw(part, min(_PATHS, different - done), generator)
                    for done in range(0, different, _PATHS)
                ]
            paths = np.concatenate(drawn, axis=1) if len(drawn) > 1 else drawn[0]
            yield from paths if different == samples else paths.repeat(samples, axis=1)

    def _draw(
        self, series: Sequence[Series], samples: int, generator: torch.Generator
    ) -> NDArray[np.float32]:
        """Sample paths (series, samples, horizon)."""
        view, network = self.view, self.network
        panel = Panel(series)
        batch = panel.cut(np.arange(len(panel)), panel.lengths, view, self.normal)
        inputs = network.widen(torch.from_numpy(batch.inputs), torch.from_numpy(batch.cat)).transpose(1, 2)
        first, *upper = [layer for layer in network.layers if isinstance(layer, Layer)]
        states = self._encode(inputs[: view.context], first, upper)
        states = [(h.repeat_interleave(samples, 1), c.repeat_interleave(samples, 1)) for h, c in states]
        scale = torch.from_numpy(batch.scale).repeat_interleave(samples)

        lags = torch.tensor(view.lags)
        count = len(view.lags)
        # What lags see inside the horizon is sampled; the rest is the series' own and the same for all its paths.
        ahead = inputs[view.context :].clone()
        steps = torch.arange(view.horizon)
        sampled = lags[None, :] <= steps[:, None]
        ahead[:, :count] *= ~sampled[:, :, None]
        known = first.project(ahead)
        weights = first.outer[:, :count]
        path = torch.empty(view.horizon, len(scale))
        for step in range(view.horizon):
            gates = known[step].repeat_interleave(samples, 1)
            inside = int(sampled[step].sum())
            if inside:
                gates.addmm_(weights[:, :inside], path.index_select(0, step - lags[:inside]))
            hidden, cell = first.step(gates, *states[0])
            states[0] = (hidden, cell)
            for k, layer in enumerate(upper, 1):
                states[k] = layer.step(layer.project(hidden), *states[k])
                hidden = states[k][0]
            value = self.likelihood.sample(network.parameters_of(hidden), scale, generator)
            path[step] = value.nan_to_num(0.0).clamp_(-_FARTHEST, _FARTHEST)
        found: NDArray[np.float32] = (
            (path * scale).nan_to_num_().t().reshape(len(panel), samples, view.horizon).numpy()
        )
        return found

    @staticmethod
    def _encode(inputs: Tensor, first: Layer, upper: Sequence[Layer]) -> list[tuple[Tensor, Tensor]]:
        states: list[tuple[Tensor, Tensor]] = []
        for layer in (first, *upper):
            projected = layer.project(inputs)
            hidden = cell = inputs.new_zeros(layer.cells, inputs.shape[2])
            outputs = []
            for step in projected.unbind(0):
                hidden, cell = layer.step(step, hidden, cell)
                outputs.append(hidden)
            states.append((hidden, cell))
            inputs = torch.stack(outputs)
        return states
