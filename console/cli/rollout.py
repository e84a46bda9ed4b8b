"""``mlconsole rollout``: new models on live endpoints, step by step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from console.cli import rollout_plan
from console.cli.completing import rollouts
from console.cli.options import Nouns, Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.platform import Platform
    from workflows.rollout.events import RolloutEvent
    from workflows.rollout.record import Rollout
    from workflows.rollout.state import RolloutState

ROLES = {"good": "ok", "warning": "wait", "error": "bad", "info": ""}


@click.group(cls=Nouns)
def rollout() -> None:
    """Deploy a new model to a live endpoint step by step: plan, start, watch, roll back, clean."""


rollout.add_command(rollout_plan.plan)
rollout.add_command(rollout_plan.start)


@rollout.command("ls")
@click.option("--endpoint", default="", metavar="NAME", help="Only of this endpoint.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
)
@json_option
def list_(endpoint: str, limit: int, as_json: bool) -> None:
    """List the rollouts of this machine, newest first; what is known of them without asking."""
    from console.cli.output import print_json, print_table, status_text, tell_more
    from console.formatting import ago
    from workflows.rollout import record

    everything = [item for item in record.everything() if endpoint in ("", item.plan.request.endpoint)]
    found = everything[:limit]
    tell_more(len(everything) > limit)
    if as_json:
        print_json([_summary(item) for item in found])
        return
    now = time.time()
    print_table(
        ["ROLLOUT", "ENDPOINT", "STRATEGY", "STATE", "BEGAN", "LEFT"],
        [
            [
                item.id,
                item.plan.request.endpoint,
                item.plan.request.strategy,
                status_text(item.known.outcome or item.known.phase or "starting"),
                ago(item.created, now),
                _left(item),
            ]
            for item in found
        ],
        empty="There is no rollout yet. `mlconsole rollout start ENDPOINT MODEL` starts one.",
    )


@rollout.command()
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a rollout: how far it is, its fleets, its alarms, all that happened. ROLLOUT may be `last` or an endpoint."""
    from workflows.interfaces.rollouts.low import LowRollouts
    from workflows.rollout import operations, record

    found = record.find(name)
    platform = _platform(ctx, found)
    state, _ = operations.look(LowRollouts(platform), found, time.time())
    show_state(record.read(found.folder), state, as_json)


@rollout.command()
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@click.option("--keep-alarms", is_flag=True, help="Leave the alarms in place at the end.")
@json_option
@platform_options
@click.pass_context
def watch(ctx: click.Context, name: str, keep_alarms: bool, as_json: bool) -> int | None:
    """Follow a rollout to its end, then remove its alarms. Status 1 unless it succeeded. Ctrl-C ends the watching only."""
    from workflows.rollout import record

    found = record.find(name)
    with Settings.of(ctx).acting() as (platform, interface):
        found.place.check(platform, found.id)
        return watched(interface.rollouts, platform, found, as_json, keep_alarms=keep_alarms, whole=True)


@rollout.command()
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def promote(ctx: click.Context, name: str, yes: bool, as_json: bool) -> None:
    """Give the variant with the new model all of the endpoint's traffic, by weights.

    An update that runs cannot be promoted: SageMaker has no call that skips a bake. Then this tells when it will be done.
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.rollout import operations, questions, record

    found = record.find(name)
    with Settings.of(ctx).acting() as (platform, interface):
        found.place.check(platform, found.id)
        confirm(questions.of_promotion(interface.rollouts, found, time.time()), yes=yes)
        how = operations.promote(interface.rollouts, found)
        if as_json:
            print_json({"rollout": found.id, "done": how})
        else:
            click.echo(how)


@rollout.command("rollback")
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@click.option("--watch", "-w", "watches", is_flag=True, help="Follow it to its end.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def roll_back(ctx: click.Context, name: str, watches: bool, yes: bool, as_json: bool) -> int | None:
    """Take the new model back.

    While the update runs, the rollout's alarm for this is set to ALARM, which makes SageMaker roll back. After it, the
    endpoint is updated to the configuration that it had before, all at once; that is a rollout of its own.
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.rollout import operations, questions, record

    found = record.find(name)
    with Settings.of(ctx).acting() as (platform, interface):
        found.place.check(platform, found.id)
        confirm(questions.of_roll_back(interface.rollouts, found, time.time()), yes=yes)
        goes, how = operations.roll_back(interface.rollouts, found)
        if watches:
            watched(interface.rollouts, platform, goes, as_json)
            return None
        if as_json:
            print_json({"rollout": goes.id, "done": how})
        else:
            click.echo(f"{how} `mlconsole rollout watch {goes.id}` follows it.")
        return None


@rollout.command()
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@click.option(
    "--old", is_flag=True, help="Also the configuration before it; rolling back is impossible then."
)
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def clean(ctx: click.Context, name: str, old: bool, yes: bool, as_json: bool) -> None:
    """Delete what a rollout has left: its alarms, and the configuration and the model that do not serve; with proof."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.observe.endpoints import configs_of_others
    from workflows.rollout import operations, record, remains

    found = record.find(name)
    with Settings.of(ctx).acting() as (platform, interface):
        found.place.check(platform, found.id)
        state, _ = operations.look(interface.rollouts, found, time.time())
        used = configs_of_others(platform, "")
        wanted = remains.cleaning(interface.rollouts, found, state, used, old=old)
        if wanted.things:
            confirm(wanted.sentences, yes=yes)
        gone = remains.clean(interface.rollouts, found, wanted) if wanted.things else ()
        if as_json:
            print_json(
                {
                    "rollout": found.id,
                    "deleted": [f"{item.what} {item.name}" for item in gone],
                    "kept": wanted.kept,
                }
            )
            return
        for item in gone:
            click.echo(item.sentence)
        for kept in wanted.kept:
            click.echo(f"Kept {kept}.")
        if not gone:
            click.echo("There is nothing to delete.")


@rollout.command()
@click.argument("name", metavar="ROLLOUT", shell_complete=rollouts)
@interface_option
@json_option
@platform_options
@click.pass_context
def code(ctx: click.Context, name: str, as_json: bool) -> None:
    """Print a rollout as a plain Python script: boto3 (low) or SageMaker SDK v3 (high)."""
    from console.cli.output import print_json
    from workflows.rollout import record
    from workflows.rollout.script import script

    found = record.find(name)
    chosen = Settings.of(ctx).flags.get("interface") or found.place.interface
    text = script(found.plan, str(chosen), found.place.region)
    if as_json:
        print_json({"code": text})
    else:
        click.echo(text)


def watched(
    rollouts: Rollouts,
    platform: Platform,
    found: Rollout,
    as_json: bool,
    *,
    keep_alarms: bool = False,
    whole: bool = False,
) -> int | None:
    """Print what happens until a rollout has ended, then remove its alarms; the exit status where it is not 0.

    Args:
        whole: Also what happened before.
    """
    from console.cli.waiting import waiter
    from workflows.rollout import operations, record, remains

    told = list(found.events) if whole else []
    for event in told:
        _print_event(event, as_json)

    def news(state: RolloutState, events: tuple[RolloutEvent, ...]) -> None:
        # Somebody else may have seen it first: what the journal has is told, whoever wrote it.
        everything = record.read(found.folder).events
        for event in everything[len(told) :]:
            if whole or event not in found.events:
                _print_event(event, as_json)
        told[:] = everything

    end = operations.wait(rollouts, found, waiter(platform), news)
    if not keep_alarms:
        gone = remains.settle(rollouts, found)
        if gone and not as_json:
            from console.formatting import count

            click.echo(f"Removed {count(len(gone), 'alarm')} of the rollout.")
    return None if end.outcome == "succeeded" else 1


def show_state(found: Rollout, state: RolloutState, as_json: bool) -> None:
    """Print how far a rollout is."""
    from console import timeline
    from console.cli.output import heading, print_json, print_pairs, print_table, status_text
    from console.cli.rollout_plan import amount
    from console.formatting import clock, duration
    from workflows.rollout.events import as_dict
    from workflows.rollout.request import GAUGES

    if as_json:
        print_json({**_summary(found), "state": state, "events": [as_dict(event) for event in found.events]})
        return
    measured = f", {state.measured:.0%} of the last requests" if state.measured is not None else ""
    print_pairs(
        [
            ("rollout", found.id),
            ("endpoint", f"{state.endpoint} ({state.status or 'gone'})"),
            ("state", status_text(state.outcome) if state.outcome else state.title),
            ("reason", state.failure),
            ("green has", f"{state.share:.0%} of the traffic{measured}"),
            (
                "left",
                ""
                if state.left is None
                else f"{duration(state.left)} of this, {duration(state.remaining)} in all",
            ),
            ("blue", f"{state.blue.config}  {state.blue.message}"),
            ("green", f"{state.green.config}  {state.green.message}"),
        ]
    )
    click.echo()
    at = None if not state.active else max(0.0, found.plan.seconds - (state.remaining or 0.0))
    click.echo(timeline.text(timeline.chart(found.plan.phases, 78, 6, at=at)))
    if state.alarms:
        heading("Alarms")
        print_table(
            ["WATCHES", "VARIANT", "STATE", "NOW", "LIMIT"],
            [
                [
                    alarm.title,
                    alarm.variant,
                    status_text(alarm.state),
                    amount(alarm.value, GAUGES[alarm.gauge].unit) if alarm.gauge else "",
                    f"> {amount(alarm.threshold, GAUGES[alarm.gauge].unit)}" if alarm.gauge else "",
                ]
                for alarm in state.alarms
            ],
        )
    heading("What happened")
    for event in found.events:
        click.echo(f"{clock(event.time)}  {event.sentence}")


def _print_event(event: RolloutEvent, as_json: bool) -> None:
    from console.cli.output import print_json, styled
    from console.formatting import clock
    from workflows.rollout.events import as_dict

    if as_json:
        print_json(as_dict(event))
    else:
        click.echo(f"{clock(event.time)}  {styled(event.sentence, ROLES[event.level])}")


def _summary(found: Rollout) -> dict[str, Any]:
    known, request = found.known, found.plan.request
    return {
        "rollout": found.id,
        "endpoint": request.endpoint,
        "strategy": request.strategy,
        "blue": found.plan.blue,
        "green": found.plan.green,
        "outcome": known.outcome,
        "phase": known.phase,
        "created": found.created,
        "started": known.started,
        "ended": known.ended,
        "left": [f"{what} {name}" for what, name in known.left],
        "folder": found.folder,
    }


def _left(found: Rollout) -> str:
    known = found.known
    if not known.outcome:
        return ""
    alarms = sum(1 for what, _ in known.left if what == "alarm")
    others = [
        what
        for what, name in known.left
        if what != "alarm"
        and not (known.outcome == "succeeded" and name in (found.plan.green, found.plan.model_name))
    ]
    parts = [f"{alarms} alarms"] if alarms else []
    return ", ".join([*parts, *others])


def _platform(ctx: click.Context, found: Rollout) -> Platform:
    platform = Settings.of(ctx).platform()
    found.place.check(platform, found.id)
    return platform
