"""Training the net as a SageMaker job, and judging it before anything is hosted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workflows.files import folder_sha256, sha256
from workflows.interfaces import images
from workflows.interfaces.archives import unpack
from workflows.interfaces.base import MetricDefinition, TrainingRequest
from workflows.studies import gates, offline, training
from workflows.studies.context import Context
from workflows.studies.moons import data
from workflows.studies.scores import Confusion, confusion
from workflows.studies.study import Result

ENTRY_POINT = "train.py"
METRICS = (
    MetricDefinition("train:loss", r"train:loss=([0-9.]+)"),
    MetricDefinition("validation:loss", r"validation:loss=([0-9.]+)"),
    MetricDefinition("validation:accuracy", r"validation:accuracy=([0-9.]+)"),
)
HYPERPARAMETERS = (
    "epochs", "learning-rate", "hidden", "dropout", "batch-size", "patience", "validation-share", "shuffle", "seed",
)  # fmt: skip
ANSWERS = "offline-test.npy"
"""The probabilities that the archive gives for the test points on this machine, below the work folder."""
NOTEBOOK = Confusion(tn=53, fp=18, fn=11, tp=68)
"""What the course's own notebook printed for its net on the same 150 points."""


def source() -> Path:
    """The folder that is uploaded: the net, its training and its serving code."""
    import algorithms.moons

    return Path(algorithms.moons.__file__).parent / "source"


def hyperparameters(parameters: dict[str, Any]) -> dict[str, str]:
    """The job's hyperparameters as SageMaker takes them: texts."""
    return {
        name: str(parameters[name]).lower() if isinstance(parameters[name], bool) else str(parameters[name])
        for name in HYPERPARAMETERS
    }


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    return {
        "data": context.of("prepare")["train_sha256"],
        "code": folder_sha256(source()),
        "hyperparameters": hyperparameters(context.run.parameters),
        "instance_type": context.value("instance-type"),
        "image": images.pytorch("training", context.platform.region),
    }


def model_exists(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the model archive is still in S3."""
    return context.interface.object_exists(outputs["model_uri"])


def train(context: Context) -> Result:
    """Uploads, trains, follows, fetches the model archive."""
    instance = str(context.value("instance-type"))
    request = TrainingRequest(
        name=context.run.id,
        image=images.pytorch("training", context.platform.region),
        source=source(),
        entry_point=ENTRY_POINT,
        inputs={"train": _upload(context)},
        hyperparameters=hyperparameters(context.run.parameters),
        metrics=METRICS,
        instance_type=instance,
        max_seconds=int(context.value("max-minutes")) * 60,
        prefix=context.prefix,
        tags=context.tags,
    )
    state, series = training.train(context, request, int(context.value("epochs")))
    losses = series["train:loss"]
    context.figure("Training", "line", _curves(series), "epoch", "loss and accuracy")
    archive, made = training.fetch_model(context, state, instance)
    epochs = len(losses)
    return Result(
        outputs={
            **made,
            "epochs": epochs,
            "losses": losses,
        },
        files=[archive],
        summary=f"{epochs} epochs in {state.train_seconds:.0f} s, loss {losses[-1]:.4f}."
        if losses
        else "No loss was logged.",
    )


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on: the model's and the data's content."""
    return {
        "model": context.of("train")["model_sha256"],
        "data": context.of("prepare")["test_sha256"],
        "baseline": context.of("baseline")["best"],
    }


def gate(context: Context) -> Result:
    """Did it learn at all? The training log and its answers, scored on this machine, tell before any hosting."""
    import numpy as np

    context.ledger.verify("prepare", "train")
    points, labels = data.read_csv(context.work / "train.csv")
    test_points, _ = data.read_csv(context.work / "test.csv")
    model = unpack(context.work / "model.tar.gz", context.work / "model")
    asked = np.concatenate([points, test_points]).astype(np.float32)
    answers = offline.predict(model, asked, context.work)
    np.save(context.work / ANSWERS, answers[len(points) :])
    predicted = [int(p > 0.5) for p in answers[: len(points)]]
    hits = sum(int(a == b) for a, b in zip(predicted, labels.tolist(), strict=True))
    majority = max(float(labels.mean()), 1 - float(labels.mean()))
    checks = [
        gates.flat_loss(context.step, context.of("train")["losses"]),
        gates.both_classes(context.step, predicted),
        gates.beats_chance(context.step, hits, len(predicted), majority),
    ]
    overruled = gates.decide(context, checks)
    return Result(
        outputs={"overruled": overruled},
        files=[context.work / ANSWERS],
        summary="Overruled: it is hosted although a gate failed."
        if overruled
        else "It learned: all gates pass.",
    )


def evaluate(context: Context) -> Result:
    """The offline scores on the test points; the baseline decides whether the net is worth hosting."""
    import numpy as np

    context.ledger.verify("prepare", "train", "gate")
    _, labels = data.read_csv(context.work / "test.csv")
    truth = [int(label) for label in labels]
    predicted = [int(p > 0.5) for p in np.load(context.work / ANSWERS, allow_pickle=False)]
    counts = confusion(truth, predicted)
    found = context.of("baseline")
    rows = [_row("this net (offline)", counts)]
    rows += [_row(name, confusion(truth, answers)) for name, answers in found["predictions"].items()]
    rows.append(_row("the notebook's net, as printed there", NOTEBOOK))
    columns = ["model", "TN", "FP", "FN", "TP", "recall", "precision", "accuracy"]
    context.table(f"Scores on the {len(truth)} test points", columns, rows)
    hits = [a == b for a, b in zip(predicted, truth, strict=True)]
    best = found["best"]
    baseline_hits = [a == b for a, b in zip(found["predictions"][best], truth, strict=True)]
    check = gates.against_baseline(context.step, best, hits, baseline_hits)
    scores = scored(counts)
    context.ledger.note("evaluate", scores=scores)
    gates.decide(context, [check], overruled=bool(context.of("gate")["overruled"]))
    return Result(outputs={"scores": scores}, summary=check.reason)


def scored(counts: Confusion) -> dict[str, float]:
    """A confusion table as metrics."""
    return {
        "accuracy": counts.accuracy,
        "precision": counts.precision,
        "recall": counts.recall,
        "points": float(counts.tn + counts.fp + counts.fn + counts.tp),
    }


def _upload(context: Context) -> str:
    path = context.work / "train.csv"
    context.ledger.verify("prepare")
    context.ledger.made("objects", context.prefix)
    uri = context.interface.upload(path, f"{context.prefix}/data/train")
    context.artifact("object", "train.csv", uri, sha256(path))
    return uri


def _row(name: str, counts: Confusion) -> list[Any]:
    ratios = [round(value, 3) for value in (counts.recall, counts.precision, counts.accuracy)]
    return [name, counts.tn, counts.fp, counts.fn, counts.tp, *ratios]


def _curves(series: dict[str, list[float]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "x": list(range(1, len(values) + 1)), "y": values}
        for name, values in series.items()
        if values
    ]
