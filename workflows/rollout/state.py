"""How far a rollout is, from what DescribeEndpoint and DescribeAlarms tell. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workflows.observe.reading import seconds
from workflows.rollout.alarms import AlarmState, manual_name, state_of
from workflows.rollout.plan import Plan
from workflows.rollout.timeline import Phase

PhaseName = Literal[
    "starting", "provisioning", "shifting", "baking", "final-bake", "retiring", "rolling-back", "ended"
]
UPDATING = frozenset({"Updating", "SystemUpdating", "RollingBack", "Creating"})
TITLES: dict[PhaseName, str] = {
    "starting": "the update begins",
    "provisioning": "green starts beside blue",
    "shifting": "traffic moves to green",
    "baking": "green bakes",
    "final-bake": "green bakes with all traffic",
    "retiring": "blue goes",
    "rolling-back": "rolling back to blue",
    "ended": "ended",
}
NEVER = "The update was never asked for: what started the rollout was killed before."
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?(?:%|percent)")
_INSTANCES = re.compile(r"capacity of (\d+) instance")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantView:
    """One variant of one fleet. ``since`` is when its status began, 0 where SageMaker does not say."""

    name: str
    instance_type: str = ""
    current_count: int = 0
    desired_count: int = 0
    weight: float = 0.0
    status: str = ""
    message: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class FleetView:
    """Blue or green: its configuration and its variants; none when it is not there."""

    config: str
    variants: tuple[VariantView, ...] = ()

    @property
    def status(self) -> str:
        """The status of the variants that have one: the first's."""
        return next((item.status for item in self.variants if item.status), "")

    @property
    def message(self) -> str:
        """SageMaker's own words about the fleet."""
        return next((item.message for item in self.variants if item.message), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTraffic:
    """What a fleet served of one variant in the last ``window`` seconds: requests, shares of errors, milliseconds (None: nothing)."""

    window: float
    invocations: float = 0.0
    errors: float | None = None
    mean: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """A rollout at one moment (``at``). ``share`` is green's part of the traffic, ``step`` the number of the traffic step that is
    reached (0: none) of ``steps``; ``since`` is when the phase began, ``left`` the seconds until it should end and
    ``remaining`` until all should (None: nobody can say). ``outcome`` is empty until the end, then a key of `OUTCOMES`."""

    at: float
    endpoint: str
    status: str
    phase: PhaseName
    title: str
    share: float
    step: int
    steps: int
    since: float
    left: float | None
    remaining: float | None
    blue: FleetView
    green: FleetView
    alarms: tuple[AlarmState, ...] = ()
    started: float = 0.0
    outcome: str = ""
    failure: str = ""
    blue_traffic: FleetTraffic | None = None
    green_traffic: FleetTraffic | None = None

    @property
    def measured(self) -> float | None:
        """Green's share of the requests that were counted lately; None where there were none."""
        here = self.green_traffic.invocations if self.green_traffic else 0.0
        total = here + (self.blue_traffic.invocations if self.blue_traffic else 0.0)
        return here / total if total else None

    @property
    def active(self) -> bool:
        """Whether it can still change by itself."""
        return not self.outcome


def alarm_states(plan: Plan, described: Iterable[Mapping[str, Any]]) -> tuple[AlarmState, ...]:
    """The states of a plan's alarms, in the plan's order; those that do not exist (any more) are left out."""
    known = {item.name: item for item in plan.guardrails}
    manual = manual_name(plan.id)
    found = {str(item["AlarmName"]): state_of(item, known, manual) for item in described}
    order = [*known, *plan.request.own_alarms, manual]
    return tuple(found[name] for name in order if name in found)


def state(
    plan: Plan,
    described: Mapping[str, Any] | None,
    alarms: tuple[AlarmState, ...],
    *,
    now: float,
    outcome: str = "",
    started: float = 0.0,
    before: float = 0.0,
) -> RolloutState:
    """The state that the answers tell.

    Args:
        described: DescribeEndpoint, or None when the endpoint is gone.
        outcome: How it ended, where that is known already: the endpoint may have changed since.
        started: When the update was asked for.
        before: Green's share when it was last looked, which a message that names none leaves.
    """
    described = described or {}
    status = str(described.get("EndpointStatus") or "")
    config = str(described.get("EndpointConfigName") or "")
    pending = described.get("PendingDeploymentSummary") or {}
    serving = FleetView(config, _variants(described))
    coming = FleetView(str(pending.get("EndpointConfigName") or ""), _variants(pending))
    failure = str(described.get("FailureReason") or "")
    if not outcome and status not in UPDATING:
        outcome = _outcome(plan, status, config)
        if outcome == "rolled-back" and not started:
            outcome, failure = "failed", NEVER
    steps = traffic_steps(plan)
    if outcome:
        green_serves = config == plan.green
        return RolloutState(
            at=now,
            endpoint=plan.request.endpoint,
            status=status,
            phase="ended",
            title=TITLES["ended"],
            share=1.0 if outcome == "succeeded" else 0.0,
            step=len(steps) if outcome == "succeeded" else 0,
            steps=len(steps),
            since=seconds(described.get("LastModifiedTime")) or now,
            left=None,
            remaining=None,
            blue=serving if config == plan.blue else FleetView(plan.blue),
            green=serving if green_serves else FleetView(plan.green),
            alarms=alarms,
            started=started,
            outcome=outcome,
            failure="" if outcome == "succeeded" else failure,
        )
    began = started or seconds(pending.get("StartTime")) or now
    back = status == "RollingBack" or any(item.state == "ALARM" for item in alarms)
    phase = _phase(serving, coming, back)
    share = green_share(plan, serving, coming, phase, before)
    if phase == "baking" and share >= 1:
        phase = "final-bake"
    reached = sum(1 for part in steps if share >= part - 1e-6)
    since = max((item.since for item in (*serving.variants, *coming.variants)), default=0.0) or began
    left, remaining = _left(plan, phase, reached, since, now)
    title = TITLES[phase]
    if phase == "baking" and len(steps) > 1:
        title = (
            "canary bakes" if plan.request.strategy == "canary" else f"step {reached} of {len(steps)} bakes"
        )
    return RolloutState(
        at=now,
        endpoint=plan.request.endpoint,
        status=status,
        phase=phase,
        title=title,
        share=share,
        step=reached,
        steps=len(steps),
        since=since,
        left=left,
        remaining=remaining,
        blue=FleetView(plan.blue, serving.variants),
        green=FleetView(plan.green, coming.variants),
        alarms=alarms,
        started=began,
    )


def traffic_steps(plan: Plan) -> tuple[float, ...]:
    """Green's shares as the plan reaches them."""
    found = sorted({phase.share for phase in plan.phases if phase.share > 0})
    return tuple(found) or (1.0,)


def green_share(
    plan: Plan, blue: FleetView, green: FleetView, phase: PhaseName, before: float = 0.0
) -> float:
    """Green's part of the traffic: by SageMaker's own words where they name a share or instances, else by the weights, else by the phase."""
    if phase in ("starting", "provisioning", "rolling-back") and plan.request.strategy != "rolling":
        return 0.0
    for message in (green.message, blue.message):
        if found := _PERCENT.search(message):
            return min(1.0, float(found[1]) / 100)
        if found := _INSTANCES.search(message):
            total = sum(item.desired_count or item.current_count for item in green.variants)
            return min(1.0, int(found[1]) / max(1, total))
    if phase == "retiring":
        return 1.0
    here = sum(item.weight for item in green.variants)
    there = sum(item.weight for item in blue.variants)
    if plan.request.strategy == "rolling":
        here = sum(item.current_count for item in green.variants)
        there = sum(item.current_count for item in blue.variants)
    if here and there and abs(here - there) > 1e-9:
        return here / (here + there)
    if here and not there:
        return 1.0
    if before or phase not in ("baking", "final-bake"):
        return before
    return traffic_steps(plan)[0]


def _phase(blue: FleetView, green: FleetView, back: bool) -> PhaseName:
    if back:
        return "rolling-back"
    if not green.config:
        return "starting"
    statuses = {item.status for item in green.variants if item.status}
    if any(item.status == "Deleting" for item in blue.variants):
        return "retiring"
    if any(item.status == "Deleting" for item in green.variants):
        return "rolling-back"
    if "Baking" in statuses or blue.status == "Baking":
        return "baking"
    if "ActivatingTraffic" in statuses or blue.status == "ActivatingTraffic":
        return "shifting"
    return "provisioning"


def _outcome(plan: Plan, status: str, config: str) -> str:
    if not status:
        return "gone"
    if status in ("Failed", "UpdateRollbackFailed", "OutOfService"):
        return "failed"
    if config == plan.green:
        return "succeeded"
    if status == "Deleting":
        return "gone"
    return "rolled-back" if config == plan.blue else "superseded"


def _left(
    plan: Plan, phase: PhaseName, reached: int, since: float, now: float
) -> tuple[float | None, float | None]:
    """Seconds until the present phase should end, and until all should."""
    position = _position(plan, phase, reached)
    if position is None:
        return None, None
    current = plan.phases[position]
    left = max(0.0, current.seconds - (now - since)) if phase != "shifting" else current.seconds
    return left, left + sum(item.seconds for item in plan.phases[position + 1 :])


def _position(plan: Plan, phase: PhaseName, reached: int) -> int | None:
    """Which phase of the timeline a state is in."""

    def first(kinds: tuple[str, ...], after: int = 0) -> int | None:
        found = [number for number, item in enumerate(plan.phases) if item.kind in kinds]
        return found[min(after, len(found) - 1)] if found else None

    match phase:
        case "starting" | "provisioning":
            return first(("provision",), reached if plan.request.strategy == "rolling" else 0)
        case "shifting" | "baking":
            return first(("wait", "bake"), max(0, reached - 1 if phase == "baking" else reached))
        case "final-bake":
            return first(("bake",)) if first(("bake",)) is not None else first(("wait",), 10_000)
        case "retiring":
            return first(("retire",), max(0, reached - 1) if plan.request.strategy == "rolling" else 0)
    return None


def _variants(described: Mapping[str, Any]) -> tuple[VariantView, ...]:
    made = []
    for item in described.get("ProductionVariants") or ():
        told = (item.get("VariantStatus") or [{}])[0]
        made.append(
            VariantView(
                name=str(item.get("VariantName") or ""),
                instance_type=str(item.get("InstanceType") or ""),
                current_count=int(item.get("CurrentInstanceCount") or 0),
                desired_count=int(item.get("DesiredInstanceCount") or 0),
                weight=float(item.get("CurrentWeight") or 0.0),
                status=str(told.get("Status") or ""),
                message=str(told.get("StatusMessage") or ""),
                since=seconds(told.get("StartTime")) or 0.0,
            )
        )
    return tuple(made)


def current_phase(plan: Plan, state: RolloutState) -> Phase | None:
    """The phase of the plan's timeline that a state is in, or None at its end and on the way back."""
    position = _position(plan, state.phase, state.step)
    return plan.phases[position] if position is not None else None
