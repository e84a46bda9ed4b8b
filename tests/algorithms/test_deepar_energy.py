"""DeepAR on the forecasting study's data: three years of a household's daily power, each year's last 30 days to be forecast."""

from __future__ import annotations

import csv
import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest

from algorithms.builtin import deepar
from tests.algorithms import containers

STUDY = {
    "time_freq": "D",
    "epochs": 50,
    "prediction_length": 30,
    "context_length": 30,
    "num_cells": 50,
    "num_layers": 2,
    "mini_batch_size": 128,
    "learning_rate": 0.001,
    "early_stopping_patience": 10,
}

BASELINE = 0.146
"""The score of the last 30 days' mean with its residuals' quantiles; AWS's own runs lie between 0.1427 and 0.1885."""


def train(base: Path, real_data: Path, **more: object) -> tuple[containers.Trained, float]:
    """A job of the study; what it left, and its ``test:mean_wQuantileLoss``."""
    folder = real_data / "energy"
    channels = {
        name: ("", {f"{name}.json": (folder / f"{name}.json").read_bytes()}) for name in ("train", "test")
    }
    found = containers.train(base, "forecasting-deepar", {**STUDY, **more}, channels)
    assert found.status == 0, found.errors
    score = re.search(r"test mean_wQuantileLoss <loss>=(\S+)", found.output)
    assert score is not None
    return found, float(score[1])


def test_a_short_run_forecasts_december_and_a_year_without_history(tmp_path: Path, real_data: Path) -> None:
    found, score = train(tmp_path, real_data, epochs=5, random_seed=1)
    assert "number of observations: 1006" in found.output
    assert "Doing 427 passes over dataset" in found.output
    assert score < 0.18
    request = {
        "instances": [{"start": "2010-01-01 00:00:00", "target": []}],
        "configuration": {
            "num_samples": 50,
            "output_types": ["quantiles"],
            "quantiles": ["0.1", "0.5", "0.9"],
        },
    }
    reply = deepar.load(found.model_dir, "1").answer(
        json.dumps(request).encode(), {"content-type": "application/json"}
    )
    quantiles = json.loads(reply.body)["predictions"][0]["quantiles"]
    with (real_data / "energy" / "household_power_daily.csv").open() as file:
        actual = [
            float(row["Global_active_power"]) / 1440
            for row in csv.DictReader(file)
            if row["datetime"] >= "2010"
        ][:30]
    inside = np.mean(
        [
            low <= value <= high
            for low, value, high in zip(quantiles["0.1"], actual, quantiles["0.9"], strict=True)
        ]
    )
    assert inside > 0.3
    assert 0.6 < np.mean(quantiles["0.5"]) < 2.2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_study_scores_no_worse_than_the_baseline(tmp_path: Path, real_data: Path) -> None:
    scores = [train(tmp_path / str(seed), real_data, random_seed=seed)[1] for seed in range(5)]
    assert statistics.median(scores) <= BASELINE, scores
