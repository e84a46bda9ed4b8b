"""``mlconsole endpoints``: endpoints."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from console.cli import endpoint_watch
from console.cli.completing import listed, names_of
from console.cli.endpoints_create import create
from console.cli.endpoints_ttl import ttl
from console.cli.options import (
    Nouns,
    Settings,
    json_option,
    listing_options,
    narrowing_options,
    platform_options,
    yes_option,
)

if TYPE_CHECKING:
    from workflows.observe.rows import EndpointDetail
    from workflows.platform import Platform

STATUSES = [
    "InService",
    "Creating",
    "Updating",
    "Failed",
    "Deleting",
    "OutOfService",
    "RollingBack",
    "SystemUpdating",
]
CONTENT_TYPES = {
    ".csv": "text/csv", ".json": "application/json", ".jsonl": "application/jsonlines", ".npy": "application/x-npy",
    ".txt": "text/plain", ".libsvm": "text/libsvm",
}  # fmt: skip


@click.group(cls=Nouns)
def endpoints() -> None:
    """Endpoints: create, list, describe, invoke, logs, metrics, weights, captures, alarms, scaling, lifetime, delete."""


@endpoints.command("ls")
@listing_options("endpoints", STATUSES, limit=50, since=False)
@click.option("--costs", "with_costs", is_flag=True, help="Describe each, and tell what it costs on AWS.")
@json_option
@platform_options
@click.pass_context
def list_(
    ctx: click.Context,
    status: str | None,
    part: str,
    sort: str,
    reverse: bool,
    limit: int,
    with_costs: bool,
    as_json: bool,
) -> None:
    """List endpoints, newest first."""
    from console.cli.output import nothing, print_json, print_table, status_text, tell_more
    from console.formatting import ago
    from console.money import hourly, monthly
    from workflows.costs.bills import of_endpoint
    from workflows.observe.endpoints import describe, list_pages
    from workflows.observe.rows import EndpointRow

    rows: list[EndpointRow] = []
    served = {"created": "CreationTime", "name": "Name", "status": "Status"}[sort]
    platform = Settings.of(ctx).platform()
    for page in list_pages(
        platform,
        status=status or "",
        name_contains=part,
        sort_by=served,
        descending=(sort == "created") != reverse,
    ):
        rows += page
        if len(rows) > limit:
            break
    more, rows = len(rows) > limit, rows[:limit]
    tell_more(more)
    listed(ctx, "endpoints", rows, more=more)
    bills = {row.name: of_endpoint(describe(platform, row.name)) for row in rows if with_costs}
    if as_json:
        print_json(
            [
                {**asdict(row), "per_hour": bill.hourly.dollars, "per_month": bill.hourly.month, "unknown_prices": bill.hourly.unknown}
                if (bill := bills.get(row.name))
                else row
                for row in rows
            ]
        )  # fmt: skip
        return
    now = time.time()
    print_table(
        ["NAME", "STATUS", "CREATED", "CHANGED", *(["PER HOUR", "PER MONTH"] if with_costs else [])],
        [
            [
                row.name,
                status_text(row.status),
                ago(row.created, now),
                ago(row.modified, now),
                *([hourly(bills[row.name]), monthly(bills[row.name])] if with_costs else []),
            ]
            for row in rows
        ],
        empty=nothing("endpoint", bool(status or part), "`mlconsole endpoints create` makes one."),
    )


@endpoints.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Describe an endpoint and its variants."""
    from console.cli.output import heading, print_json, print_pairs, print_table, status_text
    from console.formatting import clock, number
    from workflows.observe.endpoints import describe
    from workflows.observe.rows import DELETED_CONFIG

    platform = Settings.of(ctx).platform()
    found = describe(platform, name)
    if as_json:
        print_json({**found.raw, "EndpointConfig": found.raw_config})
        return
    print_pairs(
        [
            ("endpoint", found.name),
            ("status", status_text(found.row.status)),
            ("failure", found.failure_reason),
            ("config", f"{found.config}. {DELETED_CONFIG}" if found.config_deleted else found.config),
            ("created", clock(found.row.created, day=True)),
            ("changed", clock(found.row.modified, day=True)),
        ]
    )
    _print_bill(platform, found)
    heading("Variants")
    print_table(
        ["VARIANT", "MODEL", "INSTANCES", "WEIGHT", "TRAFFIC", "STATUS"],
        [
            [
                item.name,
                item.model or "?",
                f"serverless, {item.memory} MB"
                if item.memory
                else f"{item.current_count or item.desired_count} × {item.instance_type or '?'}",
                number(item.current_weight),
                f"{item.share:.0%}",
                item.status or "–",
            ]
            for item in found.variants
        ],
    )


@endpoints.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--data", "-d", metavar="TEXT", help="The payload.")
@click.option(
    "--file", "-f", "source", type=click.File("rb"), help="The payload's file; - is standard input."
)
@click.option(
    "--content-type",
    "-c",
    metavar="TYPE",
    help="By default by the file's name, else by the payload, else text/csv.",
)
@click.option("--accept", "-a", default="", metavar="TYPE", help="The wanted type of the answer.")
@click.option("--variant", default="", metavar="NAME", help="Ask this variant.")
@click.option("--inference-id", default="", metavar="ID", help="An id to join the answer with its outcome.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to a file."
)
@json_option
@platform_options
@click.pass_context
def invoke(
    ctx: click.Context,
    name: str,
    data: str | None,
    source: IO[bytes] | None,
    content_type: str | None,
    accept: str,
    variant: str,
    inference_id: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Send a payload to an endpoint and print the answer.

    \b
    mlconsole endpoints invoke moons -d '0.5,0.2'
    mlconsole endpoints invoke moons -f points.csv -a application/json
    """
    from console.cli.output import print_json
    from workflows.observe.endpoints import invoke as ask

    if (data is None) == (source is None):
        raise click.UsageError("Give the payload with --data or with --file, not both.")
    payload = source.read() if source is not None else (data or "").encode()
    chosen = content_type or guess_content_type(str(getattr(source, "name", "")), payload)
    answer = ask(
        Settings.of(ctx).platform(),
        name,
        payload,
        content_type=chosen,
        accept=accept,
        target_variant=variant,
        inference_id=inference_id,
    )
    if output is not None:
        output.write_bytes(answer.body)
    if as_json:
        print_json(
            {
                "body": None if output else answer.text,
                "content_type": answer.content_type,
                "variant": answer.variant,
                "milliseconds": round(answer.milliseconds, 2),
            }
        )
        return
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.body)
        sys.stdout.buffer.flush()
        if sys.stdout.isatty() and not answer.body.endswith(b"\n"):
            click.echo()
    click.echo(
        f"{answer.variant or name} answered in {answer.milliseconds:.1f} ms ({answer.content_type})", err=True
    )


@endpoints.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "--lines", "-n", type=click.IntRange(min=1), default=100, show_default=True, help="Lines from the end."
)
@narrowing_options
@click.option("--timestamps", "-t", is_flag=True, help="Begin each line with its time.")
@json_option
@platform_options
@click.pass_context
def logs(
    ctx: click.Context,
    name: str,
    follow: bool,
    lines: int,
    since: str | None,
    only: str,
    timestamps: bool,
    as_json: bool,
) -> None:
    """Print the log of an endpoint; it stays after the endpoint was deleted."""
    from console.cli.logs import narrowed, print_log
    from workflows.observe.endpoints import describe
    from workflows.observe.logs import LogReader

    platform = Settings.of(ctx).platform()
    wanted = narrowed(since, only)
    reader = LogReader.of_endpoint(name, tail=lines if wanted is None else None)
    if not reader.read_streams(platform):
        describe(platform, name)  # neither a log nor an endpoint: say so
    print_log(
        platform,
        reader,
        most=lines,
        goes_on=(lambda: True) if follow else None,
        timestamps=timestamps,
        as_json=as_json,
        wanted=wanted,
    )


@endpoints.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--window", default="1h", show_default=True, metavar="AGE", help="How far back: 15m, 3h, 1d.")
@json_option
@platform_options
@click.pass_context
def metrics(ctx: click.Context, name: str, window: str, as_json: bool) -> None:
    """Print what each variant of an endpoint has served."""
    from console.cli.output import print_json, print_table
    from console.cli.values import parse_age
    from console.formatting import number
    from console.variants import titled
    from workflows.budget import PACES
    from workflows.observe.endpoints import describe
    from workflows.observe.metrics import endpoint_traffic

    platform = Settings.of(ctx).platform()
    traffic = endpoint_traffic(
        platform,
        name,
        describe(platform, name).meters,
        window=max(60.0, parse_age(window)),
        period=PACES[platform.target].traffic_period,
        now=time.time(),
    )
    if as_json:
        print_json(traffic)
        return
    print_table(
        [
            "VARIANT",
            "CALLS",
            "PER MINUTE",
            "MEAN ms",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "4xx",
            "5xx",
            "MODEL ERRORS",
        ],
        [
            [
                titled(item),
                number(item.invocations),
                number(item.per_minute),
                number(item.latency_mean),
                number(item.latency_p50),
                number(item.latency_p90),
                number(item.latency_p99),
                number(item.errors_4xx),
                number(item.errors_5xx),
                number(item.model_errors),
            ]
            for item in traffic.variants
        ],
    )


@endpoints.command()
@click.argument("name", shell_complete=names_of("endpoints"))
@click.option("--only-endpoint", is_flag=True, help="Keep its configuration and its models.")
@yes_option
@json_option
@platform_options
@click.pass_context
def delete(ctx: click.Context, name: str, only_endpoint: bool, yes: bool, as_json: bool) -> None:
    """Delete an endpoint with its configuration and its models, as far as nothing else uses them."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.observe import endpoints as observed
    from workflows.observe.rows import DeletionPlan

    platform = Settings.of(ctx).platform()
    plan = observed.plan_deletion(platform, name)
    if only_endpoint:
        plan = DeletionPlan(endpoint=name)
    confirm(plan.sentences, yes=yes)
    done = observed.delete(platform, plan)
    if as_json:
        print_json({"endpoint": name, "deleted": done, "kept": plan.kept})
        return
    for sentence in done:
        click.echo(sentence)
    for kept in plan.kept:
        click.echo(f"Kept {kept}.")


for _command in (endpoint_watch.weights, endpoint_watch.scale, endpoint_watch.captures, endpoint_watch.alarms, endpoint_watch.scaling):  # fmt: skip
    endpoints.add_command(_command)
endpoints.add_command(create)
endpoints.add_command(ttl)


def _print_bill(platform: Platform, found: EndpointDetail) -> None:
    """What it bills, whether anybody calls it, when it expires."""
    from console.cli.output import print_pairs, prose
    from console.formatting import clock
    from console.money import hourly, monthly, so_far
    from workflows import costs, lifetime
    from workflows.costs.activity import of_endpoints
    from workflows.costs.bills import of_endpoint

    now, bill = time.time(), of_endpoint(found)
    told = lifetime.of_tags(lifetime.tags_of(platform, found.arn))
    until = clock(told.expires, day=True) if told.expires else "kept" if told.keep else ""
    amounts = ""
    if bill.hourly.dollars:
        amounts = (
            f"{hourly(bill)}, {monthly(bill)} a month, {so_far(bill, now)} so far (estimate: {costs.basis()})"
        )
    elif bill.hourly.unknown:
        amounts = f"no price is known here for {', '.join(bill.hourly.unknown)}"
    print_pairs(
        [
            ("on AWS", amounts),
            ("by use", "; ".join(bill.by_use)),
            ("fleets", "both are billed until the update is done" if bill.both_fleets else ""),
            ("calls", prose(of_endpoints(platform, [found], now=now)[found.name].reason)),
            ("expires", f"{until} (over)" if told.expired(now) else until),
        ]
    )


def guess_content_type(name: str, payload: bytes) -> str:
    """By the file's ending; else JSON when the payload looks like it, else text/csv."""
    known = CONTENT_TYPES.get(Path(name).suffix.lower())
    if known:
        return known
    if payload.startswith(b"\x93NUMPY"):
        return "application/x-npy"
    return "application/json" if payload.lstrip()[:1] in (b"{", b"[") else "text/csv"
