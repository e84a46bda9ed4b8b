"""How far an update has come: what is stored of it, step by step, so that it can be shown, and taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from engine.hosting.strategy import Strategy, down, strategy, up

CREATING = "Creating"
"""The new fleet's instances of this step are started."""
ACTIVATING = "ActivatingTraffic"
BAKING = "Baking"
TERMINATING = "Terminating"
"""A rolling update ends the old instances that this step has replaced."""
PROMOTING = "Promoting"
"""The new fleet has all traffic for good; the old one is ended. There is no way back from here."""
ROLLING_BACK = "RollingBack"

_PASSING = ("DeploymentConfig", "previous", "progress")
"""What of a wanted document belongs to the update, not to the endpoint."""


class Progress(TypedDict):
    """``start`` and ``since`` (when the stage began) are epoch seconds, ``spent`` what counts towards the maximum execution time."""

    stage: str
    step: int
    start: float
    since: float
    spent: float
    reason: str


def begin(now: float) -> Progress:
    """The progress of an update that was accepted just now."""
    return {"stage": CREATING, "step": 0, "start": now, "since": now, "spent": 0.0, "reason": ""}


def course(wanted: Mapping[str, Any]) -> Strategy:
    """The steps by which the fleet of a wanted document comes into service."""
    return strategy(
        wanted.get("DeploymentConfig"), production(wanted, "counts"), production(wanted, "weights")
    )


def production(wanted: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The production variants' ``counts`` or ``weights``: shadows take no part in how traffic moves."""
    shadows = {each["VariantName"] for each in wanted["config"].get("ShadowProductionVariants") or ()}
    return {name: value for name, value in wanted[what].items() if name not in shadows}


def lasting(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of a wanted document the endpoint keeps."""
    return {key: value for key, value in wanted.items() if key not in _PASSING}


def active(wanted: Mapping[str, Any], progress: Progress) -> dict[str, float]:
    """The part of each new variant's capacity that has traffic, or would have it had the engine not ended."""
    steps, step, stage = course(wanted).steps, progress["step"], progress["stage"]
    if stage == PROMOTING:
        return steps[-1].active
    if stage == CREATING:
        step -= 1
    return steps[step].active if step >= 0 else dict.fromkeys(wanted["counts"], 0.0)


def ended(wanted: Mapping[str, Any], progress: Progress) -> dict[str, float] | None:
    """The part of each old variant's capacity that a rolling update has ended; None when it ends none before its end."""
    plan = course(wanted)
    if not plan.rolling or progress["stage"] in (ROLLING_BACK, PROMOTING):
        return None
    step = progress["step"] - (0 if progress["stage"] == TERMINATING else 1)
    return plan.steps[step].active if step >= 0 else None


def remaining(
    document: Mapping[str, Any], wanted: Mapping[str, Any], gone: Mapping[str, float] | None
) -> dict[str, list[str]]:
    """The old fleet's instances that are left when these parts of it are gone; at least one of each variant."""
    left = {}
    for name, instances in document["instances"].items():
        part = gone_part(wanted, gone, name)
        left[name] = instances[: max(1, len(instances) - down(part, len(instances)))]
    return left


def gone_part(wanted: Mapping[str, Any], gone: Mapping[str, float] | None, variant: str) -> float:
    """The part of an old variant that is gone; one that the new configuration does not have goes with the others' traffic."""
    if not gone:
        return 0.0
    if variant in gone:
        return gone[variant]
    total = sum(wanted["weights"].values())
    shares = wanted["weights"] if total > 0 else dict.fromkeys(gone, 1.0)
    return sum(shares[name] * part for name, part in gone.items()) / sum(shares.values())


def launched(wanted: Mapping[str, Any], parts: Mapping[str, float]) -> dict[str, list[str]]:
    """The new fleet's instances that these parts of it stand for; a shadow goes with the variant that it follows."""
    most = max(parts.values())
    return {name: ids[: up(parts.get(name, most), len(ids))] for name, ids in wanted["instances"].items()}
