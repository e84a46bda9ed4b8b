"""The third lesson's steps, put together."""

from __future__ import annotations

from workflows.lessons import rows
from workflows.lessons.building import steps as building
from workflows.lessons.deploying import endpoint, page
from workflows.lessons.deploying.info import DEPLOYING
from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.hosting import in_service
from workflows.studies.study import Step, Study


def study() -> Study:
    """The lesson with its steps, metrics and script."""
    return Study(
        info=DEPLOYING,
        steps=(
            Step("prepare", rows.prepare, rows.prepare_inputs),
            Step("baseline", rows.baseline, rows.data_inputs),
            Step("train", building.train, building.train_inputs, training.models_exist),
            Step("gate", building.gate, building.model_inputs),
            Step("deploy", endpoint.deploy, endpoint.deploy_inputs, in_service),
            Step("predict", endpoint.predict, endpoint.predict_inputs),
            Step("transform", endpoint.transform, endpoint.predict_inputs),
            Step("mistakes", endpoint.mistakes, endpoint.predict_inputs),
            Step("webapp", page.create, page.create_inputs, page.standing),
            Step("page", page.test, page.test_inputs),
            Step("mishap", page.mishap, page.mishap_inputs),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """Score on the test rows, agreement with batch transform, requests, the page's answer."""
    found: dict[str, float] = {"synthetic": float(bool(context.of("prepare").get("synthetic")))}
    if context.of("train"):
        learner = endpoint.learner(context)
        trained = building.trained(context, learner)
        found |= {
            f"{learner.UNIT}s": trained["best_round"] + 1,
            "billable_seconds": trained["billable_seconds"],
        }
    if asked := context.of("predict"):
        found |= {
            "score": asked["score"]["value"],
            "score_error": asked["score"]["error"],
            "requests": asked["requests"],
        }
    for step, name, metric in (
        ("transform", "apart", "apart"),
        ("page", "probability", "probability"),
        ("page", "checks", "checks"),
        ("mishap", "status", "status"),
    ):
        if name in context.of(step):
            found[metric] = context.of(step)[name]
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def conclusion(context: Context) -> str:
    """The lesson in a sentence.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "train", "predict")
    said = [context.ledger.finished(step)["summary"] for step in ("predict", "page")]  # type: ignore[index]
    url = context.of("webapp").get("url") if context.run.keep else None
    shown = [*(one for one in said if one != page.NO_PAGE), *([f"The page: {url}"] if url else [])]
    return context.titled(" ".join(shown))


def script(run: Run) -> str:
    """The lesson as a plain Python script."""
    from workflows.lessons.deploying.script import write

    return write(run)
