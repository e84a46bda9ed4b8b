"""Default and tuned settings on the test rows: scores, their difference with its error, and the verdict."""

from __future__ import annotations

from typing import Any

from workflows.files import sha256
from workflows.lessons import boosted, rows, subject
from workflows.lessons.contrast import contrast
from workflows.lessons.tuning.notebook import PRINTED
from workflows.studies import batch, gates
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest

GROUPS = {"default": "default", "tuned": "again"}
"""What a group of models is called, and the step that trained it."""


def evaluate_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return rows.data_inputs(context) | {name: context.of(step)["models"] for name, step in GROUPS.items()}


def evaluate(context: Context) -> Result:
    """Every model's answers to the test rows by batch transform; the difference of the two configurations.

    Raises:
        WorkflowError: A transform job failed, or answers are missing.
    """
    found = subject.read(context)
    truth = found.sets["test"].labels
    answers = _answers(context, len(truth))
    verdict = contrast(found.kind, truth, answers["default"], answers["tuned"])
    free = context.of("baseline")
    table: list[list[Any]] = []
    for group, several in answers.items():
        scores = [boosted.score(found.kind, truth, one) for one in several]
        values = [one.value for one in scores]
        table.append(
            [
                f"{group}, {len(values)} seeds",
                round(sum(values) / len(values), 4),
                round(min(values), 4),
                round(max(values), 4),
            ]
        )
    table += [[name, round(one["value"], 4), None, None] for name, one in free["test"].items()]
    table += [[f"{who} (another split)", value, None, None] for who, value in PRINTED[found.name]]
    context.table(
        context.titled(f"Test rows: {found.kind.score}"),
        ["answers", found.kind.score, "least", "most"],
        table,
    )
    sentence = verdict.sentence("the default settings", "the tuned settings", found.kind.score)
    said: gates.Verdict = "pass" if verdict.real and verdict.gain > 0 else "fail" if verdict.real else "warn"
    context.send(
        gates.judgement(context.step, "tuning was worth it", said, sentence, verdict.gain, verdict.limit)
    )
    if verdict.real and verdict.gain < 0:
        few = context.of("prepare")["rows"]["validation"]
        context.note(
            "What happened here",
            f"The winner was chosen by {few} validation rows, and fits what is peculiar to them. More validation rows, cross-validation "
            "(XGBoost's _kfold) or fewer trials would have chosen better; without this comparison it would have been deployed.",
        )
    path = context.work / "predictions.csv"
    names = [f"{group}-{number + 1}" for group, several in answers.items() for number in range(len(several))]
    columns = [truth.tolist(), *(one.tolist() for several in answers.values() for one in several)]
    lines = [",".join(map(repr, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([",".join(["label", *names]), *lines]) + "\n", encoding="utf-8")
    context.artifact("predictions", path.name, str(path), sha256(path))
    return Result(
        outputs={
            "default": verdict.first,
            "tuned": verdict.second,
            "gain": verdict.gain,
            "error": verdict.error,
            "real": verdict.real,
            "sentence": sentence,
            "predictions_sha256": sha256(path),
        },
        files=[path],
        summary=sentence,
    )


def _answers(context: Context, count: int) -> dict[str, list[Any]]:
    """Answers (n,) of every model, by group."""
    files = rows.files(context)
    path = files.paths["test"]
    uri = context.interface.upload(path, f"{context.prefix}/test")
    requests: dict[str, list[TransformRequest]] = {}
    for group, step in GROUPS.items():
        for number, model in enumerate(context.of(step)["models"], start=1):
            name = f"{context.run.id}-{group}-{number}"
            batch.need_model(context, name, boosted.image(context), model["model_uri"])
            requests.setdefault(group, []).append(
                TransformRequest(
                    name=name,
                    model=name,
                    input=uri,
                    output=f"{context.prefix}/answers/{group}-{number}",
                    content_type=files.content_type,
                    accept="text/csv",
                    instance_type=str(context.value("instance-type")),
                    tags=context.tags,
                )
            )
    batch.transform_all(
        context, [one for several in requests.values() for one in several], int(context.value("parallel"))
    )
    return {
        group: [boosted.parsed(batch.answers(context, one.output, path.name, count)) for one in several]
        for group, several in requests.items()
    }
