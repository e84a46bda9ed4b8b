"""Fits one net, tells of it line by line, and gives a dead one up."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from boundary import Boundary
from net import MoonsNet
from points import DataError
from torch import nn

LN_2 = math.log(2)
FLAT = 0.02
"""A loss that is not further than this below ln 2 has told the classes apart nowhere."""
STILL = 1e-5
"""Loss of epochs that differ by less does not move: a net that merely learns slowly moves more."""


@dataclass(frozen=True)
class Data:
    """Points (n, 2) and labels (n,), those that train and those that are held out."""

    x: torch.Tensor
    y: torch.Tensor
    held_x: torch.Tensor
    held_y: torch.Tensor

    @classmethod
    def of(cls, points: np.ndarray, labels: np.ndarray, training: np.ndarray, validation: np.ndarray) -> Data:
        """The rows of two lists of row numbers."""
        return cls(
            *(torch.from_numpy(part[rows]) for rows in (training, validation) for part in (points, labels))
        )


@dataclass
class Told:
    """How an epoch is told: a line of metrics, and every so many epochs the boundary."""

    boundary: Boundary
    every: int

    def epoch(self, net: MoonsNet, row: dict[str, float]) -> None:
        """Prints what an epoch gave."""
        number = int(row["epoch"])
        parts = [f"epoch={number}"]
        parts += [f"{name}={_number(name, value)}" for name, value in row.items() if name != "epoch"]
        print(" ".join(parts), flush=True)
        if self.every and (number == 1 or number % self.every == 0):
            print(self.boundary.line(net, number), flush=True)


@dataclass
class Fit:
    """A fitted net: its seed, the epoch whose weights it has, a row of metrics per epoch, and why it was given up (empty: it was not)."""

    net: MoonsNet
    seed: int
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    dead: str = ""

    @property
    def line(self) -> str:
        """What the seed gave at its best epoch, in a line."""
        best = self.history[self.epoch - 1]
        found = {"loss": best.get("validation:loss", best["train:loss"])}
        if "validation:accuracy" in best:
            found["accuracy"] = best["validation:accuracy"]
        numbers = " ".join(f"{name}={value:.6f}" for name, value in found.items())
        dead = f"dead_units={best['train:dead_units']:.0f}"
        return f"seed={self.seed} epochs={len(self.history)} best={self.epoch} {numbers} {dead}"


def fit(net: MoonsNet, data: Data, options: argparse.Namespace, seed: int, told: Told | None) -> Fit:
    """Adam on the binary cross-entropy. The weights end as those of the best validation loss when there is validation.

    Raises:
        DataError: The loss is no number any more.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=options.learning_rate)
    criterion = nn.BCEWithLogitsLoss()
    made = Fit(net, seed)
    best_loss, best_state = math.inf, None
    for epoch in range(1, options.epochs + 1):
        row = {"epoch": float(epoch)} | _epoch(net, data, options, optimizer, criterion)
        if not math.isfinite(row["train:loss"]):
            raise DataError(
                f"the loss is {row['train:loss']} in epoch {epoch}; lower the learning rate ({options.learning_rate:g})"
            )
        if "validation:loss" in row and row["validation:loss"] < best_loss - 1e-6:
            best_loss, made.epoch = row["validation:loss"], epoch
            best_state = {name: value.clone() for name, value in net.state_dict().items()}
        made.history.append(row)
        if told:
            told.epoch(net, row)
        made.dead = _dead(made.history, options)
        if made.dead:
            print(f"dead: {made.dead}", flush=True)
            break
        if options.patience and len(data.held_x) and epoch - made.epoch >= options.patience:
            if told:
                print(f"early stop: no better validation loss since epoch {made.epoch}", flush=True)
            break
    if best_state is None:
        made.epoch = len(made.history)
    else:
        net.load_state_dict(best_state)
    return made


def _epoch(
    net: MoonsNet, data: Data, options: argparse.Namespace, optimizer: torch.optim.Optimizer, criterion: Any
) -> dict[str, float]:
    net.train()
    count = len(data.x)
    order = torch.randperm(count) if options.shuffle else torch.arange(count)
    total = 0.0
    for start in range(0, count, options.batch_size):
        rows = order[start : start + options.batch_size]
        optimizer.zero_grad()
        loss = criterion(net(data.x[rows]), data.y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    found = {"train:loss": total / count, "train:dead_units": float(net.dead_units(data.x))}
    if len(data.held_x):
        with torch.no_grad():
            net.eval()
            logits = net(data.held_x)
            found["validation:loss"] = criterion(logits, data.held_y).item()
            found["validation:accuracy"] = ((logits > 0) == (data.held_y > 0.5)).float().mean().item()
    return found


def _dead(history: list[dict[str, float]], options: argparse.Namespace) -> str:
    """Why training is of no use any more, or nothing."""
    last = history[-1]
    if not options.dead_after or last["train:loss"] < LN_2 - FLAT:
        return ""
    if last["train:dead_units"] == options.hidden:
        return f"all {options.hidden} hidden units are 0 for every training point since epoch {len(history)}: no gradient reaches them"
    losses = [row["train:loss"] for row in history[-options.dead_after :]]
    if len(losses) < options.dead_after or max(losses) - min(losses) > STILL:
        return ""
    cause = (
        "the ReLU before the sigmoid passes 0 for every point"
        if options.final_activation == "relu"
        else "no gradient gets through"
    )
    return f"the loss stays at {losses[-1]:.6f} (ln 2 = {LN_2:.6f}) for {len(losses)} epochs: {cause}"


def _number(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith("units") else f"{value:.6f}"
