"""gluonts' DeepAR in its own environment: ``gluonts_peer.py TRAIN.json TEST.json SETTINGS``; the last line is JSON with its scores.

TEST holds the same series with the prediction range appended. The score is SageMaker's: twice the quantile loss over the sum of
absolute targets, the mean over the quantiles 0.1 to 0.9.
"""

import json
import logging
import os
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
os.environ.setdefault("POLARS_SKIP_CPU_CHECK", "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from gluonts.dataset.common import ListDataset  # noqa: E402
from gluonts.torch import DeepAREstimator  # noqa: E402

settings = json.loads(sys.argv[3])
torch.manual_seed(settings["seed"])
np.random.seed(settings["seed"])


def read(path):
    with open(path) as file:  # noqa: PTH123
        return [json.loads(line) for line in file]


train, test = read(sys.argv[1]), read(sys.argv[2])
length = settings["prediction_length"]
began = time.perf_counter()
estimator = DeepAREstimator(
    freq=settings["freq"],
    prediction_length=length,
    context_length=settings["context_length"],
    num_layers=2,
    hidden_size=40,
    batch_size=settings["batch"],
    num_batches_per_epoch=settings["updates"] // settings["epochs"],
    lr=1e-3,
    trainer_kwargs={
        "max_epochs": settings["epochs"],
        "enable_progress_bar": False,
        "logger": False,
        "default_root_dir": tempfile.mkdtemp(),
        "enable_model_summary": False,
        "accelerator": "cpu",
    },
)
predictor = estimator.train(ListDataset(train, freq=settings["freq"]))
trained = time.perf_counter() - began
heads = [dict(entry, target=entry["target"][:-length]) for entry in test]
forecasts = list(predictor.predict(ListDataset(heads, freq=settings["freq"]), num_samples=100))
actual = np.array([entry["target"][-length:] for entry in test], dtype=float)
losses = []
for q in np.arange(1, 10) / 10:
    predicted = np.array([f.quantile(q) for f in forecasts])
    error = actual - predicted
    losses.append(2 * np.maximum(q * error, (q - 1) * error).sum() / np.abs(actual).sum())
print(json.dumps({"train": trained, "wql": float(np.mean(losses))}))
