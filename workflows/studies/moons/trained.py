"""Training the net as a SageMaker job, and judging it before anything is hosted."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflows.events import Gate
from workflows.files import folder_sha256, sha256
from workflows.interfaces import images
from workflows.interfaces.archives import unpack
from workflows.interfaces.base import MetricDefinition, TrainingRequest
from workflows.studies import gates, notebook, offline, training
from workflows.studies.context import Context
from workflows.studies.moons import data
from workflows.studies.moons.candidates import Candidate, Standing, best, candidates, leaderboard
from workflows.studies.moons.live import Follower
from workflows.studies.moons.local import scatter
from workflows.studies.scores import Confusion, confusion
from workflows.studies.study import Result

ENTRY_POINT = "train.py"
METRICS = (
    MetricDefinition("train:loss", r"train:loss=([0-9.]+)"),
    MetricDefinition("train:dead_units", r"train:dead_units=([0-9]+)"),
    MetricDefinition("validation:loss", r"validation:loss=([0-9.]+)"),
    MetricDefinition("validation:accuracy", r"validation:accuracy=([0-9.]+)"),
)
CURVES = (
    ("Training", ("train:loss", "validation:loss"), "loss"),
    ("Accuracy on held-out points", ("validation:accuracy",), "accuracy"),
    ("Hidden units that are dead", ("train:dead_units",), "units"),
)
"""Figures of a job's metrics: title, metrics, what they measure. One axis each, since 100 units flatten a loss of 0.3."""
ANSWERS = "offline-test.npy"
"""The probabilities that the archive gives for the test points on this machine, below the work folder."""
NOTEBOOK = Confusion(tn=53, fp=18, fn=11, tp=68)
"""What the course's own notebook printed for its net on the same 150 points."""
NOTEBOOK_LOSS = 0.4225


def source() -> Path:
    """The folder that is uploaded: the net, its training and its serving code."""
    import algorithms.moons

    return Path(algorithms.moons.__file__).parent / "source"


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    nets = candidates(context.run.parameters)
    return {
        "data": context.of("prepare")["train_sha256"],
        "code": folder_sha256(source()),
        "hyperparameters": [net.hyperparameters(context.run.parameters) for net in nets],
        "instance_type": context.value("instance-type"),
        "image": images.pytorch("training", context.platform.region),
    }


def train(context: Context) -> Result:
    """Uploads, trains a job for each net, follows, compares, fetches the archive of the best by held-out points."""
    nets = candidates(context.run.parameters)
    points = scatter(*data.read_csv(context.work / "train.csv"))
    followers = [Follower(context, net, points, len(nets) == 1) for net in nets]
    uri = _upload(context)
    jobs = [
        training.Job(
            _request(context, net, uri, len(nets)),
            net.epochs,
            METRICS,
            net.label if len(nets) > 1 else "",
            follower,
        )
        for net, follower in zip(nets, followers, strict=True)
    ]
    ended = training.train_all(context, jobs, int(context.value("parallel")))
    standings = [follower.standing for follower in followers]
    chosen = best(standings)
    place = standings.index(chosen)
    state, series = ended[place]
    for title, names, measured in CURVES:
        if curves := _curves(series, names):
            context.figure(title, "line", curves, "epoch", measured)
    if len(nets) > 1:
        _compared(context, standings, [found for _, found in ended])
    archive, made = training.fetch_model(context, state, str(context.value("instance-type")))
    losses = series["train:loss"]
    for name in ("train_seconds", "billable_seconds"):
        made[name] = sum(getattr(one, name) for one, _ in ended)
    return Result(
        outputs={
            **made,
            "epochs": len(losses),
            "losses": losses,
            "hyperparameters": chosen.candidate.hyperparameters(context.run.parameters),
            "candidates": len(nets),
            "dead": chosen.dead,
        },
        files=[archive],
        summary=_summary(chosen, len(nets), losses, state.train_seconds),
    )


def _request(context: Context, net: Candidate, uri: str, nets: int) -> TrainingRequest:
    return TrainingRequest(
        name=context.run.id if nets == 1 else f"{context.run.id}-{net.suffix}",
        image=images.pytorch("training", context.platform.region),
        source=source(),
        entry_point=ENTRY_POINT,
        inputs={"train": uri},
        hyperparameters=net.hyperparameters(context.run.parameters),
        metrics=METRICS,
        instance_type=str(context.value("instance-type")),
        max_seconds=int(context.value("max-minutes")) * 60,
        prefix=context.prefix,
        tags=context.tags,
    )


def _compared(context: Context, standings: list[Standing], series: list[dict[str, list[float]]]) -> None:
    """The leaderboard and the curves of the nets' held-out loss: test points choose nothing."""
    columns, rows = leaderboard(standings)
    seeds = max(len(standing.scores) for standing in standings)
    context.table(f"Nets compared on held-out points, mean ± spread over {seeds} seeds", columns, rows)
    curves = [
        {"name": item.candidate.title, "x": list(range(1, len(losses) + 1)), "y": losses}
        for item, found in zip(standings, series, strict=True)
        if (losses := found["validation:loss"])
    ]
    context.figure("Loss on held-out points", "line", curves, "epoch", "loss")


def _summary(chosen: Standing, nets: int, losses: list[float], seconds: float) -> str:
    if not losses:
        return "No loss was logged."
    told = f"{len(losses)} epochs in {seconds:.0f} s, loss {losses[-1]:.4f}."
    if chosen.dead:
        told = f"Given up after {len(losses)} epochs: {chosen.dead}."
    return told if nets == 1 else f"{chosen.candidate.title} are the best of {nets} nets. {told}"


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
    test_points, test_labels = data.read_csv(context.work / "test.csv")
    model = unpack(context.work / "model.tar.gz", context.work / "model")
    asked = np.concatenate([points, test_points]).astype(np.float32)
    answers, facts = offline.examine(model, asked, context.work)
    np.save(context.work / ANSWERS, answers[len(points) :])
    predicted = [int(p > 0.5) for p in answers[: len(points)]]
    hits = sum(int(a == b) for a, b in zip(predicted, labels.tolist(), strict=True))
    majority = max(float(labels.mean()), 1 - float(labels.mean()))
    checks = [
        gates.flat_loss(context.step, context.of("train")["losses"]),
        alive(context.step, facts, answers.tolist(), context.of("train")["dead"]),
        gates.both_classes(context.step, predicted),
        gates.beats_chance(context.step, hits, len(predicted), majority),
    ]
    context.ledger.note("gate", dead_units=facts["dead_units"])
    overruled = gates.decide(context, checks)
    return Result(
        outputs={
            "overruled": overruled,
            "seeds": {
                str(seed): sum(
                    (p > 0.5) == bool(label)
                    for p, label in zip(given[len(points) :], test_labels, strict=True)
                )
                for seed, given in zip(facts["seeds"], facts["answers"], strict=True)
            },
        },
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
    if context.value("data") == "generated":
        rows.append(_row("the notebook's net, as printed there", NOTEBOOK))
    columns = ["model", "accuracy", "recall", "precision", "TN", "FP", "FN", "TP"]
    context.table(f"Scores on the {len(truth)} test points", columns, rows)
    hits = [a == b for a, b in zip(predicted, truth, strict=True)]
    rival = found["best"]
    baseline_hits = [a == b for a, b in zip(found["predictions"][rival], truth, strict=True)]
    check = gates.against_baseline(context.step, rival, hits, baseline_hits)
    seeds, verdicts = _over_seeds(context, counts.accuracy, len(truth))
    scores = scored(counts) | seeds
    if context.value("data") == "generated":
        notebook.beside(
            context,
            [
                ("recall", NOTEBOOK.recall, counts.recall),
                ("precision", NOTEBOOK.precision, counts.precision),
                ("accuracy", NOTEBOOK.accuracy, counts.accuracy),
                ("training loss after the last epoch", NOTEBOOK_LOSS, context.of("train")["losses"][-1]),
            ],
        )
    context.ledger.note("evaluate", scores=scores)
    gates.decide(context, [check, *verdicts], overruled=bool(context.of("gate")["overruled"]))
    return Result(outputs={"scores": scores}, summary=check.reason)


def alive(step: str, facts: dict[str, Any], answers: list[float], given_up: str = "") -> Gate:
    """Whether the net can still learn: hidden units that are 0 everywhere, and a ReLU before the sigmoid that passes 0.

    Args:
        facts: What the archive tells: ``hidden``, ``dead_units`` and ``final_relu``.
        answers: Probabilities of points.
        given_up: Why training was given up.
    """
    hidden, dead, relu = int(facts["hidden"]), int(facts["dead_units"]), bool(facts["final_relu"])
    silent = sum(answer == 0.5 for answer in answers)
    total = len(answers)
    counted = f"{dead} of {hidden} hidden units are dead (0 for each of {total} points)"
    verdict: gates.Verdict = "fail" if silent == total or dead == hidden else "pass"
    if relu and verdict == "fail":
        reason = (
            f"ReLU before the sigmoid: all {total} points get exactly 1/2, because the ReLU makes 0 of every sum and lets no gradient "
            f"through; {counted}. Take the ReLU out: final-activation=none."
        )
    elif verdict == "fail":
        reason = f"Dead units: {counted}, so every point gets the same answer. Lower the learning rate, or take another seed."
    elif relu:
        verdict = "warn"
        reason = (
            f"ReLU before the sigmoid: {silent} of {total} points get exactly 1/2, the least that this net can say; {counted}. "
            "Take the ReLU out: final-activation=none."
        )
    elif given_up:
        verdict = "warn"
        reason = (
            f"Training was given up: {given_up}. The weights are those of the best epoch before; {counted}."
        )
    else:
        verdict = "warn" if dead > hidden / 2 else "pass"
        reason = f"{counted}{': lower the learning rate' if verdict == 'warn' else ''}."
    return gates.judgement(step, "units alive", verdict, reason, float(dead), float(hidden))


def _over_seeds(context: Context, accuracy: float, total: int) -> tuple[dict[str, float], list[Gate]]:
    """Test accuracy of the same net with other seeds, beside the one that is hosted, and whether that one was lucky."""
    found = {int(seed): hits / total for seed, hits in context.of("gate")["seeds"].items()}
    values = list(found.values())
    if len(values) < 2:
        return {}, []
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    rows = [
        [seed, "hosted" if seed == context.value("seed") else "", round(value, 4)]
        for seed, value in found.items()
    ]
    rows.append(["mean ± spread", f"± {spread:.4f}", round(mean, 4)])
    context.table(f"The same net with {len(values)} seeds, test points", ["seed", "", "accuracy"], rows)
    measured = {"mean": mean, "spread": spread, "min": min(values), "max": max(values)}
    scores = {f"seeds_{name}": value for name, value in measured.items()} | {"seeds": float(len(values))}
    return scores, [gates.luck(context.step, "net", accuracy, values, total, "the mean")]


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
    ratios = [round(value, 3) for value in (counts.accuracy, counts.recall, counts.precision)]
    return [name, *ratios, counts.tn, counts.fp, counts.fn, counts.tp]


def _curves(series: dict[str, list[float]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "x": list(range(1, len(values) + 1)), "y": values}
        for name in names
        if (values := series.get(name))
    ]
