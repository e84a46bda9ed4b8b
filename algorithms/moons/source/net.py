"""The moons net: two coordinates in, one hidden layer, the logit of "upper or lower moon" out."""

from __future__ import annotations

import torch
from torch import nn


class MoonsNet(nn.Module):
    """A multilayer perceptron 2 → hidden → 1.

    ``forward`` takes points of shape (n, 2) and gives logits of shape (n,); `probability` gives their sigmoid. ``final_relu``
    puts a ReLU before the sigmoid, a common mistake: what is below 0 then gets probability 1/2 and no gradient.
    """

    def __init__(self, hidden: int = 20, dropout: float = 0.3, final_relu: bool = False) -> None:
        super().__init__()
        self.final_relu = final_relu
        self.hidden = nn.Linear(2, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, 1)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Logits of shape (n,) of points of shape (n, 2)."""
        logits: torch.Tensor = self.output(self.dropout(torch.relu(self.hidden(points)))).squeeze(1)
        return torch.relu(logits) if self.final_relu else logits

    @torch.no_grad()
    def dead_units(self, points: torch.Tensor) -> int:
        """Hidden units that are 0 for every one of the points: no gradient reaches them any more."""
        return int((self.hidden(points).amax(dim=0) <= 0).sum())

    @torch.no_grad()
    def probability(self, points: torch.Tensor) -> torch.Tensor:
        """The probability of label 1, shape (n,), without dropout."""
        self.eval()
        return torch.sigmoid(self(points))
