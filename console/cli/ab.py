"""``mlconsole ab``: A/B tests of an endpoint's variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.cli import ab_feeds
from console.cli.options import Nouns, Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.abtest.report import Report

GUARDRAILS = ["model-errors", "4xx", "5xx", "latency"]


@click.group(cls=Nouns)
def ab() -> None:
    """A/B tests: create, feed, watch, promote the winner."""


@ab.command()
@click.argument("endpoint")
@click.option("--name", default="", help="The test's name; by default the endpoint's and the time.")
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="A variant that takes part; by default all."
)
@click.option(
    "--control", default="", metavar="NAME", help="What the others are compared with; by default the first."
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="NAME=WEIGHT",
    help="A variant's weight; by default as they are, or 1.",
)
@click.option("--metric", default="success", show_default=True, help="What the reward is, as it is shown.")
@click.option(
    "--kind",
    type=click.Choice(["rate", "mean", "log"]),
    default="rate",
    show_default=True,
    help="Rewards of 0 and 1; any numbers; positive numbers whose ratio matters.",
)
@click.option("--lower", is_flag=True, help="A lower reward is better.")
@click.option(
    "--margin",
    type=float,
    default=0.0,
    metavar="M",
    help="Differences up to it do not matter: 0.01 is a percentage point of a rate.",
)
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, help="The probability of a wrong verdict."
)
@click.option(
    "--planned",
    type=int,
    default=10_000,
    show_default=True,
    metavar="N",
    help="Rewarded requests about which the interval is tightest.",
)
@click.option(
    "--guardrail",
    "guardrails",
    multiple=True,
    type=click.Choice([*GUARDRAILS, "none"]),
    help="What must not get worse; by default all.",
)
@click.option(
    "--maturity",
    default="0s",
    show_default=True,
    metavar="AGE",
    help="How old a request must be to count: 30s, 10m, 1d.",
)
@click.option(
    "--missing",
    type=click.Choice(["ignore", "zero"]),
    default="ignore",
    show_default=True,
    help="A matured request without a reward.",
)
@click.option("--sticky", is_flag=True, help="Users are assigned by their hashed id, and count once each.")
@yes_option
@json_option
@interface_option
@platform_options
@click.pass_context
def create(
    ctx: click.Context,
    endpoint: str,
    name: str,
    variants: tuple[str, ...],
    control: str,
    weights: tuple[str, ...],
    metric: str,
    kind: Any,
    lower: bool,
    margin: float,
    alpha: float,
    planned: int,
    guardrails: tuple[str, ...],
    maturity: str,
    missing: Any,
    sticky: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Start an A/B test: its variants get their weights, and requests from then on count.

    \b
    mlconsole ab create spam --control linear --metric accuracy --margin 0.01
    mlconsole ab create spam --weight linear=9 --weight xgboost=1 --maturity 1h
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from workflows.abtest import drafting, operations

    with Settings.of(ctx).acting() as (platform, interface):
        made = drafting.draft(
            platform,
            endpoint,
            name=name,
            variants=variants,
            control=control,
            weights=drafting.parse_weights(weights),
            metric=metric,
            kind=kind,
            direction="lower" if lower else "higher",
            margin=margin,
            alpha=alpha,
            planned=planned,
            guardrails=tuple(item for item in guardrails if item != "none") if guardrails else None,
            maturity=parse_age(maturity) if maturity not in ("0", "0s") else 0.0,
            missing=missing,
            sticky=sticky,
        )
        confirm(drafting.sentences(made), yes=yes)
        operations.start(platform, interface.rollouts, made)
    if as_json:
        print_json(made.as_dict())
        return
    click.echo(f"A/B test {made.name} is running on endpoint {endpoint}.")
    click.echo(
        f"Feed it with `mlconsole ab replay {made.name} FILE --label COLUMN` or `mlconsole ab feed {made.name} FILE`.",
        err=True,
    )


@ab.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all A/B tests of this machine, the newest first."""
    from console import verdicts
    from console.cli.output import print_json, print_table, styled
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
                f"{report.requests:,}".replace(",", " "),
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
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Tell where an A/B test stands."""
    from console.cli.output import print_json
    from workflows.abtest.following import follower

    found = follower(name).report()
    if as_json:
        print_json(found.as_dict())
    else:
        print_report(found)


def print_report(report: Report) -> None:
    """The report as tables."""
    from console import verdicts
    from console.cli.output import heading, print_pairs, print_table, styled
    from console.formatting import clock, number
    from workflows.abtest.report import ODDITIES

    one, chip, split = report.experiment, verdicts.chip(report), verdicts.split_chip(report)
    ended = {
        "stopped": "",
        "promoted": f" {report.outcome.get('winner', '')} ({report.outcome.get('how', '')})",
    }
    print_pairs(
        [
            ("A/B test", one.name),
            ("endpoint", f"{one.endpoint} ({one.target})"),
            ("state", f"{report.state}{ended.get(report.state, '')}"),
            ("verdict", styled(str(chip), chip.role)),
            (
                "split",
                styled(str(split), split.role)
                + f", evidence against it {verdicts.evidence(report.split_evidence)}",
            ),
            ("started", clock(report.started, day=True)),
            (
                "requests",
                f"{report.requests} ({report.rewarded} count{f', {report.maturing} mature' if report.maturing else ''})",
            ),
        ]
    )
    heading(f"Variants, by {one.metric}")
    print_table(
        [
            "VARIANT",
            "TRAFFIC",
            "REQUESTS",
            "SEEN",
            "REWARDED",
            one.metric.upper(),
            "LATENCY ms",
            "MODEL ERR",
            "4xx",
            "5xx",
        ],
        [
            [
                arm.variant + (" (control)" if arm.variant == one.control else ""),
                f"{arm.share:.0%}",
                str(arm.requests),
                f"{arm.seen:.1%}",
                str(arm.rewarded),
                verdicts.value(one, arm.value),
                number(arm.latency),
                *(str(arm.failures[name]) for name in ("model-errors", "4xx", "5xx")),
            ]
            for arm in report.arms
        ],
    )
    heading(f"Against {one.control}: {(1 - report.comparisons[0].alpha):.4g} confidence at all times")
    print_table(
        ["VARIANT", "DIFFERENCE", "SEQUENCE", "EVIDENCE", "p", "VERDICT"],
        [
            [
                item.variant,
                verdicts.difference(one, item.value) if item.n else "–",
                verdicts.interval(one, item),
                verdicts.evidence(item.evidence),
                f"{item.p:.3g}",
                str(verdicts.of_one(item.verdict)),
            ]
            for item in report.comparisons
        ],
    )
    for item in report.comparisons:
        likely = f"; P(better) {verdicts.percent(item.posterior)}*" if item.posterior is not None else ""
        click.echo(f"{item.variant}: {verdicts.sight(report, item)}{likely}")
    click.echo("* describes the data so far; peeking at it errs half of the time, at the verdict not.")
    if report.guardrails:
        heading("Guardrails")
        print_table(
            ["VARIANT", "GUARDRAIL", "RATIO", "EVIDENCE", "STATE"],
            [
                [
                    item.variant,
                    item.name,
                    verdicts.ratio(item),
                    verdicts.evidence(item.evidence),
                    str(verdicts.of_guardrail(item)),
                ]
                for item in report.guardrails
            ],
        )
    if report.oddities:
        heading("Odd")
        print_pairs([(str(number_of), ODDITIES[what]) for what, number_of in report.oddities.items()])


@ab.command()
@click.argument("name")
@click.argument("weights", nargs=-1, required=True, metavar="VARIANT=WEIGHT...")
@yes_option
@interface_option
@platform_options
@click.pass_context
def weigh(ctx: click.Context, name: str, weights: tuple[str, ...], yes: bool) -> None:
    """Change the variants' weights in mid-test; what was counted stays, and stays valid."""
    from console.cli.asking import confirm
    from workflows.abtest import drafting, operations

    wanted = drafting.parse_weights(weights)
    confirm([f"Set {', '.join(f'{variant} to {weight:g}' for variant, weight in wanted.items())}."], yes=yes)
    with Settings.of(ctx).acting() as (platform, interface):
        found = operations.weigh(platform, interface.rollouts, name, wanted)
    click.echo(", ".join(f"{arm.variant} {arm.share:.0%}" for arm in found.arms))


@ab.command()
@click.argument("name")
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
@click.argument("name")
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
@click.argument("name")
@yes_option
def rm(name: str, yes: bool) -> None:
    """Delete an A/B test that has ended, with all that it counted."""
    from console.cli.asking import confirm
    from workflows.abtest import operations

    confirm([f"Delete A/B test {name} with its journal. Its endpoint stays as it is."], yes=yes)
    operations.remove(name)
    click.echo(f"Deleted {name}.")


@ab.command()
@click.argument("name", default="")
@click.option("--rate", type=float, metavar="P", help="The control's rate.")
@click.option(
    "--effect", type=float, metavar="D", help="The difference to be found: 0.01 is a percentage point."
)
@click.option(
    "--share", type=float, default=0.5, show_default=True, help="The challenger's part of the traffic."
)
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, help="The probability of a wrong verdict."
)
@click.option("--per-second", type=float, metavar="N", help="Rewarded requests per second.")
@json_option
def forecast(
    name: str,
    rate: float | None,
    effect: float | None,
    share: float,
    alpha: float,
    per_second: float | None,
    as_json: bool,
) -> None:
    """How many requests a verdict takes: of a running test, or before one starts.

    \b
    mlconsole ab forecast spam-ab
    mlconsole ab forecast --rate 0.90 --effect 0.02 --per-second 5
    """
    from console import verdicts
    from console.cli.output import print_json, print_pairs
    from console.formatting import duration
    from workflows.abtest.following import follower
    from workflows.statistics import forecast as formulas

    if name:
        report = follower(name).report()
        if as_json:
            print_json(
                [
                    {
                        "variant": item.variant,
                        "left": item.left,
                        "seconds": item.seconds,
                        "outcome": item.outcome,
                        "missing": item.missing,
                    }
                    for item in report.comparisons
                ]
            )
        else:
            print_pairs([(item.variant, verdicts.sight(report, item)) for item in report.comparisons])
        return
    if rate is None or effect is None:
        raise click.UsageError("Give the name of a test, or --rate and --effect.")
    if not (0 < rate < 1 and 0 < rate + effect < 1 and effect and 0 < share < 1 and 0 < alpha < 0.5):
        raise click.UsageError(
            "Rates and the share lie between 0 and 1, the effect is not 0, and alpha is below 0.5."
        )
    once = formulas.fixed_sample(rate, effect, share, alpha)
    always = formulas.sequential_sample(once)
    seconds = {what: n / per_second for what, n in (("once", once), ("always", always))} if per_second else {}
    if as_json:
        print_json({"once": once, "always": always, "seconds": seconds})
        return
    print_pairs(
        [
            ("looked at once", f"{once:,} requests for a power of 80 %".replace(",", " ")),
            (
                "looked at always",
                f"about {always:,} requests: ended by then with probability .9; plan this (--planned)".replace(
                    ",", " "
                ),
            ),
            (
                "at this traffic",
                f"{duration(seconds['once'])} and {duration(seconds['always'])}" if seconds else "",
            ),
        ]
    )


ab.add_command(ab_feeds.feed)
ab.add_command(ab_feeds.replay)
ab.add_command(ab_feeds.watch)
