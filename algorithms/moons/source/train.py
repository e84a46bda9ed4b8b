"""Trains the moons net inside a SageMaker training job (script mode; needs numpy and torch 2.x only)."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from net import MoonsNet
from points import DataError, read_points, split
from torch import nn

OUT = os.environ.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")


def parse() -> argparse.Namespace:
    """The hyperparameters, as the training job passes them, and the folders of the container."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--learning-rate", type=float, default=0.03)
    parser.add_argument("--hidden", type=int, default=128, help="hidden units")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument(
        "--patience",
        type=int,
        default=60,
        help="epochs without a better validation loss; 0: never stop early",
    )
    parser.add_argument("--validation-share", type=float, default=0.2)
    parser.add_argument("--shuffle", type=yes_or_no, default=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--model-dir", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    )
    parser.add_argument(
        "--train", type=Path, default=Path(os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    )
    parser.add_argument("--output-data-dir", type=Path, default=Path(OUT))
    options, unknown = parser.parse_known_args()
    if unknown:
        print(f"ignored arguments: {' '.join(unknown)}", flush=True)
    for name, good in (
        ("epochs", options.epochs >= 1),
        ("learning-rate", options.learning_rate > 0 and math.isfinite(options.learning_rate)),
        ("hidden", options.hidden >= 1),
        ("dropout", 0 <= options.dropout < 1),
        ("batch-size", options.batch_size >= 1),
        ("patience", options.patience >= 0),
        ("validation-share", 0 <= options.validation_share < 1),
    ):
        if not good:
            raise DataError(f"hyperparameter {name} cannot be {getattr(options, name.replace('-', '_'))}")
    return options


def yes_or_no(text: str) -> bool:
    """true, yes, on and 1 mean yes; false, no, off and 0 no; quotes around them are ignored."""
    word = text.strip().strip("\"'").lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")


def seed_everything(seed: int) -> None:
    """Same seed, same machine: same model."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # a net this small loses more by splitting its sums over cores than it gains


def main() -> None:
    """Reads the channel, trains, prints one line per epoch, saves the model with what serves it."""
    options = parse()
    began = time.time()
    seed_everything(options.seed)
    points, labels = read_points(options.train)
    training, validation = split(labels, options.validation_share, options.seed)
    print(
        f"points={len(labels)} training={len(training)} validation={len(validation)} torch={torch.__version__}",
        flush=True,
    )
    net = MoonsNet(options.hidden, options.dropout)
    epochs, history = fit(net, points, labels, training, validation, options)
    save(net, options, epochs, history)
    print(f"trained epochs={len(history)} best={epochs} seconds={time.time() - began:.2f}", flush=True)


def fit(
    net: MoonsNet,
    points: np.ndarray,
    labels: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    options: argparse.Namespace,
) -> tuple[int, list[dict[str, float]]]:
    """Adam on the binary cross-entropy. The weights end as those of the best validation loss when there is validation.

    Returns:
        The epoch whose weights are kept, and one row of metrics per epoch.
    """
    x, y = torch.from_numpy(points[training]), torch.from_numpy(labels[training])
    held_x, held_y = torch.from_numpy(points[validation]), torch.from_numpy(labels[validation])
    optimizer = torch.optim.Adam(net.parameters(), lr=options.learning_rate)
    criterion = nn.BCEWithLogitsLoss()
    best_loss, best_epoch, best_state = math.inf, options.epochs, None
    history: list[dict[str, float]] = []
    for epoch in range(1, options.epochs + 1):
        net.train()
        order = torch.randperm(len(x)) if options.shuffle else torch.arange(len(x))
        total = 0.0
        for start in range(0, len(x), options.batch_size):
            rows = order[start : start + options.batch_size]
            optimizer.zero_grad()
            loss = criterion(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        row = {"epoch": float(epoch), "train:loss": total / len(x)}
        if not math.isfinite(row["train:loss"]):
            raise DataError(
                f"the loss is {row['train:loss']} in epoch {epoch}; lower the learning rate ({options.learning_rate:g})"
            )
        if len(held_x):
            with torch.no_grad():
                net.eval()
                logits = net(held_x)
                row["validation:loss"] = criterion(logits, held_y).item()
                row["validation:accuracy"] = ((logits > 0) == (held_y > 0.5)).float().mean().item()
            if row["validation:loss"] < best_loss - 1e-6:
                best_loss, best_epoch = row["validation:loss"], epoch
                best_state = {name: value.clone() for name, value in net.state_dict().items()}
        history.append(row)
        print(
            " ".join(
                [f"epoch={epoch}", *(f"{name}={value:.4f}" for name, value in row.items() if name != "epoch")]
            ),
            flush=True,
        )
        if options.patience and len(held_x) and epoch - best_epoch >= options.patience:
            print(f"early stop: no better validation loss since epoch {best_epoch}", flush=True)
            break
    if best_state is not None:
        net.load_state_dict(best_state)
        return best_epoch, history
    return len(history), history


def save(
    net: MoonsNet, options: argparse.Namespace, best_epoch: int, history: list[dict[str, float]]
) -> None:
    """Weights, architecture and the serving code into the model folder; the history into the output folder."""
    folder: Path = options.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), folder / "model.pth")
    described = {
        "hidden": options.hidden,
        "dropout": options.dropout,
        "epoch": best_epoch,
        "seed": options.seed,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1))
    # The archive carries its own serving code, so that it is hosted without being repacked.
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in ("inference.py", "net.py"):
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    columns = list(history[0])
    lines = [",".join(columns), *(",".join(f"{row[name]:.6f}" for name in columns) for row in history)]
    (options.output_data_dir / "history.csv").write_text("\n".join(lines) + "\n")


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
