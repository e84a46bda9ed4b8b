"""``mlconsole costs``: what bills now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, json_option, listing_options, platform_options

if TYPE_CHECKING:
    from workflows.costs.overview import Billed, CostView

SORTS = ("hour", "name", "kind", "state", "instances", "month", "so-far", "up", "expires", "owner")
"""Those of `console.costs.BILLS`."""


@click.command()
@click.option("--idle", default="24h", show_default=True, metavar="AGE", help="Idle is who was not called for so long.")  # fmt: skip
@listing_options("things", sorts=SORTS, limit=None, since=False)
@json_option
@platform_options
@click.pass_context
def costs(ctx: click.Context, idle: str, part: str, sort: str, reverse: bool, as_json: bool) -> None:
    """What bills now: endpoints and running jobs, by the hour, the month and since their creation.

    On the embedded SageMaker nothing costs: the amounts are what AWS would charge. All of them are estimates from the prices
    that `mlconsole prices ls` lists. Storage, data transfer, notebooks and Studio are not counted. Dearest first; with --sort the largest
    amounts and what needs somebody first, and what is not known last. The totals are of everything, whatever --name leaves.
    """
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from workflows.costs.overview import look

    platform = Settings.of(ctx).platform()
    view = look(platform, time.time(), parse_age(idle, "--idle"))
    rows = _listed(view, part, sort, reverse)
    if as_json:
        print_json(_document(view, rows, platform.target))
        return
    _print(view, rows, platform.target, part)


def _listed(view: CostView, part: str, sort: str, reverse: bool) -> list[Billed]:
    """What is listed of it, in its order."""
    from console.costs import BILLS, LARGEST_FIRST
    from console.view import ordered

    order = BILLS[sort]
    named = [row for row in view.rows if part.lower() in row.bill.name.lower()]
    return ordered(named, lambda row: order(row, view.at), (sort in LARGEST_FIRST) != reverse)


def _print(view: CostView, listed: list[Billed], target: str, part: str) -> None:
    from console.cli.output import print_table, prose, status_text, styled
    from console.formatting import ago, count
    from console.money import amount, approximate, monthly, so_far

    rows = []
    for row in listed:
        bill = row.bill
        marks = " ".join(row.marks(view.at))
        rows.append(
            [
                bill.name,
                bill.kind,
                status_text(bill.status),
                bill.instances or "–",
                approximate(str(bill.hourly) if bill.hourly else "–", bill.sourced),
                monthly(bill),
                so_far(bill, view.at),
                ago(bill.since, view.at),
                styled(marks, "wait") if marks else _ending(row, view.at),
            ]
        )
    print_table(
        ["NAME", "KIND", "STATUS", "INSTANCES", "PER HOUR", "PER MONTH", "SO FAR", "SINCE", ""],
        rows,
        empty=f"No name of {count(len(view.rows), 'thing')} contains {part!r}."
        if view.rows
        else "Nothing bills: no endpoint, no running job.",
    )
    if view.rows:
        total = view.hourly
        free = "Free here; on AWS it would be " if target == "embedded" else ""
        click.echo()
        if len(listed) < len(view.rows):
            click.echo(f"{len(listed)} of {count(len(view.rows), 'thing')}; the totals are of all.")
        click.echo(
            prose(
                f"{free}{amount(total.dollars)} an hour, {amount(total.month)} a month, {amount(view.so_far)} so far at today's "
                f"sizes (estimate: {view.region} prices of {view.as_of})."
            )
        )
        if total.unknown:
            click.echo(prose(f"Without {', '.join(total.unknown)}: no price is known here."))
        if view.unsourced:
            click.echo(
                prose(
                    "~ rests on a price that many repeat and nobody sources: `mlconsole prices ls` tells which, "
                    "`mlconsole prices refresh --target aws` reads them from AWS."
                )
            )
        for row in listed:
            for text in row.bill.by_use:
                click.echo(prose(f"{row.bill.name}: {text}."))
    for note in view.notes:
        click.echo(prose(note), err=True)


def _ending(row: Billed, now: float) -> str:
    from console.formatting import span

    if row.lifetime.keep:
        return "kept"
    if row.lifetime.expires is not None:
        return f"expires in {span(row.lifetime.expires - now)}"
    return ""


def _document(view: CostView, listed: list[Billed], target: str) -> dict[str, object]:
    return {
        "target": target,
        "region": view.region,
        "prices_as_of": view.as_of,
        "things": len(view.rows),
        "per_hour": view.hourly.dollars,
        "per_month": view.hourly.month,
        "so_far": view.so_far,
        "unknown_prices": view.hourly.unknown,
        "unsourced_prices": view.unsourced,
        "notes": view.notes,
        "resources": [row.as_dict(view.at) for row in listed],
    }
