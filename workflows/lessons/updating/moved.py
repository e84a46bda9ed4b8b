"""The roll-out: a canary that is rolled back by hand in its bake, then the same again to its end."""

from __future__ import annotations

import time
from typing import Any

from workflows.failures import WorkflowError
from workflows.lessons import boosted
from workflows.problem import Problem
from workflows.rollout import operations, record, remains
from workflows.rollout.facts import facts_of, source_of
from workflows.rollout.plan import plan
from workflows.rollout.record import Place, Rollout
from workflows.rollout.request import RolloutRequest, Step
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.study import Result

WAIT, BAKE = 300, 300
"""Seconds, as declared: AWS waits them, the embedded SageMaker a hundredth of them."""


def inputs(context: Context) -> dict[str, Any]:
    """What the roll-out depends on."""
    return {"model": context.of("retrain")["model"], "endpoint": context.of("current")["endpoint"]}


def rollout(context: Context) -> Result:
    """Out, back, and out again; who serves is looked up after each.

    Raises:
        WorkflowError: It did not end as it should have.
    """
    name, model = context.run.id, context.of("retrain")["model"]
    before = _serving(context, name)
    if before["model"] == model:  # an interruption came after the end
        return Result(outputs={"config": before["config"], "back": "succeeded"}, summary=f"{model} serves.")
    back = _out(context, name, model, f"{name}-r1", stop=True)
    told = _serving(context, name)
    if back != "rolled-back" or told["config"] != before["config"]:
        raise WorkflowError(
            f"The rollout ended as {back}, and {told['config']} serves instead of {before['config']}."
        )
    context.send(
        gates.judgement(
            context.step, "rolled back", "pass", f"{before['config']} serves as before; it never stopped."
        )
    )
    out = _out(context, name, model, f"{name}-r2", stop=False)
    now = _serving(context, name)
    if out != "succeeded" or now["model"] != model:
        raise WorkflowError(f"The rollout ended as {out}, and {now['model']} serves instead of {model}.")
    context.send(gates.judgement(context.step, "rolled out", "pass", f"{model} serves from {now['config']}."))
    answer = context.interface.invoke(name, b"0 0:1", boosted.LIBSVM, "text/csv").decode().strip()
    return Result(
        outputs={"config": now["config"], "back": back},
        summary=f"Rolled back once, then rolled out: {model} serves and answers ({answer}).",
    )


def _out(context: Context, endpoint: str, model: str, name: str, stop: bool) -> str:
    """One rollout from its plan to its end; ``stop`` presses the button while it bakes. Returns the outcome."""
    rollouts = context.interface.rollouts
    now = time.time()
    request = RolloutRequest(
        endpoint=endpoint, source=model, kind="model", strategy="canary", step=Step(10), wait=WAIT, bake=BAKE
    )
    facts = facts_of(context.platform, endpoint, now, ())
    planned = plan(
        request, facts, source_of(context.platform, model, facts, "model", ""), now=now, name=_free(name)
    )
    for finding in planned.warnings:
        context.log(finding.sentence, level="warning")
    context.ledger.made("endpoint configuration", planned.green)
    for document in planned.alarms:
        context.ledger.made("alarm", document["AlarmName"])
    began = operations.start(rollouts, planned, Place.of(context.platform, context.interface.name))
    pressed = False

    def tell(state: Any, events: tuple[Any, ...]) -> None:
        nonlocal pressed
        for event in events:
            context.log(event.sentence, source="rollout")
        context.progress(state.share, 1.0, "of the traffic", state.phase)
        if stop and not pressed and state.active and state.phase in ("shifting", "baking", "final-bake"):
            pressed = True
            _, how = operations.roll_back(rollouts, began)
            context.log(f"Somebody presses the button: {how}")

    ended = operations.wait(rollouts, record.read(began.folder), context.waiter, tell)
    _settle(context, record.read(began.folder))
    return str(ended.outcome)


def _settle(context: Context, began: Rollout) -> None:
    try:
        for gone in remains.settle(context.interface.rollouts, began):
            context.ledger.deleted(gone.what, gone.name)
    except Problem as problem:
        context.log(f"{problem.sentence} The clean-up tries again.", level="warning")


def _free(name: str) -> str:
    """A name that no rollout has yet: a run that was interrupted may have used some."""
    taken = {one.id for one in record.everything()}
    return next(one for one in (name, *(f"{name}{letter}" for letter in "bcdefghij")) if one not in taken)


def _serving(context: Context, endpoint: str) -> dict[str, str]:
    """Configuration and model that serve now."""
    described = context.interface.rollouts.describe(endpoint) or {}
    config = str(described.get("EndpointConfigName", ""))
    document = context.interface.rollouts.configuration(config) or {}
    variants = document.get("ProductionVariants") or [{}]
    return {"config": config, "model": str(variants[0].get("ModelName", ""))}
