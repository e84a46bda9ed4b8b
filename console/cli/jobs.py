"""``mlconsole jobs``: training jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from console.cli import jobs_start
from console.cli.completing import listed, names_of
from console.cli.options import (
    Nouns,
    Settings,
    json_option,
    listing_options,
    log_options,
    platform_options,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.observe.rows import JobRow, SeriesData

STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
SORTS = ["created", "modified", "name", "status", "duration"]


@click.group(cls=Nouns)
def jobs() -> None:
    """Training jobs: start, list, describe, logs, metrics, stop."""


jobs.add_command(jobs_start.start)


@jobs.command("ls")
@listing_options("jobs", STATUSES, SORTS)
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
    """List training jobs, newest first."""
    from console.cli.output import nothing, print_json, print_table, status_text, tell_more
    from console.cli.values import parse_age
    from console.formatting import ago, duration
    from workflows.observe.jobs import list_pages

    created_after = None if since is None else time.time() - parse_age(since)
    # SageMaker sorts by these three; for the other orders everything is listed and sorted here.
    served = {"created": "CreationTime", "name": "Name", "status": "Status"}.get(sort)
    descending = (sort in ("created", "modified", "duration")) != reverse
    rows: list[JobRow] = []
    pages = list_pages(
        Settings.of(ctx).platform(),
        status=status or "",
        name_contains=part,
        created_after=created_after,
        sort_by=served or "CreationTime",
        descending=descending if served else True,
    )
    for page in pages:
        rows += page
        if served and len(rows) > limit:
            break
    now = time.time()
    if sort == "modified":
        rows.sort(key=lambda row: row.modified, reverse=descending)
    elif sort == "duration":
        rows.sort(key=lambda row: row.seconds(now), reverse=descending)
    more, rows = len(rows) > limit, rows[:limit]
    tell_more(more)
    listed(ctx, "jobs", rows, more=more)
    if as_json:
        print_json([_public(row, now) for row in rows])
        return
    print_table(
        ["NAME", "STATUS", "DETAIL", "CREATED", "DURATION"],
        [
            [
                row.name,
                status_text(row.status),
                row.secondary_status if row.secondary_status != row.status else "",
                ago(row.created, now),
                duration(row.seconds(now)),
            ]
            for row in rows
        ],
        empty=nothing("training job", bool(status or part or since), "`mlconsole jobs start` starts one."),
    )


@jobs.command()
@click.argument("name", shell_complete=names_of("jobs"))
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Describe a training job."""
    from console.cli.output import heading, print_json, print_pairs, print_table, status_text
    from console.formatting import clock, duration, number
    from workflows.observe.jobs import describe

    job = describe(Settings.of(ctx).platform(), name)
    if as_json:
        print_json(job.raw)
        return
    row = job.row
    print_pairs(
        [
            ("job", job.name),
            (
                "status",
                f"{status_text(row.status)}  {row.secondary_status if row.secondary_status != row.status else ''}",
            ),
            ("failure", job.failure_reason),
            ("image", job.image),
            ("instances", f"{row.instance_count} × {row.instance_type}" if row.instance_type else ""),
            ("created", clock(row.created, day=True)),
            ("ended", clock(row.ended, day=True) if row.ended else ""),
            ("training", duration(job.training_seconds) if job.training_seconds is not None else ""),
            ("billable", duration(job.billable_seconds) if job.billable_seconds is not None else ""),
            ("model", job.model_artifact),
            ("role", job.role),
        ]
    )
    if job.transitions:
        heading("Status")
        print_table(
            ["STATUS", "AT", "TOOK", "MESSAGE"],
            [
                [
                    item.status,
                    clock(item.started),
                    duration(item.ended - item.started if item.ended else None),
                    item.message,
                ]
                for item in job.transitions
            ],
        )
    if job.final_metrics:
        heading("Metrics")
        print_pairs((metric.name, number(metric.value)) for metric in job.final_metrics)
    if job.hyperparameters:
        heading("Hyperparameters")
        print_pairs(job.hyperparameters.items())
    if job.channels:
        heading("Channels")
        print_table(
            ["CHANNEL", "FROM", "MODE"], [[item.name, item.location, item.mode] for item in job.channels]
        )


@jobs.command()
@click.argument("name", shell_complete=names_of("jobs"))
@log_options("the job has ended")
@json_option
@platform_options
@click.pass_context
def logs(
    ctx: click.Context,
    name: str,
    follow: bool,
    lines: int | None,
    since: str | None,
    only: str,
    timestamps: bool,
    as_json: bool,
) -> None:
    """Print the log of a training job."""
    from console.cli.logs import narrowed, print_log
    from workflows.observe.jobs import describe
    from workflows.observe.logs import LogReader

    wanted = narrowed(since, only)
    platform = Settings.of(ctx).platform()
    describe(platform, name)  # a name that does not exist is an error, not an empty log
    print_log(
        platform,
        LogReader.of_job(name, tail=lines if wanted is None else None),
        most=lines,
        goes_on=(lambda: describe(platform, name).row.active) if follow else None,
        timestamps=timestamps,
        as_json=as_json,
        wanted=wanted,
    )


@jobs.command()
@click.argument("name", shell_complete=names_of("jobs"))
@click.option("--points", is_flag=True, help="Print every point instead of a summary.")
@click.option(
    "--log", "logged", is_flag=True, help="Read the whole log: every value that the metric definitions find."
)
@json_option
@platform_options
@click.pass_context
def metrics(ctx: click.Context, name: str, points: bool, logged: bool, as_json: bool) -> None:
    """Print the training metrics of a job.

    CloudWatch has the average of what falls into one period. With --log they are those of the console's charts, value by value.
    """  # fmt: skip
    from console.cli.series import print_series
    from workflows.budget import PACES
    from workflows.observe import curves
    from workflows.observe.jobs import describe
    from workflows.observe.metrics import job_series

    platform = Settings.of(ctx).platform()
    job = describe(platform, name)
    series: Sequence[SeriesData]
    if logged:
        series = curves.of_job(platform, job)
    else:
        series = job_series(platform, job, period=PACES[platform.target].training_period, now=time.time())
    print_series(series, points=points, as_json=as_json, empty=f"Training job {name} has no metrics.")


@jobs.command()
@click.argument("left", shell_complete=names_of("jobs"))
@click.argument("right", shell_complete=names_of("jobs"))
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
@json_option
@platform_options
@click.pass_context
def compare(ctx: click.Context, left: str, right: str, everything: bool, as_json: bool) -> None:
    """Two training jobs side by side: results, hyperparameters, resources, channels; what differs."""
    from dataclasses import asdict

    from console.cli.output import heading, print_json, print_table
    from console.formatting import number
    from workflows.inspecting.comparing import compared
    from workflows.observe.jobs import describe

    platform = Settings.of(ctx).platform()
    pairs = compared(describe(platform, left), describe(platform, right))
    if as_json:
        print_json([{**asdict(pair), "differs": pair.differs, "change": pair.change} for pair in pairs])
        return
    wanted = [pair for pair in pairs if everything or pair.differs]
    if not wanted:
        click.echo("Nothing differs.")
    for section in dict.fromkeys(pair.section for pair in wanted):
        heading(section)
        print_table(
            ["", left, right, "CHANGE"],
            [
                [pair.name, pair.left or "–", pair.right or "–", number(pair.change) if pair.differs and pair.change is not None else ""]
                for pair in wanted
                if pair.section == section
            ],
        )  # fmt: skip


@jobs.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("jobs"))
@yes_option
@json_option
@platform_options
@click.pass_context
def stop(ctx: click.Context, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Stop training jobs. Each gets two minutes to save what it has."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.observe import jobs as observed

    platform = Settings.of(ctx).platform()
    confirm([f"Stop training job {name}." for name in names], yes=yes)
    with Outcomes(as_json) as outcomes:
        for name in names:
            observed.stop(platform, name)
            outcomes.tell(name, "stopping", f"Stopping {name}.")


@jobs.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("jobs"))
@yes_option
@json_option
@platform_options
@click.pass_context
def rm(ctx: click.Context, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete training jobs that have ended. Their artefacts and logs stay."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.observe import jobs as observed

    platform = Settings.of(ctx).platform()
    confirm([f"Delete training job {name}." for name in names], yes=yes)
    with Outcomes(as_json) as outcomes:
        for name in names:
            observed.delete(platform, name)
            outcomes.tell(name, "deleted", f"Deleted {name}.")


def _public(row: Any, now: float) -> dict[str, Any]:
    from dataclasses import asdict

    kept = asdict(row)
    for name in ("instance_type", "instance_count"):  # the list does not tell them
        kept.pop(name)
    return kept | {"seconds": round(row.seconds(now), 3)}
