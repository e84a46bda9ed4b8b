"""``mlconsole sweep``: what is left over, and deleting it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, json_option, listing_options, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.platform import Platform
    from workflows.problem import Problem
    from workflows.sweep.leftovers import Leftover, Outcome, Rules, SweepPlan

KINDS = {
    "endpoint": "endpoint", "configuration": "endpoint configuration", "model": "model", "target": "scalable target", "alarm": "alarm",
    "objects": "S3 objects", "logs": "log group", "webapp": "web app",
}  # fmt: skip
"""The kinds of `workflows.sweep.leftovers` by the words for them."""

SORTS = ("kind", "name", "age", "size", "month", "why", "owner")
"""Those of `console.costs.LEFTOVERS`."""


@click.command()
@click.option("--plan", "only_plan", is_flag=True, help="Only tell what is left over.")
@click.option("--expired", is_flag=True, help="Only endpoints whose lifetime is over.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only what has this name; may be repeated.")  # fmt: skip
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), metavar="KIND", help=f"Only {', '.join(KINDS)}.")  # fmt: skip
@listing_options("things", sorts=SORTS, limit=None, since=False)
@click.option("--idle", default="24h", show_default=True, metavar="AGE", help="Idle is who was not called for so long.")  # fmt: skip
@click.option("--older", default="1h", show_default=True, metavar="AGE", help="Leave what is younger.")
@click.option("--logs", is_flag=True, help="Also the log groups of endpoints that are gone.")
@click.option("--all-owners", is_flag=True, help="Also what mlconsole did not make.")
@click.option("--watch", is_flag=True, help="Delete expired endpoints again and again, until Ctrl-C (needs --expired --yes).")  # fmt: skip
@click.option("--every", default="5m", show_default=True, metavar="AGE", help="How often --watch looks.")
@yes_option
@json_option
@platform_options
@click.pass_context
def sweep(
    ctx: click.Context,
    only_plan: bool,
    expired: bool,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    part: str,
    sort: str,
    reverse: bool,
    idle: str,
    older: str,
    logs: bool,
    all_owners: bool,
    watch: bool,
    every: str,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Find what is left over, tell why and what protects it, and delete it after a confirmation.

    Left over are: endpoints that are expired, idle or failed; endpoint configurations that no endpoint uses; models that no
    configuration uses; S3 objects of runs that are gone; web apps, alarms and scalable targets whose endpoint is gone. Only what
    mlconsole made is deleted, unless --all-owners says otherwise; what has the tag mlconsole:keep stays in any case.

    \b
    mlconsole sweep --plan
    mlconsole sweep --expired --yes
    mlconsole sweep --expired --yes --watch

    --only, --kind and --name narrow what is deleted; --name narrows what is listed, too. By kind, and the oldest of each first; with --sort the
    largest first, and what is not known last. Things are deleted in the order that their dependencies need, however they are listed.

    --watch enforces lifetimes as long as this command runs: a laptop that is closed deletes nothing.
    """
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from workflows.sweep.leftovers import Rules
    from workflows.sweep.plan import plan

    if watch and not (expired and yes):
        raise click.UsageError(
            "--watch deletes without asking, and only expired endpoints: say --expired --yes too."
        )
    if watch and (names or kinds or part):
        raise click.UsageError(
            "--watch deletes every expired endpoint: it cannot be narrowed by --only, --kind or --name. Give an endpoint that should stay the "
            "lifetime keep: `mlconsole endpoints ttl NAME keep`."
        )
    platform = Settings.of(ctx).platform()
    rules = Rules(
        idle=max(60.0, parse_age(idle, "--idle")),
        young=parse_age(older, "--older"),
        all_owners=all_owners,
        logs=logs,
        expired_only=expired,
    )
    if watch:
        return _watch(platform, rules, parse_age(every, "--every"), as_json)
    found = plan(platform, rules, time.time())
    chosen = _chosen(found, names, kinds, part)
    listed = _listed(found, part, sort, reverse)
    if only_plan or not chosen:
        if as_json:
            print_json(_document(found, listed, chosen))
        else:
            print_plan(found, listed, chosen)
        return None
    if not as_json:
        print_plan(found, listed, chosen)
    _confirm(platform, chosen, yes=yes)
    return _remove(platform, chosen, rules, as_json)


def _listed(found: SweepPlan, part: str, sort: str, reverse: bool) -> Sequence[Leftover]:
    """What is listed of a plan, in its order."""
    from console.costs import LARGEST_FIRST, LEFTOVERS
    from console.view import ordered

    named = [item for item in found.items if part.lower() in item.name.lower()]
    return ordered(named, LEFTOVERS[sort], (sort in LARGEST_FIRST) != reverse)


def _chosen(
    found: SweepPlan, names: Sequence[str], kinds: Sequence[str], part: str = ""
) -> tuple[Leftover, ...]:
    known = {item.name for item in found.items}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is not left over.", param_hint="--only")
    for name in names:
        held = next((item for item in found.items if item.name == name and item.protected), None)
        if held is not None and not any(item.name == name for item in found.free):
            raise click.BadParameter(f"{name} stays: {held.protected}.", param_hint="--only")
    wanted = {KINDS[kind] for kind in kinds}
    return tuple(
        item
        for item in found.free
        if (not names or item.name in names)
        and (not wanted or item.kind in wanted)
        and part.lower() in item.name.lower()
    )


def _confirm(platform: Platform, chosen: Sequence[Leftover], *, yes: bool) -> None:
    """On AWS the word ``sweep`` has to be typed: a y is too easily pressed."""
    from console.cli.asking import confirm, read_line

    if yes or platform.target != "aws":
        confirm([], yes=yes)
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here; say --yes to go on.")
    name = chosen[0].name if len(chosen) == 1 else "sweep"
    click.echo(f"This is AWS account {platform.account}, {platform.region}.", err=True)
    try:
        typed = read_line(f"Type {name} to delete: ")
    except EOFError:
        typed = ""
    if typed != name:
        raise click.Abort


def _remove(platform: Platform, chosen: Sequence[Leftover], rules: Rules, as_json: bool) -> int | None:
    from console.cli.output import print_json
    from console.money import amount
    from workflows.sweep.removal import remove

    report = remove(platform, chosen, rules, now=time.time, told=None if as_json else _tell)
    if as_json:
        print_json(
            {"outcomes": report.outcomes, "saved_per_hour": report.saved.dollars, "saved_per_month": report.saved.month}
        )  # fmt: skip
    else:
        line = f"{len(report.deleted)} deleted, {len(report.failed)} failed"
        if report.saved.dollars:
            would = "would save" if platform.target == "embedded" else "saves"
            line += f"; that {would} {amount(report.saved.dollars)} an hour, {amount(report.saved.month)} a month on AWS"
        click.echo(f"{line}.", err=True)
    return 1 if report.failed else None


def _tell(outcome: Outcome) -> None:
    from console.cli.output import styled

    role = {"deleted": "ok", "failed": "bad"}.get(outcome.state, "wait")
    detail = f": {outcome.detail}" if outcome.detail else ""
    click.echo(f"{styled(outcome.state, role)} {outcome.kind} {outcome.name}{detail}")


def _watch(platform: Platform, rules: Rules, every: float, as_json: bool) -> int | None:
    import contextlib
    import signal

    from console.cli.output import print_json
    from workflows.sweep.watch import watch

    ended = threading.Event()
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def told(outcome: Outcome) -> None:
        if as_json:
            print_json({"time": time.time(), **vars_of(outcome)})
        else:
            click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} ", nl=False)
            _tell(outcome)
        sys.stdout.flush()

    def failed(problem: Problem) -> None:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {problem}", err=True)

    if not as_json:
        click.echo(
            f"Deleting expired endpoints in {platform.region} while this command runs; it looks every {every:.0f} s.",
            err=True,
        )
    watch(platform, rules, every, ended, now=time.time, told=told, failed=failed)
    return None


def vars_of(outcome: Outcome) -> dict[str, str]:
    """An outcome as JSON tells it."""
    return {"kind": outcome.kind, "name": outcome.name, "state": outcome.state, "detail": outcome.detail}


def print_plan(found: SweepPlan, listed: Sequence[Leftover], chosen: Sequence[Leftover]) -> None:
    """A table of those leftovers that are listed: what would go, and what protects the rest. The sentence below counts all."""
    from console.cli.output import print_table, prose, styled
    from console.formatting import ago, count, size
    from console.money import amount

    wanted = {item.key for item in chosen}
    print_table(
        ["", "KIND", "NAME", "AGE", "SIZE", "PER MONTH", "WHY"],
        [
            [
                styled("✗", "bad") if item.key in wanted else " ",
                item.kind,
                item.name,
                ago(item.created, found.at) if item.created else "–",
                f"{item.objects} × {size(item.octets)}" if item.objects is not None else size(item.octets),
                amount(item.hourly.month) if item.hourly.dollars else "–",
                item.reason + (styled(f"; stays: {item.protected}", "wait") if item.protected else ""),
            ]
            for item in listed
        ],
        empty=f"None of {count(len(found.items), 'thing')} has such a name."
        if found.items
        else "Nothing is left over.",
    )
    attached = sum(len(item.attached) for item in chosen)
    kept = len(found.items) - len(chosen)
    if found.items:
        click.echo()
        if listed and len(listed) < len(found.items):
            click.echo(f"{len(listed)} of {count(len(found.items), 'thing')}.", err=True)
        saved = sum(item.hourly.month for item in chosen)
        click.echo(
            prose(
                f"{len(chosen)} to delete" + (f" with {attached} that only they use" if attached else "") + ", "
                f"{kept} {'stays' if kept == 1 else 'stay'}"
                + (f"; {amount(saved)} a month on AWS ({found.region} prices of {found.as_of})" if saved else "")
                + "."
            ),
            err=True,
        )  # fmt: skip
    for note in found.notes:
        click.echo(prose(note), err=True)


def _document(found: SweepPlan, listed: Sequence[Leftover], chosen: Sequence[Leftover]) -> dict[str, object]:
    wanted = {item.key for item in chosen}
    return {
        "at": found.at,
        "region": found.region,
        "prices_as_of": found.as_of,
        "notes": found.notes,
        "things": len(found.items),
        "leftovers": [{**item.as_dict(), "chosen": item.key in wanted} for item in listed],
    }
