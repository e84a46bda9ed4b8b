"""Which capacity a target's policies ask for, from the states and data points of their alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from engine.alarms.rules import ALARM, Point
from engine.scaling import tracking


class Wish(NamedTuple):
    """A number of instances, and the cause that an activity tells."""

    desired: int
    cause: str


class Moment(NamedTuple):
    """What is so now: epoch seconds, the factor on declared waits, and the alarms by name."""

    now: float
    scale: float
    state: Callable[[str], str | None]
    points: Callable[[str], Sequence[Point | None]]


def decide(
    target: Mapping[str, Any], policies: Iterable[Mapping[str, Any]], current: int, moment: Moment
) -> Wish | None:
    """The largest capacity of the policies that scale out, else of those that scale in, when all of them do; None to stay.

    Args:
        current: The variant's declared instances.
    """
    outward: list[Wish] = []
    inward: list[Wish] = []
    shrinking = 0
    for policy in policies:
        shrinking += not policy["TargetTrackingScalingPolicyConfiguration"].get("DisableScaleIn")
        for alarm in policy["Alarms"]:
            name = alarm["AlarmName"]
            high = f"-{tracking.HIGH}-" in name
            if moment.state(name) != ALARM:
                continue
            desired = _desired(target, policy, name, current, moment, high=high)
            if desired is None or desired == current or high is not (desired > current):
                continue
            cause = f"monitor alarm {name} in state ALARM triggered policy {policy['PolicyName']}"
            (outward if high else inward).append(Wish(desired, cause))
    if outward:
        return max(outward)
    return max(inward) if inward and len(inward) == shrinking else None


def _desired(
    target: Mapping[str, Any],
    policy: Mapping[str, Any],
    alarm: str,
    current: int,
    moment: Moment,
    *,
    high: bool,
) -> int | None:
    """The capacity for one alarm, within the target's bounds; None while it must not act."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    way = "Out" if high else "In"
    if target["SuspendedState"][f"DynamicScaling{way}Suspended"]:
        return None
    cooldown = config.get(f"Scale{way}Cooldown", tracking.COOLDOWN) * moment.scale
    if moment.now < target.get(f"_scaled{way}", 0.0) + cooldown:
        return None
    changed = max(target.get("_scaledOut", 0.0), target.get("_scaledIn", 0.0))
    metric = tracking.measured(moment.points(alarm), changed, high=high)
    if metric is None:
        return None
    wanted = tracking.wanted(current, metric, config["TargetValue"])
    return min(max(wanted, int(target["MinCapacity"])), int(target["MaxCapacity"]))
