"""Lists, one after the other, as changes: what ``mlconsole watch`` prints a line for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows.rollout.asked import RolloutView


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """What of a rollout is worth a line: not the seconds that are left. ``share`` is green's part of the traffic, ``alarms`` are states by
    name; ``status`` is the outcome, or the phase that it is in."""

    name: str
    active: bool
    endpoint: str
    status: str
    share: float
    step: int
    steps: int
    failure: str
    alarms: Mapping[str, str]

    @classmethod
    def of(cls, view: RolloutView) -> RolloutLine:
        """The line of a rollout as it is polled."""
        state = view.state
        return cls(
            view.rollout.id, state.active, state.endpoint, state.outcome or state.phase, round(state.share, 4), state.step, state.steps,
            state.failure, {alarm.name: alarm.state for alarm in state.alarms},
        )  # fmt: skip


def rows_of(value: Any) -> tuple[Any, ...]:
    """What a snapshot's value consists of."""
    if isinstance(value, tuple):
        return value
    return (RolloutLine.of(value) if hasattr(value, "rollout") else value,)


class Differ:
    """Lists, one after the other, as changes: ``appeared``, ``changed`` and ``gone``; the first list is told as ``there``."""

    def __init__(self, kind: str, name: str = "", *, quiet: bool = False) -> None:
        self._kind, self._name, self._quiet = kind, name, quiet
        self._known: dict[str, dict[str, Any]] | None = None
        self.ended: str | None = None
        """The status with which the one that was named has ended."""

    @property
    def there(self) -> bool:
        """Whether the newest list had any of what is looked for."""
        return bool(self._known)

    def take(self, rows: tuple[Any, ...], now: float) -> Iterator[dict[str, Any]]:
        """What a newer list means."""
        from console.cli.output import plain

        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            identity = str(getattr(row, "id", "") or getattr(row, "name", ""))
            if self._name and identity != self._name:
                continue
            found[identity] = plain(_members(row))
            if not getattr(row, "active", getattr(row, "state", "") == "running"):
                self.ended = str(found[identity].get("status") or found[identity].get("state") or "")
        before, self._known = self._known, found
        if before is None:
            if not self._quiet:
                yield from (self._line("there", key, row, now) for key, row in found.items())
            return
        for key, row in found.items():
            if key not in before:
                yield self._line("appeared", key, row, now)
            elif row != before[key]:
                was = {name: value for name, value in before[key].items() if row.get(name) != value}
                yield self._line("changed", key, row, now, was)
        for key, row in before.items():
            if key not in found:
                yield self._line("gone", key, row, now)

    def _line(
        self, event: str, key: str, row: Mapping[str, Any], now: float, was: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        line = {
            "time": round(now, 3),
            "event": event,
            "kind": self._kind,
            "name": key,
            **{name: value for name, value in row.items() if name != "kind"},
        }
        return line | ({"was": dict(was)} if was else {})


def _members(row: Any) -> dict[str, Any]:
    """What of a row is worth a line: not the heartbeat of a run, not what belongs to this machine."""
    if hasattr(row, "as_dict"):
        told: dict[str, Any] = row.as_dict()
        return told
    return {name: value for name, value in asdict(row).items() if name not in ("heartbeat", "configuration", "folder", "pid", "pid_started", "name", "active")}  # fmt: skip
