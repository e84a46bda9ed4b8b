"""The second lesson's steps, put together."""

from __future__ import annotations

from workflows.lessons import rows
from workflows.lessons.building import steps
from workflows.lessons.building.info import BUILDING
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
            Step("train", steps.train, steps.train_inputs, training.model_exists),
            Step("gate", steps.gate, steps.model_inputs),
            Step("model", steps.make, steps.make_inputs, steps.made),
            Step("evaluate", steps.evaluate, steps.evaluate_inputs),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """Score and baseline on the test rows, trees, billed seconds."""
    found: dict[str, float] = {"synthetic": float(bool(context.of("prepare").get("synthetic")))}
    if trained := context.of("train"):
        found |= {
            "trees": trained["best_round"] + 1,
            "validation": trained["best_value"],
            "train_seconds": trained["train_seconds"],
            "billable_seconds": trained["billable_seconds"],
        }
    if judged := context.of("evaluate"):
        found |= {
            "score": judged["score"]["value"],
            "score_error": judged["score"]["error"],
            "baseline_score": judged["baseline"],
        }
    return {name: float(f"{value:.6g}") for name, value in found.items()}


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
