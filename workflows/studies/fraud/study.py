"""The fraud study's steps, put together."""

from __future__ import annotations

from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.fraud import free, hosted, judged, local, trained
from workflows.studies.fraud.info import FRAUD
from workflows.studies.fraud.requirement import of
from workflows.studies.hosting import in_service
from workflows.studies.study import Step, Study


def study() -> Study:
    """The study with its steps, metrics and script."""
    return Study(
        info=FRAUD,
        steps=(
            Step("prepare", local.prepare, local.prepare_inputs),
            Step("audit", local.audit, local.data_inputs),
            Step("baseline", free.baseline, free.baseline_inputs),
            Step("train", trained.train, trained.train_inputs, training.models_exist),
            Step("gate", trained.gate, trained.model_inputs),
            Step("evaluate", judged.evaluate, trained.model_inputs),
            Step("deploy", hosted.deploy, hosted.deploy_inputs, in_service),
            Step("predict", hosted.predict, hosted.predict_inputs, in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What the run measured on the test rows, for the population, at the threshold that the requirement asks for."""
    models = context.of("train").get("models", {})
    evaluated = context.of("evaluate")
    found = {
        **(evaluated.get("scores") or context.ledger.notes("evaluate").get("scores") or {}),
        **({"threshold": evaluated["threshold"]} if evaluated else {}),
        **context.of("baseline").get("metrics", {}),
        **context.of("predict").get("metrics", {}),
    }
    if models:
        found["variants"] = float(len(models))
        found["billable_seconds"] = sum(item["billable_seconds"] for item in models.values())
    if context.of("prepare"):
        found["synthetic"] = float(bool(context.of("prepare")["synthetic"]))
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The run in a sentence; refuses when files no longer are what was recorded.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "baseline", "train", "evaluate", "predict")
    found = metrics(context)
    needed = of(context.run.parameters)
    evaluated = context.of("evaluate")
    made_up = "On SYNTHETIC data: the" if context.of("prepare")["synthetic"] else "The"
    met = "met on the test rows" if evaluated["met"] else "MISSED on the test rows"
    return (
        f"{made_up} hosted variant {evaluated['chosen']} catches {found['recall']:.1%} of the test frauds at a precision of "
        f"{found['precision']:.1%} and flags {found['false_positive_rate']:.2%} of the valid transactions. Required, and {met}: "
        f"{needed}. The best free baseline: {found['baseline_recall']:.1%} at {found['baseline_precision']:.1%}."
    )


def script(run: Run) -> str:
    """The run as a plain Python script."""
    from workflows.studies.fraud.script import write

    return write(run)
