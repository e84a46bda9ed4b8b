"""The moons study's steps, put together."""

from __future__ import annotations

from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.hosting import in_service
from workflows.studies.moons import hosted, local, trained
from workflows.studies.moons.info import MOONS
from workflows.studies.study import Step, Study


def study() -> Study:
    """The study with its steps, metrics and script."""
    return Study(
        info=MOONS,
        steps=(
            Step("prepare", local.prepare, local.prepare_inputs),
            Step("audit", local.audit, local.data_inputs),
            Step("baseline", local.baseline, local.data_inputs),
            Step("train", trained.train, trained.train_inputs, training.model_exists),
            Step("gate", trained.gate, trained.model_inputs),
            Step("evaluate", trained.evaluate, trained.model_inputs),
            Step("deploy", hosted.deploy, hosted.deploy_inputs, in_service),
            Step("predict", hosted.predict, hosted.predict_inputs, in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What the run measured: the endpoint's scores, or the offline ones when nothing was hosted."""
    scores = context.ledger.notes("evaluate").get("scores", {}) | context.of("predict").get("scores", {})
    trained_in = context.of("train")
    found = {
        **scores,
        **context.of("baseline").get("metrics", {}),
        **{
            name: trained_in[name]
            for name in ("train_seconds", "billable_seconds", "epochs")
            if name in trained_in
        },
        **context.ledger.notes("gate"),
        **context.of("predict").get("metrics", {}),
    }
    if "accuracy" in found and "baseline_accuracy" in found:
        found["lift"] = found["accuracy"] - found["baseline_accuracy"]
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The run in a sentence; refuses when files no longer are what was recorded.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train", "predict")
    found = metrics(context)
    others = (
        f" With {found['seeds']:.0f} seeds {found['seeds_mean']:.1%} ± {found['seeds_spread']:.1%}."
        if "seeds" in found
        else ""
    )
    return (
        f"The hosted net is right on {found['accuracy']:.1%} of {found['points']:.0f} points it never saw "
        f"({found['lift']:+.1%} against the best free baseline's {found['baseline_accuracy']:.1%}).{others}"
    )


def script(run: Run) -> str:
    """The run as a plain Python script."""
    from workflows.studies.moons.script import write

    return write(run)
