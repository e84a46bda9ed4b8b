"""The plagiarism study's steps, put together."""

from __future__ import annotations

from workflows.runs import Run
from workflows.studies import hosting, training
from workflows.studies.context import Context
from workflows.studies.plagiarism import hosted, judged, local, trained
from workflows.studies.plagiarism.info import PLAGIARISM
from workflows.studies.study import Step, Study


def study() -> Study:
    """The study with its steps, metrics and script."""
    return Study(
        info=PLAGIARISM,
        steps=(
            Step("prepare", local.prepare, local.prepare_inputs),
            Step("audit", local.audit, local.data_inputs),
            Step("baseline", local.baseline, local.data_inputs),
            Step("train", trained.train, trained.train_inputs, training.model_exists),
            Step("gate", trained.gate, trained.model_inputs),
            Step("evaluate", judged.evaluate, trained.model_inputs),
            Step("deploy", hosted.deploy, hosted.deploy_inputs, hosting.in_service),
            Step("predict", hosted.predict, hosted.predict_inputs, hosting.in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What the run measured; scores offline, except for the test answers when they were asked through an endpoint."""
    trained_in = context.of("train")
    found = {
        **(context.ledger.notes("evaluate").get("scores") or {}),
        **context.of("predict").get("scores", {}),
        **context.of("baseline").get("metrics", {}),
        **{name: trained_in[name] for name in ("train_seconds", "billable_seconds") if name in trained_in},
        **context.of("predict").get("metrics", {}),
    }
    if "synthetic" in context.of("prepare"):
        found["synthetic"] = float(context.of("prepare")["synthetic"])
    if "leave_one_out" in found and "baseline_accuracy" in found:
        found["lift"] = found["leave_one_out"] - found["baseline_accuracy"]
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The run in a sentence; refuses when files no longer are what was recorded.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train", "gate", "evaluate", "predict")
    found = metrics(context)
    end = (
        " The corpus is SYNTHETIC: this says nothing about real answers."
        if context.of("prepare")["synthetic"]
        else ""
    )
    return (
        f"Right on {found['leave_one_out']:.1%} of {found['answers']:.0f} answers, each left out once ({found['lift']:+.1%} against the "
        f"best free baseline's {found['baseline_accuracy']:.1%}); on this split's {found['points']:.0f} test answers "
        f"{found['accuracy']:.0%}, on {found['seeds']:.0f} splits {found['seeds_mean']:.1%} ({found['seeds_min']:.0%} to "
        f"{found['seeds_max']:.0%}).{end}"
    )


def script(run: Run) -> str:
    """The run as a plain Python script."""
    from workflows.studies.plagiarism.script import write

    return write(run)
