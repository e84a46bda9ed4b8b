"""Trains the review net inside a SageMaker training job (script mode; needs torch 2.x only)."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import time
from pathlib import Path

import torch
from dictionary import FIRST, LENGTH, SIZE, WordDictionary
from fitting import Fit, Reviews, fit
from net import POOLINGS, ReviewNet
from reading import DataError, read_reviews

OUT = os.environ.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")
CODE = ("inference.py", "net.py", "dictionary.py", "words.py")
"""What the archive carries, so that it is hosted without being repacked."""


def parse() -> argparse.Namespace:
    """The hyperparameters, as the training job passes them, and the folders of the container."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=25, help="most passes over the reviews")
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--embedding-dim", type=int, default=32, help="numbers of a word's vector")
    parser.add_argument("--hidden-dim", type=int, default=64, help="numbers of the LSTM's state")
    parser.add_argument(
        "--vocab-size", type=int, default=SIZE, help="word numbers, the two reserved among them"
    )
    parser.add_argument("--length", type=int, default=LENGTH, help="words of a review that are read")
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument(
        "--word-dropout", type=float, default=0.2, help="share of words read as infrequent ones"
    )
    parser.add_argument("--pooling", choices=POOLINGS, default="mean", help="last: as in the reference")
    parser.add_argument(
        "--patience", type=int, default=6, help="epochs without a better validation loss; 0: never stop early"
    )
    parser.add_argument("--seed", type=int, default=1)
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
    for name, good in (
        ("epochs", options.epochs >= 1),
        ("learning-rate", options.learning_rate > 0 and math.isfinite(options.learning_rate)),
        ("batch-size", options.batch_size >= 1),
        ("embedding-dim", options.embedding_dim >= 1),
        ("hidden-dim", options.hidden_dim >= 1),
        ("vocab-size", options.vocab_size > FIRST),
        ("length", options.length >= 1),
        ("dropout", 0 <= options.dropout < 1),
        ("word-dropout", 0 <= options.word_dropout < 1),
        ("patience", options.patience >= 0),
    ):
        if not good:
            raise DataError(f"hyperparameter {name} cannot be {getattr(options, name.replace('-', '_'))}")
    return options


def main() -> None:
    """Reads the channels, makes the dictionary of the training reviews, fits the net, saves what serves it."""
    options = parse()
    began = time.monotonic()
    torch.manual_seed(options.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(
        1
    )  # steps of a small LSTM gain nothing from more: same machine and seed, same model
    texts, labels = read_reviews(options.train, "train")
    words = WordDictionary.fit(texts, options.vocab_size)
    train = Reviews.of(texts, labels, words, options.length)
    held = None
    if options.validation is not None:
        held = Reviews.of(*read_reviews(options.validation, "validation"), words, options.length)
    net = ReviewNet(words.size, options.embedding_dim, options.hidden_dim, options.dropout, options.pooling)
    weights = sum(one.numel() for one in net.parameters())
    print(
        f"reviews={len(train)} validation={len(held) if held else 0} words={words.size} dictionary={words.version} "
        f"weights={weights} torch={torch.__version__}",
        flush=True,
    )
    made = fit(net, train, held, options)
    save(made, words, options)
    seconds = time.monotonic() - began
    print(f"trained epochs={len(made.history)} best={made.epoch} seconds={seconds:.2f}", flush=True)


def save(made: Fit, words: WordDictionary, options: argparse.Namespace) -> None:
    """Weights, architecture, dictionary and serving code into the model folder; the history into the output folder."""
    folder: Path = options.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(made.net.state_dict(), folder / "model.pth")
    words.save(folder / "words.json")
    described = {
        "embedding_dim": options.embedding_dim,
        "hidden_dim": options.hidden_dim,
        "pooling": options.pooling,
        "length": options.length,
        "vocab_size": words.size,
        "dictionary": words.version,
        "epoch": made.epoch,
        "seed": options.seed,
        "scores": made.history[made.epoch - 1],
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1))
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in CODE:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    columns = list(made.history[0])
    rows = (",".join(f"{row[name]:.6f}" for name in columns) for row in made.history)
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
