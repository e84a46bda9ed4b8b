"""Time series, small DeepAR jobs and a small model for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from algorithms.builtin.deepar.artefact import Design, save
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.servant import DeepARServant, load
from algorithms.builtin.deepar.shape import Shape
from algorithms.builtin.deepar.windows import Normal, View

SMALL: Mapping[str, object] = {
    "time_freq": "D",
    "context_length": 7,
    "prediction_length": 5,
    "epochs": 2,
    "num_cells": 8,
    "num_layers": 2,
    "mini_batch_size": 32,
    "learning_rate": 0.01,
    "num_eval_samples": 20,
    "random_seed": 7,
}


def rows(count: int = 6, length: int = 60, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Weekly series of different levels; ``more`` is added to each."""
    random = np.random.default_rng(seed)
    steps = np.arange(length)
    found = []
    for number in range(count):
        values = (5 + 10 * number) * (1 + 0.4 * np.sin(2 * np.pi * steps / 7)) + random.normal(size=length)
        found.append({"start": "2021-01-04 00:00:00", "target": np.abs(values).round(3).tolist(), **more})
    return found


def lines(series: list[dict[str, Any]]) -> bytes:
    """Series as JSON Lines."""
    return "".join(f"{json.dumps(item)}\n" for item in series).encode()


def model(
    folder: Path,
    likelihood: str = "student-T",
    cardinality: tuple[int, ...] = (),
    features: int = 0,
    *,
    ignore: bool = False,
) -> DeepARServant:
    """An untrained model of two small layers, saved and loaded."""
    design = Design(
        View(Frequency.parse("D"), 7, 5, (1, 2, 3, 7, 14), likelihood != "beta"),
        Shape(cardinality, features, ignore_cat=ignore, ignore_features=ignore),
        Normal(10.0, {(0,): 100.0} if cardinality else {}, (0.0,) * features, (1.0,) * features),
        likelihood,
        8,
        2,
        0.1,
        4,
    )
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    save(folder, design, design.network())
    return load(folder)
