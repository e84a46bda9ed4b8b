"""The population study's steps, put together."""

from __future__ import annotations

from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.population import chosen, free, hosted, judged, local, reduced, trained
from workflows.studies.population.info import POPULATION
from workflows.studies.study import Step, Study


def study() -> Study:
    """The study with its steps, metrics and script."""
    return Study(
        info=POPULATION,
        steps=(
            Step("prepare", local.prepare, local.prepare_inputs),
            Step("audit", local.audit, local.data_inputs),
            Step("baseline", free.baseline, free.baseline_inputs),
            Step("reduce", reduced.reduce, reduced.reduce_inputs, training.model_exists),
            Step("choose", chosen.choose, chosen.choose_inputs),
            Step("train", trained.train, trained.train_inputs, training.model_exists),
            Step("gate", trained.gate, trained.model_inputs),
            Step("evaluate", judged.evaluate, judged.evaluate_inputs),
            Step("deploy", hosted.deploy, hosted.deploy_inputs, hosted.in_service),
            Step("predict", hosted.predict, hosted.predict_inputs, hosted.in_service),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """What the run measured."""
    reduced_, choice, gate = context.of("reduce"), context.of("choose"), context.of("gate")
    evaluated, trained_ = context.of("evaluate"), context.of("train")
    found: dict[str, float] = {}
    if reduced_:
        found |= {"components": reduced_["components"], "explained_variance": reduced_["explained"]}
    if choice:
        found |= {
            "k": choice["k"],
            "elbow": choice["elbow"],
            "silhouette": gate.get("silhouette", choice["silhouette"]),
            "chance_silhouette": choice["null"],
            "stability": choice["stability"],
            "stability_spread": choice["spread"],
            "draws": context.value("bootstraps"),
            "weakest_segment": choice["weakest"],
        }
    if gate:
        found |= {name: gate[name] for name in ("msd", "msd_ratio", "agreement_with_sklearn")}
    if evaluated:
        found["smallest_share"] = evaluated["smallest"]
        if evaluated["agreement_with_earlier"] is not None:
            found["agreement_with_earlier"] = evaluated["agreement_with_earlier"]
    found |= context.of("predict").get("metrics", {})
    if reduced_ or trained_:
        found["billable_seconds"] = sum(made.get("billable_seconds", 0.0) for made in (reduced_, trained_))
    if context.of("prepare"):
        found["counties"] = context.of("prepare")["rows"]
        found["synthetic"] = float(bool(context.of("prepare")["synthetic"]))
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The run in a sentence; refuses when files no longer are what was recorded.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "reduce", "choose", "train", "evaluate", "predict")
    found = metrics(context)
    made_up = "On SYNTHETIC data: " if context.of("prepare")["synthetic"] else ""
    return (
        f"{made_up}{found['counties']:.0f} counties in {found['k']:.0f} segments on {found['components']:.0f} components "
        f"({found['explained_variance']:.1%} of the variance). Silhouette {found['silhouette']:.3f}, by chance "
        f"{found['chance_silhouette']:.3f}; draws find each again to {found['weakest_segment']:.2f} or more. "
        f"{context.of('predict')['county']} is in segment {context.of('predict')['segment']}, "
        f"{next(name for number, name, _ in context.of('evaluate')['segments'] if number == context.of('predict')['segment'])}."
    )


def script(run: Run) -> str:
    """The run as a plain Python script."""
    from workflows.studies.population.script import write

    return write(run)
