"""The second lesson's steps, put together."""

from __future__ import annotations

from workflows.lessons import learners, rows, subject
from workflows.lessons.building import steps
from workflows.lessons.building.info import BUILDING
from workflows.lessons.learners import Learner
from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.study import Step, Study


def study() -> Study:
    """The lesson with its steps, metrics and script."""
    return Study(
        info=BUILDING,
        steps=(
            Step("prepare", rows.prepare, rows.prepare_inputs),
            Step("audit", rows.audit, rows.data_inputs),
            Step("baseline", rows.baseline, rows.data_inputs),
            Step("train", steps.train, steps.train_inputs, training.models_exist),
            Step("gate", steps.gate, steps.model_inputs),
            Step("model", steps.make, steps.make_inputs, steps.made),
            Step("evaluate", steps.evaluate, steps.evaluate_inputs),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """Score and baseline on the test rows, steps of training, billed seconds. Of two models those of the better one on the validation rows, and
    each one's own with its name before."""
    found: dict[str, float] = {"synthetic": float(bool(context.of("prepare").get("synthetic")))}
    models = learners.chosen(context) if context.of("train") else ()
    own = {one.NAME: _of_model(context, one) for one in models}
    if own:
        kind = subject.KINDS[str(context.value("subject"))]
        sign = 1 if kind.smaller_is_better else -1
        best = min(models, key=lambda one: sign * steps.validated(context, one))
        found |= own[best.NAME]
        found["billable_seconds"] = sum(values["billable_seconds"] for values in own.values())
    if len(own) > 1:
        found |= {f"{name}_{key}": value for name, values in own.items() for key, value in values.items()}
    if judged := context.of("evaluate"):
        found["baseline_score"] = judged["baseline"]
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def _of_model(context: Context, learner: Learner) -> dict[str, float]:
    trained = steps.trained(context, learner)
    found: dict[str, float] = {
        f"{learner.UNIT}s": trained["best_round"] + 1,
        "validation": trained["best_value"],
        "train_seconds": trained["train_seconds"],
        "billable_seconds": trained["billable_seconds"],
    }
    if judged := context.of("evaluate"):
        score = judged["scores"][learner.NAME]
        found |= {"score": score["value"], "score_error": score["error"]}
    return found


def conclusion(context: Context) -> str:
    """The lesson in a sentence.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train", "evaluate")
    return context.titled(context.ledger.finished("evaluate")["summary"])  # type: ignore[index]


def script(run: Run) -> str:
    """The lesson as a plain Python script."""
    from workflows.lessons.building.script import write

    return write(run)
