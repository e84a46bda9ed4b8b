"""A rollout worked out to the last call, before the first: documents, alarms, timeline, cost, and what speaks against it."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows import costs
from workflows.problem import Problem
from workflows.rollout import alarms
from workflows.rollout.alarms import Guardrail
from workflows.rollout.checks import Finding, changed, check, sizes_of, valid_name
from workflows.rollout.facts import Facts, Source
from workflows.rollout.request import RolloutRequest, Step
from workflows.rollout.timeline import Phase, extra_fleet_seconds, timeline

NAME_LENGTH = 63
ROUTING = {"all-at-once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
UNITS = {"percent": "CAPACITY_PERCENT", "instances": "INSTANCE_COUNT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rollout will do. ``model``, ``configuration``, ``alarms`` and ``update`` are what the calls are asked for, in this order;
    ``model`` is None where it exists. ``green_instances`` and ``blue_instances`` are (instance type, count)."""

    id: str
    request: RolloutRequest
    blue: str
    green: str
    variants: tuple[str, ...]
    model: Mapping[str, Any] | None
    model_name: str
    configuration: Mapping[str, Any] | None
    guardrails: tuple[Guardrail, ...]
    alarms: tuple[Mapping[str, Any], ...]
    update: Mapping[str, Any]
    phases: tuple[Phase, ...]
    scale: float
    target: str
    blue_instances: tuple[tuple[str, int], ...]
    green_instances: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What forbids it."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should know before."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def seconds(self) -> float:
        """How long it takes when nothing stops it."""
        return self.phases[-1].end

    @property
    def extra(self) -> costs.Hourly:
        """What the second fleet costs an hour while both are up."""
        return costs.hourly(self.green_instances)

    @property
    def extra_dollars(self) -> float | None:
        """What the second fleet costs until the first is gone; None where a price is not known."""
        return costs.total(self.green_instances, extra_fleet_seconds(self.phases))

    def cost(self, target: str) -> str:
        """What it costs at a target while both fleets are up, as a phrase; empty where it brings no instances."""
        if not self.extra:
            return ""
        total = self.extra_dollars
        if total is None:
            whole = ""
        else:
            whole = f", about ${total:.4f} in all" if total < 0.01 else f", about ${total:.2f} in all"
        free = "free here; on AWS " if target == "embedded" else ""
        return f"{free}{self.extra} more while both fleets are up{whole} (estimate, {costs.REGION}, {costs.DATE})"

    def price(self, target: str) -> str:
        """The same as a sentence."""
        money = self.cost(target)
        if not money:
            return ""
        return f"Costs {money}." if target == "aws" else f"{money[:1].upper()}{money[1:]}."

    def checked(self) -> Plan:
        """The plan, where nothing forbids it.

        Raises:
            Problem: The first thing that does.
        """
        if self.errors:
            raise Problem(
                self.errors[0].sentence, "`mlconsole rollout plan` shows the whole plan.", "refused"
            )
        return self


def plan(request: RolloutRequest, facts: Facts, source: Source, *, now: float, name: str = "") -> Plan:
    """The plan of a rollout; nothing is called. What speaks against it is in its ``findings``.

    Args:
        now: Epoch seconds; they are part of its name.
        name: The rollout's name; empty: made of the endpoint's and the time.
    """
    rollout = name or named(request.endpoint, now)
    watched = changed(request, facts, source)
    rails, missing = alarms.guardrails(request, rollout, watched)
    findings = check(request, facts, source, alarms=len(rails) + 1)
    if name and not valid_name(name):
        findings = (
            Finding(
                "error", "name", f"{name!r} is no name: letters, digits and hyphens, 63 characters at most."
            ),
            *findings,
        )
    model = source.model or rollout
    green = source.name if source.kind == "config" else rollout
    configuration = (
        None if source.kind == "config" else _configuration(request, facts, rollout, model, watched)
    )
    documents = [alarms.document(item, request, rollout=rollout, config=green) for item in rails]
    documents.append(alarms.manual_document(request, rollout))
    variants = (configuration or source.config_document or {}).get("ProductionVariants", ())
    return Plan(
        id=rollout,
        request=request,
        blue=facts.config,
        green=green,
        variants=tuple(fleet.variant for fleet in watched),
        model={"ModelName": model, **source.document, "Tags": _tags(source.document, rollout)}
        if source.document is not None
        else None,
        model_name=model if source.kind != "config" else "",
        configuration=configuration,
        guardrails=rails,
        alarms=tuple(documents),
        update=update_document(request, green, [str(item["AlarmName"]) for item in documents], facts),
        phases=timeline(request, sizes_of(request, facts, source), target=facts.target, scale=facts.scale),
        scale=facts.scale,
        target=facts.target,
        blue_instances=tuple(
            (fleet.instance_type, fleet.count) for fleet in facts.fleets if fleet.instance_type
        ),
        green_instances=_instances(request, facts, variants),
        findings=findings,
        notes=missing,
    )


def named(endpoint: str, now: float | None = None) -> str:
    """A rollout's name, which its configuration gets, too: the endpoint's, cut where needed, and the time to the second."""
    stamp = time.strftime("%m%d-%H%M%S", time.localtime(now))
    clean = re.sub(r"-+", "-", endpoint)[: NAME_LENGTH - len(stamp) - 3].strip("-")
    return f"{clean}-r-{stamp}"


def update_document(request: RolloutRequest, green: str, names: list[str], facts: Facts) -> dict[str, Any]:
    """What UpdateEndpoint is asked for."""
    made: dict[str, Any] = {"EndpointName": request.endpoint, "EndpointConfigName": green}
    if request.retain:
        made["RetainAllVariantProperties"] = True
        excluded = []
        if request.instance_count is not None:
            excluded.append("DesiredInstanceCount")
        if not request.capture:
            excluded.append("DataCaptureConfig")
        if excluded:
            made["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": name} for name in excluded]
    watching = [*names, *request.own_alarms]
    made["DeploymentConfig"] = {
        **_policy(request),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in watching]},
    }
    return made


def _policy(request: RolloutRequest) -> dict[str, Any]:
    if request.strategy == "rolling":
        rolling: dict[str, Any] = {
            "MaximumBatchSize": size(request.step),
            "WaitIntervalInSeconds": request.wait,
            "MaximumExecutionTimeoutInSeconds": request.timeout,
        }
        if request.rollback_batch is not None:
            rolling["RollbackMaximumBatchSize"] = size(request.rollback_batch)
        return {"RollingUpdatePolicy": rolling}
    routing: dict[str, Any] = {
        "Type": ROUTING[request.strategy],
        # Required whatever the type; with one step there is nothing to wait between.
        "WaitIntervalInSeconds": 0 if request.strategy == "all-at-once" else request.wait,
    }
    if request.strategy == "canary":
        routing["CanarySize"] = size(request.step)
    elif request.strategy == "linear":
        routing["LinearStepSize"] = size(request.step)
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": request.bake,
            "MaximumExecutionTimeoutInSeconds": request.timeout,
        }
    }


def size(step: Step) -> dict[str, Any]:
    """A step as the API writes it."""
    return {"Type": UNITS[step.unit], "Value": step.value}


def _configuration(
    request: RolloutRequest, facts: Facts, rollout: str, model: str, watched: tuple[Any, ...]
) -> dict[str, Any]:
    """The present configuration with the new model; running counts and weights where they are retained."""
    made = copy.deepcopy(dict(facts.config_document))
    new = {fleet.variant for fleet in watched}
    running = {fleet.variant: fleet for fleet in facts.fleets}
    for variant in made["ProductionVariants"]:
        fleet = running.get(variant["VariantName"])
        if request.retain and fleet is not None and not fleet.serverless:
            variant["InitialInstanceCount"] = max(1, fleet.count)
            variant["InitialVariantWeight"] = fleet.weight
        if variant["VariantName"] in new:
            variant["ModelName"] = model
            if request.instance_type:
                variant["InstanceType"] = request.instance_type
            if request.instance_count is not None:
                variant["InitialInstanceCount"] = request.instance_count
    if not request.capture:
        made.pop("DataCaptureConfig", None)
    return {"EndpointConfigName": rollout, **made, "Tags": alarms.tags(rollout)}


def _instances(request: RolloutRequest, facts: Facts, variants: Any) -> tuple[tuple[str, int], ...]:
    running = {fleet.variant: fleet for fleet in facts.fleets}
    made = []
    for item in variants:
        fleet = running.get(item["VariantName"])
        count = int(item.get("InitialInstanceCount") or 0)
        if request.retain and fleet is not None and request.instance_count is None:
            count = fleet.count
        if item.get("InstanceType"):
            made.append((str(item["InstanceType"]), count))
    return tuple(made)


def _tags(document: Mapping[str, Any], rollout: str) -> list[dict[str, str]]:
    return [*(document.get("Tags") or ()), *alarms.tags(rollout)]
