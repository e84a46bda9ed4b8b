"""DeepAR's network: the LSTM's gradients, its equality with PyTorch's, zoneout, the likelihoods."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.stats
import torch
from torch.distributions import Beta, NegativeBinomial, Normal, StudentT
from torch.nn.functional import softplus

from algorithms.builtin.deepar.likelihoods import likelihood
from algorithms.builtin.deepar.lstm import Layer
from algorithms.builtin.deepar.network import Network
from algorithms.builtin.deepar.optimizer import Adam


@pytest.fixture
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def layer(inputs: int, cells: int, zoneout: float) -> Layer:
    torch.manual_seed(0)
    return Layer(inputs, cells, zoneout)


@pytest.mark.usefixtures("doubles")
def test_without_zoneout_a_layer_is_pytorchs_lstm() -> None:
    mine, other = layer(5, 4, 0.0), torch.nn.LSTM(5, 4)

    def gates(
        values: torch.Tensor,
    ) -> torch.Tensor:  # candidate, input, forget, output -> input, forget, candidate, output
        parts = values.chunk(4)
        return torch.cat([parts[1], parts[2], parts[0], parts[3]])

    with torch.no_grad():
        other.weight_ih_l0.copy_(gates(mine.outer))
        other.weight_hh_l0.copy_(gates(mine.inner))
        other.bias_ih_l0.copy_(gates(mine.bias))
        other.bias_hh_l0.zero_()
    inputs = torch.randn(9, 3, 5)
    wanted, _ = other(inputs)
    found = mine.window(inputs.transpose(1, 2), None).transpose(1, 2)
    torch.testing.assert_close(found, wanted)
    with torch.no_grad():
        hidden = cell = torch.zeros(4, 3)
        for step in range(9):
            hidden, cell = mine.step(mine.project(inputs[step].t()), hidden, cell)
    torch.testing.assert_close(hidden.t(), wanted[-1])


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize("zoneout", [False, True])
def test_the_written_out_gradient_is_the_gradient(zoneout: bool) -> None:
    cell = layer(3, 2, 0.3)
    keep = (torch.rand(2, 6, 2, 4) < 0.4).double() if zoneout else None
    inputs = torch.randn(6, 3, 4, requires_grad=True)

    def work(
        values: torch.Tensor, outer: torch.Tensor, inner: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        twin = layer(3, 2, 0.3)
        for name, value in (("outer", outer), ("inner", inner), ("bias", bias)):
            delattr(twin, name)
            setattr(twin, name, value)
        return twin.window(values, keep)

    assert torch.autograd.gradcheck(work, (inputs, cell.outer, cell.inner, cell.bias))


@pytest.mark.usefixtures("doubles")
def test_kept_units_keep_their_state() -> None:
    cell = layer(3, 2, 0.5)
    inputs = torch.randn(5, 3, 1)
    keep = torch.zeros(2, 5, 2, 1)
    keep[:, 3:] = 1
    found = cell.window(inputs, keep)
    torch.testing.assert_close(found[3], found[2])
    torch.testing.assert_close(found[4], found[2])
    assert not torch.allclose(found[2], found[1])


def test_zoneout_keeps_the_share_it_says() -> None:
    network = Network(3, [], 4, 64, 1, 0.1, 2)
    kept = network._kept(50, 40, 64, np.random.default_rng(0))
    assert kept is not None
    assert kept.mean().item() == pytest.approx(0.1, abs=0.002)
    assert Network(3, [], 4, 8, 1, 0.0, 2)._kept(5, 4, 8, np.random.default_rng(0)) is None


def test_adam_is_pytorchs_adam() -> None:
    torch.manual_seed(1)
    mine = [torch.randn(3, 4), torch.randn(5)]
    other = [value.clone().requires_grad_() for value in mine]
    optimizer, reference = Adam(mine, 0.01, 1.0), torch.optim.Adam(other, lr=0.01)
    for _ in range(20):
        gradients = [torch.randn_like(value) * 2 for value in mine]
        for value, gradient in zip(other, gradients, strict=True):
            value.grad = gradient.clone()
        torch.nn.utils.clip_grad_norm_(other, 1.0)
        reference.step()
        optimizer.step(gradients)
    for value, wanted in zip(mine, other, strict=True):
        torch.testing.assert_close(value, wanted.detach(), atol=1e-5, rtol=1e-4)


SCALE = torch.tensor([0.5, 3.0, 40.0])


def test_gaussian_and_student_t_are_pytorchs_in_the_datas_own_units() -> None:
    output, target = torch.randn(7, 3, 3), torch.randn(7, 3)
    sigma = softplus(output[..., 1]) * SCALE
    wanted = -Normal(output[..., 0] * SCALE, sigma).log_prob(target * SCALE)
    torch.testing.assert_close(
        likelihood("gaussian").loss(output[..., :2], target, SCALE), wanted, atol=1e-4, rtol=1e-4
    )
    freedom = 2 + softplus(output[..., 2])
    wanted = -StudentT(freedom, output[..., 0] * SCALE, sigma).log_prob(target * SCALE)
    torch.testing.assert_close(
        likelihood("student-T").loss(output, target, SCALE), wanted, atol=1e-4, rtol=1e-4
    )
    found = likelihood("student-T").loss(output, target, SCALE)
    other = -scipy.stats.t.logpdf(
        (target * SCALE).numpy(), freedom.numpy(), (output[..., 0] * SCALE).numpy(), sigma.numpy()
    )
    np.testing.assert_allclose(found.numpy(), other, rtol=1e-3, atol=1e-3)


def test_negative_binomial_is_pytorchs() -> None:
    output = torch.randn(7, 3, 2)
    counts = torch.randint(0, 60, (7, 3)).float()
    mu = softplus(output[..., 0]) * SCALE
    alpha = (softplus(output[..., 1]) + 1e-4) / SCALE.sqrt()
    wanted = -NegativeBinomial(1 / alpha, logits=(alpha * mu).log()).log_prob(counts)
    found = likelihood("negative-binomial").loss(output, counts / SCALE, SCALE)
    torch.testing.assert_close(found, wanted, atol=2e-3, rtol=1e-3)


def test_beta_is_pytorchs() -> None:
    output, target = torch.randn(7, 3, 2), torch.rand(7, 3) * 0.98 + 0.01
    wanted = -Beta(softplus(output[..., 0]), softplus(output[..., 1])).log_prob(target)
    torch.testing.assert_close(
        likelihood("beta").loss(output, target, torch.ones(3)), wanted, atol=1e-3, rtol=1e-3
    )


def test_the_deterministic_one_is_the_absolute_error() -> None:
    output, target = torch.randn(7, 3, 1), torch.randn(7, 3)
    found = likelihood("deterministic-L1").loss(output, target, SCALE)
    torch.testing.assert_close(found, (output[..., 0] - target).abs())
    sample = likelihood("deterministic-L1").sample(output, SCALE, torch.Generator())
    torch.testing.assert_close(sample, output[..., 0])


@pytest.mark.parametrize("name", ["gaussian", "student-T", "negative-binomial", "beta"])
def test_samples_have_the_distributions_quantiles(name: str) -> None:
    density = likelihood(name)
    output = torch.tensor([0.4, 0.3, 1.5])[: density.outputs].expand(200_000, density.outputs)
    scale = torch.tensor(20.0 if density.scaled else 1.0)
    drawn = (density.sample(output, scale, torch.Generator().manual_seed(3)) * scale).numpy()
    first, second = (float(value) for value in softplus(output[0, :2]))
    theory = {
        "gaussian": lambda q: scipy.stats.norm.ppf(q, 0.4 * 20, second * 20),
        "student-T": lambda q: scipy.stats.t.ppf(
            q, 2 + float(softplus(torch.tensor(1.5))), 0.4 * 20, second * 20
        ),
        "negative-binomial": lambda q: scipy.stats.nbinom.ppf(q, n := 20**0.5 / second, n / (n + first * 20)),
        "beta": lambda q: scipy.stats.beta.ppf(q, first, second),
    }[name]
    levels = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(
        np.quantile(drawn, levels), theory(levels), rtol=0.04, atol=0.15 if density.scaled else 0.01
    )


def test_the_same_generator_draws_the_same() -> None:
    for name in ("gaussian", "student-T", "negative-binomial", "beta"):
        density = likelihood(name)
        output = torch.randn(50, density.outputs)
        once, again = (
            density.sample(output, torch.tensor(3.0), torch.Generator().manual_seed(5)) for _ in range(2)
        )
        assert torch.equal(once, again)
