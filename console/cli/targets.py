"""``mlconsole targets``: several accounts and regions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, json_option, listing_options, platform_options

if TYPE_CHECKING:
    from workflows.targets.glance import Glance


SORTS = ("listed", "target", "region", "account", "state", "training", "tuning", "transform", "endpoints", "cost")  # fmt: skip
"""The order of the option, and those of `console.targets.ORDERS`."""


@click.command()
@listing_options("targets", sorts=SORTS, limit=None, since=False)
@json_option
@platform_options
@click.pass_context
def targets(ctx: click.Context, part: str, sort: str, reverse: bool, as_json: bool) -> None:
    """What runs and what serves at several targets: profiles and regions of AWS, and the SageMaker of this machine.

    The option `targets` (MLCONSOLE_TARGETS) names them: embedded, PROFILE, PROFILE@REGION, @REGION, with commas between them. Without it
    they are the present target and the embedded one. Each is asked for four lists, all at the same time; one that does not answer keeps no
    other one waiting. They stand in the order of the option; with --sort the largest numbers and what needs somebody first, and what is not known
    last. Only those that --name leaves are asked. $/H is an estimate from the prices that `mlconsole prices ls` lists; > says that more is up than was looked at.

    Exit status: 0 when at least one target answered, 1 when none did.
    """  # fmt: skip
    from console.cli import patience
    from console.cli.output import print_json
    from console.targets import LARGEST_FIRST, ORDERS
    from console.view import ordered
    from workflows.targets.entries import listed, present
    from workflows.targets.glances import Glances

    configuration = Settings.of(ctx).configuration
    named, here = listed(configuration), present(configuration)
    entries = [entry for entry in named if part.lower() in str(entry).lower()]
    if not entries:
        known = ", ".join(map(str, named))
        raise click.BadParameter(f"No target's name contains {part!r}. There are {known}.", param_hint="--name")  # fmt: skip
    patience.begin(ctx)
    found = {glance.entry: glance for glance in Glances(configuration).look(entries)}
    rows = [found[entry] for entry in entries]
    if sort in ORDERS:
        rows = ordered(rows, ORDERS[sort], (sort in LARGEST_FIRST) != reverse)
    elif reverse:
        rows.reverse()
    if as_json:
        print_json([{**row.as_dict(), "present": row.entry == here} for row in rows])
    else:
        _print(rows, [row.entry == here for row in rows])
    if all(row.problem for row in rows):
        ctx.exit(1)


def _print(rows: list[Glance], here: list[bool]) -> None:
    from console.cli.output import print_table, prose, styled
    from console.targets import endpoints, price, state, tally

    table = []
    for row, current in zip(rows, here, strict=True):
        text, role = state(row)
        numbers = [tally(row.training), tally(row.tuning), tally(row.transform)]
        table.append(
            [
                f"{row.entry} *" if current else str(row.entry),
                row.region or "–",
                row.account or "–",
                styled(text, role),
                *(["–"] * 3 if row.problem else numbers),
                endpoints(row) or "–",
                price(row) or "–",
            ]
        )
    print_table(
        ["TARGET", "REGION", "ACCOUNT", "STATE", "TRAINING", "TUNING", "TRANSFORM", "ENDPOINTS", "$/H"], table
    )
    for row in rows:
        for text in (*([str(row.problem)] if row.problem else []), *row.notes):
            click.echo(prose(f"{row.entry}: {text}"), err=True)
