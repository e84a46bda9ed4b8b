"""``mlconsole endpoints ttl``: how long an endpoint may live."""

from __future__ import annotations

import time

import click

from console.cli.completing import names_of
from console.cli.options import Settings, json_option, platform_options


@click.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.argument("lifetime", required=False, metavar="[AGE|off|keep]")
@json_option
@platform_options
@click.pass_context
def ttl(ctx: click.Context, name: str, lifetime: str | None, as_json: bool) -> None:
    """Say how long an endpoint may live from now on (90m, 8h, 7d), `off` for as long as nobody deletes it, `keep` to protect it.

    It is a tag on the endpoint (mlconsole:expires-at), so everybody who looks at the account sees it. SageMaker does nothing about
    it: `mlconsole sweep --expired` deletes what has expired when you run it, `mlconsole sweep --expired --yes --watch` for as long
    as it runs.
    """
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from console.formatting import clock, span
    from workflows import lifetime as lives
    from workflows.observe.endpoints import describe

    platform = Settings.of(ctx).platform()
    arn, now = describe(platform, name).arn, time.time()
    match lifetime:
        case None:
            found = lives.of_tags(lives.tags_of(platform, arn))
        case "off":
            found = lives.free(platform, arn)
        case "keep":
            found = lives.keep(platform, arn)
        case _:
            found = lives.limit(platform, arn, parse_age(lifetime, "AGE"), now)
    if as_json:
        print_json(
            {
                "endpoint": name,
                "expires": found.expires,
                "keep": found.keep,
                "expired": found.expired(now),
                "problem": found.problem,
            }
        )
    elif found.problem:
        click.echo(f"{name}: {found.problem}.", err=True)
    elif found.keep:
        click.echo(f"{name} is kept: no sweep deletes it.")
    elif found.expires is None:
        click.echo(f"{name} has no lifetime: it bills until somebody deletes it.")
    elif found.expired(now):
        click.echo(f"{name} expired {span(now - found.expires)} ago. `mlconsole sweep --expired` deletes it.")
    else:
        click.echo(
            f"{name} expires {clock(found.expires, day=True)}, in {span(found.expires - now)}. Nothing deletes it by itself: "
            "`mlconsole sweep --expired` does."
        )
