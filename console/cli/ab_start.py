"""``mlconsole ab create`` and ``forecast``: before an A/B test, and how long one takes."""

from __future__ import annotations

from typing import Any

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

GUARDRAILS = ["model-errors", "4xx", "5xx", "latency"]


@click.command()
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


@click.command()
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
    from console.formatting import duration, grouped
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
            ("looked at once", f"{grouped(once)} requests for a power of 80%"),
            (
                "looked at always",
                f"about {grouped(always)} requests: ended by then with probability .9; plan this (--planned)",
            ),
            (
                "at this traffic",
                f"{duration(seconds['once'])} and {duration(seconds['always'])}" if seconds else "",
            ),
        ]
    )
