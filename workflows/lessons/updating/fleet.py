"""Endpoints of this lesson: several variants, made and awaited through either interface, noted before they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflows.failures import WorkflowError
from workflows.studies.context import Context

LONGEST = 3600.0
"""Seconds that an endpoint may take to settle."""


def variant(name: str, model: str, instance_type: str) -> dict[str, Any]:
    """A production variant of one instance, at weight 1."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }


def host(context: Context, name: str, variants: Sequence[Mapping[str, Any]]) -> None:
    """The endpoint ``name`` with these variants, in service; one of before an interruption is taken as it is.

    Raises:
        WorkflowError: It failed; the text has SageMaker's reason.
        Cancelled: The run was asked to stop.
    """
    rollouts = context.interface.rollouts
    tags = [{"Key": key, "Value": value} for key, value in context.tags.items()]
    if rollouts.configuration(name) is None:
        context.ledger.made("endpoint configuration", name)
        rollouts.make_configuration(
            {"EndpointConfigName": name, "ProductionVariants": [dict(one) for one in variants], "Tags": tags}
        )
    if rollouts.describe(name) is None:
        context.ledger.made("endpoint", name)
        rollouts.make_endpoint({"EndpointName": name, "EndpointConfigName": name, "Tags": tags})
        context.artifact("endpoint", name)
    settled(context, name)


def settled(context: Context, name: str) -> None:
    """Waits until an endpoint is in service.

    Raises:
        WorkflowError: It failed or is not there any more.
        Cancelled: The run was asked to stop.
    """
    told = ""

    def poll() -> tuple[bool, object]:
        nonlocal told
        state = context.interface.describe_endpoint(name)
        if state is None:
            raise WorkflowError(f"Endpoint {name} is not there any more. Start a new run.")
        if state.status != told:
            told = state.status
            context.log(f"Endpoint {name}: {told}", source="endpoint")
        if state.status in ("Failed", "OutOfService"):
            raise WorkflowError(f"Endpoint {name} failed: {state.failure or 'no reason was given.'}")
        return state.status == "InService", state.status

    context.waiter.until(poll, f"Endpoint {name}", LONGEST)
