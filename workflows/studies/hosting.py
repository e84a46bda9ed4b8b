"""Hosts a model inside a step: makes the endpoint, waits until it answers, and tells why when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from workflows import costs
from workflows.failures import WorkflowError
from workflows.interfaces.base import EndpointRequest
from workflows.studies.cleanup import delete_endpoint
from workflows.studies.context import Context
from workflows.studies.study import Result

ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
}
SINGLE_CALLS = 20
CREATING = 1800.0
"""Seconds that an endpoint may take to come up."""


def environment(region: str) -> dict[str, str]:
    """The environment of a script-mode container: the serving code lies in the model's archive."""
    return {**ENVIRONMENT, "SAGEMAKER_REGION": region}


def in_service(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the run's endpoint still answers."""
    state = context.interface.describe_endpoint(context.run.id)
    return state is not None and state.status == "InService"


def host(context: Context, image: str) -> Result:
    """The model of the step ``train`` in a script-mode container, behind an endpoint that has the run's name.

    Raises:
        WorkflowError, Cancelled: As `deploy`.
    """
    return _host(
        context,
        image,
        context.of("train")["model_uri"],
        environment(context.platform.region),
        "is in service",
    )


def host_built_in(context: Context, image: str, model_uri: str, label: str) -> Result:
    """A model of a built-in algorithm, which is called ``label``, behind an endpoint that has the run's name.

    Raises:
        WorkflowError, Cancelled: As `deploy`.
    """
    return _host(context, image, model_uri, {}, f"serves {label}")


def _host(context: Context, image: str, model_uri: str, variables: dict[str, str], what: str) -> Result:
    began = time.monotonic()
    request = EndpointRequest(
        name=context.run.id,
        image=image,
        model_uri=model_uri,
        environment=variables,
        instance_type=str(context.value("hosting-instance-type")),
        tags=context.tags,
    )
    deploy(context, request)
    seconds = time.monotonic() - began
    return Result(
        outputs={"endpoint": request.name},
        summary=f"Endpoint {request.name} {what} after {seconds:.1f} s.",
    )


def deploy(context: Context, request: EndpointRequest) -> None:
    """Makes the endpoint and waits until it is InService. What an interrupted run left half made is deleted first.

    Raises:
        WorkflowError: The endpoint failed; the text has SageMaker's reason and the last log lines.
        Cancelled: The run was asked to stop; what was made is left to the clean-up.
    """
    interface, name = context.interface, request.name
    price = costs.per_hour(request.instance_type)
    if context.platform.target == "aws" and price is not None:
        context.log(
            f"The endpoint costs about ${price:.3f} an hour (estimate: {costs.REGION} prices of {costs.DATE})."
        )
    state = interface.describe_endpoint(name)
    if state is None or state.status not in ("Creating", "InService"):
        if context.ledger.resources("endpoint"):
            delete_endpoint(context, name)
            interface.delete_endpoint_config(name)
            interface.delete_model(name)
        for what in ("endpoint", "endpoint configuration", "model"):
            context.ledger.made(what, name)
        interface.deploy(request)
    context.artifact("endpoint", name)
    log = interface.endpoint_log(name)
    lines: list[str] = []
    told = ""

    def poll() -> tuple[bool, object]:
        nonlocal told
        now = interface.describe_endpoint(name)
        if now is None:
            raise WorkflowError(f"Endpoint {name} is not there any more. Start a new run.")
        for line in log.read():
            lines.append(line.text)
            context.log(line.text, source=line.stream, at=line.time)
        if now.status != told:
            told = now.status
            context.log(f"Endpoint {name}: {now.status}", source="endpoint")
        if now.status in ("Failed", "OutOfService"):
            last = " | ".join(lines[-3:])
            raise WorkflowError(f"Endpoint {name} failed: {now.failure or last or 'no reason was given.'}")
        return now.status == "InService", (now.status, len(lines))

    context.waiter.until(poll, f"Endpoint {name}", CREATING)


def latencies(context: Context, ask: Callable[[Any], Any], rows: Any) -> list[float]:
    """Seconds of `SINGLE_CALLS` calls with one of the rows each, sorted; each is told as a point of the metric ``latency`` (ms)."""
    seconds = []
    for number in range(SINGLE_CALLS):
        context.check()
        began = time.perf_counter()
        row = number % len(rows)
        ask(rows[row : row + 1])
        seconds.append(time.perf_counter() - began)
        context.metric("latency", 1000 * seconds[-1], number + 1, "call")
    return sorted(seconds)
