"""DeepAR's forecasts: what the network says of its own path, drawn in parts, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from algorithms.builtin.deepar import calendar, forecasting
from algorithms.builtin.deepar.forecasting import Forecaster
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.likelihoods import likelihood
from algorithms.builtin.deepar.network import Network
from algorithms.builtin.deepar.series import Series
from algorithms.builtin.deepar.windows import Normal, Panel, View
from tests.algorithms.deepar import model

DAILY = Frequency.parse("D")


def forecaster(name: str, cardinality: tuple[int, ...] = (), zoneout: float = 0.0) -> Forecaster:
    torch.manual_seed(3)
    view = View(DAILY, 6, 9, (1, 2, 3, 7, 12), True)
    density = likelihood(name)
    inputs = len(view.lags) + calendar.count(DAILY) + 2 + 1
    network = Network(inputs, cardinality, 3, 10, 3, zoneout, density.outputs).requires_grad_(False)
    return Forecaster(network, density, view, Normal(4.0, {}, (0.5,), (2.0,)))


def series(length: int, seed: int, cat: tuple[int, ...] | None = None) -> Series:
    random = np.random.default_rng(seed)
    target = random.uniform(1, 9, length).astype(np.float32)
    if length > 4:
        target[length // 2] = np.nan
    return Series(DAILY.step * 18_000, target, cat, random.normal(size=(1, length + 9)).astype(np.float32))


@pytest.mark.parametrize("length", [0, 1, 5, 6, 30])
def test_a_forecast_is_what_the_network_says_of_its_own_path(length: int) -> None:
    found = forecaster("deterministic-L1", (4,))
    past = series(length, length, (2,))
    (paths,) = found.paths([past], 1, 0)
    # The same window once more, with the forecast as if it had been observed: nothing is sampled here.
    whole = Series(past.origin, np.concatenate([past.target, paths[0]]), past.cat, past.dynamic)
    batch = Panel([whole]).cut(np.array([0]), np.array([length]), found.view, found.normal)
    said = found.network.windows(
        torch.from_numpy(batch.inputs), torch.from_numpy(batch.cat), np.random.default_rng(0)
    )
    expected = said[found.view.context :, 0, 0].numpy() * batch.scale[0]
    np.testing.assert_allclose(paths[0], expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["student-T", "gaussian"])
def test_paths_of_a_series_do_not_depend_on_its_neighbours(name: str) -> None:
    found = forecaster(name, zoneout=0.1)
    many = [series(length, length) for length in (0, 3, 20, 41)]
    together = [paths.mean(axis=0) for paths in found.paths(many, 4000, 1)]
    for item, mean in zip(many, together, strict=True):
        (alone,) = found.paths([item], 4000, 2)
        spread = alone.std(axis=0)
        assert (np.abs(alone.mean(axis=0) - mean) < 0.2 * spread).all()


def test_the_same_seed_draws_the_same_paths() -> None:
    found = forecaster("student-T")
    many = [series(length, length) for length in (8, 20)]
    once, again, other = (list(found.paths(many, 30, seed)) for seed in (1, 1, 2))
    for one, two, three in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


def test_what_does_not_fit_at_once_is_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "_PATHS", 16)
    found = forecaster("student-T")
    many = [series(length, length) for length in (8, 20, 3, 0, 11)]
    assert [paths.shape for paths in found.paths(many, 5, 1)] == [(5, 9)] * 5
    assert [paths.shape for paths in found.paths(many[:2], 40, 1)] == [(40, 9)] * 2


def test_a_saved_model_forecasts_what_it_forecast_before(tmp_path: Path) -> None:
    first, second = (model(tmp_path / name, "gaussian", (3,), 1) for name in "ab")
    body = b'{"instances": [{"start": "2021-01-04", "target": [1, 2, 3], "cat": [2], "dynamic_feat": [[1, 2, 3, 4, 5, 6, 7, 8]]}]}'
    assert first.answer(body, {}).status == 200
    assert first.answer(body, {}).body == second.answer(body, {}).body
