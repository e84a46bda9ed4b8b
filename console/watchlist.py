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
        self._changed: dict[Place, float] = {}
        self._alarms: dict[Place, dict[str, tuple[str, float]]] = {}

    @property
    def places(self) -> tuple[Place, ...]:
        """What is watched."""
        return tuple(self._statuses)

    def toggle(self, place: Place) -> bool:
        """Watch it, or not any more; whether it is watched now."""
        if place in self._statuses:
            self._forget(place)
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

    def arrived(self, topic: Topic[Any], value: Any, now: float, *, whole: bool = True) -> list[Notice]:
        """What a newer list or newer alarms mean. What has ended or was deleted is not watched any more.

        Args:
            whole: All that there are are in the list: what is not there any more is gone.
        """
        if topic.kind == topics.endpoint_alarms("").kind:
            return self._alarmed(Place("endpoint", topic.name), value or ())
        kind = next((kind for kind, known in LISTS.items() if known == topic), "")
        rows = {str(row.id if kind == "run" else row.name): row for row in value or ()}
        found: list[Notice] = []
        for place in [place for place in self._statuses if place.kind == kind and place.name in rows]:
            row = rows[place.name]
            before, self._statuses[place] = self._statuses[place], row.status
            earlier, self._changed[place] = self._changed.get(place), getattr(row, "modified", 0.0)
            if kind != "endpoint" and not row.active:
                found.append(self._ended(place, row, now))
                self._forget(place)
            elif kind == "endpoint" and before and not row.active:
                text = f"Endpoint {place.name} is {row.status}."
                if before == row.status:
                    if earlier in (None, row.modified):
                        continue
                    text = f"Endpoint {place.name} was changed and is {row.status}."  # between two looks
                found.append(Notice(place, text, row.status, status(row.status).role))
        if whole:
            gone = [
                one
                for one, was in self._statuses.items()
                if one.kind == kind and was and one.name not in rows
            ]
            for place in gone:
                found.append(Notice(place, f"{NOUNS[kind]} {place.name} was deleted.", "deleted", "wait"))
                self._forget(place)
        return found

    def _forget(self, place: Place) -> None:
        del self._statuses[place]
        self._changed.pop(place, None)
        self._alarms.pop(place, None)

    def _ended(self, place: Place, row: Any, now: float) -> Notice:
        took = row.seconds(now) if hasattr(row, "seconds") else max(0.0, (row.ended or now) - row.created)
        text = f"{NOUNS[place.kind]} {place.name} is {row.status} after {duration(took)}."
        return Notice(place, text, row.status, status(row.status).role)

    def _alarmed(self, place: Place, alarms: Iterable[Any]) -> list[Notice]:
        if place not in self._statuses:
            return []
        states = {alarm.name: (alarm.state, alarm.updated) for alarm in alarms}
        before, self._alarms[place] = self._alarms.get(place), states
        if before is None:
            return []
        found: list[Notice] = []
        for name, (state, changed) in states.items():
            was, at = before.get(name, ("", changed))
            if state == "ALARM" and (was != "ALARM" or changed != at):
                found.append(Notice(place, f"Alarm {name} of endpoint {place.name} fires.", "ALARM", "bad"))
            elif state == was and changed != at:  # it was in another state between two looks
                text = f"Alarm {name} of endpoint {place.name} has changed in between and is {state} again."
                found.append(Notice(place, text, state, "wait"))
        return found
