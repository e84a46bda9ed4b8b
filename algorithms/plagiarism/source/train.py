"""Trains a plagiarism classifier inside a SageMaker training job (script mode; needs numpy and scikit-learn 0.24 or later only)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn
from classifiers import DEFAULTS, NAMES, fitted, out_of_sample, probability

# An endpoint may be made with this file as its entry point: then it must have the serving functions.
from inference import input_fn, model_fn, output_fn, predict_fn  # noqa: F401
from rows import DataError, read

OUT = os.environ.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")


def parse() -> argparse.Namespace:
    """The hyperparameters, as the training job passes them, and the folders of the container."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", default=NAMES[0], help=", ".join(NAMES))
    # The training toolkit passes a hyperparameter of one letter as a short option.
    parser.add_argument(
        "-c", "--c", type=float, default=DEFAULTS["c"], help="inverse of regularisation; svm too"
    )
    parser.add_argument(
        "--solver", default=DEFAULTS["solver"], help="of logistic regression: lbfgs or liblinear"
    )
    parser.add_argument("--kernel", default=DEFAULTS["kernel"], help="of svm: linear, poly, rbf or sigmoid")
    parser.add_argument("--gamma", type=scale_or_number, default=DEFAULTS["gamma"], help="of svm's kernel")
    parser.add_argument("--n-estimators", type=int, default=DEFAULTS["n_estimators"], help="trees")
    parser.add_argument("--max-depth", type=int, default=DEFAULTS["max_depth"], help="of trees; 0: no limit")
    parser.add_argument("--min-samples-leaf", type=int, default=DEFAULTS["min_samples_leaf"])
    parser.add_argument("--learning-rate", type=float, default=DEFAULTS["learning_rate"], help="of boosting")
    parser.add_argument("--n-neighbors", type=int, default=DEFAULTS["n_neighbors"])
    parser.add_argument("--class-weight", default=DEFAULTS["class_weight"], help="none or balanced")
    parser.add_argument("--seed", type=int, default=DEFAULTS["seed"])
    parser.add_argument("--features", default="", help="names of the columns: c_1,c_5,lcs_word")
    parser.add_argument("--threshold", type=float, default=0.5, help="probability from which the label is 1")
    parser.add_argument(
        "--cross-validation", default="leave-one-out", help="leave-one-out, a number of folds, or none"
    )
    parser.add_argument(
        "--model-dir", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    )
    parser.add_argument(
        "--train", type=Path, default=Path(os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    )
    parser.add_argument("--validation", type=Path, default=os.environ.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--output-data-dir", type=Path, default=Path(OUT))
    options, unknown = parser.parse_known_args()
    if unknown:
        print(f"ignored arguments: {' '.join(unknown)}", flush=True)
    for name, value in vars(options).items():
        if isinstance(value, str):  # older SDKs pass JSON: a text comes in quotes
            setattr(options, name, value.strip().strip("\"'"))
    options.features = [name.strip() for name in options.features.split(",") if name.strip()]
    options.folds = folds(options.cross_validation)
    for name, good in (
        ("classifier", options.classifier in NAMES),
        ("c", 0 < options.c < float("inf")),
        ("solver", options.solver in ("lbfgs", "liblinear")),
        ("kernel", options.kernel in ("linear", "poly", "rbf", "sigmoid")),
        ("gamma", options.gamma in ("scale", "auto") or options.gamma > 0),
        ("n-estimators", options.n_estimators >= 1),
        ("max-depth", options.max_depth >= 0),
        ("min-samples-leaf", options.min_samples_leaf >= 1),
        ("learning-rate", 0 < options.learning_rate < float("inf")),
        ("n-neighbors", options.n_neighbors >= 1),
        ("class-weight", options.class_weight in ("none", "balanced")),
        ("seed", 0 <= options.seed < 2**32),
        ("threshold", 0 < options.threshold < 1),
    ):
        if not good:
            hint = f"; there are {', '.join(NAMES)}" if name == "classifier" else ""
            raise DataError(
                f"hyperparameter {name} cannot be {getattr(options, name.replace('-', '_'))}{hint}"
            )
    return options


def scale_or_number(text: str) -> Any:
    """scale, auto, or a number."""
    word = text.strip().strip("\"'")
    return word if word in ("scale", "auto") else float(word)


def folds(text: str) -> int | None:
    """0 for leave-one-out, a number of folds, None for none."""
    if text == "leave-one-out":
        return 0
    if text == "none":
        return None
    if text.isdigit() and int(text) >= 2:
        return int(text)
    raise DataError(
        f"hyperparameter cross-validation cannot be {text}; give leave-one-out, none, or 2 or more folds"
    )


def main() -> None:
    """Reads the channels, fits, prints a line of metrics for each set, saves the model with what serves it.

    Metrics are ``train:``, ``cv:`` (rows that the model had not seen) and ``validation:`` (that channel), such as ``cv:accuracy=0.9684;``.
    """
    options = parse()
    x, y = read(options.train)
    if options.features and len(options.features) != x.shape[1]:
        raise DataError(
            f"hyperparameter features names {len(options.features)} columns ({','.join(options.features)}), "
            f"the channel has {x.shape[1]} after the label; name each column"
        )
    held = read(options.validation, "validation", both_classes=False) if options.validation else None
    if held is not None and held[0].shape[1] != x.shape[1]:
        raise DataError(f"channel 'validation' has {held[0].shape[1]} features, channel 'train' {x.shape[1]}")
    print(
        f"rows={len(y)}; positive={int(y.sum())}; features={x.shape[1]}; sklearn={sklearn.__version__};",
        flush=True,
    )
    chosen = {name: getattr(options, name) for name in DEFAULTS}
    try:
        model = fitted(options.classifier, x, y, **chosen)
        metrics = {"train": scores(y, probability(model, x), options.threshold)}
        if options.folds is not None:
            out = out_of_sample(options.classifier, x, y, options.folds, **chosen)
            metrics["cv"] = scores(y, out, options.threshold)
    except ValueError as error:
        raise DataError(f"the classifier cannot be trained: {error}") from error
    if held is not None:
        metrics["validation"] = scores(held[1], probability(model, held[0]), options.threshold)
    for name, found in metrics.items():
        print(" ".join(f"{name}:{metric}={value:.4f};" for metric, value in found.items()), flush=True)
    save(model, options, chosen, x.shape[1], metrics)


def scores(y: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float]:
    """Accuracy, precision, recall, F1 and log loss; of none where there is nothing to divide by, 0."""
    labels = probabilities >= threshold
    hits = float((labels & (y == 1)).sum())
    precision = hits / max(1.0, float(labels.sum()))
    recall = hits / max(1.0, float((y == 1).sum()))
    certain = np.clip(np.where(y == 1, probabilities, 1 - probabilities), 1e-15, 1.0)
    return {
        "accuracy": float((labels == (y == 1)).mean()),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
        "log_loss": max(0.0, float(-np.log(certain).mean())),  # never "-0.0"
    }


def save(
    model: Any, options: argparse.Namespace, chosen: dict[str, Any], count: int, metrics: dict[str, Any]
) -> None:
    """The classifier, its description and the serving code into the model folder; the metrics into the output folder."""
    folder: Path = options.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    described = {
        "classifier": options.classifier,
        "hyperparameters": chosen,
        "features": options.features,
        "count": count,
        "threshold": options.threshold,
        "sklearn": sklearn.__version__,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1))
    # The archive carries its own serving code, so that it is hosted without being repacked.
    code = folder / "code"
    code.mkdir(exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("inference.py"), code / "inference.py")
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    (options.output_data_dir / "metrics.json").write_text(json.dumps(metrics, indent=1))


def fail(message: str) -> None:
    """Tells the reason where SageMaker looks for it (FailureReason) and in the log; ends with status 1."""
    folder = Path(os.environ.get("SM_OUTPUT_DIR") or Path(OUT).parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "failure").write_text(message)
    except OSError as error:
        print(f"the failure file cannot be written: {error}", file=sys.stderr)
    print(f"ERROR: {message}", file=sys.stderr, flush=True)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except DataError as error:
        fail(str(error))
