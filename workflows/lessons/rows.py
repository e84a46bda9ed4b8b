"""The steps of a lesson that need no SageMaker: the rows, their audit, the free baselines."""

from __future__ import annotations

from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.lessons import boosted, channels, free, learners, recurrent, subject
from workflows.lessons.boosted import Score
from workflows.lessons.channels import Files
from workflows.lessons.subject import Subject
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.study import Result

HEAD = 3
"""Rows of a file that are shown."""
LOOKS = {
    boosted.CSV: "Label first, no header, no index.",
    boosted.LIBSVM: "XGBoost: label first, then column:count of the words that a review has.",
    recurrent.LINES: "LSTM: whole reviews; what makes numbers of them is in the model.",
}
WIDEST = 110


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the files depend on."""
    return subject.inputs(context) | {
        "vocabulary": context.value("vocabulary"),
        "models": learners.names(context.run.parameters),
    }


def prepare(context: Context) -> Result:
    """train, validation and test in the work folder, as each model's channels take them.

    Raises:
        WorkflowError: The data cannot be used.
    """
    found = subject.read(context)
    context.log(found.where.note, level="warning" if found.where.synthetic else "info")
    written = {one.NAME: one.write(context, found) for one in learners.chosen(context)}
    paths = [path for files in written.values() for path in files.paths.values()]
    for path in paths:
        context.artifact("data", path.name, str(path), sha256(path))
    mark = " [SYNTHETIC data]" if found.where.synthetic else ""
    context.table(f"The rows{mark}", ["set", "rows", _what(found)], [
        [name, len(rows), round(float(rows.labels.mean()), 4)] for name, rows in found.sets.items()
    ])  # fmt: skip
    context.note(
        "What SageMaker will see",
        " ".join(
            [
                *(LOOKS[files.content_type] for files in written.values()),
                "The test rows have no label: what answers them cannot look.",
            ]
        ),
        *(_head(files.paths[name]) for files in written.values() for name in ("train", "test")),
    )
    outputs = {
        "written": {name: files.record() for name, files in written.items()},
        "rows": {name: len(rows) for name, rows in found.sets.items()},
        "twice": found.twice,
        "source": found.where.as_dict(),
        "synthetic": found.where.synthetic,
    }
    vocabulary = [context.work / subject.VOCABULARY for files in written.values() if files.vocabulary]
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in found.sets.items())
    told = "Synthetic data" if found.where.synthetic else "Real data"
    return Result(outputs=outputs, files=[*paths, *vocabulary], summary=f"{told}: {counts} rows.")


def files(context: Context, learner: str = learners.XGBOOST) -> Files:
    """What `prepare` wrote for a model, after it was found unchanged.

    Raises:
        StaleResult: A file changed since.
    """
    context.ledger.verify("prepare")
    return channels.recorded(context.of("prepare")["written"][learner], context.work)


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the data."""
    return {"rows": context.of("prepare")["written"], "subject": context.value("subject")}


def audit(context: Context) -> Result:
    """Copies, constant columns, labels that have nothing to do with their rows.

    Raises:
        WorkflowError: The labels look shuffled, or there is one class only.
    """
    import numpy as np

    from workflows.data.relation import tone, unrelated

    found = subject.read(context)
    rows = found.sets["train"]
    if found.name == "reviews":
        features: dict[str, Any] = {"praise and blame": [tone(text) for text in rows.texts]}
        labels = rows.labels.tolist()
        constant: list[str] = []
    else:
        features = {name: rows.features[:, at] for at, name in enumerate(found.names)}
        labels = (rows.labels > np.median(rows.labels)).astype(int).tolist()
        constant = [name for name, values in features.items() if float(np.ptp(values)) == 0.0]
    shuffled = unrelated(labels, features)
    checks: list[tuple[str, gates.Verdict, str]] = [
        (
            "copies",
            "warn" if found.twice else "pass",
            f"{found.twice} rows occur more than once; all copies of a row are in one set, so that no test row was trained on.",
        ),
        (
            "constant columns",
            "warn" if constant else "pass",
            f"{', '.join(constant)} never change." if constant else "Every column changes.",
        ),
        (
            "labels fit the rows",
            "fail" if shuffled else "pass",
            shuffled[0].text if shuffled else "The labels have something to do with the rows beside them.",
        ),
    ]
    for name, verdict, reason in checks:
        context.send(gates.judgement(context.step, name, verdict, reason))
    if shuffled:
        raise WorkflowError(f"{shuffled[0].text} {shuffled[0].remedy}")
    return Result(
        outputs={"constant": constant},
        summary=f"{found.twice} copies, {len(constant)} constant columns, the labels fit.",
    )


def baseline(context: Context) -> Result:
    """The free answers, scored on the validation rows (which gates use) and on the test rows."""
    found = subject.read(context)
    on = {part: _scored(found, part) for part in ("validation", "test")}
    context.table(
        context.titled("Free baselines"),
        ["baseline", f"validation {found.kind.score}", f"test {found.kind.score}", "±"],
        [[name, round(on["validation"][name].value, 4), round(one.value, 4), round(one.error, 4)] for name, one in on["test"].items()],
    )  # fmt: skip
    best = _best(on["validation"])
    return Result(
        outputs={
            "best": best,
            **{
                part: {name: {"value": one.value, "error": one.error} for name, one in scores.items()}
                for part, scores in on.items()
            },
        },
        summary=f"{best}: {on['test'][best]} on the test rows.",
    )


def _scored(found: Subject, part: str) -> dict[str, Score]:
    """Baselines fitted without the rows of ``part``, scored on them."""
    sets = ("train",) if part == "validation" else ("train", "validation")
    asked = Subject(
        found.name,
        found.kind,
        found.where,
        found.names,
        {**found.sets, "test": found.sets[part]},
        found.twice,
    )
    answers = free.baselines(asked, sets)
    return {name: boosted.score(found.kind, found.sets[part].labels, one) for name, one in answers.items()}


def _best(scores: dict[str, Score]) -> str:
    best = ""
    for name, one in scores.items():
        if not best or one.better(scores[best]):
            best = name
    return best


def _what(found: Subject) -> str:
    return "share of positive reviews" if found.name == "reviews" else f"mean price, {found.kind.unit}"


def _head(path: Any) -> tuple[str, str, str]:
    with path.open(encoding="utf-8") as file:
        lines = [line.rstrip("\n") for _, line in zip(range(HEAD), file, strict=False)]
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]} …" for line in lines]
    return path.name, "text", "\n".join([*shown, "…"])
