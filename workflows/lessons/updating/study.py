"""The fifth lesson's steps, put together."""

from __future__ import annotations

from typing import Any

from workflows.lessons import subject
from workflows.lessons.updating import houses, moved, reviews
from workflows.lessons.updating.info import UPDATING
from workflows.runs import Run
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.study import Result, Step, Study


def study() -> Study:
    """The lesson with its steps, metrics and script."""
    return Study(
        info=UPDATING,
        steps=(
            Step("prepare", prepare, prepare_inputs),
            Step("train", houses.train, houses.train_inputs, training.models_exist),
            Step("contest", houses.contest, houses.contest_inputs, _endpoint_is_there),
            Step("promote", houses.promote, houses.promote_inputs, _endpoint_is_there),
            Step("current", reviews.current, reviews.current_inputs, _model_is_there),
            Step("drift", reviews.drift, reviews.drift_inputs),
            Step("damage", reviews.damage, reviews.damage_inputs),
            Step("retrain", reviews.retrain, reviews.retrain_inputs, _model_is_there),
            Step("gate", reviews.gate, reviews.gate_inputs),
            Step("rollout", moved.rollout, moved.inputs),
        ),
        metrics=metrics,
        script=script,
        conclusion=conclusion,
    )


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depend on."""
    house = str(context.value("houses"))
    return {"houses": subject.located(context, house).sha256, "name": house, **reviews.data_inputs(context)}


def prepare(context: Context) -> Result:
    """The houses' files; the old and the new reviews are told."""
    made = houses.write(context)
    found = reviews.read(context)
    context.log(found.where.note, level="warning" if found.where.synthetic else "info")
    synthetic = [
        what for what, one in (("houses", made["synthetic"]), ("reviews", found.where.synthetic)) if one
    ]
    mark = f" [SYNTHETIC {' and '.join(synthetic)}]" if synthetic else ""
    table = []
    for part in subject.SETS:
        _, mask = reviews.newer(context, found, part)
        table.append([part, made["rows"][part], len(found.sets[part]), int(mask.sum())])
    context.table(
        f"The rows{mark}",
        ["set", str(context.value("houses")), "reviews", f"new ones with {context.value('word')}"],
        table,
    )
    return Result(
        outputs={
            "houses": made,
            "rows": {part: len(rows) for part, rows in found.sets.items()},
            "source": found.where.as_dict(),
            "synthetic": bool(synthetic),
        },
        files=[context.work / name for name in made["files"].values()],
        summary=f"{made['rows']['train']} houses to learn from, {made['rows']['test']} for the A/B test; "
        f"{len(found.sets['train'])} reviews to learn from, {len(found.sets['test'])} to judge by.",
    )


def metrics(context: Context) -> dict[str, float]:
    """The A/B test, the drift, the damage, and both models on both slices."""
    found: dict[str, float] = {"synthetic": float(bool(context.of("prepare").get("synthetic")))}
    if contest := context.of("contest"):
        found |= {"ab_answers": contest["answers"], "ab_difference": contest["difference"]}
    for step, name in (("current", "old_model"), ("retrain", "new_model")):
        for slice_, one in context.of(step).get("scores", {}).items():
            found[f"{name}_on_{slice_}"] = one["value"]
    if drifted := context.of("drift"):
        found["drift_found_after"] = drifted["first"]
    if damage := context.of("damage"):
        found |= {"lost": damage["lost"], "lost_error": damage["error"]}
    if retrained := context.of("retrain"):
        found["wrong_vocabulary_on_old"] = retrained["mixed_up"]["old"]["value"]
    return {name: float(f"{value:.6g}") for name, value in found.items() if value is not None}


def conclusion(context: Context) -> str:
    """The lesson in a sentence.

    Raises:
        StaleResult: A file that the numbers come from changed.
    """
    context.ledger.verify("prepare", "current", "retrain")
    before, after = context.of("current")["scores"], context.of("retrain")["scores"]
    first = context.of("drift")["first"]
    contest = context.of("contest")
    ended = f"{contest['winner']} won the A/B test after {contest['answers']} answers."
    found = f"The new word was found after {first} reviews; " if first else "No new word was found; "
    went = (
        f"on new reviews the accuracy went from {before['new']['value']:.3f} to {after['new']['value']:.3f}, on old ones from "
        f"{before['old']['value']:.3f} to {after['old']['value']:.3f}."
    )
    return f"{houses.titled(context, ended)} {reviews.titled(context, found + went)}"


def script(run: Run) -> str:
    """The lesson as a plain Python script."""
    from workflows.lessons.updating.script import write

    return write(run)


def _endpoint_is_there(context: Context, outputs: dict[str, Any]) -> bool:
    state = context.interface.describe_endpoint(houses.endpoint(context))
    return state is not None and state.status == "InService"


def _model_is_there(context: Context, outputs: dict[str, Any]) -> bool:
    return context.interface.model_exists(outputs["model"])
