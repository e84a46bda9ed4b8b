"""``mlconsole watch``: changes as they happen, one a line."""

from __future__ import annotations

import json
import queue
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from console.cli.completing import names_of_kind
from console.cli.options import Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.problem import Problem
    from workflows.topics import Snapshot

KINDS = {
    "jobs": "job", "endpoints": "endpoint", "tuning": "tuning-job", "transforms": "transform", "runs": "run",
    "experiments": "experiment", "rollout": "rollout", "alarms": "alarm",
}  # fmt: skip
"""What can be watched, and what one of it is called in the lines."""
NAMED = ("alarms", "rollout")
"""Kinds of which one has to be named: the alarms of an endpoint, a rollout."""
COMPLETED = ("Completed", "completed", "Succeeded", "succeeded", "promoted")


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name", default="", shell_complete=names_of_kind)
@click.option("--changes", is_flag=True, help="Leave out what is there at the beginning.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="End after this, with status 4."
)
@json_option
@platform_options
@click.pass_context
def watch(
    ctx: click.Context, kind: str, name: str, changes: bool, timeout: float | None, as_json: bool
) -> int | None:
    """Tell of changes as they happen, one a line: what appears, what changes, what goes.

    \b
    mlconsole watch jobs --json | jq 'select(.status == "Failed")'
    mlconsole watch endpoints fraud
    mlconsole watch alarms fraud        # the alarms of endpoint fraud

    With NAME of a job, a tuning job, a transform job, a run, a test or a rollout it ends with it: 0 when it completed, 1 when not. Otherwise Ctrl-C ends it.
    Watching costs what an open console costs: one account-wide budget of calls.
    """
    from workflows.hub import Hub

    if kind in NAMED and not name:
        raise click.UsageError(f"Name the {'endpoint' if kind == 'alarms' else kind}.")
    hub = Hub.of(Settings.of(ctx).configuration)
    news: queue.Queue[Snapshot[Any] | None] = queue.Queue()
    hub.subscribe(_topic(kind, name), news.put)
    differ = Differ(KINDS[kind], "" if kind in NAMED else name, quiet=changes)
    signalled: list[int] = []
    for signal_ in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_, lambda number, _: signalled.append(number))
    deadline = time.monotonic() + timeout if timeout is not None else None
    told = ""
    try:
        while not signalled:
            if deadline is not None and time.monotonic() >= deadline:
                return 4
            try:
                snapshot = news.get(timeout=0.2)
            except queue.Empty:
                if _nobody_reads():
                    break
                continue
            if snapshot is None:
                continue
            told = _trouble(snapshot.error, told)
            if snapshot.value is None or snapshot.stale or not snapshot.complete:
                continue
            value = snapshot.value if isinstance(snapshot.value, tuple) else (snapshot.value,)
            for change in differ.take(value, time.time()):
                _print(change, as_json)
            if name and kind not in ("endpoints", "alarms") and differ.ended is not None:
                return None if differ.ended in COMPLETED else 1
    finally:
        hub.close()
    return 128 + signalled[0] if signalled else None


class Differ:
    """Lists, one after the other, as changes: ``appeared``, ``changed`` and ``gone``; the first list is told as ``there``."""

    def __init__(self, kind: str, name: str = "", *, quiet: bool = False) -> None:
        self._kind, self._name, self._quiet = kind, name, quiet
        self._known: dict[str, dict[str, Any]] | None = None
        self.ended: str | None = None
        """The status with which the one that was named has ended."""

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
    return {name: value for name, value in asdict(row).items() if name not in ("heartbeat", "configuration", "folder", "pid", "pid_started", "name")}  # fmt: skip


def _topic(kind: str, name: str) -> Any:
    from workflows import topics

    lists = {
        "jobs": topics.JOBS, "endpoints": topics.ENDPOINTS, "tuning": topics.TUNING_JOBS, "transforms": topics.TRANSFORMS,
        "runs": topics.RUNS, "experiments": topics.EXPERIMENTS,
    }  # fmt: skip
    if kind == "alarms":
        return topics.endpoint_alarms(name)
    return topics.rollout(name) if kind == "rollout" else lists[kind]


def _nobody_reads() -> bool:
    """Whether the reader of a pipe has gone: without a change it would be noticed with the next line only."""
    import select
    import sys

    try:
        poller = select.poll()
        poller.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poller.poll(0))
    except (OSError, ValueError):
        return False  # no file of the system: somebody takes the text in this process


def _trouble(problem: Problem | None, told: str) -> str:
    """Say once what keeps news from coming; returns what was said."""
    text = str(problem) if problem is not None else ""
    if text and text != told:
        click.echo(text, err=True)
    return text


def _print(change: Mapping[str, Any], as_json: bool) -> None:
    import sys

    if as_json:
        click.echo(json.dumps(change, ensure_ascii=False, default=str))
    else:
        from console.cli.output import status_text
        from console.formatting import clock

        state = str(change.get("status") or change.get("state") or change.get("verdict") or "")
        was = change.get("was") or {}
        more = ", ".join(f"{name} {value} → {change[name]}" for name, value in was.items() if name in ("status", "state", "secondary_status", "verdict", "current_weight"))  # fmt: skip
        click.echo(
            f"{clock(change['time'])}  {change['event']:<8}  {change['kind']} {change['name']}  {status_text(state) if state else ''}{'  ' + more if more else ''}".rstrip()
        )
    sys.stdout.flush()
