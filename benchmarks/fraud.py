"""LinearLearner's four fraud variants beside the notebook's table (``MLCONSOLE_DATA_DIR`` must hold ``creditcard/``).

The sample has all distinct frauds and a part of the valid transactions. Valid rows are repeated until there are as many as in the
full data set, so that precision, accuracy and thresholds speak of the population. 70 % of the rows train, 30 % validate; a row and
its copies stay on one side.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALID = 283_253
"""Valid transactions in the full data set."""


@dataclass(frozen=True)
class Variant:
    """One training job of the notebook: its further hyperparameters, its targets on validation, its figures on the test set."""

    name: str
    hyperparameters: dict[str, str]
    targets: dict[str, float]
    recall: float
    precision: float
    accuracy: float


VARIANTS = (
    Variant("simple", {}, {}, 0.773, 0.768, 0.999),
    Variant(
        "recall 0.9",
        {
            "binary_classifier_model_selection_criteria": "precision_at_target_recall",
            "target_recall": "0.9",
        },
        {"recall": 0.9},
        0.929,
        0.037,
        0.960,
    ),
    Variant(
        "recall 0.9, balanced",
        {
            "binary_classifier_model_selection_criteria": "precision_at_target_recall",
            "target_recall": "0.9",
            "positive_example_weight_mult": "balanced",
        },
        {"recall": 0.9},
        0.915,
        0.112,
        0.988,
    ),
    Variant(
        "precision 0.9, balanced",
        {
            "binary_classifier_model_selection_criteria": "recall_at_target_precision",
            "target_precision": "0.9",
            "positive_example_weight_mult": "balanced",
        },
        {"precision": 0.9},
        0.780,
        0.809,
        0.999,
    ),
)


def data(folder: Path, seed: int = 1) -> None:
    """Write channels ``train`` and ``validation`` as recordIO-protobuf.

    Raises:
        SystemExit: ``MLCONSOLE_DATA_DIR`` does not lead to the sample.
    """
    import numpy as np
    import pandas as pd

    from algorithms.formats import records

    path = Path(os.environ.get("MLCONSOLE_DATA_DIR", "")) / "creditcard" / "creditcard_sample.csv.gz"
    if not path.is_file():
        raise SystemExit(
            "Set MLCONSOLE_DATA_DIR to the folder that holds creditcard/creditcard_sample.csv.gz."
        )
    frame = pd.read_csv(path)
    labels = frame["Class"].to_numpy(np.float32)
    features = frame.drop(columns="Class").to_numpy(np.float32)
    random = np.random.default_rng(seed)
    copies = np.ones(len(labels), int)
    valid = np.flatnonzero(labels == 0)
    copies[valid] = VALID // len(valid)
    copies[random.permutation(valid)[: VALID % len(valid)]] += 1
    order = random.permutation(len(labels))
    cut = int(0.7 * len(order))
    for name, part in (("train", order[:cut]), ("validation", order[cut:])):
        rows: NDArray[Any] = random.permutation(np.repeat(part, copies[part]))
        (folder / name).mkdir(parents=True)
        with (folder / name / "matrix_0.pbr").open("wb") as file:
            file.writelines(records.dense(features[rows], labels[rows]))


def train(variant: Variant, channels: Path) -> dict[str, float]:
    """Run the container's command; the final scores on validation, by their names in the log.

    Raises:
        RuntimeError: The job failed; the message is the end of its log.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        config = base / "input" / "config"
        config.mkdir(parents=True)
        (base / "input" / "data").symlink_to(channels)
        given = {"predictor_type": "binary_classifier", "epochs": "15", **variant.hyperparameters}
        (config / "hyperparameters.json").write_text(json.dumps(given))
        entry = {"ContentType": "application/x-recordio-protobuf"}
        (config / "inputdataconfig.json").write_text(json.dumps({"train": entry, "validation": entry}))
        done = subprocess.run(
            [sys.executable, "-m", "algorithms.builtin.train", "linear-learner", "1"],
            env=os.environ | {"SAGEMAKER_BASE_DIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:])
    pattern = r"#quality_metric: host=\S+, validation (\S+) <\w+>=(\S+)"
    return {name: float(value) for name, value in re.findall(pattern, done.stdout)}


def main() -> tuple[str, str, list[Row]]:
    """Train the four variants."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        channels = Path(folder)
        data(channels)
        for variant in VARIANTS:
            found = train(variant, channels)
            for name, peer in (
                ("recall", variant.recall),
                ("precision", variant.precision),
                ("binary_classification_accuracy", variant.accuracy),
            ):
                row = Row(f"{variant.name}: {name.rpartition('_')[2]}", "", found[name], peer)
                rows.append(row)
            for name, target in variant.targets.items():
                rows.append(Row(f"{variant.name}: {name} target", "", found[name], None, target))
            rows.append(Row(f"{variant.name}: roc_auc_score", "", found["roc_auc_score"], None))
    return "LinearLearner on the fraud data, at the population's shares", "the notebook, test", rows
