"""The first lesson's steps, put together."""

from __future__ import annotations

from workflows.lessons.introduction import steps
from workflows.lessons.introduction.info import INTRODUCTION
from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.hosting import in_service
from workflows.studies.study import Step, Study


def study() -> Study:
    """The lesson with its steps, metrics and script."""
    return Study(
        info=INTRODUCTION,
        steps=(
            Step("prepare", steps.prepare, steps.prepare_inputs),
            Step("train", steps.train, steps.train_inputs, training.model_exists),
            Step("parts", steps.parts, steps.model_inputs),
            Step("deploy", steps.deploy, steps.deploy_inputs, in_service),
            Step("inside", steps.inside, steps.deploy_inputs, in_service),
            Step("predict", steps.predict, steps.predict_inputs, in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What was seen: training accuracy, processes, the answer."""
    trained, asked = context.of("train"), context.of("predict")
    found = {
        "train_accuracy": trained.get("accuracy"),
        "billable_seconds": trained.get("billable_seconds"),
        "processes": context.of("inside").get("processes"),
        "status": asked.get("status"),
        "probability": asked.get("probability"),
    }
    return {name: float(f"{value:.6g}") for name, value in found.items() if value is not None}


def conclusion(context: Context) -> str:
    """The lesson in a sentence.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train")
    asked = context.ledger.finished("predict") or {}
    return f"A model is an artefact and two programs; its endpoint was asked and gone again. {asked.get('summary', '')}"


def script(run: Run) -> str:
    """The lesson as a plain Python script."""
    from workflows.lessons.introduction.script import write

    return write(run)
