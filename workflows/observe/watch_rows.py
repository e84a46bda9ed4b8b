"""What watches an endpoint: alarms and auto scaling, as frozen rows. Times are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """One CloudWatch alarm.

    ``condition`` is the rule as a phrase; ``value`` the newest value that it was judged by (None: not told);
    ``variant`` the variant that it watches, empty where it watches another thing of the endpoint; ``config`` the fleet.
    """

    name: str
    state: str
    reason: str = ""
    updated: float = 0.0
    metric: str = ""
    condition: str = ""
    threshold: float | None = None
    value: float | None = None
    variant: str = ""
    config: str = ""
    description: str = ""
    actions_enabled: bool = True

    @property
    def scales(self) -> bool:
        """Whether auto scaling made it, to steer by it."""
        return self.name.startswith("TargetTracking-")


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """One entry of an alarm's history: ``kind`` is StateUpdate, ConfigurationUpdate or Action."""

    time: float
    kind: str
    summary: str


@dataclass(frozen=True, slots=True)
class AlarmHistory:
    """What became of an alarm, newest first. ``more``: CloudWatch has older entries, too."""

    changes: tuple[AlarmChange, ...]
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalableTarget:
    """A variant whose instances are scaled, and between which counts. ``suspended``: what is switched off for now."""

    variant: str
    least: int
    most: int
    created: float = 0.0
    suspended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy:
    """A rule of scaling. ``target`` is the value that target tracking holds; cooldowns are seconds, None: the default."""

    name: str
    variant: str
    kind: str
    metric: str = ""
    target: float | None = None
    scale_in_cooldown: int | None = None
    scale_out_cooldown: int | None = None
    scale_in_disabled: bool = False
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingActivity:
    """Something that scaling has done: ``status`` is Successful, InProgress, Failed …"""

    variant: str
    status: str
    description: str
    cause: str = ""
    message: str = ""
    started: float = 0.0
    ended: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointScaling:
    """How an endpoint's instances are scaled; activities are newest first. Nothing is scaled where there are no targets.
    ``more``: a variant has older activities, too."""

    targets: tuple[ScalableTarget, ...] = ()
    policies: tuple[ScalingPolicy, ...] = ()
    activities: tuple[ScalingActivity, ...] = ()
    more: bool = False
