"""``mlconsole endpoints create``: an endpoint of models or training jobs, a variant each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.creation import NewVariant


@click.command()
@click.argument("name")
@click.argument("variants", nargs=-1, required=True, metavar="[VARIANT=]MODEL...")
@click.option("--weight", "-w", "weights", multiple=True, metavar="VARIANT=WEIGHT", help="A variant's weight; by default 1.")  # fmt: skip
@click.option("--instance-type", default="ml.m5.large", show_default=True, metavar="TYPE", help="What each variant runs on.")  # fmt: skip
@click.option("--instances", type=click.IntRange(min=1), default=1, show_default=True, help="How many each variant gets.")  # fmt: skip
@click.option("--capture", type=click.IntRange(0, 100), default=0, show_default=True, metavar="PERCENT", help="Capture so many of the requests, with their answers.")  # fmt: skip
@click.option("--ttl", metavar="AGE", help="It expires after this time (90m, 8h); `mlconsole sweep` deletes it then.")  # fmt: skip
@click.option("--wait/--no-wait", default=True, show_default=True, help="Until the endpoint is in service.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def create(
    ctx: click.Context,
    name: str,
    variants: tuple[str, ...],
    weights: tuple[str, ...],
    instance_type: str,
    instances: int,
    capture: int,
    ttl: str | None,
    wait: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Create an endpoint: a variant per MODEL, which is a model or a completed training job.

    \b
    mlconsole endpoints create moons my-training-job
    mlconsole endpoints create moons xgboost=job-1 linear=job-2 --weight xgboost=9 --capture 100
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.values import assignments, parse_age
    from console.cli.waiting import endpoint_settled, tell_endpoint
    from console.money import amount
    from workflows import costs, creation
    from workflows.lifetime import COMMAND, expiry_tag

    wanted = _variants(variants, assignments(weights, "--weight"), instance_type, instances)
    with Settings.of(ctx).acting() as (platform, interface):
        planned = creation.plan(
            platform,
            name,
            wanted,
            role=platform.role_arn,
            capture=capture,
            capture_to=f"s3://{platform.bucket}/captured",
            tags={COMMAND: "endpoints create"}
            | (expiry_tag(parse_age(ttl, "--ttl"), time.time()) if ttl is not None else {}),
        )
        price = costs.hourly([(instance_type, instances)] * len(wanted))
        split = ", ".join(f"{item.name} {planned.shares[item.name]:.0%} ({item.source})" for item in wanted)
        confirm(
            [
                f"Create endpoint {name} with {split}.",
                f"It costs {price}, {amount(price.month)} a month, until it is deleted ({costs.basis()})."
                if platform.target == "aws"
                else f"Free here; on AWS {price}, {amount(price.month)} a month ({costs.basis()}).",
            ],
            yes=yes,
        )
        made = creation.create(interface.rollouts, planned)
        if not as_json:
            for sentence in made:
                click.echo(sentence)
        status, failure = endpoint_settled(platform, interface, name) if wait else ("Creating", "")
        if as_json:
            print_json(
                {
                    "endpoint": name,
                    "variants": [
                        {"name": item.name, "source": item.source, "weight": item.weight, "share": planned.shares[item.name]}
                        for item in wanted
                    ],
                    "status": status,
                    "failure": failure,
                }
            )  # fmt: skip
            return 1 if status == "Failed" else None
        return tell_endpoint(name, status, failure)


def _variants(
    texts: tuple[str, ...], weights: dict[str, str], instance_type: str, instances: int
) -> tuple[NewVariant, ...]:
    """What is typed as variants: a lone model is variant AllTraffic, several without a name have that of their model.

    Raises:
        click.BadParameter: A text is none, or a weight is no weight of a variant.
    """
    from workflows.creation import NewVariant
    from workflows.interfaces.hosting import VARIANT

    made = []
    for text in texts:
        before, equals, after = text.partition("=")
        name, source = (before, after) if equals else (VARIANT if len(texts) == 1 else text, text)
        if not (name and source):
            raise click.BadParameter(
                f"{text!r} is no variant. Write MODEL or VARIANT=MODEL.", param_hint="MODEL"
            )
        weight = _weight(weights.pop(name, "1"))
        made.append(NewVariant(name=name, source=source, weight=weight, instance_type=instance_type, instances=instances))  # fmt: skip
    if weights:
        known = ", ".join(item.name for item in made)
        raise click.BadParameter(
            f"There is no variant {next(iter(weights))}: there are {known}.", param_hint="--weight"
        )
    return tuple(made)


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise click.BadParameter(f"{text!r} is no weight: write a number from 0 on.", param_hint="--weight")
    return value
