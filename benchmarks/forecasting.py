"""DeepAR beside gluonts' in a virtual environment of its own: seconds for the same number of updates, and the score of the forecasts."""

from __future__ import annotations

import json
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.algorithms import Run, run
from benchmarks.report import Row
from benchmarks.venvs import environment

GLUONTS = ("gluonts==0.17.*", "scipy", "torch>=2.13,<2.14", "lightning", "pytorch-lightning")
PROGRAM = Path(__file__).parent / "programs" / "gluonts_peer.py"
SEEDS = 3
UPDATES, BATCH, EPOCHS = 300, 32, 30
SETS: dict[str, dict[str, Any]] = {
    "hourly, 50 series of 35 days": {
        "freq": "h",
        "time_freq": "H",
        "prediction_length": 24,
        "context_length": 48,
    },
    "daily, 80 series of 758 days": {
        "freq": "D",
        "time_freq": "D",
        "prediction_length": 28,
        "context_length": 56,
    },
}


def python() -> Path:
    """The interpreter of an environment with gluonts, installed once into the cache folder."""
    return environment("gluonts-0.17", *GLUONTS) / "bin" / "python"


def series(name: str, settings: dict[str, Any], folder: Path) -> None:
    """Synthetic series with a level, a cycle and noise of their own, and their continuation in ``test``."""
    import numpy as np

    random = np.random.default_rng(7)
    hourly = settings["time_freq"] == "H"
    count, length = (50, 35 * 24) if hourly else (80, 758)
    ahead = settings["prediction_length"]
    steps = np.arange(length + ahead)
    (folder / "train").mkdir(parents=True)
    (folder / "test").mkdir()
    train, test = [], []
    for _ in range(count):
        level, size = random.uniform(10, 60), random.uniform(0.2, 0.5)
        day = np.sin(2 * np.pi * (steps / (24 if hourly else 7) + random.uniform()))
        year = np.sin(2 * np.pi * (steps / (168 if hourly else 365) + random.uniform()))
        values = level * (1 + size * day + 0.2 * year + 0.1 * random.normal(size=len(steps)))
        row = {"start": "2021-01-04 00:00:00", "target": np.maximum(values, 0).round(4).tolist()}
        test.append(json.dumps(row))
        train.append(json.dumps(row | {"target": row["target"][:-ahead]}))  # type: ignore[index]
    (folder / "train" / "train.json").write_text("\n".join(train))
    (folder / "test" / "test.json").write_text("\n".join(test))


def ours(settings: dict[str, Any], data: Path, seed: int) -> tuple[Run, float]:
    """The container's command, which also forecasts the test channel; the run and its mean weighted quantile loss."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for part in ("input/config", "model", "output/data"):
            (base / part).mkdir(parents=True)
        (base / "input/data").symlink_to(data)
        hyperparameters = {
            "time_freq": settings["time_freq"],
            "prediction_length": str(settings["prediction_length"]),
            "context_length": str(settings["context_length"]),
            "epochs": str(EPOCHS),
            "mini_batch_size": str(BATCH),
            "num_cells": "40",
            "num_layers": "2",
            "learning_rate": "1e-3",
            "random_seed": str(seed),
        }
        (base / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
        inputs = {name: {"TrainingInputMode": "File"} for name in ("train", "test")}
        (base / "input/config/inputdataconfig.json").write_text(json.dumps(inputs))
        done = run(
            [sys.executable, "-m", "algorithms.builtin.train", "forecasting-deepar", "1"],
            SAGEMAKER_BASE_DIR=folder,
        )  # fmt: skip
    found = re.search(r"test mean_wQuantileLoss <loss>=(\S+)", done.output)
    if found is None:
        raise RuntimeError(f"no score in the log:\n{done.output[-2000:]}")
    return done, float(found[1])


def theirs(settings: dict[str, Any], data: Path, seed: int) -> tuple[Run, float]:
    """gluonts on the same series with the same number of updates."""
    told = settings | {"seed": seed, "updates": UPDATES, "epochs": 6, "batch": BATCH}
    done = run(
        [
            str(python()),
            str(PROGRAM),
            str(data / "train/train.json"),
            str(data / "test/test.json"),
            json.dumps(told),
        ]
    )
    return done, float(json.loads(done.output.strip().splitlines()[-1])["wql"])


def main() -> tuple[str, str, list[Row]]:
    """Medians over seeds; the processes take turns."""
    python()
    rows = []
    for name, settings in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            series(name, settings, data)
            pairs = []
            for seed in range(SEEDS):
                pairs.append((ours(settings, data, seed), theirs(settings, data, seed)))
                (mine, score), (other, their_score) = pairs[-1]
                print(
                    f"{name}, seed {seed}: {mine.seconds:.1f} s, CPU {mine.cpu:.1f} s, {score:.4f} beside "
                    f"{other.seconds:.1f} s, CPU {other.cpu:.1f} s, {their_score:.4f}",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
        median = statistics.median
        own, peers = [a for a, _ in pairs], [b for _, b in pairs]
        rows += [
            Row(f"{name}: {UPDATES} updates and the forecast, whole process", "s", median(r.seconds for r, _ in own), median(r.seconds for r, _ in peers), 1.0, higher=False),
            Row(f"{name}: CPU of the whole process", "s", median(r.cpu for r, _ in own), median(r.cpu for r, _ in peers), 1.0, higher=False),
            Row(f"{name}: mean weighted quantile loss", "", median(q for _, q in own), median(q for _, q in peers), 1 / 1.05, higher=False),
            Row(f"{name}: peak memory", "MB", median(r.peak for r, _ in own), median(r.peak for r, _ in peers), higher=False),
        ]  # fmt: skip
    return "DeepAR, against gluonts 0.17 (PyTorch)", "gluonts", rows
