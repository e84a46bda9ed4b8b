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
from boundary import Boundary
from fitting import Data, Fit, Told, fit
from net import MoonsNet
from points import DataError, read_points, split

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
        "--seeds", type=int, default=1, help="nets to train, with seeds from --seed on; the first is served"
    )
    parser.add_argument(
        "--final-activation",
        choices=("none", "relu"),
        default="none",
        help="relu: before the sigmoid, a mistake",
    )
    parser.add_argument(
        "--dead-after",
        type=int,
        default=10,
        help="epochs at a loss of ln 2 that does not move, after which training is given up; 0: never",
    )
    parser.add_argument(
        "--boundary-every", type=int, default=5, help="epochs between two boundaries in the log; 0: none"
    )
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
        ("seeds", options.seeds >= 1),
        ("dead-after", options.dead_after >= 0),
        ("boundary-every", options.boundary_every >= 0),
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
    """Reads the channel, trains a net per seed, prints one line per epoch of the first, saves what serves it."""
    options = parse()
    began = time.time()
    points, labels = read_points(options.train)
    boundary = Boundary(points)
    fits: list[Fit] = []
    for seed in range(options.seed, options.seed + options.seeds):
        seed_everything(seed)
        training, validation = split(labels, options.validation_share, seed)
        if not fits:
            sizes = f"training={len(training)} validation={len(validation)}"
            print(f"points={len(labels)} {sizes} torch={torch.__version__}", flush=True)
        net = MoonsNet(options.hidden, options.dropout, options.final_activation == "relu")
        told = None if fits else Told(boundary, options.boundary_every)
        fits.append(fit(net, Data.of(points, labels, training, validation), options, seed, told))
        print(fits[-1].line, flush=True)
        if fits[0].dead:
            break
    save(fits, options)
    first = fits[0]
    print(
        f"trained epochs={len(first.history)} best={first.epoch} seconds={time.time() - began:.2f}",
        flush=True,
    )


def save(fits: list[Fit], options: argparse.Namespace) -> None:
    """Weights, architecture and the serving code into the model folder; the history into the output folder."""
    folder: Path = options.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    first, *others = fits
    torch.save(first.net.state_dict(), folder / "model.pth")
    for other in others:
        (folder / "seeds").mkdir(exist_ok=True)
        torch.save(other.net.state_dict(), folder / "seeds" / f"{other.seed}.pth")
    described = {
        "hidden": options.hidden,
        "dropout": options.dropout,
        "final_relu": options.final_activation == "relu",
        "epoch": first.epoch,
        "seeds": [one.seed for one in fits],
        "dead": first.dead,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1))
    # The archive carries its own serving code, so that it is hosted without being repacked.
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in ("inference.py", "net.py"):
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    columns = list(first.history[0])
    rows = (",".join(f"{row[name]:.6f}" for name in columns) for row in first.history)
    (options.output_data_dir / "history.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")


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
