"""Training code: what runs on the training machine. It reads a channel, fits, and writes the artefact to SM_MODEL_DIR."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import joblib
import look
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--c", type=float, default=1.0)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    options, _ = parser.parse_known_args()

    for line in look.tree("/opt/ml"):
        print(f"tree: {line}", flush=True)
    for line in look.processes():
        print(f"process: {line}", flush=True)
    for name, value in look.variables().items():
        print(f"variable: {name}={value}", flush=True)

    rows = np.concatenate(
        [np.loadtxt(path, delimiter=",", ndmin=2) for path in sorted(Path(options.train).rglob("*.csv"))]
    )
    labels, points = rows[:, 0].astype(int), rows[:, 1:]
    if len(np.unique(labels)) < 2:
        raise SystemExit("the channel train holds one class only; a classifier needs both")
    model = make_pipeline(StandardScaler(), SVC(C=options.c, probability=True, random_state=0)).fit(
        points, labels
    )
    print(f"train:accuracy={model.score(points, labels):.4f};", flush=True)
    joblib.dump(model, Path(options.model_dir) / "model.joblib")
    # The archive carries its own inference code, so that it is hosted without being repacked.
    code = Path(options.model_dir) / "code"
    code.mkdir(exist_ok=True)
    for name in ("inference.py", "look.py"):
        shutil.copyfile(Path(__file__).with_name(name), code / name)
