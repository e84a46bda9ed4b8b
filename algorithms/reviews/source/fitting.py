"""Fits the review net, tells of it line by line, and keeps the weights of the best validation loss."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, field

import torch
from dictionary import INFREQUENT, NO_WORD, WordDictionary
from net import ReviewNet
from reading import DataError
from torch import nn

POOL = 8
"""Batches that are drawn together and parted by length: a batch of like lengths has little to fill up."""
CLIP = 1.0
"""Largest norm of a gradient (Pascanu et al., 2013): a recurrent net's now and then explodes."""


@dataclass(frozen=True)
class Reviews:
    """Encoded reviews: word numbers (n, length), how many of each row stand for words (n,), labels (n,)."""

    numbers: torch.Tensor
    counts: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, texts: list[str], labels: list[int], words: WordDictionary, length: int) -> Reviews:
        """Reviews by a dictionary."""
        rows = [words.encode(text, length) for text in texts]
        return cls(
            torch.tensor([numbers for numbers, _ in rows]),
            torch.tensor([count for _, count in rows]),
            torch.tensor(labels, dtype=torch.float32),
        )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass
class Fit:
    """A fitted net: the epoch whose weights it has, and a row of metrics per epoch."""

    net: ReviewNet
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def fit(net: ReviewNet, train: Reviews, held: Reviews | None, options: argparse.Namespace) -> Fit:
    """Adam on the binary cross-entropy; ends early when the validation loss gets no better, and keeps the best epoch's weights.

    Raises:
        DataError: The loss is no number any more.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=options.learning_rate)
    generator = torch.Generator().manual_seed(options.seed)
    made = Fit(net)
    best, kept = math.inf, None
    for epoch in range(1, options.epochs + 1):
        began = time.monotonic()
        row = {"train:loss": _epoch(net, train, options, optimizer, generator)}
        if not math.isfinite(row["train:loss"]):
            raise DataError(
                f"the loss is {row['train:loss']} in epoch {epoch}; lower the learning rate ({options.learning_rate:g})"
            )
        if held is not None:
            row |= _held_out(net, held)
        made.history.append(row)
        told = " ".join(f"{name}={value:.6f};" for name, value in row.items())
        print(f"epoch={epoch} {told} seconds={time.monotonic() - began:.2f};", flush=True)
        watched = row.get("validation:loss", -epoch)  # nothing held out: the last epoch's
        if watched < best:
            best, made.epoch = watched, epoch
            kept = {name: value.clone() for name, value in net.state_dict().items()}
        if held is not None and options.patience and epoch - made.epoch >= options.patience:
            print(f"early stop: no better validation loss since epoch {made.epoch}", flush=True)
            break
    if kept is not None:
        net.load_state_dict(kept)
    return made


def _epoch(
    net: ReviewNet,
    train: Reviews,
    options: argparse.Namespace,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> float:
    """One pass over all reviews; the mean loss of their batches as they were seen."""
    net.train()
    criterion = nn.BCEWithLogitsLoss()
    total = 0.0
    for rows in _batches(train.counts, options.batch_size, generator):
        numbers = train.numbers[rows]
        if options.word_dropout:
            dropped = torch.rand(numbers.shape, generator=generator) < options.word_dropout
            numbers = torch.where(dropped & (numbers != NO_WORD), INFREQUENT, numbers)
        optimizer.zero_grad()
        loss = criterion(net(numbers, train.counts[rows]), train.labels[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(train)


def _batches(counts: torch.Tensor, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Row numbers of an epoch's batches, in random order; rows of like length are together."""
    found: list[torch.Tensor] = []
    for pool in torch.randperm(len(counts), generator=generator).split(POOL * size):
        found += pool[torch.argsort(counts[pool], stable=True)].split(size)
    return [found[at] for at in torch.randperm(len(found), generator=generator).tolist()]


def _held_out(net: ReviewNet, held: Reviews) -> dict[str, float]:
    logits = net.logits(held.numbers, held.counts)
    right = (logits > 0) == (held.labels > 0.5)
    return {
        "validation:loss": nn.functional.binary_cross_entropy_with_logits(logits, held.labels).item(),
        "validation:accuracy": right.float().mean().item(),
    }
