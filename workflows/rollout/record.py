"""A rollout's folder on this machine: the plan, written once, and a journal that only grows. Several may watch and write at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from workflows import locations
from workflows.files import write_atomically
from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.rollout.alarms import Guardrail
from workflows.rollout.checks import Finding
from workflows.rollout.events import (
    AlarmChanged,
    Asked,
    Finished,
    Made,
    PhaseEntered,
    Removed,
    RolloutEvent,
    Started,
    alarm_event,
    from_json,
    to_json,
)
from workflows.rollout.plan import Plan
from workflows.rollout.request import GAUGES, Limit, RolloutRequest, Step
from workflows.rollout.state import RolloutState
from workflows.rollout.timeline import Phase

PLAN, JOURNAL = "rollout.json", "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rollout happens: the platform's target, account and region, and the interface that carried it."""

    target: str
    account: str
    region: str
    interface: str

    @classmethod
    def of(cls, gateway: Gateway, interface: str) -> Place:
        """The place of a gateway."""
        return cls(gateway.target, gateway.account, gateway.region, interface)

    def leads(self, gateway: Gateway) -> bool:
        """Whether it is where a gateway leads."""
        return (gateway.target, gateway.account, gateway.region) == (self.target, self.account, self.region)

    def check(self, gateway: Gateway, rollout: str) -> None:
        """Refuse a rollout of another account or region: its endpoint would not be there, or would be another one.

        Raises:
            Problem: The gateway leads elsewhere.
        """
        if not self.leads(gateway):
            raise Problem(
                f"Rollout {rollout} belongs to {self.target} account {self.account} in {self.region}; this is "
                f"{gateway.target} account {gateway.account} in {gateway.region}.",
                f"Give --target {self.target} --region {self.region}, and its profile.",
                "place",
            )


@dataclass(slots=True)
class Known:
    """What the journal of a rollout adds up to."""

    started: float = 0.0
    phase: str = ""
    share: float = 0.0
    alarms: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""
    ended: float = 0.0
    made: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(what, name) of everything that was made -> whether it is gone again."""

    def take(self, event: RolloutEvent) -> None:
        """Take an event in."""
        match event:
            case Made():
                self.made[event.what, event.name] = False
            case Started():
                self.started, self.outcome, self.ended = event.time, "", 0.0
            case PhaseEntered():
                self.phase, self.share = event.phase, event.share
            case AlarmChanged():
                self.alarms[event.alarm] = event.state
            case Asked():
                self.asked = (*self.asked, event.what)
            case Finished():
                self.outcome, self.reason, self.ended = event.outcome, event.reason, event.time
            case Removed():
                self.made[event.what, event.name] = True

    @property
    def left(self) -> tuple[tuple[str, str], ...]:
        """What was made and is still there."""
        return tuple(item for item, gone in self.made.items() if not gone)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout that was begun: its plan, its place, its folder, and its events so far."""

    folder: Path
    plan: Plan
    place: Place
    created: float
    events: tuple[RolloutEvent, ...] = ()

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def known(self) -> Known:
        """What the events add up to."""
        found = Known()
        for event in self.events:
            found.take(event)
        return found


def begin(plan: Plan, place: Place, now: float) -> Rollout:
    """Make the folder of a rollout, before anything is made at its target.

    Raises:
        Problem: There is a rollout of that name already.
    """
    folder = locations.rollouts_dir() / plan.id
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError as error:
        raise Problem(
            f"There is a rollout {plan.id} already.", "Give another name with --name.", "exists"
        ) from error
    (folder / JOURNAL).touch()
    document = {"created": now, "place": asdict(place), "plan": asdict(plan)}
    write_atomically(folder / PLAN, json.dumps(document, indent=1, default=str))
    return Rollout(folder, plan, place, now)


def everything() -> list[Rollout]:
    """All rollouts, newest first; folders that cannot be read are left out."""
    found = []
    for path in locations.rollouts_dir().glob(f"*/{PLAN}"):
        with contextlib.suppress(Problem):
            found.append(read(path.parent))
    return sorted(found, key=lambda rollout: (rollout.created, rollout.id), reverse=True)


def needed(used: Collection[str], but: str = "") -> dict[str, str]:
    """Configuration -> the rollout that needs it to be rolled back: of rollouts that succeeded and whose own still serves.

    Args:
        used: Configurations that endpoints use.
        but: A rollout that is passed over.
    """
    return {
        item.plan.blue: item.id
        for item in everything()
        if item.id != but and item.plan.green in used and item.known.outcome == "succeeded"
    }


def find(name: str) -> Rollout:
    """The rollout of a name, of a beginning or an end that only one has, the newest of an endpoint, or the newest of all (``last``).

    Raises:
        Problem: There is none, or there are several.
    """
    folder = locations.rollouts_dir() / name
    if name and Path(name).name == name and (folder / PLAN).exists():
        return read(folder)
    found = everything()
    if name == "last" and found:
        return found[0]
    of_endpoint = [item for item in found if item.plan.request.endpoint == name]
    if of_endpoint:
        return of_endpoint[0]
    matches = [item for item in found if name and (item.id.startswith(name) or item.id.endswith(name))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise Problem(
            f"{len(matches)} rollouts match {name!r}, for example {matches[0].id} and {matches[1].id}.",
            "Give more of the name.",
            "ambiguous",
        )
    raise Problem(
        f"There is no rollout {name!r} on this machine." if found else "There is no rollout yet.",
        "`mlconsole rollout ls` lists them."
        if found
        else "`mlconsole rollout start ENDPOINT MODEL` starts one.",
        "not-found",
    )


def read(folder: Path) -> Rollout:
    """The rollout of a folder.

    Raises:
        Problem: It cannot be read.
    """
    try:
        data = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        with (folder / JOURNAL).open(encoding="utf-8") as file:
            events = tuple(_events(file))
        return Rollout(folder, plan_of(data["plan"]), Place(**data["place"]), float(data["created"]), events)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(f"{folder} holds no readable rollout: {error}.", "", "unreadable") from error


def append(rollout: Rollout, *events: RolloutEvent) -> None:
    """Add events to the journal."""
    with _locked(rollout) as (_, write):
        write(events)


def observe(rollout: Rollout, state: RolloutState) -> tuple[RolloutEvent, ...]:
    """Add what is new in a state to the journal, once, however many watch; returns what was added."""
    with _locked(rollout) as (known, write):
        added = news(known, state)
        write(added)
        return added


def news(known: Known, state: RolloutState) -> tuple[RolloutEvent, ...]:
    """The events between what is known and a newer state."""
    if known.outcome:
        return ()
    made: list[RolloutEvent] = [
        alarm_event(alarm, state.at)
        for alarm in state.alarms
        if known.alarms.get(alarm.name, "INSUFFICIENT_DATA") != alarm.state
    ]
    if state.outcome:
        made.append(Finished(time=state.since, outcome=state.outcome, reason=state.failure))
    elif state.phase != "starting" and (state.phase, round(state.share, 4)) != (
        known.phase,
        round(known.share, 4),
    ):
        words = state.green.message or state.blue.message
        made.append(
            PhaseEntered(
                time=state.since if state.since > known.started else state.at,
                phase=state.phase,
                title=state.title,
                share=state.share,
                message=words,
            )
        )
    return tuple(made)


@contextlib.contextmanager
def _locked(rollout: Rollout) -> Iterator[tuple[Known, Callable[[Iterable[RolloutEvent]], None]]]:
    """The journal for one writer: what it adds up to, and how to add to it."""
    with (rollout.folder / JOURNAL).open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        known = Known()
        for event in _events(iter(text.splitlines())):
            known.take(event)

        def write(events: Iterable[RolloutEvent]) -> None:
            lines = "".join(to_json(event) + "\n" for event in events)
            if lines:
                # A line that a killed writer had begun ends here.
                file.write(("\n" if text and not text.endswith("\n") else "") + lines)
                file.flush()
                os.fsync(file.fileno())

        yield known, write


def _events(lines: Iterable[str] | IO[str]) -> Iterator[RolloutEvent]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield from_json(line)


def plan_of(data: dict[str, Any]) -> Plan:
    """The plan that `dataclasses.asdict` has made a document of."""
    asked = dict(data["request"])
    asked["step"] = Step(**asked["step"])
    back = asked.get("rollback_batch")
    asked["rollback_batch"] = Step(**back) if back else None
    asked["limits"] = {key: Limit(**value) for key, value in asked["limits"].items() if key in GAUGES}
    asked["own_alarms"] = tuple(asked["own_alarms"])
    plain = {name: value for name, value in data.items() if name in Plan.__dataclass_fields__}
    return Plan(
        **plain
        | {
            "request": RolloutRequest(**asked),
            "variants": tuple(data["variants"]),
            "guardrails": tuple(
                Guardrail(**item | {"gauge": GAUGES[item["gauge"]["key"]]}) for item in data["guardrails"]
            ),
            "alarms": tuple(data["alarms"]),
            "phases": tuple(Phase(**item) for item in data["phases"]),
            "blue_instances": tuple((kind, count) for kind, count in data["blue_instances"]),
            "green_instances": tuple((kind, count) for kind, count in data["green_instances"]),
            "findings": tuple(Finding(**item) for item in data["findings"]),
            "notes": tuple(data["notes"]),
        }
    )
