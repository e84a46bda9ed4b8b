"""What speaks against a rollout, before anything is created. Pure functions from request, facts and source to findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from workflows.rollout.alarms import MOST_ALARMS
from workflows.rollout.facts import Baseline, Facts, Fleet, Source
from workflows.rollout.request import GAUGES, STRATEGIES, RolloutRequest
from workflows.rollout.timeline import Size, Sizes, declared_seconds, timeline

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
MOST_WAIT = 3600
TIMEOUTS = (600, 28_800)
LAG = 60.0
"""Seconds until SageMaker's metrics have arrived at CloudWatch on AWS."""
NEAR = 3.0
"""Seconds in which the embedded SageMaker's alarms see what happens."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a rollout. An ``error`` forbids it; ``field`` names the member of the request."""

    level: Literal["error", "warning"]
    field: str
    sentence: str


def changed(request: RolloutRequest, facts: Facts, source: Source) -> tuple[Fleet, ...]:
    """The variants that get something new: the one that was named, or the only one; of a configuration those that are new or have
    another model than now (all, where none has). A new variant is compared with the only one that there was."""
    if source.kind != "config":
        if request.variant:
            return tuple(fleet for fleet in facts.fleets if fleet.variant == request.variant)
        return facts.fleets if len(facts.fleets) == 1 else ()
    running = {fleet.variant: fleet for fleet in facts.fleets}
    champion = facts.fleets[0].baseline if len(facts.fleets) == 1 else Baseline()
    everything = [
        Fleet(
            variant=name,
            model=str(item.get("ModelName") or ""),
            instance_type=str(item.get("InstanceType") or ""),
            count=int(item.get("InitialInstanceCount") or 0),
            weight=float(item.get("InitialVariantWeight", 1.0)),
            serverless="ServerlessConfig" in item,
            baseline=running[name].baseline if name in running else champion,
        )
        for item in (source.config_document or {}).get("ProductionVariants", ())
        for name in (str(item["VariantName"]),)
    ]
    new = [
        fleet
        for fleet in everything
        if fleet.variant not in running or fleet.model != running[fleet.variant].model
    ]
    return tuple(new or everything)


def sizes_of(request: RolloutRequest, facts: Facts, source: Source) -> Sizes:
    """The new fleet's variants: steps are counted by them."""
    names = {fleet.variant for fleet in changed(request, facts, source)}
    if source.kind == "config" and not request.retain:
        variants = (source.config_document or {}).get("ProductionVariants", ())
        return tuple(
            Size(int(item.get("InitialInstanceCount") or 1), float(item.get("InitialVariantWeight", 1.0)))
            for item in variants
        )
    return tuple(
        Size(
            request.instance_count
            if request.instance_count is not None and fleet.variant in names
            else max(1, fleet.count),
            fleet.weight,
        )
        for fleet in facts.fleets
    )


def check(request: RolloutRequest, facts: Facts, source: Source, *, alarms: int) -> tuple[Finding, ...]:
    """All that speaks against it, errors first.

    Args:
        alarms: How many would be generated, the manual one included.
    """
    found = [
        *_endpoint(request, facts, source),
        *_steps(request, facts, source),
        *_times(request, facts, source),
        *_alarms(request, facts, source, alarms),
    ]
    return tuple(sorted(found, key=lambda finding: finding.level != "error"))


def _error(field: str, sentence: str) -> Finding:
    return Finding("error", field, sentence)


def _warning(field: str, sentence: str) -> Finding:
    return Finding("warning", field, sentence)


def _endpoint(request: RolloutRequest, facts: Facts, source: Source) -> Iterator[Finding]:
    if facts.status != "InService":
        yield _error(
            "endpoint", f"Endpoint {facts.endpoint} is {facts.status}: an update needs one that is InService."
        )
    names = [fleet.variant for fleet in facts.fleets]
    if source.kind == "config":
        yield from _configuration(request, facts, source)
    elif request.variant and request.variant not in names:
        yield _error(
            "variant",
            f"Endpoint {facts.endpoint} has no variant {request.variant}: it has {', '.join(names)}.",
        )
    elif not request.variant and len(names) > 1:
        yield _error(
            "variant", f"Endpoint {facts.endpoint} has several variants: say which ({', '.join(names)})."
        )
    elif source.model and any(fleet.model == source.model for fleet in changed(request, facts, source)):
        yield _warning("source", f"Model {source.model} is what serves already.")
    if request.instance_type and not request.instance_type.startswith("ml."):
        yield _error("instance_type", "The instance type begins with ml., as ml.m5.large.")
    if request.instance_count is not None and request.instance_count < 1:
        yield _error("instance_count", "The new fleet needs one instance at least.")
    if source.kind == "config" and (request.instance_type or request.instance_count is not None):
        yield _error(
            "instance_type", "A configuration says its own instances: change them there, or deploy a model."
        )
    serverless = [fleet.variant for fleet in facts.fleets if fleet.serverless]
    if serverless and request.strategy != "all-at-once":
        yield _error(
            "strategy",
            f"{', '.join(serverless)} is serverless: SageMaker moves all of its traffic at once. Choose all-at-once.",
        )


def _configuration(request: RolloutRequest, facts: Facts, source: Source) -> Iterator[Finding]:
    document = source.config_document or {}
    if source.name == facts.config:
        yield _error(
            "source",
            f"Configuration {source.name} is what endpoint {facts.endpoint} has: an update needs another one.",
        )
    new = {str(item["VariantName"]) for item in document.get("ProductionVariants", ())}
    old = {fleet.variant for fleet in facts.fleets}
    if new != old:
        here, there = ", ".join(sorted(old)), ", ".join(sorted(new))
        if request.retain:
            yield _error(
                "retain",
                f"Configuration {source.name} has the variants {there}, the endpoint {here}: counts and weights can "
                "only be retained under the same names. Take those of the configuration (--reset), or use the same names.",
            )
        else:
            yield _warning("source", f"The variants change from {here} to {there}.")


def _steps(request: RolloutRequest, facts: Facts, source: Source) -> Iterator[Finding]:
    if request.strategy not in STRATEGIES:
        yield _error("strategy", f"There is no strategy {request.strategy}: {', '.join(STRATEGIES)}.")
        return
    if request.strategy == "all-at-once":
        return
    sizes = sizes_of(request, facts, source)
    parts = [request.step.share(size.count) for size in sizes]
    low, high = min(parts), max(parts)
    counts = sorted({size.count for size in sizes})
    shown, of = str(request.step), " and ".join(str(count) for count in counts)

    def wrong(part: float) -> str:
        return shown if request.step.unit == "percent" else f"{shown} of {of} ({part * 100:.0f}%)"

    if request.strategy == "canary" and high > 0.5:
        yield _error("step", f"A canary is 50% of the capacity at most, not {wrong(high)}.")
    if request.strategy == "linear" and not 0.1 <= low <= high <= 0.5:
        yield _error(
            "step",
            f"A linear step is 10% to 50% of the capacity, not {wrong(high if high > 0.5 else low)}.",
        )
    back = request.rollback_batch
    if request.strategy == "rolling":
        if not 0.05 <= low <= high <= 0.5:
            yield _error(
                "step",
                f"A rolling batch is 5% to 50% of the capacity, not {wrong(high if high > 0.5 else low)}.",
            )
        if back is not None and any(
            (back.value if back.unit == "instances" else back.value * size.count / 100) > size.count
            for size in sizes
        ):
            yield _error(
                "rollback_batch", f"A batch of the way back is 100% of the capacity at most, not {back}."
            )
    elif back is not None:
        yield _error("rollback_batch", "Only a rolling update goes back in batches.")
    if request.step.unit == "percent" and low * counts[0] < 1:
        yield _warning(
            "step",
            f"{shown} of {counts[0]} instance{'s' if counts[0] > 1 else ''} is less than one: AWS counts capacity in whole "
            "instances, and the first share may be larger there.",
        )


def _times(request: RolloutRequest, facts: Facts, source: Source) -> Iterator[Finding]:
    for field, seconds in (("wait", request.wait), ("bake", request.bake)):
        if not 0 <= seconds <= MOST_WAIT:
            yield _error(field, f"The {field} is 0 to {MOST_WAIT} s, not {seconds} s.")
    low, high = TIMEOUTS
    if not low <= request.timeout <= high:
        yield _error("timeout", f"The time limit is {low} to {high} s, not {request.timeout} s.")
    total = declared_seconds(request, sizes_of(request, facts, source))
    if request.timeout <= total:
        yield _error(
            "timeout",
            f"The waits alone take {total} s: a time limit of {request.timeout} s would roll back a good model.",
        )
    phases = timeline(request, sizes_of(request, facts, source), target=facts.target, scale=facts.scale)
    needed = phases[-1].end
    if facts.target == "aws" and total < request.timeout <= needed:
        yield _warning(
            "timeout",
            f"With the fleets' starts the update takes about {needed:.0f} s: a time limit of {request.timeout} s is short.",
        )


def _alarms(request: RolloutRequest, facts: Facts, source: Source, alarms: int) -> Iterator[Finding]:
    total = alarms + len(request.own_alarms)
    if total > MOST_ALARMS:
        yield _error(
            "limits",
            f"An update takes {MOST_ALARMS} alarms; these are {total}. Watch fewer numbers, or change one variant at a time.",
        )
    if request.period not in (10, 20, 30) and (request.period < 60 or request.period % 60):
        yield _error(
            "period", f"An alarm's period is 10, 20, 30 or a multiple of 60 s, not {request.period} s."
        )
    if facts.target == "aws" and request.period < 60:
        yield _error("period", "SageMaker publishes metrics each minute: on AWS the period is 60 s at least.")
    if request.periods < 1 or request.period * request.periods > 86_400:
        yield _error("periods", "An alarm looks at one period at least, and at one day at most.")
    for name in request.own_alarms:
        known = facts.alarms.get(name)
        if known is None:
            yield _error("own_alarms", f"There is no alarm {name}.")
        elif known.state == "ALARM":
            why = f" ({known.reason.rstrip('.')})" if known.reason else ""
            yield _error(
                "own_alarms", f"Alarm {name} is in ALARM{why}: the update would be rolled back at once."
            )
    watched = changed(request, facts, source)
    if request.limits and watched:
        yield from _blindness(request, facts, watched, sizes_of(request, facts, source))
    if not request.limits and not request.own_alarms:
        yield _warning("limits", "No alarm watches: nothing but a person takes a bad model back.")


def _blindness(
    request: RolloutRequest, facts: Facts, watched: tuple[Fleet, ...], sizes: Sizes
) -> Iterator[Finding]:
    """Alarms that cannot see anything, or that would see what blue does, too."""
    quiet = [fleet.variant for fleet in watched if fleet.baseline.invocations == 0]
    if quiet:
        yield _warning(
            "limits",
            f"Nobody called {', '.join(quiet)} in the last hour: without requests no alarm can see a bad model.",
        )
    for fleet in watched:
        for key, limit in request.limits.items():
            had, gauge = fleet.baseline.values.get(key), GAUGES[key]
            if had is not None and fleet.baseline.enough and not limit.relative and had > limit.value:
                yield _warning(
                    "limits",
                    f"{fleet.variant} itself had {_amount(had, gauge.unit)} {gauge.title} in the last hour, more than "
                    f"{_amount(limit.value, gauge.unit)}: the same model would be rolled back, too.",
                )
    needed = request.period * request.periods + LAG
    if facts.target != "aws":  # its alarms look at the time up to now, each second
        needed = request.period * (request.periods - 1) + NEAR
    phases = timeline(request, sizes, target=facts.target, scale=facts.scale)
    longest = max(phase.seconds for phase in phases if phase.declared)
    if longest < needed:
        yield _warning(
            "wait" if request.strategy != "all-at-once" else "bake",
            f"The longest bake lasts {longest:.0f} s, and an alarm needs about {needed:.0f} s to see a bad model.",
        )


def _amount(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:.0f} ms"


def valid_name(name: Any) -> bool:
    """Whether SageMaker takes it as the name of a configuration, an endpoint or a variant."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None
