"""A leftover: what it is, why it is one, what it costs, what protects it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workflows.costs.activity import WINDOW
from workflows.costs.estimates import NOTHING, Hourly

ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint configuration", "model"
TARGET, ALARM, OBJECTS, LOGS = "scalable target", "alarm", "S3 objects", "log group"
WEBAPP = "web app"
ORDER = (WEBAPP, ENDPOINT, CONFIG, MODEL, TARGET, ALARM, OBJECTS, LOGS)
"""Kinds in the order in which they are deleted: what uses something goes before what it uses."""
YOUNG = 3600.0
"""Seconds: what is younger is not offered, because somebody may be about to use it."""
State = Literal["deleted", "was not there", "kept", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts as a leftover: ``idle`` and ``young`` in seconds; ``all_owners``: also what mlconsole did not make;
    ``logs``: also the log groups of endpoints that are gone; ``expired_only``: nothing but endpoints whose time is over."""

    idle: float = WINDOW
    young: float = YOUNG
    all_owners: bool = False
    logs: bool = False
    expired_only: bool = False


DEFAULT = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One thing that could go. ``created`` is epoch seconds (None: not known; of objects when the newest was written), ``octets`` and ``objects`` its size where it has
    one, ``owner`` who made it (empty: not mlconsole), ``protected`` why it stays (empty: it may go), ``attached`` what goes
    with it, as (kind, name)."""

    kind: str
    name: str
    reason: str
    created: float | None = None
    hourly: Hourly = NOTHING
    octets: int | None = None
    objects: int | None = None
    owner: str = ""
    protected: str = ""
    attached: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it."""
        return (self.kind, self.name)

    def as_dict(self) -> dict[str, object]:
        """All of it for JSON; amounts in US dollars, times in epoch seconds."""
        return {
            "kind": self.kind,
            "name": self.name,
            "reason": self.reason,
            "created": self.created,
            "bytes": self.octets,
            "objects": self.objects,
            "per_hour": self.hourly.dollars,
            "per_month": self.hourly.month,
            "owner": self.owner,
            "protected": self.protected,
            "attached": self.attached,
        }

    def whole(self) -> str:
        """What deleting it deletes, as an item of a list."""
        also = "".join(f", {kind} {name}" for kind, name in self.attached)
        if self.objects is not None:
            what = "1 object" if self.objects == 1 else f"{self.objects} objects"
            return f"{what} below {self.name}{also}"
        return f"{self.kind} {self.name}{also}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """All leftovers, by kind and age; ``notes`` say what could not be looked at. Nothing is changed by a plan."""

    items: tuple[Leftover, ...] = ()
    at: float = 0.0
    rules: Rules = DEFAULT
    notes: tuple[str, ...] = ()
    region: str = ""
    as_of: str = ""

    @property
    def free(self) -> tuple[Leftover, ...]:
        """What may go."""
        return tuple(item for item in self.items if not item.protected)

    @property
    def hourly(self) -> Hourly:
        """What is saved an hour if all of that goes."""
        return sum((item.hourly for item in self.free), Hourly())

    def chosen(self, keys: Sequence[tuple[str, str]]) -> tuple[Leftover, ...]:
        """The leftovers of these keys that may go."""
        wanted = set(keys)
        return tuple(item for item in self.free if item.key in wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one thing, and how that was seen."""

    kind: str
    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What became of everything that was chosen; ``saved`` is what is not billed an hour any more."""

    outcomes: tuple[Outcome, ...] = ()
    saved: Hourly = NOTHING

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """What could not be deleted."""
        return tuple(one for one in self.outcomes if one.state == "failed")

    @property
    def deleted(self) -> tuple[Outcome, ...]:
        """What is gone."""
        return tuple(one for one in self.outcomes if one.state == "deleted")
