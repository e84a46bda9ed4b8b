"""Whether the one that ``mlconsole watch`` was asked for is there: said once, with the names that are near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.cli.manner import heard
from console.cli.naming import near

if TYPE_CHECKING:
    from console.cli.changes import Differ
    from workflows.topics import Snapshot

THINGS = {
    "jobs": ("training job", "jobs"), "endpoints": ("endpoint", "endpoints"), "tuning": ("tuning job", "tuning"),
    "transforms": ("transform job", "transform"), "runs": ("run", "runs"), "experiments": ("A/B test", "ab"),
    "rollout": ("rollout", "rollout"), "alarms": ("endpoint", "endpoints"),
}  # fmt: skip
"""What one of a kind is called, and the command whose ``ls`` lists it."""
AGAIN = 2.0
"""Seconds after which a rollout that is not there yet is looked for again: it is a folder, and the hub's patience grows to minutes."""


class Presence:
    """What is known of whether there is one of that name."""

    def __init__(self, kind: str, name: str, *, appear: bool) -> None:
        self._kind, self._name, self._appear = kind, name, appear
        self._was = self._said = False
        self._endpoints: tuple[str, ...] | None = None
        self._alarms = False
        self._looked = 0.0

    def due(self, now: float) -> bool:
        """Whether to look again for a rollout that is waited for; ``now`` in monotonic seconds."""
        if self._kind != "rollout" or not self._said or now - self._looked < AGAIN:
            return False
        self._looked = now
        return True

    def denied(self, snapshot: Snapshot[Any]) -> bool:
        """Whether a snapshot's error says that there is none: a rollout is asked for by its name, not found in a list."""
        return self._kind == "rollout" and snapshot.error is not None and snapshot.error.code == "not-found"

    def lost(self, snapshot: Snapshot[Any], differ: Differ) -> bool:
        """Take note of an answer; whether the watching ends because there is none of that name. It is said when it is found out."""
        if self._present(snapshot, differ) is not False:
            self._was, self._said = self._was or differ.there, False
            return False
        if not self._said:
            self._said = True
            self._say(snapshot, _names(self._kind, snapshot.value))
        return not self._appear

    def _present(self, snapshot: Snapshot[Any], differ: Differ) -> bool | None:
        """None: nobody can say yet."""
        if self._kind != "alarms":
            return differ.there
        if snapshot.topic.kind == "endpoints":
            self._endpoints = _names("endpoints", snapshot.value)
        else:
            self._alarms = True
        if not self._alarms or self._endpoints is None:
            return None
        return differ.there or self._name in self._endpoints  # alarms outlive their endpoint

    def _say(self, snapshot: Snapshot[Any], names: tuple[str, ...]) -> None:
        thing, noun = THINGS[self._kind]
        if self._kind == "alarms":
            names = self._endpoints or ()
        if snapshot.more:
            sentence = f"{self._name} is not among the newest {len(names):,} of the {thing}s, nor among those that run."
            remedy = f"`mlconsole {noun} show {self._name}` asks for it by its name."
        else:
            sentence = f"There is no {thing} {self._name}{' any more' if self._was else ''}."
            close = near(self._name, names)
            asked = f"Did you mean {' or '.join(close)}? " if close and not self._was else ""
            remedy = f"{asked}`mlconsole {noun} ls` lists them."
        if self._appear:
            click.echo(f"{sentence} Waiting for it.", err=True)
            return
        with heard():
            click.secho("Error: ", fg="red", nl=False, err=True)
            click.echo(f"{sentence} {remedy} With --appear it is waited for.", err=True)


def _names(kind: str, value: Any) -> tuple[str, ...]:
    """The names of all that there are."""
    if kind == "rollout":
        from workflows.rollout import record

        return tuple(one.id for one in record.everything())
    rows = value if isinstance(value, tuple) else ()
    return tuple(str(getattr(row, "id", "") or getattr(row, "name", "")) for row in rows)
