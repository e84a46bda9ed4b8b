"""What is watched and changed on an endpoint that serves: weights, instances, captures, alarms, scaling."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import click

from console.cli.completing import names_of
from console.cli.options import F, Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.observe.captures import Capture


def _changing(assigned: str) -> Callable[[F], F]:
    """What the commands share that change variants: the endpoint, assignments, waiting, asking."""

    def decorated(command: F) -> F:
        made: Any = click.pass_context(command)
        for option in (
            platform_options,
            json_option,
            yes_option,
            interface_option,
            click.option(
                "--wait", "-w", "waits", is_flag=True, help="Wait until the endpoint is in service again."
            ),
            click.argument("assigned", metavar=assigned, nargs=-1, required=True),
            click.argument("name", shell_complete=names_of("endpoints")),
        ):
            made = option(made)
        return cast("F", made)

    return decorated


@click.command()
@_changing("VARIANT=WEIGHT...")
def weights(
    ctx: click.Context, name: str, assigned: tuple[str, ...], waits: bool, yes: bool, as_json: bool
) -> int:
    """Split the traffic of an endpoint another way: each variant gets its weight over the sum of all.

    Variants that are not named keep their weights. It takes effect without a new configuration.

    \b
    mlconsole endpoints weights moons champion=1 challenger=3
    """
    from console.cli.values import assignments

    wanted = {variant: _number(variant, text) for variant, text in assignments(assigned).items()}
    return _changed(ctx, name, wanted, {}, waits=waits, yes=yes, as_json=as_json)


@click.command()
@_changing("VARIANT=INSTANCES...")
def scale(
    ctx: click.Context, name: str, assigned: tuple[str, ...], waits: bool, yes: bool, as_json: bool
) -> int:
    """Change how many instances the variants of an endpoint have.

    \b
    mlconsole endpoints scale moons champion=2
    """
    from console.cli.values import assignments

    wanted = {variant: _whole(variant, text) for variant, text in assignments(assigned).items()}
    return _changed(ctx, name, {}, wanted, waits=waits, yes=yes, as_json=as_json)


def _changed(
    ctx: click.Context,
    name: str,
    wanted: dict[str, float],
    counts: dict[str, int],
    *,
    waits: bool,
    yes: bool,
    as_json: bool,
) -> int:
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows import weights as changes
    from workflows.observe.endpoints import describe

    with Settings.of(ctx).acting() as (platform, interface):
        change = changes.change(describe(platform, name), wanted, counts)
        if not change:
            if as_json:
                print_json(change.as_dict() | {"changed": False})
            else:
                click.echo(f"Endpoint {name} is so already.")
            return 0
        confirm([f"Change endpoint {name}:", *change.sentences], yes=yes)
        interface.rollouts.weigh(name, change.weights, change.counts)
        status = "Updating"
        if waits:
            while (status := describe(platform, name).row.status) not in ("InService", "Failed"):
                time.sleep(0.5 if platform.target == "embedded" else 10)
        if as_json:
            print_json(change.as_dict() | {"changed": True, "status": status})
        else:
            for sentence in change.sentences:
                click.echo(sentence)
            click.echo(f"Endpoint {name} is {status}.")
        return 1 if status == "Failed" else 0


@click.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--variant", default="", metavar="NAME", help="Only those of this variant.")
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@json_option
@platform_options
@click.pass_context
def captures(ctx: click.Context, name: str, variant: str, limit: int, as_json: bool) -> None:
    """Print the newest captured requests of an endpoint with their answers."""
    from itertools import islice

    from console.cli.output import print_json, print_table, tell_more
    from console.formatting import clock
    from workflows.observe import captures as captured

    platform = Settings.of(ctx).platform()
    place = captured.place(platform, name)
    found = list(islice(captured.newest_first(platform, place, variant), limit + 1))
    tell_more(len(found) > limit)
    found = found[:limit]
    if as_json:
        print_json([_captured(item) for item in found])
        return
    print_table(
        ["TIME", "VARIANT", "INFERENCE ID", "REQUEST", "ANSWER"],
        [
            [clock(item.time), item.variant, item.inference_id or item.event_id, _short(item, "request"), _short(item, "answer")]
            for item in found
        ],
        empty=f"Nothing is captured yet below {place.uri}: files come some minutes after their requests."
        if place.enabled
        else f"Capturing is switched off (EnableCapture is false), and nothing is there below {place.uri}.",
    )  # fmt: skip


def _captured(item: Capture) -> dict[str, object]:
    sides = {
        name: None
        if side is None
        else {"content_type": side.content_type, "body": side.text, "bytes": len(side.body)}
        for name, side in (("request", item.request), ("answer", item.answer))
    }
    return {
        "time": item.time,
        "variant": item.variant,
        "event_id": item.event_id,
        "inference_id": item.inference_id,
        **sides,
        "uri": item.uri,
    }


def _short(item: Capture, side: str) -> str:
    content = item.request if side == "request" else item.answer
    if content is None:
        return "–"
    text = " ".join(content.text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


@click.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--history", is_flag=True, help="What became of each alarm, newest first.")
@json_option
@platform_options
@click.pass_context
def alarms(ctx: click.Context, name: str, history: bool, as_json: bool) -> None:
    """Print the CloudWatch alarms that watch an endpoint; exit status 0 whatever their states are."""
    from dataclasses import asdict

    from console.cli.output import heading, print_json, print_table, status_text, tell_more
    from console.formatting import ago, clock, number
    from workflows.observe import alarms as watching
    from workflows.observe.endpoints import describe

    platform = Settings.of(ctx).platform()
    found = watching.of_endpoint(platform, name)
    if not found:
        describe(platform, name)  # a name that does not exist is an error, not an endpoint without alarms
    changes = {row.name: watching.history(platform, row.name) for row in found} if history else {}
    tell_more(any(one.more for one in changes.values()), "aws cloudwatch describe-alarm-history")
    if as_json:
        print_json(
            [asdict(row) | ({"history": changes[row.name].changes} if history else {}) for row in found]
        )
        return
    now = time.time()
    print_table(
        ["ALARM", "STATE", "SINCE", "VARIANT", "METRIC", "RULE", "VALUE"],
        [
            [
                row.name,
                status_text(row.state),
                ago(row.updated or None, now),
                row.variant or "–",
                row.metric,
                row.condition,
                number(row.value),
            ]
            for row in found
        ],
        empty=f"No alarm has endpoint {name} in its dimensions.",
    )
    for row in found:
        if row.state == "ALARM":
            click.echo(f"{row.name}: {row.reason}")
        if history:
            heading(f"History of {row.name}")
            print_table(
                ["TIME", "KIND", "WHAT"],
                [[clock(item.time, day=True), item.kind, item.summary] for item in changes[row.name].changes],
                empty="Nothing has become of it yet.",
            )


@click.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@json_option
@platform_options
@click.pass_context
def scaling(ctx: click.Context, name: str, as_json: bool) -> None:
    """Print how the instances of an endpoint are scaled, and what was done lately."""
    from console.cli.output import heading, print_json, print_table, tell_more
    from console.formatting import clock, number
    from workflows.observe import scaling as scaled
    from workflows.observe.endpoints import describe

    platform = Settings.of(ctx).platform()
    found = scaled.of_endpoint(platform, name, [item.name for item in describe(platform, name).variants])
    tell_more(found.more, "aws application-autoscaling describe-scaling-activities")
    if as_json:
        print_json(found)
        return
    print_table(
        ["VARIANT", "LEAST", "MOST", "SUSPENDED"],
        [
            [item.variant, str(item.least), str(item.most), ", ".join(item.suspended) or "–"]
            for item in found.targets
        ],
        empty=f"No variant of {name} is scaled: none is a scalable target.",
    )
    if found.policies:
        heading("Policies")
        print_table(
            ["VARIANT", "POLICY", "KIND", "METRIC", "TARGET"],
            [
                [item.variant, item.name, item.kind, item.metric or "–", number(item.target)]
                for item in found.policies
            ],
        )
    if found.activities:
        heading("Activities")
        print_table(
            ["TIME", "VARIANT", "STATUS", "WHAT"],
            [
                [clock(item.started, day=True), item.variant, item.status, item.description]
                for item in found.activities
            ],
        )


def _number(variant: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"{variant}={text}: {text!r} is no number.", param_hint="VARIANT=WEIGHT") from None  # fmt: skip


def _whole(variant: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{variant}={text}: {text!r} is no whole number.", param_hint="VARIANT=INSTANCES") from None  # fmt: skip
