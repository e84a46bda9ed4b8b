"""``mlconsole tuning``: hyperparameter tuning jobs. What changes something is in `tuning_start` and `tuning_changes`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from console.cli import tuning_changes, tuning_start
from console.cli.completing import listed, names_of
from console.cli.options import Nouns, Settings, json_option, listing_options, platform_options

if TYPE_CHECKING:
    from workflows.observe.tuning_rows import TuningDetail, TuningRow

STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting", "DeleteFailed"]
TRIAL_STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"]


@click.group(cls=Nouns)
def tuning() -> None:
    """Hyperparameter tuning: start, watch, compare, warm start, deploy the best."""


@tuning.command("ls")
@listing_options("jobs", STATUSES)
@json_option
@platform_options
@click.pass_context
def list_(
    ctx: click.Context,
    status: str | None,
    part: str,
    since: str | None,
    sort: str,
    reverse: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List tuning jobs, newest first, with their best values."""
    from console.cli.output import nothing, print_json, print_table, status_text, tell_more
    from console.cli.values import parse_age
    from console.formatting import ago, duration, number
    from workflows.observe.tuning import describe, list_pages

    platform = Settings.of(ctx).platform()
    rows: list[TuningRow] = []
    for page in list_pages(
        platform,
        status=status or "",
        name_contains=part,
        created_after=None if since is None else time.time() - parse_age(since),
        sort_by={"created": "CreationTime", "name": "Name", "status": "Status"}[sort],
        descending=(sort == "created") != reverse,
    ):
        rows += page
        if len(rows) > limit:
            break
    more = len(rows) > limit
    tell_more(more)
    # The list tells neither the objective nor the best value: what is shown is described.
    rows = [describe(platform, row.name).row for row in rows[:limit]]
    listed(ctx, "tuning-jobs", rows, more=more)
    if as_json:
        print_json(rows)
        return
    now = time.time()
    print_table(
        ["NAME", "STATUS", "STRATEGY", "TRIALS", "OBJECTIVE", "BEST", "CREATED", "DURATION"],
        [
            [
                row.name,
                status_text(row.status),
                row.strategy,
                f"{row.counts.ended}/{row.most_jobs or '?'}",
                row.objective,
                number(row.best_value),
                ago(row.created, now),
                duration(row.seconds(now)),
            ]
            for row in rows
        ],
        empty=nothing("tuning job", bool(status or part or since), "`mlconsole tuning start` starts one."),
    )


@tuning.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Describe a tuning job: limits, ranges, the best trial, time and cost left."""
    from console.cli.output import heading, print_json, print_pairs, print_table
    from console.formatting import number
    from workflows.observe.tuning import view

    now = time.time()
    found = view(Settings.of(ctx).platform(), name, now)
    detail = found.detail
    if as_json:
        print_json(detail.raw)
        return
    print_pairs([*_facts(detail, now), *_outlook(found, now)])
    for definition in detail.definitions:
        heading(f"Searched{f' by {definition.name}' if definition.name else ''}")
        best = detail.best.tuned if detail.best else {}
        print_table(
            ["HYPERPARAMETER", "RANGE", "SCALE", "BEST"],
            [
                [
                    item.name,
                    f"{item.low_text} … {item.high_text}"
                    if item.numeric
                    else ", ".join(item.values) or item.hint,
                    item.scaling if item.numeric else "",
                    best.get(item.name, ""),
                ]
                for item in definition.ranges
            ],
        )
        kept = {key: value for key, value in definition.static.items() if not key.startswith("_")}
        if kept:
            heading("Not searched")
            print_pairs(kept.items())
    if detail.best is not None:
        heading("Best trial")
        print_pairs([("trial", detail.best.name), (detail.best.metric, number(detail.best.value))])


@tuning.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@click.option(
    "--sort",
    default="value",
    show_default=True,
    metavar="COLUMN",
    help="value (best first), name, status, created, duration, cost, or a searched hyperparameter.",
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--status", type=click.Choice(TRIAL_STATUSES, case_sensitive=False), help="Only trials with this status."
)
@click.option("--limit", "-n", type=click.IntRange(min=1), help="At most so many.")
@json_option
@platform_options
@click.pass_context
def trials(
    ctx: click.Context,
    name: str,
    sort: str,
    reverse: bool,
    status: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print the leaderboard: the trials of a tuning job, the best first."""
    from console.cli.output import print_json, print_table, status_text, tell_more
    from console.cli.waiting import money
    from console.formatting import duration, number
    from workflows.observe import tuning as observed
    from workflows.tuning.analysis import leaderboard, ordered

    platform, now = Settings.of(ctx).platform(), time.time()
    detail = observed.describe(platform, name)
    names = [item.name for item in detail.ranges]
    columns = ["value", "name", "status", "created", "duration", "cost", *names]
    if sort not in columns:
        raise click.BadParameter(f"{sort!r} is none of {', '.join(columns)}.", param_hint="--sort")
    rows = observed.trials(platform, detail, now)
    if status:
        rows = tuple(row for row in rows if row.status.lower() == status.lower())
    if sort == "value":
        found = leaderboard(rows, detail.objective.direction if detail.objective else "Minimize")
        rows = tuple(reversed(found)) if reverse else found
    else:
        rows = ordered(rows, sort, now=now, descending=reverse)
    if limit is not None:
        tell_more(len(rows) > limit)
        rows = rows[:limit]
    if as_json:
        print_json(rows)
        return
    print_table(
        ["TRIAL", "STATUS", detail.objective.name if detail.objective else "VALUE", *names, "TOOK", "COST"],
        [
            [
                row.name,
                status_text(row.status) + (" early" if row.early_stopped else ""),
                number(row.value),
                *(_short(row.tuned.get(item, "")) for item in names),
                duration(row.seconds(now)),
                money(row.cost),
            ]
            for row in rows
        ],
        empty="It has no such trial.",
    )


@tuning.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@click.option(
    "--definition",
    default="",
    metavar="NAME",
    help="The training job definition to look at, where there are several.",
)
@json_option
@platform_options
@click.pass_context
def importance(ctx: click.Context, name: str, definition: str, as_json: bool) -> None:
    """Tell which hyperparameters matter, and how sure that is.

    Functional ANOVA on a random forest, with 90% bootstrap intervals; a made-up hyperparameter shows what chance alone gives.
    """
    from console.cli.output import print_json, print_table, prose
    from workflows.observe import tuning as observed
    from workflows.tuning.importance import importance as measure

    platform, now = Settings.of(ctx).platform(), time.time()
    detail = observed.describe(platform, name)
    if definition and all(item.name != definition for item in detail.definitions):
        names = ", ".join(item.name for item in detail.definitions if item.name) or "none with a name"
        raise click.BadParameter(
            f"{definition!r} is none of its definitions: {names}.", param_hint="--definition"
        )
    found = measure(detail, observed.trials(platform, detail, now), definition=definition)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(found) | {"sentence": found.sentence})
        return
    print_table(
        ["HYPERPARAMETER", "SHARE", "90% INTERVAL", ""],
        [
            [
                item.name,
                f"{item.share:.0%}",
                f"{item.low:.0%} … {item.high:.0%}",
                "clear" if item.clear else "may be chance",
            ]
            for item in found.parameters
        ],
    )
    if found.parameters:
        click.echo(
            f"Together, beyond single effects: {found.interactions:.0%}. Chance alone: up to {found.noise:.0%}."
        )
    click.echo(prose(found.sentence))


def _facts(detail: TuningDetail, now: float) -> list[tuple[str, Any]]:
    from console.cli.output import status_text
    from console.formatting import clock, duration

    row, counts = detail.row, detail.row.counts
    kinds = [
        ("running", counts.running),
        ("stopped", counts.stopped),
        ("failed", counts.failed),
        ("retried", counts.retryable),
    ]
    states = ", ".join(
        f"{number} {word}" for word, number in [("completed", counts.completed), *kinds] if number
    )
    ends = [
        f"objective {detail.target_value:g}" if detail.target_value is not None else "",
        f"{detail.most_not_improving} trials without a better one" if detail.most_not_improving else "",
        "convergence" if detail.complete_on_convergence else "",
        duration(detail.max_runtime) if detail.max_runtime else "",
    ]
    objective = detail.objective
    return [
        ("tuning job", detail.name),
        ("status", status_text(row.status)),
        ("failure", detail.failure_reason),
        ("objective", f"{objective.direction} {objective.name}" if objective else ""),
        (
            "strategy",
            row.strategy + (f" {detail.resource[0]} … {detail.resource[1]}" if detail.resource else ""),
        ),
        (
            "trials",
            f"{counts.ended} of {row.most_jobs or '?'} ended, {row.parallel} at a time: {states or 'none yet'}",
        ),
        ("early stopping", detail.early_stopping),
        ("ends at", ", ".join(end for end in ends if end)),
        ("warm start", f"{detail.warm_start} of {', '.join(detail.parents)}" if detail.warm_start else ""),
        ("autotune", "on" if detail.autotune else ""),
        ("converged", clock(detail.converged_at, day=True) if detail.converged_at else ""),
        ("created", clock(row.created, day=True)),
        ("took", duration(row.seconds(now))),
    ]


def _outlook(view: Any, now: float) -> list[tuple[str, Any]]:
    from console.cli.waiting import money
    from console.formatting import duration
    from workflows.tuning.forecast import forecast

    found = forecast(view, now)
    unknown = f"  (no price is known for {', '.join(found.unknown)})" if found.unknown else ""
    pairs = [("cost on AWS", f"about {money(found.cost)} so far{unknown}")]
    if view.detail.row.active and found.seconds_left is not None:
        pairs.append(
            (
                "left",
                f"{duration(found.seconds_left)} ({duration(found.low)} … {duration(found.high)})  {found.basis}",
            )
        )
        pairs.append(("cost left", f"about {money(found.cost_left)}" if found.cost_left is not None else ""))
    return pairs


def _short(text: str) -> str:
    """A hyperparameter's value without the digits that nobody reads."""
    from console.formatting import number

    try:
        return number(float(text)) if len(text) > 8 else text
    except ValueError:
        return text


for command in (*tuning_start.COMMANDS, *tuning_changes.COMMANDS):
    tuning.add_command(command)
