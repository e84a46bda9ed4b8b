"""Adam (Kingma and Ba 2015, arXiv:1412.6980) with gradients clipped by their norm.

PyTorch's own optimizers import its compiler, which takes longer than training a small model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor

_BETAS: Final = (0.9, 0.999)
_TINY: Final = 1e-8


class Adam:
    """Changes parameters by their gradients.

    Args:
        clip: Gradients are shortened to this norm, all parameters together.
    """

    def __init__(self, parameters: Iterable[Tensor], rate: float, clip: float) -> None:
        self._parameters = list(parameters)
        self._rate = rate
        self._clip = clip
        self._means = [torch.zeros_like(value) for value in self._parameters]
        self._squares = [torch.zeros_like(value) for value in self._parameters]
        self._steps = 0

    def step(self, gradients: list[Tensor]) -> None:
        """One step against the gradients, which are overwritten; to be called where gradients are off."""
        norm = float(torch.stack(torch._foreach_norm(gradients)).norm())
        if norm > self._clip:
            torch._foreach_mul_(gradients, self._clip / norm)
        self._steps += 1
        first, second = _BETAS
        torch._foreach_lerp_(self._means, gradients, 1 - first)
        torch._foreach_mul_(self._squares, second)
        torch._foreach_addcmul_(self._squares, gradients, gradients, 1 - second)
        spread = torch._foreach_sqrt(self._squares)
        torch._foreach_div_(spread, (1 - second**self._steps) ** 0.5)
        torch._foreach_add_(spread, _TINY)
        torch._foreach_addcdiv_(self._parameters, self._means, spread, -self._rate / (1 - first**self._steps))

    @property
    def parameters(self) -> list[Tensor]:
        """What is optimized, in the order of the gradients."""
        return self._parameters
