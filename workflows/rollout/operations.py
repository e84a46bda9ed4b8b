"""What can be done with rollouts, through either interface: start, look, wait, roll back, promote. `remains` cleans up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workflows.explain import backend_lost
from workflows.interfaces.rollouts.base import Rollouts
from workflows.interfaces.waiting import Waiter
from workflows.observe.metrics import SERVING, query
from workflows.problem import Problem
from workflows.rollout import record, remains
from workflows.rollout.alarms import manual_name
from workflows.rollout.events import Asked, Finished, Made, RolloutEvent, Started
from workflows.rollout.facts import Facts, Fleet, Source
from workflows.rollout.plan import Plan, plan
from workflows.rollout.record import Place, Rollout
from workflows.rollout.request import RolloutRequest
from workflows.rollout.state import FleetTraffic, RolloutState, alarm_states, state
from workflows.safety.changes import change

WINDOW = 60
"""Seconds over which the fleets' traffic is told."""
REASON = "Rolled back by hand with mlconsole."
_TRAFFIC = (
    ("invocations", "Invocations", "Sum", 1.0),
    ("errors", "InvocationModelErrors", "Average", 1.0),
    ("mean", "ModelLatency", "Average", 0.001),
    ("p99", "ModelLatency", "p99", 0.001),
)


def start(
    rollouts: Rollouts, planned: Plan, place: Place, *, clock: Callable[[], float] = time.time
) -> Rollout:
    """Make model, configuration and alarms, and ask for the update. Everything is noted before it is asked for.

    Raises:
        Problem: The plan is refused, or SageMaker refuses something; then what was made is deleted again.
    """
    checked = planned.checked()
    detail = {"endpoint": planned.request.endpoint, "blue": planned.blue, "green": planned.green}
    calls = (
        ("sagemaker", "CreateModel", planned.model),
        ("sagemaker", "CreateEndpointConfig", planned.configuration),
        *(("cloudwatch", "PutMetricAlarm", document) for document in planned.alarms),
        ("sagemaker", "UpdateEndpoint", planned.update),
    )
    with change("StartRollout", planned.id, detail, target=place.target, calls=calls):
        rollout = record.begin(checked, place, clock())

        def noted(what: str, name: str) -> None:
            record.append(rollout, Made(time=clock(), what=what, name=name))

        try:
            if planned.model is not None and not rollouts.model_exists(planned.model_name):
                noted("model", planned.model_name)
                rollouts.make_model(planned.model)
            if planned.configuration is not None:
                noted("endpoint configuration", planned.green)
                rollouts.make_configuration(planned.configuration)
            for document in planned.alarms:
                noted("alarm", document["AlarmName"])
                rollouts.put_alarm(document)
            rollouts.set_alarm(manual_name(planned.id), "OK", "Nobody has asked to roll back.")
            rollouts.update(planned.update)
        except Problem:
            _undo(rollouts, record.read(rollout.folder), clock)
            raise
        record.append(
            rollout,
            Started(time=clock(), endpoint=planned.request.endpoint, blue=planned.blue, green=planned.green),
        )
        return record.read(rollout.folder)


def look(rollouts: Rollouts, rollout: Rollout, now: float) -> tuple[RolloutState, tuple[RolloutEvent, ...]]:
    """The state now, and what is new in it since anybody looked; that is added to the journal.

    Raises:
        Problem: It cannot be asked for.
    """
    found = glance(rollouts, rollout, now)
    return found, record.observe(rollout, found)


def glance(rollouts: Rollouts, rollout: Rollout, now: float) -> RolloutState:
    """The state now; nothing is written.

    Raises:
        Problem: It cannot be asked for.
    """
    planned, known = rollout.plan, rollout.known
    names = [document["AlarmName"] for document in planned.alarms]
    names += planned.request.own_alarms
    described = rollouts.describe(planned.request.endpoint)
    if known.outcome and not any(what == "alarm" for what, _ in known.left):
        names = list(planned.request.own_alarms)
    alarms = alarm_states(planned, rollouts.alarms(names)) if names else ()
    found = state(
        planned,
        described,
        alarms,
        now=now,
        outcome=known.outcome,
        started=known.started,
        before=known.share,
    )
    if not found.active or not planned.variants:
        return replace(found, since=known.ended or found.since, failure=known.reason or found.failure)
    return _measured(rollouts, planned, found)


def wait(
    rollouts: Rollouts,
    rollout: Rollout,
    waiter: Waiter,
    told: Callable[[RolloutState, tuple[RolloutEvent, ...]], None],
) -> RolloutState:
    """Wait until a rollout has ended; ``told`` hears of each look at it.

    Raises:
        Cancelled: Waiting was called off; the rollout goes on.
        WorkflowError: It takes longer than SageMaker lets an update take.
    """
    last: list[RolloutState] = []

    def poll() -> tuple[bool, object]:
        try:
            found, events = look(rollouts, record.read(rollout.folder), time.time())
        except Problem as problem:
            if backend_lost(problem) and problem.__cause__ is not None:
                raise problem.__cause__ from None  # the waiter knows what to do about a lost connection
            raise
        last[:] = [found]
        told(found, events)
        return not found.active, (found.phase, found.share)

    waiter.until(poll, f"Rollout {rollout.id}", rollout.plan.request.timeout + 7_200)
    return last[0]


def roll_back(
    rollouts: Rollouts, rollout: Rollout, *, clock: Callable[[], float] = time.time
) -> tuple[Rollout, str]:
    """Take the new model back, by the only means there is, and say which.

    While the update runs, the rollout's manual alarm is set off: SageMaker rolls back by itself then. After it, the endpoint
    is updated to the configuration that it had before; that is a rollout of its own, which is returned.

    Raises:
        Problem: It is rolled back already, or what is needed for it was deleted.
    """
    found = glance(rollouts, rollout, clock())
    if found.active:
        name, endpoint = manual(found, rollout), rollout.plan.request.endpoint
        sent = {"AlarmName": name, "StateValue": "ALARM", "StateReason": REASON}
        with change(
            "RollBack",
            rollout.id,
            {"endpoint": endpoint, "how": "its manual alarm"},
            target=rollout.place.target,
            calls=(("cloudwatch", "SetAlarmState", sent),),
        ):
            rollouts.set_alarm(name, "ALARM", REASON)
            how = f"SetAlarmState {name} to ALARM; SageMaker looks at alarms while green bakes."
            record.append(rollout, Asked(time=clock(), what="roll-back", how=how))
            return record.read(rollout.folder), how
    over(found, rollout)
    planned = reversal(rollouts, rollout, clock())
    began = start(rollouts, planned, rollout.place, clock=clock)
    how = f"UpdateEndpoint to {rollout.plan.blue}, as rollout {began.id}."
    record.append(rollout, Asked(time=clock(), what="roll-back", how=how))
    return began, how


def reversal(rollouts: Rollouts, rollout: Rollout, now: float) -> Plan:
    """The plan that gives a finished rollout's endpoint its earlier configuration back, all at once.

    Raises:
        Problem: The earlier configuration was deleted, or the endpoint has another one than the rollout gave it.
    """
    before, endpoint = rollout.plan.blue, rollout.plan.request.endpoint
    described = rollouts.describe(endpoint)
    if described is None:
        raise Problem(f"There is no endpoint {endpoint} any more.", "", "gone")
    if described.get("EndpointConfigName") != rollout.plan.green:
        raise Problem(
            f"Endpoint {endpoint} has configuration {described.get('EndpointConfigName')}, not the one of rollout {rollout.id}.",
            f"`mlconsole rollout ls` shows what came after it; `mlconsole rollout start {endpoint} CONFIG` deploys any configuration.",
            "superseded",
        )
    raw = rollouts.configuration(before)
    if raw is None:
        raise Problem(
            f"Configuration {before}, which endpoint {endpoint} had before, was deleted.",
            "Start a rollout with the earlier model instead.",
            "config",
        )
    names = {str(item["VariantName"]) for item in described.get("ProductionVariants") or ()}
    same = names == {str(item["VariantName"]) for item in raw.get("ProductionVariants") or ()}
    there = described.get("ProductionVariants") or ()
    same = {item["VariantName"] for item in there} == {
        item["VariantName"] for item in raw["ProductionVariants"]
    }
    request = RolloutRequest(
        endpoint=endpoint,
        source=before,
        kind="config",
        strategy="all-at-once",
        wait=0,
        bake=0,
        limits={},
        retain=rollout.plan.request.retain and same,
    )
    kinds = {str(item["VariantName"]): item for item in raw["ProductionVariants"]}
    fleets = tuple(
        Fleet(
            variant=str(item["VariantName"]),
            model="",
            instance_type=str(kinds.get(item["VariantName"], {}).get("InstanceType") or ""),
            count=int(item.get("DesiredInstanceCount") or 0),
            weight=float(item.get("DesiredWeight") or 0.0),
            serverless="ServerlessConfig" in kinds.get(item["VariantName"], {}),
        )
        for item in there
    )
    facts = Facts(
        endpoint=endpoint,
        status=str(described.get("EndpointStatus") or ""),
        config=rollout.plan.green,
        fleets=fleets,
        config_document={},
        target=rollout.plan.target,
        scale=rollout.plan.scale,
    )
    made = plan(request, facts, Source(kind="config", name=before, config_document=raw), now=now)
    return replace(made, blue_instances=rollout.plan.green_instances)


def promote(rollouts: Rollouts, rollout: Rollout, *, clock: Callable[[], float] = time.time) -> str:
    """Give the variant with the new model all of the traffic, by its weight; says what was done.

    Raises:
        Problem: The update still runs (SageMaker cannot be told to skip a bake), or there is nothing to promote.
    """
    endpoint = rollout.plan.request.endpoint
    weights, new = shift(glance(rollouts, rollout, clock()), rollout)
    sent = {
        "EndpointName": endpoint,
        "DesiredWeightsAndCapacities": [
            {"VariantName": name, "DesiredWeight": value} for name, value in new.items()
        ],
    }
    with change(
        "PromoteRollout",
        rollout.id,
        {"endpoint": endpoint, "weights": new},
        target=rollout.place.target,
        calls=(("sagemaker", "UpdateEndpointWeightsAndCapacities", sent),),
    ):
        rollouts.weigh(endpoint, new)
        before = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
        now = ", ".join(f"{name} {weight:g}" for name, weight in new.items())
        how = f"UpdateEndpointWeightsAndCapacities: {now} (before: {before})."
        record.append(rollout, Asked(time=clock(), what="promote", how=how))
    return how


def shift(found: RolloutState, rollout: Rollout) -> tuple[dict[str, float], dict[str, float]]:
    """The weights of an endpoint's variants, and those that give the new model's all of the traffic.

    Raises:
        Problem: The update still runs, the new model does not serve, or has everything.
    """
    new_ones = rollout.plan.variants
    if found.active:
        raise Problem(
            promotion(found), f"Wait, or roll back: `mlconsole rollout rollback {rollout.id}`.", "impossible"
        )
    if found.outcome != "succeeded":
        raise Problem(
            f"Rollout {rollout.id} has ended as {found.outcome}: the new model does not serve.",
            "Start another rollout.",
            "ended",
        )
    weights = {item.name: item.weight for item in found.green.variants}
    others = [name for name in weights if name not in new_ones]
    if not others or not any(weights[name] for name in others):
        raise Problem(
            f"The new model has all of the traffic of {found.endpoint} already.",
            "There is nothing to promote.",
            "done",
        )
    total = sum(weights.values())
    return weights, {name: total / len(new_ones) if name in new_ones else 0.0 for name in weights}


def promotion(found: RolloutState) -> str:
    """Why an update that runs cannot be promoted, and when it is done by itself."""
    if found.phase == "rolling-back":
        return f"Endpoint {found.endpoint} is rolling back: the new model cannot be promoted."
    rest = f" By itself it is done in about {found.remaining:.0f} s." if found.remaining is not None else ""
    return f"SageMaker has no call that skips a bake or changes an update that runs ({found.title}).{rest}"


def _undo(rollouts: Rollouts, rollout: Rollout, clock: Callable[[], float]) -> None:
    """Delete what a start has made that was refused half-way; what cannot be deleted stays in the journal as left."""
    try:
        remains.remove(rollouts, rollout, rollout.known.left, clock)
    except Problem:
        return
    record.append(rollout, Finished(time=clock(), outcome="failed", reason="SageMaker refused to begin it."))


def manual(found: RolloutState, rollout: Rollout) -> str:
    """The alarm of an update that runs that a person sets off to roll it back.

    Raises:
        Problem: It is rolling back already, or that alarm was deleted.
    """
    if found.phase == "rolling-back":
        raise Problem(
            f"Endpoint {found.endpoint} is rolling back already.", "Wait for its end.", "rolling-back"
        )
    name = manual_name(rollout.id)
    if not any(item.name == name for item in found.alarms):
        raise Problem(
            f"The alarm {name} was deleted: without it nobody can stop this update.",
            "It ends by itself; roll back afterwards.",
            "alarm",
        )
    return name


def over(found: RolloutState, rollout: Rollout) -> None:
    """Let a rollout pass that has ended with the new model in service.

    Raises:
        Problem: It has ended otherwise: the old fleet serves.
    """
    if found.outcome != "succeeded":
        raise Problem(
            f"Rollout {rollout.id} has ended as {found.outcome}: there is nothing to roll back.",
            f"`mlconsole rollout show {rollout.id}` tells how it ended.",
            "ended",
        )


def _measured(rollouts: Rollouts, planned: Plan, found: RolloutState) -> RolloutState:
    """The state with what both fleets serve, and with the newest values of what the alarms watch."""
    end = (int(found.at) // 60 + 1) * 60  # so that a long period of an alarm is a whole one
    queries: list[dict[str, Any]] = []
    for fleet, config in (("b", planned.blue), ("g", planned.green)):
        dimensions = _dimensions(planned, planned.variants[0], config)
        for key, metric, statistic, _ in _TRAFFIC:
            queries.append(query(f"{fleet}_{key}", SERVING, metric, dimensions, statistic, WINDOW))
    for number, rail in enumerate(planned.guardrails):
        dimensions = _dimensions(planned, rail.variant, planned.green)
        queries.append(
            query(
                f"a{number}",
                SERVING,
                rail.gauge.metric,
                dimensions,
                rail.gauge.statistic,
                planned.request.period,
            )
        )
    # Two windows: early in a minute it has nothing yet, and the one before is told.
    points = rollouts.points(queries, end - max(2 * WINDOW, planned.request.period), end)
    values = {
        rail.name: points[f"a{number}"][-1][1] / rail.gauge.factor
        for number, rail in enumerate(planned.guardrails)
        if points.get(f"a{number}")
    }

    def traffic(fleet: str) -> FleetTraffic:
        known = {
            key: points[f"{fleet}_{key}"][-1][1] * factor
            for key, _, _, factor in _TRAFFIC
            if points.get(f"{fleet}_{key}")
        }
        return FleetTraffic(window=WINDOW, **known)

    return replace(
        found,
        blue_traffic=traffic("b"),
        green_traffic=traffic("g"),
        alarms=tuple(replace(item, value=values.get(item.name, item.value)) for item in found.alarms),
    )


def _dimensions(planned: Plan, variant: str, config: str) -> list[dict[str, str]]:
    return [
        {"Name": "EndpointName", "Value": planned.request.endpoint},
        {"Name": "VariantName", "Value": variant},
        {"Name": "EndpointConfigName", "Value": config},
    ]
