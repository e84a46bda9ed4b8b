"""``mlconsole prices``: what estimates rest on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.options import Nouns, Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.costs.prices import Prices


@click.group(cls=Nouns)
def prices() -> None:
    """Prices that estimates rest on: list, show, read anew from AWS."""


@prices.command("ls")
@click.option("--component", default="", metavar="NAME", help="Only Hosting, Training, Transform, Data …")
@click.option("--all-regions", is_flag=True, help="Also of other regions than the one in force.")
@json_option
@platform_options
@click.pass_context
def list_(ctx: click.Context, component: str, all_regions: bool, as_json: bool) -> None:
    """List the prices with their dates and sources, and what is not known."""
    from console.cli.output import print_json, print_table
    from workflows.costs import prices as known

    found = _in_force(ctx)
    rows = [
        figure
        for figure in sorted(found.figures, key=lambda one: one.key)
        if (all_regions or figure.region == found.region)
        and (not component or figure.component.lower() == component.lower())
    ]
    unknown = [one for one in found.unknown if all_regions or one.region == found.region]
    if as_json:
        print_json(
            {
                "region": found.region,
                "as_of": found.as_of,
                "refreshed": found.refreshed,
                "file": known.path() if known.path().exists() else None,
                "figures": rows,
                "unknown": unknown,
            }
        )
        return
    print_table(
        ["REGION", "COMPONENT", "ITEM", "USD", "PER", "AS OF", "SOURCE"],
        [
            [
                one.region,
                one.component,
                one.item,
                f"{one.usd:g}",
                one.unit,
                one.as_of,
                one.source if one.read else f"~ {one.source}",
            ]
            for one in rows
        ],
        empty="There is no such price.",
    )
    for gap in unknown:
        click.echo(f"Not known: {gap.component} {gap.item} in {gap.region}: {gap.why}.", err=True)
    if not found.refreshed:
        click.echo(
            "These came with the program. `mlconsole prices refresh --target aws` reads them from AWS.",
            err=True,
        )


@prices.command()
@click.argument("item")
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, item: str, as_json: bool) -> None:
    """Show what is known of an instance type (ml.m5.xlarge): in each use, by the hour and the month."""
    from console.cli.output import print_json, print_table
    from console.money import amount
    from workflows.costs import MONTH
    from workflows.problem import Problem

    found = _in_force(ctx)
    rows = [figure for figure in found.figures if figure.item == item]
    gaps = [one for one in found.unknown if one.item == item]
    if not rows:
        why = f": {gaps[0].why}" if gaps else ""
        raise Problem(
            f"No price of {item} is known here{why}.",
            "`mlconsole prices refresh --target aws` reads the prices of a region.",
            "prices",
        )
    if as_json:
        print_json(rows)
        return
    print_table(
        ["REGION", "COMPONENT", "PER HOUR", "PER MONTH", "AS OF", "SOURCE"],
        [
            [
                one.region,
                one.component,
                f"${one.usd:g}" if one.unit == "hour" else f"${one.usd:g} per {one.unit}",
                amount(one.usd * MONTH) if one.unit == "hour" else "–",
                one.as_of,
                one.source if one.read else f"~ {one.source}",
            ]
            for one in sorted(rows, key=lambda one: one.key)
        ],
    )
    for gap in gaps:
        click.echo(f"Not known: {gap.component} in {gap.region}: {gap.why}.", err=True)


@prices.command()
@json_option
@platform_options
@click.pass_context
def refresh(ctx: click.Context, as_json: bool) -> None:
    """Read the prices of a region from AWS's Price List (--target aws, --region); it needs pricing:GetProducts."""
    from console.cli.output import print_json, prose
    from workflows.costs import prices as known
    from workflows.costs.refresh import PRICE_REGION
    from workflows.costs.refresh import refresh as read
    from workflows.platform import client_config
    from workflows.problem import Problem

    platform = Settings.of(ctx).platform()
    if platform.target != "aws":
        raise Problem(
            "The embedded SageMaker has no price list.",
            "Say `mlconsole prices refresh --target aws`: it reads AWS's, which costs nothing.",
            "target",
        )
    client = platform.session.client(
        "pricing", region_name=PRICE_REGION, config=client_config("aws", "pricing", prompt=True)
    )
    found = read(client, platform.region, time.time())
    if as_json:
        print_json(
            {
                "region": found.region,
                "figures": found.figures,
                "products": found.products,
                "conflicts": found.conflicts,
                "file": known.path(),
            }
        )
        return
    click.echo(
        f"{found.figures} prices of {found.region} from {found.products} products are in {known.path()}."
    )
    for conflict in found.conflicts:
        click.echo(prose(f"Left out, because the list has several prices for it: {conflict}."), err=True)


def _in_force(ctx: click.Context) -> Prices:
    """The prices in force for the configured region."""
    from workflows.costs import prices as known

    return known.current().in_region(Settings.of(ctx).configuration.region)
