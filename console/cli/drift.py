"""``mlconsole drift``: captured data against a baseline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.drift.report import Change, DriftReport, Side

DRIFTED, TOO_FEW = 3, 4


@click.command()
@click.argument("endpoint")
@click.option("--baseline", "-b", default="first:half", show_default=True, metavar="WHAT", help="FILE, s3://…, job:NAME/CHANNEL, first:N, first:half or before:AGE (earlier parts of the capture).")  # fmt: skip
@click.option("--since", metavar="AGE", help="Only what was captured within this time: 90m, 12h, 7d.")
@click.option("--variant", default="", metavar="NAME", help="Only what this variant was asked.")
@click.option("--column", default="", metavar="NAME", help="The column of the baseline, or the member of JSON requests, that holds texts.")  # fmt: skip
@click.option("--form", type=click.Choice(["text", "table"]), help="What requests are; by default what most of them are.")  # fmt: skip
@click.option("--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True, help="The chance of any false alarm.")  # fmt: skip
@click.option("--looks", type=click.IntRange(min=1), default=1, show_default=True, help="How often you will look and act on it; alpha is divided by it.")  # fmt: skip
@click.option("--rows", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many changes per table.")  # fmt: skip
@click.option("--capture", "place", default="", metavar="URI", help="Where the capture is; by default where the endpoint says.")  # fmt: skip
@json_option
@platform_options
@click.pass_context
def drift(
    ctx: click.Context,
    endpoint: str,
    baseline: str,
    since: str | None,
    variant: str,
    column: str,
    form: str | None,
    alpha: float,
    looks: int,
    rows: int,
    place: str,
    as_json: bool,
) -> int | None:
    """Compare what an endpoint is asked with a baseline, without labels: which words or columns have changed, and whether that is
    more than chance. It reads what data capture has stored.

    \b
    mlconsole drift sentiment --baseline reviews.csv --column review
    mlconsole drift boston --baseline job:boston-xgboost/train --since 1d
    mlconsole drift boston --baseline before:7d --since 1d --looks 30

    Exit status: 0 no drift found, 3 drift, 4 too few records to tell.
    """
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from workflows.drift.operations import drift as compared

    report = compared(
        Settings.of(ctx).platform(),
        endpoint,
        baseline,
        now=time.time(),
        since=None if since is None else parse_age(since),
        variant=variant,
        column=column,
        form=form or "",
        alpha=alpha,
        looks=looks,
        place=place,
    )
    if as_json:
        print_json(_document(report))
    else:
        _print(report, rows)
    return {"drift": DRIFTED, "too-few": TOO_FEW}.get(report.verdict)


def _print(report: DriftReport, most: int) -> None:
    from console.cli.output import heading, print_pairs, print_table, prose, styled

    role = {"drift": "bad", "none": "ok", "too-few": "wait"}[report.verdict]
    print_pairs([("baseline", _side(report.baseline)), ("window", _side(report.window))])
    click.echo(styled(prose(report.sentence), role))
    for family in report.families:
        heading(family.name.capitalize())
        shown = family.changes[:most]
        print_table(
            ["", "NAME", "BEFORE", "NOW", shown[0].measure.upper() if shown else "", "95%", "p", "p ADJUSTED"],
            [_row(change) for change in shown],
            empty="Nothing could be compared.",
        )  # fmt: skip
        left = len(family.changes) - len(shown)
        told = f"{family.looked} looked at, {family.tested} tested, {len(family.drifted)} more than chance"
        click.echo(told + (f"; --rows shows {left} more." if left > 0 else "."), err=True)
    for note in report.notes:
        click.echo(prose(note), err=True)


def _row(change: Change) -> list[str]:
    from console.formatting import number

    share = change.kind != "number"
    name = f"{change.name} = {change.what}" if change.what else change.name
    return [
        "✗" if change.significant else " ",
        name,
        _amount(change.before, share),
        _amount(change.now, share),
        number(change.effect),
        f"{number(change.low)} – {number(change.high)}" if change.low is not None else "–",
        f"{change.p:.2g}",
        f"{change.adjusted:.2g}",
    ]


def _amount(value: float | None, share: bool) -> str:
    from console.formatting import number

    if value is None:
        return "–"
    return f"{value:.1%}" if share else number(value)


def _side(side: Side) -> str:
    from console.formatting import clock, count

    text = f"{count(side.records, 'record')}, {side.source}"
    if side.since is not None and side.until is not None:
        text += f", {clock(side.since, day=True)} to {clock(side.until, day=True)}"
    return text


def _document(report: DriftReport) -> dict[str, object]:
    return {
        "endpoint": report.endpoint,
        "verdict": report.verdict,
        "sentence": report.sentence,
        "form": report.form,
        "baseline": report.baseline,
        "window": report.window,
        "alpha": report.alpha,
        "looks": report.looks,
        "families": report.families,
        "notes": report.notes,
    }
