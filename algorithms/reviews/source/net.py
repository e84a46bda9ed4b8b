"""The review net: word numbers in, an LSTM over them, the logit of "positive" out."""

from __future__ import annotations

import torch
from torch import nn

POOLINGS = ("mean", "last")


class ReviewNet(nn.Module):
    """Embedding → LSTM → one vector a review → logit.

    ``forward`` takes word numbers (n, length), filled up with 0 at their ends, and how many of each row stand for words (n,); it gives
    logits (n,). ``pooling`` says what the LSTM's states (n, length, hidden) become: ``last`` is the state after the last word, as in
    the reference's LSTMClassifier, ``mean`` the mean over the words, which a gradient reaches without going through hundreds of steps.
    """

    def __init__(
        self, size: int, embedding: int, hidden: int, dropout: float = 0.0, pooling: str = "mean"
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r} is none of {', '.join(POOLINGS)}")
        self.pooling = pooling
        self.embedding = nn.Embedding(size, embedding, padding_idx=0)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, 1)

    def forward(self, numbers: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n,); what is behind the longest row's last word is not looked at."""
        numbers = numbers[:, : int(counts.max())]
        states, _ = self.lstm(self.dropout(self.embedding(numbers)))
        if self.pooling == "last":
            pooled = states[torch.arange(len(counts)), counts - 1]
        else:
            words = torch.arange(numbers.shape[1])[None, :] < counts[:, None]
            pooled = (states * words.unsqueeze(2)).sum(dim=1) / counts[:, None]
        logits: torch.Tensor = self.output(self.dropout(pooled)).squeeze(1)
        return logits

    @torch.no_grad()
    def logits(self, numbers: torch.Tensor, counts: torch.Tensor, batch: int = 128) -> torch.Tensor:
        """Logits (n,) without dropout, ``batch`` rows at a time and those of like length together; in the order of the rows."""
        self.eval()
        order = torch.argsort(counts, stable=True)
        found = torch.empty(len(counts), dtype=self.output.weight.dtype)
        for rows in order.split(batch):
            found[rows] = self(numbers[rows], counts[rows])
        return found

    def probability(self, numbers: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The probability that each review is positive (n,)."""
        return torch.sigmoid(self.logits(numbers, counts))
