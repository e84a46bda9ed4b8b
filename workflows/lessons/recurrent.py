"""The LSTM as the lessons train it: PyTorch in script mode, whole reviews in, the word dictionary inside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import folder_sha256
from workflows.interfaces import images
from workflows.interfaces.base import MetricDefinition, TrainingRequest
from workflows.lessons import channels, subject
from workflows.lessons.channels import Files
from workflows.lessons.subject import Kind, Rows, Subject
from workflows.studies import hosting, training
from workflows.studies.context import Context
from workflows.studies.parameters import Parameter

NAME, TITLE, UNIT = "lstm", "LSTM", "epoch"
LINES = "application/jsonlines"
ENTRY_POINT = "train.py"
WORDS = "words.py"
METRICS = tuple(
    MetricDefinition(name, rf"\b{name}=([-+0-9.eE]+);")
    for name in ("train:loss", "validation:loss", "validation:accuracy")
)
PARAMETERS = (
    Parameter("epochs", "int", 25, "LSTM: most passes over the training reviews.", 1, 1000, unit="epochs"),
    Parameter("patience", "int", 6, "LSTM: epochs without a better validation loss before it ends; 0: never.", 0, 1000, unit="epochs"),
    Parameter("learning-rate", "float", 0.003, "LSTM: step of Adam.", 1e-6, 1.0),
    Parameter("batch-size", "int", 32, "LSTM: reviews of a step.", 1, 10_000, unit="reviews"),
    Parameter("embedding-dim", "int", 32, "LSTM: numbers of a word's vector.", 1, 4096),
    Parameter("hidden-dim", "int", 64, "LSTM: numbers of its state.", 1, 4096),
    Parameter("length", "int", 500, "LSTM: words of a review that are read.", 1, 10_000, unit="words"),
    Parameter("dropout", "float", 0.3, "LSTM: share of a vector's numbers that a step leaves out.", 0.0, 0.99),
    Parameter("word-dropout", "float", 0.2, "LSTM: share of the words that a step reads as infrequent ones.", 0.0, 0.99),
    Parameter(
        "pooling", "choice", "mean", "LSTM: which of its states judge a review.",
        choices=(("mean", "the mean over all words"), ("last", "the one after the last word, as in the course")),
    ),
)  # fmt: skip
"""Chosen on the validation reviews of split 1; docs/lessons.md has what was compared. `vocabulary` and `seed` are shared with XGBoost."""


def settings(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The job's hyperparameters as SageMaker takes them: texts, by the names of the training script's arguments."""
    found = {item.name: parameters[item.name] for item in PARAMETERS}
    found |= {"vocab-size": parameters["vocabulary"], "seed": parameters["seed"]}
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in found.items()}


def hyperparameters(context: Context, kind: Kind) -> dict[str, str]:
    """A run's hyperparameters; they are the same for every kind."""
    return settings(context.run.parameters)


def image(context: Context) -> str:
    """The image that trains, in the run's region."""
    return images.pytorch("training", context.platform.region)


def serving(context: Context) -> tuple[str, dict[str, str]]:
    """The image that serves, and its environment: the serving code lies in the artefact."""
    region = context.platform.region
    return images.pytorch("inference", region), hosting.environment(region)


def sources() -> dict[str, Path]:
    """The files that are uploaded, by name: the source folder, and how a review is parted into words, which all models share."""
    import algorithms.reviews

    reviews = Path(algorithms.reviews.__file__).parent
    found = {path.name: path for path in sorted((reviews / "source").glob("*.py"))}
    return found | {WORDS: reviews / WORDS}


def write_source(folder: Path) -> Path:
    """The source folder as it is uploaded."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in sources().items():
        (folder / name).write_bytes(path.read_bytes())
    return folder


def code(context: Context) -> str:
    """SHA-256 of what is uploaded."""
    return folder_sha256(write_source(context.work / "source"))


def write(context: Context, found: Subject) -> Files:
    """train, validation and test below the work folder as JSON Lines, the test reviews without their labels.

    Raises:
        WorkflowError: The subject has no texts.
    """
    if found.name != "reviews":
        raise WorkflowError(f"The LSTM reads reviews, and the subject is {found.name}.")
    paths = {name: context.work / f"{name}.jsonl" for name in subject.SETS}
    for name, path in paths.items():
        subject.write_labelled(path, found.sets[name], lines(found.sets[name], name != "test"))
    return Files(paths, LINES)


def lines(rows: Rows, labelled: bool) -> list[str]:
    """Reviews as JSON Lines."""
    return [
        json.dumps({"label": label, "review": text} if labelled else {"review": text})
        for text, label in zip(rows.texts, rows.labels.tolist(), strict=True)
    ]


def job_on(context: Context, name: str, files: Files, kind: Kind, label: str = "") -> training.Job:
    """Uploads the channels, and the job on them as `training.train_all` takes it."""
    inputs = {
        one.name: one.uri for one in channels.upload(context, files.paths, files.content_type, "reviews")
    }
    request = TrainingRequest(
        name=name,
        image=image(context),
        source=write_source(context.work / "source"),
        entry_point=ENTRY_POINT,
        inputs=inputs,
        hyperparameters=hyperparameters(context, kind),
        metrics=METRICS,
        instance_type=str(context.value("instance-type")),
        max_seconds=int(context.value("max-minutes")) * 60,
        prefix=context.prefix,
        tags=context.tags,
        content_type=LINES,
    )
    return training.Job(request, int(context.value("epochs")), METRICS, label)


def best_round(series: dict[str, list[float]], kind: Kind) -> tuple[int, float]:
    """The epoch (from 0) whose weights the job keeps: the one of the least validation loss; and its share of errors.

    Raises:
        ValueError: The log told none.
    """
    losses, accuracies = (series.get(f"validation:{name}") or [] for name in ("loss", "accuracy"))
    if not losses or len(losses) != len(accuracies):
        raise ValueError("The training log tells no validation loss.")
    best = min(range(len(losses)), key=losses.__getitem__)
    return best, 1 - accuracies[best]


def curves(series: dict[str, list[float]], kind: Kind) -> tuple[str, dict[str, list[float]]]:
    """What is drawn over epochs: its name, and the values by set."""
    return "loss", {name: series.get(f"{name}:loss") or [] for name in ("train", "validation")}
