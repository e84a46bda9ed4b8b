"""``mlconsole ab``: A/B tests of an endpoint's variants."""

from __future__ import annotations

from typing import Any

import click

from console.cli import ab_feeds, ab_start
from console.cli.completing import experiments
from console.cli.options import Nouns, Settings, interface_option, json_option, platform_options, yes_option


@click.group(cls=Nouns)
def ab() -> None:
    """A/B tests: create, feed, watch, promote the winner."""


@ab.command("ls")
@json_option
def list_(as_json: bool) -> None:
    """List all A/B tests of this machine, the newest first."""
    from console import verdicts
    from console.cli.output import print_json, print_table, styled
    from console.formatting import grouped
    from workflows.abtest.drafting import everything

    found = everything()
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    rows = []
    for report in found:
        one, chip = report.experiment, verdicts.chip(report)
        ahead = report.comparisons[0]
        rows.append(
            [
                one.name,
                one.endpoint,
                report.state,
                styled(str(chip), chip.role),
                grouped(report.requests),
                verdicts.difference(one, ahead.value) if ahead.n else "–",
                verdicts.evidence(ahead.evidence),
            ]
        )
    print_table(
        ["NAME", "ENDPOINT", "STATE", "VERDICT", "REQUESTS", "DIFFERENCE", "EVIDENCE"],
        rows,
        empty="There is no A/B test. `mlconsole ab create ENDPOINT` starts one.",
    )


@ab.command()
@click.argument("name", shell_complete=experiments)
@json_option
def show(name: str, as_json: bool) -> None:
    """Tell where an A/B test stands."""
    from console.cli.output import print_json
    from workflows.abtest.following import follower

    found = follower(name).report()
    if as_json:
        print_json(found.as_dict())
    else:
        from console.cli.ab_report import print_report

        print_report(found)


@ab.command()
@click.argument("name", shell_complete=experiments)
@click.argument("weights", nargs=-1, required=True, metavar="VARIANT=WEIGHT...")
@yes_option
@interface_option
@json_option
@platform_options
@click.pass_context
def weigh(ctx: click.Context, name: str, weights: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Change the variants' weights in mid-test; what was counted stays, and stays valid."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.abtest import drafting, operations

    wanted = drafting.parse_weights(weights)
    confirm([f"Set {', '.join(f'{variant} to {weight:g}' for variant, weight in wanted.items())}."], yes=yes)
    with Settings.of(ctx).acting() as (platform, interface):
        found = operations.weigh(platform, interface.rollouts, name, wanted)
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(", ".join(f"{arm.variant} {arm.share:.0%}" for arm in found.arms))


@ab.command()
@click.argument("name", shell_complete=experiments)
@click.argument("variant", default="")
@click.option(
    "--how",
    type=click.Choice(["weights", "all-at-once", "canary", "linear"]),
    default="weights",
    show_default=True,
    help="Weights at once, or a blue/green update to a configuration of the winner only.",
)
@click.option(
    "--wait",
    type=click.IntRange(0, 3600),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Between two steps of canary and linear.",
)
@click.option("--force", is_flag=True, help="Though the test does not say that this variant is the best.")
@yes_option
@json_option
@interface_option
@platform_options
@click.pass_context
def promote(
    ctx: click.Context, name: str, variant: str, how: Any, wait: int, force: bool, yes: bool, as_json: bool
) -> None:
    """Give the winner, or VARIANT, all the traffic; the test ends."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.abtest import promotion
    from workflows.problem import Problem

    made = promotion.plan(name, variant, how, wait=wait)
    if made.doubt and not force:
        raise Problem(made.doubt, "Add --force to promote it all the same.", "undecided")
    confirm([*([made.doubt] if made.doubt else []), *made.sentences], yes=yes)
    with Settings.of(ctx).acting() as (platform, interface):
        found = promotion.promote(platform, interface.rollouts, made, wait=wait)
    if as_json:
        print_json(found.as_dict())
    else:
        under_way = (
            ""
            if how == "weights"
            else f" is on its way: `mlconsole endpoints show {made.endpoint}` tells how far"
        )
        click.echo(
            f"{made.variant} has all the traffic of {made.endpoint}."
            if not under_way
            else f"{made.variant}{under_way}."
        )


@ab.command()
@click.argument("name", shell_complete=experiments)
@click.option(
    "--weights",
    "after",
    type=click.Choice(["before", "control", "keep"]),
    default="before",
    show_default=True,
    help="The endpoint's weights then: as before the test, all to the control, or as they are.",
)
@yes_option
@json_option
@interface_option
@platform_options
@click.pass_context
def stop(ctx: click.Context, name: str, after: Any, yes: bool, as_json: bool) -> None:
    """End an A/B test without promoting anything."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.abtest import background, operations
    from workflows.abtest.drafting import STOPS

    confirm([f"End A/B test {name}; {STOPS[after]}."], yes=yes)
    background.end(name)
    with Settings.of(ctx).acting() as (platform, interface):
        found = operations.stop(platform, interface.rollouts, name, after)
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(f"A/B test {name} is stopped; {STOPS[after]}.")


@ab.command()
@click.argument("name", shell_complete=experiments)
@yes_option
@json_option
def rm(name: str, yes: bool, as_json: bool) -> None:
    """Delete an A/B test that has ended, with all that it counted."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.abtest import operations

    confirm([f"Delete A/B test {name} with its journal. Its endpoint stays as it is."], yes=yes)
    with Outcomes(as_json) as outcomes:
        operations.remove(name)
        outcomes.tell(name, "deleted", f"Deleted {name}.")


ab.add_command(ab_start.create)
ab.add_command(ab_start.forecast)
ab.add_command(ab_feeds.feed)
ab.add_command(ab_feeds.replay)
ab.add_command(ab_feeds.watch)
