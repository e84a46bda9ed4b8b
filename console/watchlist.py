"""What a person wants to be told about: jobs until they end, endpoints when they change or an alarm of theirs fires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.formatting import duration, status
from console.trail import Place
from workflows import topics
from workflows.topics import Topic

LISTS: Mapping[str, Topic[Any]] = {
    "job": topics.JOBS,
    "transform": topics.TRANSFORMS,
    "tuning-job": topics.TUNING_JOBS,
    "endpoint": topics.ENDPOINTS,
    "run": topics.RUNS,
}
NOUNS = {
    "job": "Training job",
    "transform": "Transform job",
    "tuning-job": "Tuning job",
    "endpoint": "Endpoint",
    "run": "Run",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something has happened to a resource: a sentence, the status, and the role that colours it."""

    place: Place
    text: str
    status: str
    role: str


ROLES = ("idle", "dim", "ok", "live", "wait", "bad")
"""Colours of notices, the one that counts most last."""


def has_ended(place: Place, rows: Iterable[Any] | None) -> bool:
    """Whether the rows of its list tell that there is nothing to come any more. An endpoint always goes on."""
    return place.kind != "endpoint" and any(
        not row.active for row in rows or () if place.name == (row.id if place.kind == "run" else row.name)
    )


def together(notices: Sequence[Notice]) -> str:
    """What has happened at once, as one line."""
    if len(notices) == 1:
        return notices[0].text
    return f"{len(notices)} watched: " + ", ".join(f"{one.place.name} {one.status}" for one in notices) + "."


class Watchlist:
    """The watched resources with what was last known of them. A status that is seen first tells nothing."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._statuses: dict[Place, str] = dict.fromkeys(places, "")
        self._alarms: dict[Place, dict[str, str]] = {}

    @property
    def places(self) -> tuple[Place, ...]:
        """What is watched."""
        return tuple(self._statuses)

    def toggle(self, place: Place) -> bool:
        """Watch it, or not any more; whether it is watched now."""
        if place in self._statuses:
            del self._statuses[place]
            self._alarms.pop(place, None)
            return False
        self._statuses[place] = ""
        return True

    def topics(self) -> list[Topic[Any]]:
        """What has to be observed for it: one list per kind, and the alarms of watched endpoints."""
        lists = [LISTS[kind] for kind in dict.fromkeys(place.kind for place in self._statuses)]
        return [
            *lists,
            *(topics.endpoint_alarms(place.name) for place in self._statuses if place.kind == "endpoint"),
        ]

    def arrived(self, topic: Topic[Any], value: Any, now: float) -> list[Notice]:
        """What a newer list or newer alarms mean. What has ended is not watched any more."""
        if topic.kind == topics.endpoint_alarms("").kind:
            return self._alarmed(Place("endpoint", topic.name), value or ())
        kind = next((kind for kind, known in LISTS.items() if known == topic), "")
        rows = {str(row.id if kind == "run" else row.name): row for row in value or ()}
        found: list[Notice] = []
        for place in [place for place in self._statuses if place.kind == kind and place.name in rows]:
            row = rows[place.name]
            before, self._statuses[place] = self._statuses[place], row.status
            if kind != "endpoint" and not row.active:
                found.append(self._ended(place, row, now))
                del self._statuses[place]
            elif kind == "endpoint" and before and before != row.status and not row.active:
                found.append(
                    Notice(
                        place, f"Endpoint {place.name} is {row.status}.", row.status, status(row.status).role
                    )
                )
        return found

    def _ended(self, place: Place, row: Any, now: float) -> Notice:
        took = row.seconds(now) if hasattr(row, "seconds") else max(0.0, (row.ended or now) - row.created)
        text = f"{NOUNS[place.kind]} {place.name} is {row.status} after {duration(took)}."
        return Notice(place, text, row.status, status(row.status).role)

    def _alarmed(self, place: Place, alarms: Iterable[Any]) -> list[Notice]:
        if place not in self._statuses:
            return []
        states = {alarm.name: alarm.state for alarm in alarms}
        before, self._alarms[place] = self._alarms.get(place), states
        if before is None:
            return []
        fired = [name for name, state in states.items() if state == "ALARM" and before.get(name) != "ALARM"]
        return [
            Notice(place, f"Alarm {name} of endpoint {place.name} fires.", "ALARM", "bad") for name in fired
        ]
