"""Training, the gate from the log, the model, and the batch transform with its scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from workflows.events import Gate
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.lessons import boosted, learners, rows, subject
from workflows.lessons.boosted import Score
from workflows.lessons.building import scored
from workflows.lessons.learners import Learner
from workflows.studies import batch, gates, training
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest

POINTS = 400
"""Points of the figure: a terminal shows no more."""


def train_inputs(context: Context) -> dict[str, Any]:
    """What the models depend on."""
    kind = subject.KINDS[str(context.value("subject"))]
    return {
        **rows.data_inputs(context),
        "instance_type": context.value("instance-type"),
        "models": {
            one.NAME: {
                "hyperparameters": one.hyperparameters(context, kind),
                "image": one.image(context),
                "code": one.code(context),
            }
            for one in learners.chosen(context)
        },
    }


def train(context: Context) -> Result:
    """A job of each model on the channels train and validation."""
    kind = subject.KINDS[str(context.value("subject"))]
    chosen = learners.chosen(context)
    jobs = [
        one.job_on(
            context,
            _named(context, one),
            rows.files(context, one.NAME),
            kind,
            one.TITLE if chosen[1:] else "",
        )
        for one in chosen
    ]
    models, files, told = {}, [], []
    for one, (state, series) in zip(chosen, training.train_all(context, jobs, len(jobs)), strict=True):
        archive, outputs = training.fetch_model(
            context, state, str(context.value("instance-type")), f"model-{one.NAME}.tar.gz"
        )
        try:
            best, value = one.best_round(series, kind)
        except ValueError as error:
            raise WorkflowError(f"{error} Look at the log of {state.name}.") from error
        models[one.NAME] = {**outputs, "series": series, "best_round": best, "best_value": value}
        files.append(archive)
        told.append(f"{one.TITLE}: best after {best + 1} {one.UNIT}s, validation {kind.metric} {value:.4f}.")
        name, curves = one.curves(series, kind)
        drawn = [
            {"name": part, "x": list(range(len(values))), "y": values}
            for part, values in curves.items()
            if values
        ]
        context.figure(context.titled(f"{one.TITLE}: {name} by {one.UNIT}s"), "line", drawn, one.UNIT, name)
    seconds = sum(float(model["billable_seconds"]) for model in models.values())
    context.note(
        "Where the time goes",
        f"{seconds:.0f} seconds were billed. On AWS a job waits two to three minutes for its machine and its image; XGBoost then learns for a second, "
        "the LSTM for a minute: a recurrent net takes the words of a review one after another. Only the seconds of the machine are billed.",
    )
    return Result(outputs={"models": models}, files=files, summary=" ".join(told))


def _named(context: Context, learner: Learner) -> str:
    """What a model, its training job and its transform job are called. No name of a run's models is the beginning of another one's."""
    return f"{context.run.id}-{learner.NAME}"


def trained(context: Context, learner: Learner) -> dict[str, Any]:
    """What the training step says of a model."""
    found: dict[str, Any] = context.of("train")["models"][learner.NAME]
    return found


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on."""
    hashes = {one.NAME: trained(context, one)["model_sha256"] for one in learners.chosen(context)}
    return rows.data_inputs(context) | {"models": hashes}


def gate(context: Context) -> Result:
    """From the logs alone: whether each validation score beats the best free baseline on the same rows.

    Raises:
        Refused: One does not, and nobody overruled that.
    """
    kind = subject.KINDS[str(context.value("subject"))]
    chosen = learners.chosen(context)
    free = context.of("baseline")
    name, known = free["best"], free["validation"][free["best"]]
    theirs = Score(kind, known["value"], known["error"])
    trivial = next(iter(free["validation"]))
    floor = Score(kind, free["validation"][trivial]["value"], free["validation"][trivial]["error"])
    found, told = [], []
    for one in chosen:
        ours = Score(kind, validated(context, one), known["error"])
        learned, better = _learned(context, ours, floor, trivial), _beats(context, ours, theirs, name)
        mark = f"{one.TITLE}: " if chosen[1:] else ""
        found += [replace(judged, name=f"{mark}{judged.name}") for judged in (learned, better)]
        told.append(f"{mark}{better.reason}")
    overruled = gates.decide(context, found)
    return Result(outputs={"overruled": overruled}, summary=" ".join(told))


def validated(context: Context, learner: Learner) -> float:
    """A model's score on the validation rows, as its log told it."""
    value = float(trained(context, learner)["best_value"])
    return value if subject.KINDS[str(context.value("subject"))].smaller_is_better else 1 - value


def _learned(context: Context, ours: Score, floor: Score, name: str) -> Gate:
    if ours.better(floor):
        reason = f"{ours} against {floor.value:.4f} of {name}."
        return gates.judgement(context.step, "it learned", "pass", reason, ours.value, floor.value)
    reason = f"{ours}: no better than {name} ({floor.value:.4f}). It learned nothing."
    return gates.judgement(context.step, "it learned", "fail", reason, ours.value, floor.value)


def _beats(context: Context, ours: Score, theirs: Score, name: str) -> Gate:
    reason = f"{ours} against {theirs.value:.4f} of the free {name}, on the validation rows"
    if ours.better(theirs):
        return gates.judgement(
            context.step, "against the baseline", "pass", f"{reason}.", ours.value, theirs.value
        )
    near = abs(ours.value - theirs.value) <= 2 * theirs.error
    how = "less than two standard errors short of it." if near else "a free answer is better."
    return gates.judgement(
        context.step, "against the baseline", "warn", f"{reason}: {how}", ours.value, theirs.value
    )


def make_inputs(context: Context) -> dict[str, Any]:
    """What the model resources depend on."""
    return {
        one.NAME: {"model": trained(context, one)["model_sha256"], "served": one.serving(context)}
        for one in learners.chosen(context)
    }


def made(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the models are still there."""
    return all(context.interface.model_exists(name) for name in outputs["models"].values())


def make(context: Context) -> Result:
    """CreateModel, for each model."""
    names, told = {}, []
    for one in learners.chosen(context):
        names[one.NAME] = name = _named(context, one)
        image, environment = one.serving(context)
        uri = trained(context, one)["model_uri"]
        batch.need_model(context, name, image, uri, environment=environment)
        context.artifact("model", name, uri)
        told.append(f"Model {name}: {image} with the job's artefact.")
    return Result(outputs={"models": names}, summary=" ".join(told))


def evaluate_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    names = ("strategy", "max-payload-mb", "max-concurrent", "instance-type")
    return model_inputs(context) | {name: context.value(name) for name in names}


def evaluate(context: Context) -> Result:
    """The test rows through batch transform, by each model; the scores beside the baselines' and the notebooks'.

    Raises:
        WorkflowError: A job failed, or answers are missing.
    """
    chosen = learners.chosen(context)
    context.ledger.verify("train")
    requests = [_transform(context, one) for one in chosen]
    names = batch.transform_all(context, requests, len(requests))
    found = subject.read(context)
    truth = found.sets["test"].labels
    answers = {
        one.NAME: boosted.parsed(
            batch.answers(
                context, request.output, rows.files(context, one.NAME).paths["test"].name, len(truth)
            )
        )
        for one, request in zip(chosen, requests, strict=True)
    }
    scores = {name: boosted.score(found.kind, truth, values) for name, values in answers.items()}
    predictions = context.work / "predictions.csv"
    _write_predictions(predictions, truth, answers)
    context.artifact("predictions", predictions.name, str(predictions), sha256(predictions))
    scored.table(context, found, {one.TITLE: scores[one.NAME] for one in chosen})
    for one in chosen:
        _figures(context, found.name, truth, answers[one.NAME], f"{one.TITLE}: " if chosen[1:] else "")
    best = context.of("baseline")["best"]
    free = context.of("baseline")["test"][best]["value"]
    told = ", ".join(
        f"{one.TITLE} {scores[one.NAME].value:.4f} ± {scores[one.NAME].error:.4f}" for one in chosen
    )
    return Result(
        outputs={
            "transform_jobs": names,
            "scores": {name: {"value": one.value, "error": one.error} for name, one in scores.items()},
            "baseline": free,
            "predictions_sha256": sha256(predictions),
        },
        files=[predictions],
        summary=f"{found.kind.score} on {len(truth)} test rows: {told}; {best} {free:.4f}.",
    )


def _transform(context: Context, learner: Learner) -> TransformRequest:
    """Uploads a model's test rows, and the job that scores them."""
    files = rows.files(context, learner.NAME)
    return TransformRequest(
        name=_named(context, learner),
        model=_named(context, learner),
        input=context.interface.upload(files.paths["test"], f"{context.prefix}/test"),
        output=f"{context.prefix}/answers/{learner.NAME}",
        content_type=files.content_type,
        accept="text/csv",
        strategy=context.value("strategy"),
        max_payload_mb=int(context.value("max-payload-mb")),
        max_concurrent=int(context.value("max-concurrent")),
        instance_type=str(context.value("instance-type")),
        tags=context.tags,
    )


def _write_predictions(path: Path, truth: Any, answers: dict[str, Any]) -> None:
    """A line a test row: its number, its label, what each model answered."""
    columns = [truth.tolist(), *(values.tolist() for values in answers.values())]
    lines = [",".join([str(at), *map(repr, values)]) for at, values in enumerate(zip(*columns, strict=True))]
    head = ",".join(["test_row", "label", *answers])
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def _figures(context: Context, name: str, truth: Any, answers: Any, mark: str) -> None:
    if name == "reviews":
        from workflows.studies.scores import confusion

        counts = confusion([int(one) for one in truth], [int(one >= 0.5) for one in answers])
        context.table(
            context.titled(f"{mark}verdicts" if mark else "Verdicts"),
            ["", "says negative", "says positive"],
            [["is negative", counts.tn, counts.fp], ["is positive", counts.fn, counts.tp]],
        )
        return
    step = max(1, len(truth) // POINTS)
    points = {
        "name": "test rows",
        "x": truth[::step].round(3).tolist(),
        "y": answers[::step].round(3).tolist(),
    }
    context.figure(context.titled("Answered by real price"), "scatter", [points], "real", "answered")
