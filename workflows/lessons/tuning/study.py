"""The fourth lesson's steps, put together."""

from __future__ import annotations

from workflows.lessons import rows
from workflows.lessons.tuning import judged, search
from workflows.lessons.tuning.info import TUNING
from workflows.runs import Run
from workflows.studies.context import Context
from workflows.studies.study import Step, Study


def study() -> Study:
    """The lesson with its steps, metrics and script."""
    return Study(
        info=TUNING,
        steps=(
            Step("prepare", rows.prepare, rows.prepare_inputs),
            Step("audit", rows.audit, rows.data_inputs),
            Step("baseline", rows.baseline, rows.data_inputs),
            Step("default", search.default, search.default_inputs, search.archives_exist),
            Step("tune", search.tune, search.tune_inputs, search.tuned),
            Step("gate", search.gate, search.gate_inputs),
            Step("again", search.again, search.again_inputs, search.archives_exist),
            Step("evaluate", judged.evaluate, judged.evaluate_inputs),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def metrics(context: Context) -> dict[str, float]:
    """Both configurations on the test rows, the difference with its error, and what it took."""
    found: dict[str, float] = {"synthetic": float(bool(context.of("prepare").get("synthetic")))}
    if tuned := context.of("tune"):
        found |= {"trials": tuned["trials"], "best_validation": tuned["value"]}
    if judged_ := context.of("evaluate"):
        found |= {
            "default_score": judged_["default"],
            "tuned_score": judged_["tuned"],
            "gain": judged_["gain"],
            "gain_error": judged_["error"],
            "gain_is_real": float(judged_["real"]),
        }
    seconds = [
        float(one["billable_seconds"])
        for step in ("default", "again")
        for one in context.of(step).get("models", [])
    ]
    return {
        name: float(f"{value:.6g}") for name, value in (found | {"billable_seconds": sum(seconds)}).items()
    }


def conclusion(context: Context) -> str:
    """The lesson in a sentence.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "evaluate")
    return context.titled(str(context.of("evaluate")["sentence"]))


def script(run: Run) -> str:
    """The lesson as a plain Python script."""
    from workflows.lessons.tuning.script import write

    return write(run)
