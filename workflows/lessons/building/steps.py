"""Training, the gate from the log, the model, and the batch transform with its scores."""

from __future__ import annotations

from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.lessons import boosted, rows, subject
from workflows.lessons.boosted import Score
from workflows.lessons.building.notebook import PRINTED
from workflows.studies import batch, gates, training
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest

POINTS = 400
"""Points of the figure: a terminal shows no more."""


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    found = context.of("prepare")
    return {
        **rows.data_inputs(context),
        "hyperparameters": boosted.hyperparameters(context, subject.KINDS[str(context.value("subject"))]),
        "instance_type": context.value("instance-type"),
        "image": boosted.image(context),
        "vocabulary": found.get("vocabulary", ""),
    }


def train(context: Context) -> Result:
    """One XGBoost job on the channels train and validation."""
    kind = subject.KINDS[str(context.value("subject"))]
    files = rows.files(context)
    settings = boosted.hyperparameters(context, kind)
    inputs = boosted.channels(context, files.paths, files.content_type)
    job = boosted.job(context, context.run.id, inputs, settings, kind)
    ((state, series),) = training.train_all(context, [job], 1)
    archive, outputs = training.fetch_model(context, state, str(context.value("instance-type")))
    curves = [
        {"name": name.partition(":")[0], "x": list(range(len(values))), "y": values}
        for name, values in series.items()
        if values and name.endswith(f":{kind.metric}")
    ]
    context.figure(context.titled("Score by trees"), "line", curves, "tree", kind.metric)
    try:
        best, value = boosted.best_round(series, kind)
    except ValueError as error:
        raise WorkflowError(f"{error} Look at the log of {state.name}.") from error
    seconds = float(outputs["billable_seconds"])
    context.note(
        "Where the time goes",
        f"{seconds:.0f} seconds were billed. On AWS a job like this waits two to three minutes for its machine and its image, and learns for "
        "less than a second; only the seconds of the machine are billed.",
    )
    return Result(
        outputs={**outputs, "series": series, "best_round": best, "best_value": value},
        files=[archive],
        summary=f"Best after {best + 1} trees: validation {kind.metric} {value:.4f}.",
    )


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on."""
    return rows.data_inputs(context) | {"model": context.of("train")["model_sha256"]}


def gate(context: Context) -> Result:
    """From the log alone: whether the validation score beats the best free baseline on the same rows.

    Raises:
        Refused: It does not, and nobody overruled that.
    """
    kind = subject.KINDS[str(context.value("subject"))]
    free = context.of("baseline")
    name, known = free["best"], free["validation"][free["best"]]
    value = float(context.of("train")["best_value"])
    ours = Score(kind, value if kind.smaller_is_better else 1 - value, known["error"])
    theirs = Score(kind, known["value"], known["error"])
    trivial = next(iter(free["validation"]))
    floor = Score(kind, free["validation"][trivial]["value"], free["validation"][trivial]["error"])
    found = [_learned(context, ours, floor, trivial), _beats(context, ours, theirs, name)]
    overruled = gates.decide(context, found)
    return Result(outputs={"overruled": overruled}, summary=found[1].reason)


def _learned(context: Context, ours: Score, floor: Score, name: str) -> Any:
    if ours.better(floor):
        return gates.judgement(
            context.step,
            "it learned",
            "pass",
            f"{ours} against {floor.value:.4f} of {name}.",
            ours.value,
            floor.value,
        )
    reason = f"{ours}: no better than {name} ({floor.value:.4f}). It learned nothing."
    return gates.judgement(context.step, "it learned", "fail", reason, ours.value, floor.value)


def _beats(context: Context, ours: Score, theirs: Score, name: str) -> Any:
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
    """What the model resource depends on."""
    return {"model": context.of("train")["model_sha256"], "image": boosted.image(context)}


def made(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the model is still there."""
    return context.interface.model_exists(outputs["model"])


def make(context: Context) -> Result:
    """CreateModel."""
    name = context.run.id
    batch.need_model(context, name, boosted.image(context), context.of("train")["model_uri"])
    context.artifact("model", name, context.of("train")["model_uri"])
    return Result(
        outputs={"model": name}, summary=f"Model {name}: {boosted.image(context)} with the job's artefact."
    )


def evaluate_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    names = ("strategy", "max-payload-mb", "max-concurrent", "instance-type")
    return model_inputs(context) | {name: context.value(name) for name in names}


def evaluate(context: Context) -> Result:
    """The test rows through batch transform; the scores beside the baselines' and the notebooks'.

    Raises:
        WorkflowError: The job failed, or answers are missing.
    """
    files = rows.files(context)
    context.ledger.verify("train")
    path = files.paths["test"]
    uri = context.interface.upload(path, f"{context.prefix}/test")
    request = TransformRequest(
        name=context.run.id,
        model=context.run.id,
        input=uri,
        output=f"{context.prefix}/answers",
        content_type=files.content_type,
        accept="text/csv",
        strategy=context.value("strategy"),
        max_payload_mb=int(context.value("max-payload-mb")),
        max_concurrent=int(context.value("max-concurrent")),
        instance_type=str(context.value("instance-type")),
        tags=context.tags,
    )
    (name,) = batch.transform_all(context, [request], 1)
    found = subject.read(context)
    truth = found.sets["test"].labels
    answers = boosted.parsed(batch.answers(context, request.output, path.name, len(truth)))
    ours = boosted.score(found.kind, truth, answers)
    predictions = context.work / "predictions.csv"
    lines = [
        f"{number},{label!r},{answer!r}"
        for number, (label, answer) in enumerate(zip(truth.tolist(), answers.tolist(), strict=True))
    ]
    predictions.write_text("\n".join(["test_row,label,answer", *lines]) + "\n", encoding="utf-8")
    context.artifact("predictions", predictions.name, str(predictions), sha256(predictions))
    free = context.of("baseline")["test"]
    table = [["XGBoost by batch transform", round(ours.value, 4), round(ours.error, 4)]]
    table += [[one, round(values["value"], 4), round(values["error"], 4)] for one, values in free.items()]
    table += [[f"{who} (another split)", value, None] for who, value in PRINTED[found.name]]
    context.table(context.titled(f"Test rows: {found.kind.score}"), ["answers", found.kind.score, "±"], table)
    _figures(context, found.name, truth, answers)
    best = context.of("baseline")["best"]
    return Result(
        outputs={
            "transform_job": name,
            "score": {"value": ours.value, "error": ours.error},
            "baseline": free[best]["value"],
            "predictions_sha256": sha256(predictions),
        },
        files=[predictions],
        summary=f"{ours} on {len(truth)} test rows; {best} {free[best]['value']:.4f}.",
    )


def _figures(context: Context, name: str, truth: Any, answers: Any) -> None:
    if name == "reviews":
        from workflows.studies.scores import confusion

        counts = confusion([int(one) for one in truth], [int(one >= 0.5) for one in answers])
        context.table(
            context.titled("Verdicts"),
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
