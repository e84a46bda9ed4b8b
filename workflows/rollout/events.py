"""What happens in a rollout, as typed events: the journal on disk, the live view and the command line are made of these."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from workflows.rollout.alarms import AlarmState

OUTCOMES = {
    "succeeded": "The new fleet serves; the old one is gone.",
    "rolled-back": "The old fleet serves; the new one is gone.",
    "failed": "The update failed.",
    "gone": "The endpoint was deleted.",
    "superseded": "The endpoint has got another configuration meanwhile.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvent:
    """Base of all events: ``time`` in epoch seconds."""

    kind: ClassVar[str] = ""
    time: float

    @property
    def sentence(self) -> str:
        """What happened."""
        raise NotImplementedError

    @property
    def level(self) -> str:
        """info, good, warning or error: how it is coloured."""
        return "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(RolloutEvent):
    """``what``: model, endpoint configuration, alarm."""

    kind: ClassVar[str] = "made"
    what: str
    name: str

    @property
    def sentence(self) -> str:
        return f"Made {self.what} {self.name}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(RolloutEvent):
    """SageMaker has taken the update."""

    kind: ClassVar[str] = "started"
    endpoint: str
    blue: str
    green: str

    @property
    def sentence(self) -> str:
        return f"Update of {self.endpoint} from {self.blue} to {self.green} began."


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEntered(RolloutEvent):
    """``phase`` as in `workflows.rollout.state`; ``share`` is green's part of the traffic, ``message`` SageMaker's own words."""

    kind: ClassVar[str] = "phase"
    phase: str
    title: str
    share: float
    message: str = ""

    @property
    def sentence(self) -> str:
        said = f" {self.message}" if self.message else ""
        return f"{self.title[:1].upper()}{self.title[1:]} ({self.share:.0%} of the traffic on green).{said}"

    @property
    def level(self) -> str:
        return "error" if self.phase == "rolling-back" else "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged(RolloutEvent):
    """An alarm has got another state."""

    kind: ClassVar[str] = "alarm"
    alarm: str
    title: str
    variant: str
    state: str
    reason: str = ""

    @property
    def sentence(self) -> str:
        where = f" of {self.variant}" if self.variant else ""
        return f"Alarm {self.title}{where}: {self.state}. {self.reason}".strip()

    @property
    def level(self) -> str:
        return {"ALARM": "error", "OK": "good"}.get(self.state, "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(RolloutEvent):
    """A person has asked for something: ``what`` is roll-back or promote, ``how`` the call that does it."""

    kind: ClassVar[str] = "asked"
    what: str
    how: str

    @property
    def sentence(self) -> str:
        return f"Asked to {self.what.replace('-', ' ')}: {self.how}"

    @property
    def level(self) -> str:
        return "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(RolloutEvent):
    """The end, as `OUTCOMES` has it, and SageMaker's reason where it gave one."""

    kind: ClassVar[str] = "finished"
    outcome: str
    reason: str = ""

    @property
    def sentence(self) -> str:
        return f"{OUTCOMES.get(self.outcome, self.outcome)} {self.reason}".strip()

    @property
    def level(self) -> str:
        return "good" if self.outcome == "succeeded" else "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(RolloutEvent):
    """Something that the rollout made is gone, which asking for it afterwards has shown."""

    kind: ClassVar[str] = "removed"
    what: str
    name: str

    @property
    def sentence(self) -> str:
        return f"Deleted {self.what} {self.name}."


KINDS: dict[str, type[RolloutEvent]] = {
    cls.kind: cls for cls in (Made, Started, PhaseEntered, AlarmChanged, Asked, Finished, Removed)
}


def to_json(event: RolloutEvent) -> str:
    """One line."""
    return json.dumps({"event": event.kind, **asdict(event)}, separators=(",", ":"))


def as_dict(event: RolloutEvent) -> dict[str, Any]:
    """As ``--json`` prints it."""
    return {"event": event.kind, **asdict(event), "sentence": event.sentence}


def from_json(line: str) -> RolloutEvent:
    """The event of a line.

    Raises:
        ValueError: It is none.
    """
    try:
        data = json.loads(line)
        cls = KINDS[data.pop("event")]
        return cls(**{name: value for name, value in data.items() if name in cls.__dataclass_fields__})
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"not an event: {line[:80]!r}") from error


def alarm_event(alarm: AlarmState, time: float) -> AlarmChanged:
    """The event of an alarm's new state."""
    return AlarmChanged(
        time=alarm.since or time,
        alarm=alarm.name,
        title=alarm.title,
        variant=alarm.variant,
        state=alarm.state,
        reason=alarm.reason if alarm.state == "ALARM" else "",
    )
