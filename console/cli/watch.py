"""``mlconsole watch``: changes as they happen, one a line."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import time
from collections.abc import Mapping
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
OVER, ABSENT = 4, 5
"""Exit statuses: the ``--timeout`` was over, there is no such one (any more)."""


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name", required=False, shell_complete=names_of_kind)
@click.option("--changes", is_flag=True, help="Leave out what is there at the beginning.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="End after this, with status 4."
)
@click.option(
    "--appear",
    is_flag=True,
    help="Wait for NAME where there is no such one (yet, or any more), instead of ending with status 5.",
)
@json_option
@platform_options
@click.pass_context
def watch(
    ctx: click.Context,
    kind: str,
    name: str | None,
    changes: bool,
    timeout: float | None,
    appear: bool,
    as_json: bool,
) -> int | None:
    """Tell of changes as they happen, one a line: what appears, what changes, what goes.

    \b
    mlconsole watch jobs --json | jq 'select(.status == "Failed")'
    mlconsole watch endpoints fraud
    mlconsole watch alarms fraud        # the alarms of endpoint fraud
    mlconsole watch jobs nightly --appear --timeout 3600

    With NAME of a job, a tuning job, a transform job, a run, a test or a rollout it ends with it: 0 when it completed, 1 when not. Where there is
    none of that NAME, or none any more, it ends with 5 and says so on standard error. Otherwise Ctrl-C ends it.
    Watching costs what an open console costs: one account-wide budget of calls.
    """
    from console.cli import patience
    from console.cli.changes import Differ, rows_of
    from console.cli.presence import Presence
    from workflows.hub import Hub
    from workflows.topics import ENDPOINTS

    if name == "":
        raise click.UsageError("NAME is empty. Leave it out to watch all of them.")
    name = name or ""
    if kind in NAMED and not name:
        raise click.UsageError(f"Name the {'endpoint' if kind == 'alarms' else kind}.")
    if appear and not name:
        raise click.UsageError("--appear waits for one that is named: give NAME.")
    patience.begin(ctx)
    hub = Hub.of(Settings.of(ctx).configuration)
    news: queue.Queue[Snapshot[Any] | None] = queue.Queue()
    name = _whole(kind, name)
    hub.subscribe(_topic(kind, name), news.put)
    if kind == "alarms":  # an endpoint without alarms is another thing than none
        hub.subscribe(ENDPOINTS, news.put)
    differ = Differ(KINDS[kind], "" if kind in NAMED else name, quiet=changes)
    presence = Presence(kind, name, appear=appear) if name else None
    signalled: list[int] = []
    for signal_ in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_, lambda number, _: signalled.append(number))
    deadline = time.monotonic() + timeout if timeout is not None else None
    told = ""
    try:
        while not signalled:
            if deadline is not None and time.monotonic() >= deadline:
                return OVER
            try:
                snapshot = news.get(timeout=0.2)
            except queue.Empty:
                if _nobody_reads():
                    break
                if presence is not None and presence.due(time.monotonic()):
                    hub.refresh(_topic(kind, name))
                continue
            if snapshot is None:
                continue
            absent = presence is not None and presence.denied(snapshot)
            told = "" if absent else _trouble(snapshot.error, told)
            if not absent and (snapshot.value is None or snapshot.stale or not snapshot.complete):
                continue
            if kind != "alarms" or snapshot.topic != ENDPOINTS:
                for change in differ.take(() if absent else rows_of(snapshot.value), time.time()):
                    _print(change, as_json)
                if name and kind not in ("endpoints", "alarms") and differ.ended is not None and differ.there:
                    return None if differ.ended in COMPLETED else 1
            if presence is not None and presence.lost(snapshot, differ):
                return ABSENT
    finally:
        hub.close()
    return 128 + signalled[0] if signalled else None


def _whole(kind: str, name: str) -> str:
    """The whole id of a run, or of a rollout, that is named by a part of it, its endpoint or ``last``; another name as it is.

    Raises:
        Problem: Several rollouts have that part.
    """
    if kind == "runs" and name:
        from workflows import runs

        with contextlib.suppress(runs.RunError):
            return runs.find(name).id
    if kind == "rollout":
        from workflows.problem import Problem
        from workflows.rollout import record

        try:
            return record.find(name).id
        except Problem as problem:
            if problem.code != "not-found":
                raise
    return name


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
    from console.cli.manner import heard

    text = str(problem) if problem is not None else ""
    if text and text != told:
        with heard():
            click.echo(text, err=True)
    return text


def _print(change: Mapping[str, Any], as_json: bool) -> None:
    import sys

    from console.cli.output import escaped, status_text

    if as_json:
        click.echo(escaped(json.dumps(change, ensure_ascii=False, default=str)))
    else:
        from console.formatting import clock

        state = str(change.get("status") or change.get("state") or change.get("verdict") or "")
        was = change.get("was") or {}
        more = ", ".join(f"{name} {value} → {change[name]}" for name, value in was.items() if name in ("status", "state", "secondary_status", "verdict", "current_weight"))  # fmt: skip
        click.echo(
            f"{clock(change['time'])}  {change['event']:<8}  {change['kind']} {change['name']}  {status_text(state) if state else ''}{'  ' + more if more else ''}".rstrip()
        )
    sys.stdout.flush()
