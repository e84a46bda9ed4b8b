"""``mlconsole transform``: batch transform jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from console.cli import transform_start
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
    from workflows.interfaces.base import Interface
    from workflows.observe.transform_rows import TransformDetail, TransformProgress, TransformRow
    from workflows.platform import Platform

STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
PROGRESS_EVERY = 2.0
"""Seconds between two lines of progress."""


@click.group(cls=Nouns)
def transform() -> None:
    """Batch transform: start, watch, read the result."""


@transform.command("ls")
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
    """List transform jobs, newest first."""
    from console.cli.output import nothing, print_json, print_table, status_text, tell_more
    from console.cli.values import parse_age
    from console.formatting import ago, duration
    from workflows.observe.transforms import list_pages

    rows: list[TransformRow] = []
    for page in list_pages(
        Settings.of(ctx).platform(),
        status=status or "",
        name_contains=part,
        created_after=None if since is None else time.time() - parse_age(since),
        sort_by={"created": "CreationTime", "name": "Name", "status": "Status"}[sort],
        descending=(sort == "created") != reverse,
    ):
        rows += page
        if len(rows) > limit:
            break
    more, rows = len(rows) > limit, rows[:limit]
    tell_more(more)
    listed(ctx, "transforms", rows, more=more)
    now = time.time()
    if as_json:
        print_json([_public(row, now) for row in rows])
        return
    print_table(
        ["NAME", "STATUS", "CREATED", "DURATION", "FAILURE"],
        [
            [
                row.name,
                status_text(row.status),
                ago(row.created, now),
                duration(row.seconds(now)),
                row.failure_reason[:60],
            ]
            for row in rows
        ],
        empty=nothing(
            "transform job", bool(status or part or since), "`mlconsole transform start` starts one."
        ),
    )


@transform.command()
@click.argument("name", shell_complete=names_of("transforms"))
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Describe a transform job and how far it is."""
    from console.cli.output import print_json, print_pairs, status_text
    from console.formatting import clock, duration
    from workflows.budget import PACES
    from workflows.observe.transforms import describe, progress

    platform, now = Settings.of(ctx).platform(), time.time()
    job = describe(platform, name)
    if as_json:
        print_json(job.raw)
        return
    found = progress(platform, job, period=PACES[platform.target].training_period, now=now)
    row = job.row
    print_pairs(
        [
            ("transform job", job.name),
            ("status", status_text(row.status)),
            ("failure", job.failure_reason),
            ("model", row.model),
            ("instances", f"{row.instance_count} × {row.instance_type}"),
            ("input", f"{job.input}{' (manifest)' if job.data_type == 'ManifestFile' else ''}"),
            (
                "content type",
                f"{job.content_type}{f', {job.compression}' if job.compression != 'None' else ''}",
            ),
            ("split", job.split),
            ("output", job.output),
            ("accept", job.accept),
            ("assembled with", job.assemble),
            ("batches", job.strategy),
            ("payload", f"{job.max_payload_mb} MB at most" if job.max_payload_mb is not None else ""),
            ("at the same time", job.max_concurrent or ""),
            ("input filter", job.input_filter),
            ("output filter", job.output_filter),
            ("joined with", job.join if job.join != "None" else ""),
            ("progress", _progress(found)),
            ("created", clock(row.created, day=True)),
            ("ended", clock(row.ended, day=True) if row.ended else ""),
            ("took", duration(row.seconds(now))),
            *((f"environment {key}", value) for key, value in job.environment.items()),
        ]
    )


@transform.command()
@click.argument("name", shell_complete=names_of("transforms"))
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
    """Print the log of a transform job: its container's, and what happened to its records."""
    from console.cli.logs import narrowed, print_log
    from workflows.observe.logs import LogReader
    from workflows.observe.transforms import describe

    wanted = narrowed(since, only)
    platform = Settings.of(ctx).platform()
    describe(platform, name)  # a name that does not exist is an error, not an empty log
    print_log(
        platform,
        LogReader.of_transform(name, tail=lines if wanted is None else None),
        most=lines,
        goes_on=(lambda: describe(platform, name).row.active) if follow else None,
        timestamps=timestamps,
        as_json=as_json,
        wanted=wanted,
    )


@transform.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("transforms"))
@yes_option
@json_option
@platform_options
@click.pass_context
def stop(ctx: click.Context, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Stop transform jobs."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.observe import transforms

    platform = Settings.of(ctx).platform()
    confirm([f"Stop transform job {name}." for name in names], yes=yes)
    with Outcomes(as_json) as outcomes:
        for name in names:
            transforms.stop(platform, name)
            outcomes.tell(name, "stopping", f"Stopping {name}.")


@transform.command()
@click.argument("name", shell_complete=names_of("transforms"))
@json_option
@platform_options
@click.pass_context
def wait(ctx: click.Context, name: str, as_json: bool) -> int | None:
    """Wait until a transform job has ended, with its progress; status 1 unless it completed. Ctrl-C ends the waiting only."""
    with Settings.of(ctx).acting() as (platform, interface):
        return waited(interface, platform, name, as_json)


@transform.command()
@click.argument("name", shell_complete=names_of("transforms"))
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Rows at most."
)
@click.option("--all", "everything", is_flag=True, help="All rows.")
@click.option("--alone", is_flag=True, help="The answers without their records.")
@json_option
@platform_options
@click.pass_context
def output(ctx: click.Context, name: str, limit: int, everything: bool, alone: bool, as_json: bool) -> None:
    """Print the result of a transform job: a record, a tab and its answer per line; objects are told on standard error.

    With --json one object per line: {"input": …, "output": …}.
    """
    from itertools import islice

    from console.cli.output import print_json
    from console.formatting import size
    from workflows.observe import objects
    from workflows.observe.transforms import describe
    from workflows.problem import Problem
    from workflows.transforms.output import pairs, results

    platform = Settings.of(ctx).platform()
    job = describe(platform, name)
    found = results(platform, job)
    if not found:
        raise Problem(
            f"Transform job {name} has made nothing yet: it is {job.row.status}.",
            f"`mlconsole transform show {name}` tells more.",
            "output",
        )
    for item in found:
        click.echo(f"{item.uri}  {size(item.size)}", err=True)
    rows: Iterator[tuple[str, str]]
    if alone:
        rows = (("", line) for item in found for line in objects.lines(platform, item.uri))
    else:
        rows = pairs(platform, job)
    count = None if everything else limit
    for record, answer in islice(rows, count):
        if as_json:
            print_json({"input": record or None, "output": answer})
        else:
            click.echo(f"{record}\t{answer}" if record else answer)
    if count is not None and next(rows, None) is not None:
        click.echo("There are more: --all prints them.", err=True)


def waited(interface: Interface, platform: Platform, name: str, as_json: bool) -> int | None:
    """Print the progress of a transform job until it has ended; returns the exit status where it is not 0."""
    from console.cli.output import harmless_lines, print_json
    from console.cli.waiting import waiter
    from workflows.budget import PACES
    from workflows.observe.transforms import progress
    from workflows.transforms import operations

    told: dict[str, Any] = {"at": 0.0, "line": ""}
    every = PROGRESS_EVERY if platform.target == "embedded" else 60.0

    def news(job: TransformDetail) -> None:
        now = time.time()
        if as_json or (job.row.active and now - told["at"] < every):
            return
        found = progress(platform, job, period=PACES[platform.target].training_period, now=now)
        line = ", ".join(part for part in (job.row.status, _progress(found)) if part)
        if line != told["line"]:
            click.echo(f"{time.strftime('%H:%M:%S')}  {line}")
        told.update(at=now, line=line)

    job = operations.wait(interface.transforms, name, waiter(platform), news)
    if as_json:
        print_json(
            {
                "transform_job": name,
                "status": job.row.status,
                "failure": job.failure_reason,
                "output": job.output,
            }
        )
    elif job.failure_reason:
        click.echo(harmless_lines(job.failure_reason), err=True)
    return None if job.row.status == "Completed" else 1


def _progress(found: TransformProgress) -> str:
    from console.formatting import number, size

    parts = []
    if found.part_done is not None:
        parts.append(f"{found.part_done:.0%}")
    if found.records is not None:
        parts.append(f"{number(found.records)} records")
    if found.bytes is not None:
        parts.append(f"{size(found.bytes)}{f' of {size(found.bytes_total)}' if found.bytes_total else ''}")
    if found.records_per_second:
        parts.append(f"{number(round(found.records_per_second, 1))} records/s")
    return ", ".join(parts)


def _public(row: TransformRow, now: float) -> dict[str, Any]:
    from dataclasses import asdict

    kept = asdict(row)
    for name in ("model", "instance_type", "instance_count"):  # the list does not tell them
        kept.pop(name)
    return kept | {"seconds": round(row.seconds(now), 3)}


transform.add_command(transform_start.start)
