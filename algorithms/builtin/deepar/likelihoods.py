"""The distributions a forecast can have: parameters from the network's output, log-density, samples.

All work in scaled units: a value divided by its series' scale. The density in the data's own units is the scaled one divided
by the scale, which `loss` accounts for (Salinas et al. 2017, arXiv:1704.04110, section 3.3).
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus

_TINY: Final = 1e-6


class Likelihood:
    """A distribution.

    Attributes:
        outputs: How many numbers the network gives for each point.
        scaled: Whether values are divided by the series' scale.
        random: Whether samples differ from each other.
    """

    outputs: ClassVar[int]
    scaled: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        """Negative log-likelihood of scaled targets, in the data's own units.

        Args:
            output: Of the network, shape (..., outputs).
            target: Scaled values, shape (...).
            scale: Broadcasts against ``target``.
        """
        raise NotImplementedError

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        """One scaled value for each point."""
        raise NotImplementedError


class Gaussian(Likelihood):
    """Normal distribution."""

    outputs = 2

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        sigma = softplus(output[..., 1]) + _TINY
        residual = (target - output[..., 0]) / sigma
        return 0.5 * residual * residual + sigma.log() + scale.log() + 0.5 * math.log(2 * math.pi)

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        noise = torch.randn(output.shape[:-1], generator=generator)
        return output[..., 0] + (softplus(output[..., 1]) + _TINY) * noise


class StudentT(Likelihood):
    """Student's t with at least two degrees of freedom."""

    outputs = 3

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        sigma = softplus(output[..., 1]) + _TINY
        freedom = 2 + softplus(output[..., 2])
        residual = (target - output[..., 0]) / sigma
        half = 0.5 * (freedom + 1)
        constant = torch.lgamma(half) - torch.lgamma(0.5 * freedom) - 0.5 * (freedom * math.pi).log()
        return half * torch.log1p(residual * residual / freedom) - constant + sigma.log() + scale.log()

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        freedom = 2 + softplus(output[..., 2])
        noise = torch.randn(freedom.shape, generator=generator)
        spread = torch._standard_gamma(0.5 * freedom, generator=generator) / (0.5 * freedom)
        sigma = softplus(output[..., 1]) + _TINY
        return output[..., 0] + sigma * noise * spread.clamp_min(1e-8).rsqrt()


class NegativeBinomial(Likelihood):
    """Counts: mean mu and shape alpha, variance mu + alpha mu²; alpha shrinks with the root of the scale."""

    outputs = 2

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        mu, alpha = self._parameters(output, scale)
        counts = (target * scale).round()
        inverse = 1 / alpha
        product = alpha * mu
        return (
            torch.lgamma(inverse)
            + torch.lgamma(counts + 1)
            - torch.lgamma(counts + inverse)
            + inverse * torch.log1p(product)
            - counts * (product.log() - torch.log1p(product))
        )

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        mu, alpha = self._parameters(output, scale)
        rate = torch._standard_gamma((1 / alpha).expand_as(mu).contiguous(), generator=generator) * alpha * mu
        return torch.poisson(rate.clamp(0, 1e9), generator=generator) / scale

    @staticmethod
    def _parameters(output: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        mu = (softplus(output[..., 0]) + _TINY) * scale
        return mu, (softplus(output[..., 1]) + 1e-4) / scale.sqrt()


class Beta(Likelihood):
    """Shares between 0 and 1; they are not scaled."""

    outputs = 2
    scaled = False

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        first, second = self._parameters(output)
        value = target.clamp(_TINY, 1 - _TINY)
        norm = torch.lgamma(first) + torch.lgamma(second) - torch.lgamma(first + second)
        return norm - (first - 1) * value.log() - (second - 1) * torch.log1p(-value)

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        first, second = self._parameters(output)
        one = torch._standard_gamma(first, generator=generator)
        two = torch._standard_gamma(second, generator=generator)
        return (one / (one + two).clamp_min(1e-30)).clamp(_TINY, 1 - _TINY)

    @staticmethod
    def _parameters(output: Tensor) -> tuple[Tensor, Tensor]:
        return softplus(output[..., 0]) + _TINY, softplus(output[..., 1]) + _TINY


class DeterministicL1(Likelihood):
    """A point forecast that minimises the absolute error relative to the series' scale."""

    outputs = 1
    random = False

    def loss(self, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        return (target - output[..., 0]).abs()

    def sample(self, output: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        return output[..., 0]


_LIKELIHOODS: Final[dict[str, type[Likelihood]]] = {
    "gaussian": Gaussian,
    "student-T": StudentT,
    "negative-binomial": NegativeBinomial,
    "beta": Beta,
    "deterministic-L1": DeterministicL1,
}


def likelihood(name: str) -> Likelihood:
    """The likelihood of a hyperparameter's value."""
    return _LIKELIHOODS[name]()
