"""The instances of an endpoint as its two descriptions tell them: what serves, what is being built beside it, shadows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["serving", "new", "shadow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What stands behind one variant. ``role``: it serves, it is the ``new`` fleet of an update, or it is a ``shadow``.

    A serverless variant has no instance type and no count; ``memory_mb`` and ``provisioned`` (concurrency) say what it bills by.
    ``asynchronous``: its endpoint takes asynchronous requests, so ``count`` may be 0.
    """

    variant: str
    role: Role = "serving"
    instance_type: str = ""
    count: int = 0
    serverless: bool = False
    memory_mb: int = 0
    provisioned: int = 0
    asynchronous: bool = False


def fleets(raw: Mapping[str, Any], raw_config: Mapping[str, Any]) -> tuple[Fleet, ...]:
    """All fleets that an endpoint has now, from DescribeEndpoint and DescribeEndpointConfig.

    While an update runs, the old fleet and the new one (``PendingDeploymentSummary``) stand side by side and are both billed.
    A variant that is not described yet (the endpoint is being created) counts as its configuration wants it.
    """
    asynchronous = bool(raw_config.get("AsyncInferenceConfig") or raw.get("AsyncInferenceConfig"))
    found: list[Fleet] = []
    for member, role in (("ProductionVariants", "serving"), ("ShadowProductionVariants", "shadow")):
        planned = {str(item.get("VariantName")): item for item in raw_config.get(member) or ()}
        running = {str(item.get("VariantName")): item for item in raw.get(member) or ()}
        for name in planned | running:
            found.append(
                _fleet(
                    name,
                    "shadow" if role == "shadow" else "serving",
                    planned.get(name, {}),
                    running.get(name),
                    asynchronous,
                )
            )
    pending = raw.get("PendingDeploymentSummary") or {}
    if pending.get("EndpointConfigName") != raw.get("EndpointConfigName"):
        for member in ("ProductionVariants", "ShadowProductionVariants"):
            for item in pending.get(member) or ():
                found.append(_fleet(str(item.get("VariantName")), "new", {}, item, asynchronous))
    return tuple(found)


def _fleet(
    name: str, role: Role, planned: Mapping[str, Any], running: Mapping[str, Any] | None, asynchronous: bool
) -> Fleet:
    now = running or {}
    serverless = (
        now.get("CurrentServerlessConfig")
        or now.get("DesiredServerlessConfig")
        or planned.get("ServerlessConfig")
    )
    if serverless:
        return Fleet(
            variant=name,
            role=role,
            serverless=True,
            memory_mb=int(serverless.get("MemorySizeInMB") or 0),
            provisioned=int(serverless.get("ProvisionedConcurrency") or 0),
            asynchronous=asynchronous,
        )
    current, desired = now.get("CurrentInstanceCount"), now.get("DesiredInstanceCount")
    count = int(current or 0)
    if not count and not (asynchronous and current is not None):
        # Instances are billed from their launch on: what still starts counts as it is wanted.
        count = int((planned.get("InitialInstanceCount") if desired is None else desired) or 0)
    return Fleet(
        variant=name,
        role=role,
        instance_type=str(now.get("InstanceType") or planned.get("InstanceType") or ""),
        count=count,
        asynchronous=asynchronous,
    )
