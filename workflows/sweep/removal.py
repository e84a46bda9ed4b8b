"""Deletes leftovers that somebody chose, and looks afterwards whether they are gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from workflows.costs.estimates import Hourly
from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import listed, parts
from workflows.observe.reading import not_found
from workflows.problem import Problem
from workflows.runs import Run
from workflows.sweep import inventory
from workflows.sweep.leftovers import (
    ALARM,
    CONFIG,
    ENDPOINT,
    LOGS,
    MODEL,
    OBJECTS,
    ORDER,
    TARGET,
    WEBAPP,
    Leftover,
    Outcome,
    Rules,
    SweepPlan,
    SweepReport,
)
from workflows.sweep.plan import plan
from workflows.webapp import removal as webapp

DELETING = 900.0
"""Seconds that SageMaker may take to delete an endpoint."""
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
Told = Callable[[Outcome], None]
Clock = Callable[[], float]

_SIMPLE = {
    ENDPOINT: ("sagemaker", "delete_endpoint", "EndpointName", "describe_endpoint"),
    CONFIG: ("sagemaker", "delete_endpoint_config", "EndpointConfigName", "describe_endpoint_config"),
    MODEL: ("sagemaker", "delete_model", "ModelName", "describe_model"),
}
"""Kind -> service, deletion, the name's member, and the call that proves it."""


def remove(
    gateway: Gateway,
    chosen: Sequence[Leftover],
    rules: Rules,
    *,
    now: Clock,
    pause: Callable[[float], object] | None = None,
    told: Told | None = None,
    bucket: str = "",
    runs: Sequence[Run] | None = None,
) -> SweepReport:
    """Delete what was chosen from a plan, as far as a new look still finds it left over.

    Args:
        now: Epoch seconds.
        pause: Waits so many seconds; None: in this thread.
        told: Hears of each outcome as it is known.

    Raises:
        Problem: The account cannot be listed again; nothing has been deleted then.
    """
    wait = pause or threading.Event().wait
    fresh = plan(gateway, rules, now(), bucket=bucket, runs=runs)
    outcomes: list[Outcome] = []
    saved = Hourly()

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if told is not None:
            told(outcome)

    for item, why in _still(fresh, chosen):
        if why:
            tell(Outcome(kind=item.kind, name=item.name, state="kept", detail=why))
            continue
        outcome = _removed(gateway, item.kind, item.name, now, wait)
        tell(outcome)
        if outcome.state in ("deleted", "was not there"):
            saved += item.hourly if outcome.state == "deleted" else Hourly()
            for kind, name in sorted(item.attached, key=lambda pair: ORDER.index(pair[0])):
                tell(_removed(gateway, kind, name, now, wait))
    return SweepReport(outcomes=tuple(outcomes), saved=saved)


def _still(fresh: SweepPlan, chosen: Sequence[Leftover]) -> list[tuple[Leftover, str]]:
    """What was chosen as it is now, in the order of deletion, and why it is kept after all (empty: it goes)."""
    known = {item.key: item for item in fresh.items}
    found: list[tuple[Leftover, str]] = []
    for item in sorted(chosen, key=lambda one: ORDER.index(one.kind)):
        now = known.get(item.key)
        if now is None:
            found.append((item, "it is not left over any more"))
        elif now.protected:
            found.append((item, now.protected))
        elif (
            now.created is not None
            and item.created is not None
            and abs(now.created - item.created) > 1
            and item.kind in _SIMPLE
        ):
            found.append((item, "another one with this name has been made since"))
        else:
            wanted = set(item.attached)
            found.append((replace(now, attached=tuple(pair for pair in now.attached if pair in wanted)), ""))
    return found


def _removed(gateway: Gateway, kind: str, name: str, now: Clock, wait: Callable[[float], object]) -> Outcome:
    try:
        if kind in _SIMPLE:
            return _simple(gateway, kind, name, now, wait)
        if kind == OBJECTS:
            return _objects(gateway, name)
        if kind == WEBAPP:
            return _webapp(gateway, name)
        if kind == TARGET:
            answered(
                gateway, "application-autoscaling", "deregister_scalable_target",
                ServiceNamespace="sagemaker", ResourceId=name, ScalableDimension=DIMENSION,
            )  # fmt: skip
            return _listed_again(gateway, kind, name, {item.name for item in inventory.targets(gateway)})
        if kind == ALARM:
            answered(gateway, "cloudwatch", "delete_alarms", AlarmNames=[name])
            return _listed_again(gateway, kind, name, {item.name for item in inventory.alarms(gateway)})
        if kind == LOGS:
            answered(gateway, "logs", "delete_log_group", logGroupName=name)
            return _listed_again(gateway, kind, name, {item.name for item in inventory.log_groups(gateway)})
    except Problem as problem:
        if not_found(problem):
            return Outcome(kind=kind, name=name, state="was not there")
        return Outcome(kind=kind, name=name, state="failed", detail=str(problem))
    raise ValueError(kind)


def _simple(gateway: Gateway, kind: str, name: str, now: Clock, wait: Callable[[float], object]) -> Outcome:
    service, method, member, describe = _SIMPLE[kind]
    answered(gateway, service, method, **{member: name})
    deadline = now() + DELETING
    step = 0.2
    while True:
        try:
            raw = answered(gateway, service, describe, **{member: name})
        except Problem as problem:
            if not_found(problem):
                return Outcome(kind=kind, name=name, state="deleted", detail=f"{_spelled(describe)} does not find it any more")  # fmt: skip
            raise
        if raw.get("EndpointStatus") == "Failed":
            reason = str(raw.get("FailureReason") or "SageMaker gave no reason.")
            return Outcome(kind=kind, name=name, state="failed", detail=reason)
        if now() > deadline:
            return Outcome(
                kind=kind, name=name, state="failed", detail=f"it is still there after {DELETING:.0f} s"
            )
        wait(step)
        step = min(step * 1.5, 10.0 if gateway.target == "aws" else 1.0)


def _objects(gateway: Gateway, uri: str) -> Outcome:
    bucket, _ = parts(uri)
    count = 0
    found = listed(gateway, uri, inventory.MOST_OBJECTS) or ()
    for first in range(0, len(found), 1000):
        batch = [{"Key": parts(item.uri)[1]} for item in found[first : first + 1000]]
        answer = answered(
            gateway, "s3", "delete_objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True}
        )
        refused = answer.get("Errors") or ()
        if refused:
            error = refused[0]
            return Outcome(
                kind=OBJECTS,
                name=uri,
                state="failed",
                detail=f"{error.get('Key')}: {error.get('Message') or error.get('Code')}",
            )
        count += len(batch)
    rest = listed(gateway, uri, inventory.MOST_OBJECTS)
    if rest is None or rest:
        return Outcome(
            kind=OBJECTS,
            name=uri,
            state="failed",
            detail="there are still objects: somebody writes there",
        )
    if not count:
        return Outcome(kind=OBJECTS, name=uri, state="was not there")
    return Outcome(
        kind=OBJECTS, name=uri, state="deleted", detail=f"{count} objects; a listing finds none any more"
    )


def _webapp(gateway: Gateway, name: str) -> Outcome:
    try:
        rows = webapp.remove(gateway, name)
    except Problem as problem:
        if problem.code == "not-found":
            return Outcome(kind=WEBAPP, name=name, state="was not there")
        raise
    left = [f"{row.what} {row.name}" for row in rows if row.state == "still there"]
    if left:
        return Outcome(kind=WEBAPP, name=name, state="failed", detail=f"still there: {', '.join(left)}")
    gone = [row.what for row in rows if row.state == "deleted"]
    return Outcome(
        kind=WEBAPP, name=name, state="deleted", detail=f"{', '.join(gone)}: a look finds none any more"
    )


def _listed_again(gateway: Gateway, kind: str, name: str, still: set[str]) -> Outcome:
    if name in still:
        return Outcome(kind=kind, name=name, state="failed", detail="a listing still finds it")
    return Outcome(kind=kind, name=name, state="deleted", detail="a listing does not find it any more")


def _spelled(method: str) -> str:
    """``describe_endpoint`` as AWS writes it."""
    return "".join(word.capitalize() for word in method.split("_"))
