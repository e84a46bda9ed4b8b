"""The commands of ``mlconsole rollout`` that plan and start, and the options that both take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.platform import Platform
    from workflows.rollout.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])
STRATEGIES = ["canary", "linear", "rolling", "all-at-once"]
KINDS = ["model", "training-job", "artifact", "config"]
DEFAULT_STEPS = {"canary": "10%", "linear": "25%", "rolling": "25%", "all-at-once": "10%"}


def rollout_options(command: F) -> F:
    """What a rollout is made of."""
    made = [
        click.option("--strategy", "-s", type=click.Choice(STRATEGIES), default="canary", show_default=True, help="How traffic moves."),
        click.option("--step", default="", metavar="SIZE", help="Canary, linear step or rolling batch: 10%, 2 instances. [default: 10%; linear and rolling 25%]"),
        click.option("--wait", type=click.IntRange(0, 3600), default=600, show_default=True, metavar="SECONDS", help="Between two steps."),
        click.option("--bake", type=click.IntRange(0, 3600), default=600, show_default=True, metavar="SECONDS", help="With all traffic on the new fleet, before the old one goes."),
        click.option("--timeout", type=int, metavar="SECONDS", help="For the whole update. [default: the waits and half an hour]"),
        click.option("--rollback-batch", default="", metavar="SIZE", help="Rolling: how many instances go back at a time."),
        click.option("--limit", "limits", multiple=True, metavar="GAUGE=LIMIT", help="An alarm: 5xx, 4xx, model-errors, p99 or mean, as 5xx=1%, p99=2x (of the last hour), mean=80ms, 4xx=off."),
        click.option("--no-alarms", is_flag=True, help="Only those of --limit."),
        click.option("--alarm", "own", multiple=True, metavar="NAME", help="An alarm that exists and takes the model back, too."),
        click.option("--period", type=int, default=60, show_default=True, metavar="SECONDS", help="Of the alarms."),
        click.option("--periods", type=click.IntRange(min=1), default=1, show_default=True, help="That must breach, one after the other."),
        click.option("--kind", type=click.Choice(KINDS), help="What the second name is; by default it is found out."),
        click.option("--variant", default="", metavar="NAME", help="Which variant gets the model, where there are several."),
        click.option("--instance-type", default="", metavar="TYPE", help="Another one than now."),
        click.option("--instances", type=click.IntRange(min=1), help="Another number than now."),
        click.option("--reset", is_flag=True, help="Take counts and weights of the configuration instead of the running ones."),
        click.option("--no-capture", is_flag=True, help="Capture no data any more."),
        click.option("--name", default="", metavar="NAME", help="Of the rollout and its configuration."),
    ]  # fmt: skip
    for option in reversed(made):
        command = option(command)
    return command


@click.command("plan")
@click.argument("endpoint")
@click.argument("source", metavar="MODEL")
@rollout_options
@json_option
@platform_options
@click.pass_context
def plan(ctx: click.Context, /, endpoint: str, source: str, as_json: bool, **asked: Any) -> int | None:
    """Show what a rollout would do, and when; nothing is changed. Status 1 when something forbids it.

    MODEL is a model, a training job, an artefact (s3://…/model.tar.gz) or an endpoint configuration.
    """
    from console.cli.output import print_json

    made = planned(Settings.of(ctx).platform(), endpoint, source, asked)
    if as_json:
        print_json(document(made))
    else:
        show_plan(made)
    return 1 if made.errors else None


@click.command("start")
@click.argument("endpoint")
@click.argument("source", metavar="MODEL")
@rollout_options
@click.option(
    "--watch", "-w", "watches", is_flag=True, help="Follow it to its end, and remove its alarms then."
)
@click.option("--keep-alarms", is_flag=True, help="Leave the alarms in place at the end.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def start(
    ctx: click.Context,
    /,
    endpoint: str,
    source: str,
    watches: bool,
    keep_alarms: bool,
    yes: bool,
    as_json: bool,
    **asked: Any,
) -> int | None:
    """Deploy MODEL to a live endpoint step by step; alarms made for it take it back by themselves.

    \b
    mlconsole rollout start moons moons-model-2 --watch
    mlconsole rollout start moons my-training-job -s linear --step 25% --limit p99=1.5x
    mlconsole rollout start moons s3://bucket/new/model.tar.gz -s all-at-once --bake 300
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.rollout import watched
    from workflows.rollout import operations
    from workflows.rollout.record import Place

    with Settings.of(ctx).acting() as (platform, interface):
        made = planned(platform, endpoint, source, asked)
        if not as_json and not yes:
            show_plan(made)
        made.checked()
        if as_json or yes:
            for finding in made.warnings:
                click.echo(f"Warning: {finding.sentence}", err=True)
        confirm(
            [f"Update {endpoint} from {made.blue} to {made.green}.", made.price(platform.target)], yes=yes
        )
        rollout = operations.start(interface.rollouts, made, Place.of(platform, interface.name))
        if watches:
            return watched(interface.rollouts, platform, rollout, as_json, keep_alarms=keep_alarms)
        if as_json:
            print_json({"rollout": rollout.id, "endpoint": endpoint, "blue": made.blue, "green": made.green})
        else:
            click.echo(f"Rollout {rollout.id} has begun. `mlconsole rollout watch {rollout.id}` follows it.")
        return None


def planned(platform: Platform, endpoint: str, source: str, asked: dict[str, Any]) -> Plan:
    """The plan of what the options ask for.

    Raises:
        Problem: An option is not understood, or what it names is not there.
    """
    from workflows.rollout import request as requests
    from workflows.rollout.facts import facts_of, source_of
    from workflows.rollout.plan import plan as make
    from workflows.rollout.timeline import declared_seconds

    strategy = asked["strategy"]
    limits = {} if asked["no_alarms"] else dict(requests.DEFAULT_LIMITS)
    for text in asked["limits"]:
        key, equals, value = text.partition("=")
        if not equals or key.strip() not in requests.GAUGES:
            raise click.BadParameter(
                f"{text!r} is no limit: write GAUGE=LIMIT with one of {', '.join(requests.GAUGES)}.",
                param_hint="--limit",
            )
        found = requests.limit(value, requests.GAUGES[key.strip()])
        limits.pop(key.strip(), None)
        if found is not None:
            limits[key.strip()] = found
    request = requests.RolloutRequest(
        endpoint=endpoint,
        source=source,
        kind=asked["kind"] or "",
        strategy=strategy,
        step=requests.step(asked["step"] or DEFAULT_STEPS[strategy]),
        wait=asked["wait"],
        bake=asked["bake"],
        timeout=asked["timeout"] or 3600,
        rollback_batch=requests.step(asked["rollback_batch"]) if asked["rollback_batch"] else None,
        limits=limits,
        period=asked["period"],
        periods=asked["periods"],
        own_alarms=asked["own"],
        variant=asked["variant"],
        instance_type=asked["instance_type"],
        instance_count=asked["instances"],
        retain=not asked["reset"],
        capture=not asked["no_capture"],
    )
    from dataclasses import replace

    from workflows.rollout.checks import sizes_of

    now = time.time()
    facts = facts_of(platform, endpoint, now, request.own_alarms)
    found_source = source_of(platform, source, facts, request.kind, request.variant)
    if not asked["timeout"]:
        waits = declared_seconds(request, sizes_of(request, facts, found_source))
        request = replace(request, timeout=min(28_800, max(3600, waits + 1800)))
    return make(request, facts, found_source, now=now, name=asked["name"])


def show_plan(made: Plan) -> None:
    """Print a plan: what will happen and when, its alarms, its cost, and what speaks against it."""
    from console import timeline
    from console.cli.output import heading, print_pairs, print_table, prose, styled
    from console.formatting import duration
    from workflows import costs

    request = made.request
    fleet = " + ".join(f"{count} × {kind}" for kind, count in made.green_instances)
    step = "" if request.strategy == "all-at-once" else f", {request.step} at a time"
    if request.strategy == "canary":
        step = f", {request.step} first"
    print_pairs(
        [
            ("rollout", made.id),
            ("endpoint", request.endpoint),
            ("blue", made.blue),
            ("green", f"{made.green}  {made.model_name}  {fleet}".replace("    ", "  ").rstrip()),
            ("strategy", f"{request.strategy}{step}"),
            ("takes", f"about {duration(made.seconds)}"),
            ("both fleets", cost_sentence(made)),
        ]
    )
    click.echo()
    click.echo(timeline.text(timeline.chart(made.phases, 78, 6)))
    click.echo()
    click.echo(timeline.text(timeline.rows(made.phases, 80)))
    if made.scale != 1:
        click.echo(
            f"The embedded SageMaker waits {made.scale:g} s for each declared second: {request.wait} s take "
            f"{duration(request.wait * made.scale)}."
        )
    heading("Alarms that take it back")
    print_table(
        ["WATCHES", "VARIANT", "LIMIT", "LAST HOUR"],
        [
            [
                rail.gauge.title,
                rail.variant,
                f"> {amount(rail.threshold, rail.gauge.unit)}",
                amount(rail.blue, rail.gauge.unit),
            ]
            for rail in made.guardrails
        ]
        + [["an alarm of yours", "", name, ""] for name in request.own_alarms]
        + [["a person: rollout rollback", "", "", ""]],
    )
    for note in made.notes:
        click.echo(prose(note))
    for finding in made.findings:
        mark, role = ("✗", "bad") if finding.level == "error" else ("!", "wait")
        click.echo(styled(prose(f"{mark} {finding.sentence}"), role))
    click.echo(f"Prices: {costs.REGION}, {costs.DATE}, estimates.", err=True)


def cost_sentence(made: Plan) -> str:
    """What the second fleet costs."""
    total = made.extra_dollars
    whole = (
        ""
        if total is None
        else f", about ${total:.4f} for this rollout"
        if total < 0.01
        else f", about ${total:.2f} for this rollout"
    )
    return f"{made.extra} more while both are up{whole}" if made.extra else ""


def amount(value: float | None, unit: str) -> str:
    """A share or milliseconds."""
    if value is None:
        return "–"
    return f"{value * 100:.3g}%" if unit == "share" else f"{value:.3g} ms"


def document(made: Plan) -> dict[str, Any]:
    """A plan as ``--json`` prints it: also the calls that it would make, in order."""
    from dataclasses import asdict

    calls = [("CreateModel", made.model)] if made.model is not None else []
    if made.configuration is not None:
        calls.append(("CreateEndpointConfig", made.configuration))
    calls += [("PutMetricAlarm", item) for item in made.alarms]
    calls.append(("UpdateEndpoint", made.update))
    return {
        "rollout": made.id,
        "endpoint": made.request.endpoint,
        "blue": made.blue,
        "green": made.green,
        "seconds": round(made.seconds, 3),
        "time_scale": made.scale,
        "timeline": [asdict(phase) for phase in made.phases],
        "extra_dollars_per_hour": made.extra.dollars,
        "extra_dollars": made.extra_dollars,
        "findings": [asdict(finding) for finding in made.findings],
        "notes": list(made.notes),
        "calls": [{"operation": name, "parameters": dict(asked)} for name, asked in calls],
    }
