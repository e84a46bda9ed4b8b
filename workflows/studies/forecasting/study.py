"""The forecasting study's steps, put together."""

from __future__ import annotations

from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.forecasting import hosted, judged, local, trained
from workflows.studies.forecasting.info import FORECASTING
from workflows.studies.hosting import in_service
from workflows.studies.study import Step, Study


def study() -> Study:
    """The study with its steps, metrics and script."""
    return Study(
        info=FORECASTING,
        steps=(
            Step("prepare", local.prepare, local.prepare_inputs),
            Step("audit", local.audit, local.data_inputs),
            Step("baseline", local.baseline, local.baseline_inputs),
            Step("train", trained.train, trained.train_inputs, training.models_exist),
            Step("gate", trained.gate, trained.model_inputs),
            Step("evaluate", judged.evaluate, judged.evaluate_inputs),
            Step("deploy", hosted.deploy, hosted.deploy_inputs, in_service),
            Step("predict", hosted.predict, hosted.predict_inputs, in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What the run measured: of the hosted job (of a refused run: of its median job), and of what is free."""
    models = context.of("train").get("models", {})
    found = {
        **(context.of("evaluate").get("metrics") or context.ledger.notes("evaluate").get("metrics") or {}),
        **context.of("baseline").get("metrics", {}),
        **context.of("predict").get("metrics", {}),
    }
    if models:
        found["billable_seconds"] = sum(item["billable_seconds"] for item in models.values())
    if context.of("prepare"):
        found["synthetic"] = float(bool(context.of("prepare")["synthetic"]))
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The run in a sentence; refuses when files no longer are what was recorded.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train", "evaluate", "predict")
    found = metrics(context)
    best = context.of("baseline")["best"]
    made_up = "On SYNTHETIC data: " if context.of("prepare")["synthetic"] else ""
    middle = found["jobs_median_wql"]
    beside = "against" if middle <= found["baseline_wql"] else "WORSE than the"
    jobs = "1 DeepAR job has" if found["jobs"] == 1 else f"{found['jobs']:.0f} DeepAR jobs have"
    text = (
        f"{made_up}{jobs} a median mean wQL of {middle:.4f} on the notebook's windows "
        f"({found['jobs_best_wql']:.4f} to {found['jobs_worst_wql']:.4f}), {beside} {found['baseline_wql']:.4f} of the best that is "
        f"free ({best['notebook']}). Hosted: {context.of('evaluate')['chosen']}, {found['mean_wql']:.4f}."
    )
    if "unseen_mean_wql" in found:
        text += (
            f" In the unseen year it has {found['unseen_mean_wql']:.4f}"
            f"{' against' if found['unseen_mean_wql'] <= found['unseen_baseline_wql'] else ', WORSE than the'}"
            f" {found['unseen_baseline_wql']:.4f} ({best['unseen year']}), "
            f"{found['unseen_coverage']:.0%} of the days inside the 80 % band."
        )
    return f"{text} And {context.of('predict')['unseen']}"


def script(run: Run) -> str:
    """The run as a plain Python script."""
    from workflows.studies.forecasting.script import write

    return write(run)
