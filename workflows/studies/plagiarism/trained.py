"""Training the classifier as a SageMaker job, and the gate on what its log and its archive say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workflows.events import Gate
from workflows.failures import WorkflowError
from workflows.files import folder_sha256, sha256
from workflows.interfaces import images
from workflows.interfaces.archives import unpack
from workflows.interfaces.base import MetricDefinition, TrainingRequest
from workflows.studies import gates, offline, training
from workflows.studies.context import Context
from workflows.studies.plagiarism import local, pinned
from workflows.studies.study import Result

ENTRY_POINT = "train.py"
METRICS = tuple(
    MetricDefinition(f"{part}:{name}", rf"\b{part}:{name}=([0-9.]+);")
    for part in ("train", "cv")
    for name in ("accuracy", "precision", "recall", "log_loss")
)
HYPERPARAMETERS = ("classifier", "c", "solver", "n-estimators", "n-neighbors", "seed")
ANSWERS = "offline-test.npy"
"""Label and probability (n, 2) that the archive gives for the test answers on this machine, below the work folder."""


def source() -> Path:
    """The folder that is uploaded: classifiers, their training and their serving code."""
    import algorithms.plagiarism

    return Path(algorithms.plagiarism.__file__).parent / "source"


def hyperparameters(parameters: dict[str, Any], names: list[str]) -> dict[str, str]:
    """The job's hyperparameters as SageMaker takes them: texts."""
    return {name: str(parameters[name]) for name in HYPERPARAMETERS} | {
        "features": ",".join(names),
        "cross-validation": "leave-one-out",
    }


def options(parameters: dict[str, Any]) -> dict[str, Any]:
    """The same for the classifiers in this process."""
    return {name.replace("-", "_"): parameters[name] for name in HYPERPARAMETERS}


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    return {
        "data": context.of("prepare")["train_sha256"],
        "code": folder_sha256(source()),
        "hyperparameters": hyperparameters(context.run.parameters, context.of("prepare")["names"]),
        "instance_type": context.value("instance-type"),
        "image": images.sklearn(context.platform.region),
    }


def train(context: Context) -> Result:
    """Uploads, trains, follows, fetches the model archive.

    Raises:
        WorkflowError: The job failed, or its log has no scores.
    """
    instance = str(context.value("instance-type"))
    request = TrainingRequest(
        name=context.run.id,
        image=images.sklearn(context.platform.region),
        source=source(),
        entry_point=ENTRY_POINT,
        inputs={"train": _upload(context)},
        hyperparameters=hyperparameters(context.run.parameters, context.of("prepare")["names"]),
        metrics=METRICS,
        instance_type=instance,
        max_seconds=int(context.value("max-minutes")) * 60,
        prefix=context.prefix,
        tags=context.tags,
    )
    state, series = training.train(context, request, 0)
    logged = {name: values[-1] for name, values in series.items() if values}
    if "cv:accuracy" not in logged or "train:accuracy" not in logged:
        raise WorkflowError(f"The log of training job {state.name} has no scores. Start a new run.")
    archive, made = training.fetch_model(context, state, instance)
    return Result(
        outputs={
            **made,
            "logged": logged,
        },
        files=[archive],
        summary=f"In {state.train_seconds:.0f} s: {logged['train:accuracy']:.3f} of the training answers are right, "
        f"{logged['cv:accuracy']:.3f} when each is left out.",
    )


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on: the model's and the data's content, and what is required."""
    return {
        "model": context.of("train")["model_sha256"],
        "data": context.of("prepare")["table_sha256"],
        "baseline": context.of("baseline")["left_out"],
        "parameters": [context.value(name) for name in ("target", "spread-seeds", *HYPERPARAMETERS)],
    }


def gate(context: Context) -> Result:
    """What the training log and the archive's answers, worked out on this machine, tell before any hosting.

    Raises:
        WorkflowError: The archive holds another model than the one that was asked for.
        Refused: A gate failed.
    """
    import numpy as np

    found = local.read(context)
    context.ledger.verify("train")
    model = unpack(context.work / "model.tar.gz", context.work / "model")
    _is_ours(context, model)
    rows = np.concatenate([found.train.x, found.test.x])
    answers = offline.predict(model, rows, context.work)
    np.save(context.work / ANSWERS, answers[len(found.train.y) :])
    logged, total = context.of("train")["logged"], len(found.train.y)
    positive = float(found.train.y.mean())
    checks = [
        target(context, "target, cross-validated", logged["cv:accuracy"], total),
        gates.both_classes(context.step, [int(label) for label in answers[:, 0]]),
        gates.beats_chance(
            context.step, round(logged["cv:accuracy"] * total), total, max(positive, 1 - positive)
        ),
        generalises(context.step, logged["train:accuracy"], logged["cv:accuracy"], total),
    ]
    overruled = gates.decide(context, checks)
    return Result(
        outputs={"overruled": overruled},
        files=[context.work / ANSWERS],
        summary="Overruled: it is hosted although a gate failed."
        if overruled
        else "It learned: all gates pass.",
    )


def target(context: Context, name: str, accuracy: float, total: int, verdict: gates.Verdict = "fail") -> Gate:
    """Whether so many of ``total`` answers are right as the run requires; else ``verdict``."""
    wanted = float(context.value("target"))
    reached = accuracy >= wanted
    reason = f"{accuracy:.3f} of {total} answers are right{'' if reached else ', which misses the target'}; {wanted:.2f} is required."
    return gates.judgement(context.step, name, "pass" if reached else verdict, reason, accuracy, wanted)


def generalises(step: str, trained: float, left_out: float, total: int) -> Gate:
    """Warns when answers that were left out do worse than trained ones by more than two standard errors."""
    error = (left_out * (1 - left_out) / total) ** 0.5
    gap = trained - left_out
    memorised = gap > 2 * error
    end = "it remembers answers rather than recognising copies" if memorised else "within two standard errors"
    reason = f"{trained:.3f} of the training answers are right, {left_out:.3f} when each is left out: {end}."
    return gates.judgement(step, "generalises", "warn" if memorised else "pass", reason, gap, 2 * error)


def _is_ours(context: Context, model: Path) -> None:
    """The archive describes the model that this run asked for: no stale one of another set of features."""
    described = json.loads((model / "model.json").read_text(encoding="utf-8"))
    wanted = {"features": context.of("prepare")["names"], **options(context.run.parameters)}
    found = {**described.get("hyperparameters", {}), **described}
    for name, value in wanted.items():
        if found.get(name) != value:
            raise WorkflowError(
                f"The archive of {context.of('train')['job']} has {name} {found.get(name)}, not {value}: it is a model of "
                "something else. Start a new run."
            )


def _upload(context: Context) -> str:
    context.ledger.verify("prepare")
    path = context.work / pinned.TRAIN
    context.ledger.made("objects", context.prefix)
    uri = context.interface.upload(path, f"{context.prefix}/data/train")
    context.artifact("object", path.name, uri, sha256(path))
    return uri
