"""Rollouts for the screens' tests: an endpoint, plans, and views of a rollout at several moments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from workflows.rollout.alarms import AlarmState, manual_name
from workflows.rollout.asked import RolloutView
from workflows.rollout.events import (
    AlarmChanged,
    Finished,
    Made,
    PhaseEntered,
    RolloutEvent,
    Started,
)
from workflows.rollout.facts import Baseline, Facts, Fleet, Source
from workflows.rollout.plan import Plan, plan
from workflows.rollout.record import Place, Rollout
from workflows.rollout.request import RolloutRequest, Step
from workflows.rollout.state import FleetTraffic, FleetView, RolloutState, VariantView

NOW = 1_800_000_000.0
ENDPOINT = "moons-ab-20270115-074500"
NAME = "moons-ab-r-0115-080000"
QUESTIONS = {
    "roll back": (
        f"Sets alarm {NAME}-manual to ALARM: SageMaker takes all traffic back to moons-ab-config and ends the new fleet.",
        "It looks at alarms while green bakes.",
        "Free here; on AWS $0.230/h of the new fleet end with it (estimate, us-east-1, 2026-11).",
    ),
    "promote": (
        f"Changes the weights of {ENDPOINT}: linear 1 to 2, network 1 to 0.",
        "Every variant stays up.",
        "Free here; on AWS $0.230/h go on: no more, no less (estimate, us-east-1, 2026-11).",
    ),
}
"""What the rollout's questions say, by what is asked."""


def facts(**more: Any) -> Facts:
    """An endpoint of two instances that was called two thousand times in the last hour."""
    document = {
        "ProductionVariants": [
            {
                "VariantName": "champion",
                "ModelName": "moons-low-9d01",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
                "InitialVariantWeight": 1.0,
            }
        ]
    }
    fleet = Fleet(
        variant="champion",
        model="moons-low-9d01",
        instance_type="ml.m5.large",
        count=2,
        weight=1.0,
        baseline=Baseline(
            2140, {"5xx": 0.0005, "4xx": 0.002, "model-errors": 0.0005, "p99": 9.8, "mean": 3.4}
        ),
    )
    made = Facts(
        endpoint=ENDPOINT,
        status="InService",
        config="moons-ab-config",
        fleets=(fleet,),
        config_document=document,
        scale=0.01,
    )
    return replace(made, **more)


def source(name: str = "moons-high-41c2") -> Source:
    return Source(kind="model", name=name, model=name)


def planned(**asked: Any) -> Plan:
    """A canary of half an instance with ten minutes between its steps."""
    request = RolloutRequest(
        **({"endpoint": ENDPOINT, "source": "moons-high-41c2", "step": Step(50)} | asked)
    )
    return plan(request, facts(), source(), now=NOW, name=NAME)


def alarms(made: Plan, **values: tuple[str, float]) -> tuple[AlarmState, ...]:
    """The alarms of a plan, all OK but those with another state and value."""
    usual = {"5xx": 0.0, "4xx": 0.0021, "model-errors": 0.0, "p99": 10.4}
    found = []
    for rail in made.guardrails:
        state, value = values.get(rail.gauge.key.replace("-", "_"), ("OK", usual[rail.gauge.key]))
        found.append(
            AlarmState(
                name=rail.name,
                state=state,
                gauge=rail.gauge.key,
                variant=rail.variant,
                value=value,
                threshold=rail.threshold,
                blue=rail.blue,
                since=NOW - 100,
            )
        )
    return (*found, AlarmState(name=manual_name(made.id), state="OK", manual=True))


def baking(made: Plan | None = None) -> RolloutView:
    """In the bake of its canary."""
    made = made or planned()
    state = RolloutState(
        at=NOW,
        endpoint=ENDPOINT,
        status="Updating",
        phase="baking",
        title="canary bakes",
        share=0.5,
        step=1,
        steps=2,
        since=NOW - 2.5,
        left=3.5,
        remaining=10.5,
        blue=FleetView(made.blue, (variant(2),)),
        green=FleetView(
            made.green,
            (
                variant(
                    2,
                    "Baking",
                    "Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
                ),
            ),
        ),
        alarms=alarms(made),
        started=NOW - 6.5,
        blue_traffic=FleetTraffic(window=60, invocations=612, errors=0.0, mean=3.4, p99=9.9),
        green_traffic=FleetTraffic(window=60, invocations=588, errors=0.0, mean=3.6, p99=10.4),
    )
    return RolloutView(rollout(made, history(made)), state)


def rolled_back() -> RolloutView:
    """Taken back by its alarms."""
    view = baking()
    made = view.rollout.plan
    reason = (
        f"The deployment of endpoint configuration {made.green} was rolled back: one or more CloudWatch alarms of its "
        f"AutoRollbackConfiguration are in state ALARM: mlconsole-{made.id}-champion-model-errors."
    )
    events = (
        *history(made),
        AlarmChanged(
            time=NOW - 1.5,
            alarm=f"mlconsole-{made.id}-champion-model-errors",
            title="model errors",
            variant="champion",
            state="ALARM",
            reason="Threshold Crossed: 1 datapoint [0.104 (15/01/27 08:00:00)] was greater than the threshold (0.01).",
        ),
        Finished(time=NOW - 0.5, outcome="rolled-back", reason=reason),
    )
    state = replace(
        view.state,
        status="InService",
        phase="ended",
        title="ended",
        share=0.0,
        left=None,
        remaining=None,
        outcome="rolled-back",
        failure=reason,
        alarms=alarms(made, model_errors=("ALARM", 0.104)),
        green=FleetView(made.green),
        blue_traffic=None,
        green_traffic=None,
    )
    return RolloutView(rollout(made, events), state)


def succeeded(variants: int = 1) -> RolloutView:
    """Gone all the way."""
    view = baking()
    made = view.rollout.plan
    events = (*history(made), Finished(time=NOW, outcome="succeeded"))
    serving = tuple(replace(variant(2), name=f"v{number}") for number in range(variants))
    state = replace(
        view.state,
        status="InService",
        phase="ended",
        title="ended",
        share=1.0,
        step=2,
        left=None,
        remaining=None,
        outcome="succeeded",
        green=FleetView(made.green, serving),
        blue=FleetView(made.blue),
        blue_traffic=None,
        green_traffic=None,
    )
    return RolloutView(rollout(made, events), state)


def variant(count: int, status: str = "", message: str = "") -> VariantView:
    return VariantView(
        name="champion",
        instance_type="ml.m5.large",
        current_count=count,
        desired_count=count,
        weight=1.0,
        status=status,
        message=message,
        since=NOW - 2.5,
    )


def rollout(made: Plan, events: tuple[RolloutEvent, ...]) -> Rollout:
    return Rollout(
        Path("/rollouts") / made.id, made, Place("embedded", "1", "us-east-1", "low"), NOW - 7, events
    )


def history(made: Plan) -> tuple[RolloutEvent, ...]:
    """What has happened until the canary bakes."""
    return (
        Made(time=NOW - 7, what="endpoint configuration", name=made.green),
        *(Made(time=NOW - 6.9, what="alarm", name=item["AlarmName"]) for item in made.alarms),
        Started(time=NOW - 6.5, endpoint=ENDPOINT, blue=made.blue, green=made.green),
        PhaseEntered(
            time=NOW - 6.5, phase="provisioning", title="green starts beside blue", share=0.0, message="Launching 2 instance(s)."
        ),
        PhaseEntered(
            time=NOW - 2.5, phase="baking", title="canary bakes", share=0.5,
            message="Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
        ),
    )  # fmt: skip
