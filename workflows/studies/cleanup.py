"""Deletes what a run made, and proves by listing that it is gone."""

from __future__ import annotations

import time

from workflows import costs, lifetime
from workflows.failures import WorkflowError
from workflows.interfaces.transforms.base import ENDED
from workflows.interfaces.tuning.base import ENDED as TUNED
from workflows.problem import Problem
from workflows.studies.context import Context

DELETING = 900.0
STOPPING = 600.0
"""Seconds that SageMaker may take to delete an endpoint or to stop a training job."""


def delete_everything(context: Context) -> tuple[list[str], str]:
    """Deletes the run's web app, stops its training jobs, deletes its endpoint, configuration, model and S3 objects.

    Returns:
        What is still there afterwards (by listing names and prefixes, not by trusting the deletions), and a sentence.
    """
    interface, ledger, name = context.interface, context.ledger, context.run.id
    if not ledger.resources() and not ledger.finished("train"):
        return [], "Nothing had been made at the target."
    rows: list[list[str]] = []
    left: list[str] = []
    for item in ledger.resources("web app"):
        found, remains = _remove_webapp(context, item["name"])
        rows += found
        left += remains
        if not remains:
            ledger.deleted("web app", item["name"])
    for item in ledger.resources("training job"):
        for job in interface.find_training(item["name"]):
            rows.append(_stop_job(context, job))
        ledger.deleted("training job", item["name"])
    for item in ledger.resources("tuning job"):
        rows.append(_stop_tuning(context, item["name"]))
        ledger.deleted("tuning job", item["name"])
    for item in ledger.resources("transform job"):
        rows.append(_stop_transform(context, item["name"]))
        ledger.deleted("transform job", item["name"])
    for what, delete in (
        ("endpoint", delete_endpoint),
        ("endpoint configuration", lambda _, title: interface.delete_endpoint_config(title)),
        ("model", lambda _, title: interface.delete_model(title)),
    ):
        for item in ledger.resources(what):
            was_there = delete(context, item["name"])
            ledger.deleted(what, item["name"])
            rows.append([what, item["name"], "deleted" if was_there else "was not there"])
    for item in ledger.resources("A/B test"):
        rows.append(["A/B test", item["name"], end_test(context, item["name"])])
        ledger.deleted("A/B test", item["name"])
    alarms = [item["name"] for item in ledger.resources("alarm")]
    if alarms:
        interface.rollouts.delete_alarms(alarms)
        for alarm in alarms:
            ledger.deleted("alarm", alarm)
        rows.append(["alarms", f"{alarms[0]} …" if alarms[1:] else alarms[0], f"{len(alarms)} deleted"])
    count = interface.delete_objects(context.prefix)
    rows.append(["S3 objects", f"{context.prefix}/", f"{count} deleted"])
    remaining = interface.remaining(name, context.prefix)
    if not any(item.startswith("object ") for item in remaining):
        ledger.deleted("objects", context.prefix)
    left += remaining
    rows += [["STILL THERE", item, "delete it by hand"] for item in left]
    context.table("What the run made, and what became of it", ["what", "name", "state"], rows)
    if left:
        return left, f"{len(left)} things are still there: {', '.join(left[:3])}"
    page = "" if not any(row[0] == "REST API" for row in rows) else "function, API, role, log, "
    return [], (
        f"Nothing that costs is left: no {page}endpoint, configuration, model or object by listing names and prefix. "
        "The records of jobs and their logs stay as history; they cost nothing."
    )


def kept(context: Context) -> str:
    """A sentence on what stays, what it costs, and how to delete it."""
    run = context.run.id
    names = [item["name"] for item in context.ledger.resources("endpoint")]
    many = "s" if len(names) > 1 else ""
    if names:
        what = (
            f"endpoint{many} {' and '.join(names)} {_priced(context, len(names))}, "
            f"the configuration{many}, the model{many}"
        )
    else:
        what = "what the run made, but no endpoint: nothing that is billed by the hour"
    return (
        f"Kept: {what} and {context.prefix}/. Delete {'them' if many else 'it'} with `mlconsole runs stop {run}`."
        f"{_limited(context, names)}{_open(context)}"
    )


def _priced(context: Context, count: int) -> str:
    """On which machine, and what so many endpoints of it cost."""
    instance = str(context.value("hosting-instance-type"))
    price = costs.per_hour(instance)
    where = f"on {instance}{', together,' if count > 1 else ''}"
    if context.platform.target != "aws":
        return f"{where} costs nothing here" + (
            f" (on AWS about ${price * count:.3f} an hour)" if price else ""
        )
    if price is None:
        return f"{where} costs"
    return (
        f"{where} costs about ${price * count:.3f} an hour (estimate, {costs.REGION} prices of {costs.DATE})"
    )


def _open(context: Context) -> str:
    """Where the run's web page is; empty where it has none."""
    from workflows.webapp import parts

    return "".join(
        f" The page: {parts.look(context.platform, item['name']).url} (`mlconsole webapp open {item['name']}`)"
        for item in context.ledger.resources("web app")
    )


def _remove_webapp(context: Context, name: str) -> tuple[list[list[str]], list[str]]:
    """Rows of what became of a web app's parts, and what is still there by looking."""
    from workflows.webapp import removal

    try:
        parts = removal.remove(context.platform, name)
    except Problem as problem:
        if problem.code != "not-found":
            raise
        return [["web app", name, "was not there"]], []
    gone = [[part.what, part.name, part.state] for part in parts if part.state != "still there"]
    return gone, [f"{part.what} {part.name}" for part in parts if part.state == "still there"]


def _limited(context: Context, endpoints: list[str]) -> str:
    """Gives kept endpoints the lifetime that the run was started with; a sentence about it."""
    seconds = context.run.ttl
    states = [context.interface.describe_endpoint(name) for name in endpoints] if seconds else []
    limited = [state for state in states if state is not None]
    for state in limited:
        lifetime.limit(context.platform, state.arn, seconds, time.time())
    if not limited:
        return ""
    return f" It expires in {seconds / 3600:g} h: `mlconsole sweep --expired` deletes it then, nothing else does."


def _stop_job(context: Context, job: str) -> list[str]:
    interface = context.interface
    state = interface.describe_training(job)
    if state is None:
        return ["training job", job, "was not there"]
    if not state.ended:
        interface.stop_training(job)

        def stopped() -> tuple[bool, object]:
            now = interface.describe_training(job)
            return now is None or now.ended, now.secondary if now else ""

        context.waiter.until(stopped, f"Stopping training job {job}", STOPPING, cancellable=False)
        return ["training job", job, "stopped; its record stays as history"]
    return ["training job", job, f"{state.status}; its record stays as history"]


def _stop_transform(context: Context, name: str) -> list[str]:
    transforms = context.interface.transforms
    transforms.stop(name)

    def stopped() -> tuple[bool, object]:
        now = transforms.describe(name)
        return now is None or now.row.status in ENDED, now.row.status if now else ""

    context.waiter.until(stopped, f"Stopping transform job {name}", STOPPING, cancellable=False)
    state = transforms.describe(name)
    if state is None:
        return ["transform job", name, "was not there"]
    return ["transform job", name, f"{state.row.status}; its record stays as history"]


def end_test(context: Context, name: str) -> str:
    """Ends an A/B test that is still running, whether its endpoint is there or not; says what became of it."""
    from workflows.abtest import operations

    try:
        operations.stop(context.platform, context.interface.rollouts, name, "keep")
    except Problem as problem:
        return "its record stays as history" if problem.code != "not-found" else "was not there"
    return "stopped; its record stays as history"


def _stop_tuning(context: Context, name: str) -> list[str]:
    tuning = context.interface.tuning
    tuning.stop(name)

    def stopped() -> tuple[bool, object]:
        now = tuning.describe(name)
        return now is None or now.row.status in TUNED, now.row.status if now else ""

    context.waiter.until(stopped, f"Stopping tuning job {name}", STOPPING, cancellable=False)
    state = tuning.describe(name)
    if state is None:
        return ["tuning job", name, "was not there"]
    return ["tuning job", name, f"{state.row.status}; its record and its trials' stay as history"]


def delete_endpoint(context: Context, name: str) -> bool:
    """Deletes an endpoint and waits until it is gone; says whether there was one. One that is being made is awaited.

    Raises:
        WorkflowError: It cannot be deleted, or that takes too long.
    """
    interface = context.interface

    def settled() -> tuple[bool, object]:
        state = interface.describe_endpoint(name)
        return state is None or state.status not in ("Creating", "Updating", "SystemUpdating"), state

    context.waiter.until(
        settled, f"Endpoint {name} to settle before its deletion", DELETING, cancellable=False
    )
    if not interface.delete_endpoint(name):
        return False

    def gone() -> tuple[bool, object]:
        state = interface.describe_endpoint(name)
        if state is not None and state.status == "Failed":
            raise WorkflowError(f"Endpoint {name} cannot be deleted: {state.failure}")
        return state is None, state.status if state else ""

    context.waiter.until(gone, f"Deleting endpoint {name}", DELETING, cancellable=False)
    return True
