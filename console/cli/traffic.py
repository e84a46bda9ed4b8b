"""``mlconsole traffic``: replay requests at an endpoint, and what that has measured."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from console.cli.interrupting import interrupting
from console.cli.options import Nouns, Settings, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.traffic.plan import Plan
    from workflows.traffic.reports import Report
    from workflows.traffic.summary import Summary


@click.group(cls=Nouns)
def traffic() -> None:
    """Replay requests at an endpoint at a planned rate, and measure the answers."""


@traffic.command()
@click.argument("endpoint")
@click.option(
    "--file",
    "-f",
    "place",
    default="",
    metavar="PATH|S3_URI",
    help="CSV, JSON lines, text: a request per line. Else, and in a folder, one per file.",
)
@click.option("--data", "-d", "text", default="", metavar="TEXT", help="The payload; several on lines.")
@click.option("--captured", is_flag=True, help="Send what the endpoint has captured.")
@click.option(
    "--content-type", "-c", default="", metavar="TYPE", help="By default by the file's name, else text/csv."
)
@click.option("--label", default="", metavar="COLUMN", help="The column of the true answers: it is not sent.")
@click.option(
    "--key", default="", metavar="COLUMN", help="The column of whose request it is: it is not sent."
)
@click.option("--header/--no-header", default=None, help="Whether a CSV file begins with its columns' names.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take so many payloads only.")
@click.option("--shuffle", is_flag=True, help="In random order.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random order.")
@click.option("--rate", "-r", type=float, metavar="PER_SECOND", help="By default as fast as answers come.")
@click.option(
    "--concurrency", "-n", type=int, default=8, show_default=True, help="Requests under way at most."
)
@click.option("--for", "-t", "duration", metavar="TIME", help="How long: 60s, 10m.")
@click.option("--requests", type=int, metavar="N", help="How many requests.")
@click.option("--ramp", metavar="TIME", help="Grow from 0 to the rate within this time, before --for begins.")
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="STEP",
    help="RATE@TIME, FROM..TO@TIME, RATE@REQUESTS; max is a rate. Repeat it; instead of the five above.",
)
@click.option("--variant", default="", metavar="NAME", help="Ask this variant.")
@click.option("--detach", is_flag=True, help="Go on in a process of its own, and return at once.")
@yes_option
@json_option
@platform_options
@click.pass_context
def run(
    ctx: click.Context,
    endpoint: str,
    place: str,
    text: str,
    captured: bool,
    content_type: str,
    label: str,
    key: str,
    header: bool | None,
    limit: int | None,
    shuffle: bool,
    seed: int,
    rate: float | None,
    concurrency: int,
    duration: str | None,
    requests: int | None,
    ramp: str | None,
    steps: tuple[str, ...],
    variant: str,
    detach: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Replay requests at an endpoint. Ctrl-C ends it with its summary.

    Payloads are sent in their order, again and again. Latency counts from the moment at which the plan wants a request
    sent, so that a slow endpoint cannot slow down what measures it. Without --for, --requests and --step it goes on until
    Ctrl-C. Exit status 1: requests have failed.

    \b
    mlconsole traffic run moons --file test.csv --label y --rate 50 --for 60s
    mlconsole traffic run moons --captured --step 10..100@60s --step 100@5m
    mlconsole traffic run moons --data '0.5,0.2' --requests 1000 --concurrency 16
    """
    from console.cli.asking import confirm
    from console.cli.values import parse_age
    from workflows.traffic import bill, reports
    from workflows.traffic.plan import Plan, parse_step
    from workflows.traffic.replay import Replay
    from workflows.traffic.sources import CAPTURED, Reading, Source

    if sum(map(bool, (place, text, captured))) != 1:
        raise click.UsageError("Give the payloads with one of --file, --data and --captured.")
    if steps and any(value is not None for value in (rate, duration, requests, ramp)):
        raise click.UsageError("--step stands instead of --rate, --for, --requests and --ramp.")
    plan = (
        Plan(tuple(parse_step(step) for step in steps), concurrency)
        if steps
        else Plan.steady(
            rate,
            seconds=parse_age(duration, "--for") if duration else None,
            requests=requests,
            ramp=parse_age(ramp, "--ramp") if ramp else None,
            concurrency=concurrency,
        )
    )
    reading = Reading(
        label=label,
        key=key,
        header=header,
        content_type=content_type,
        most=limit or 0,
        seed=seed if shuffle else None,
    )
    source = Source(place=CAPTURED if captured else _absolute(place), text=text, reading=reading)
    settings = Settings.of(ctx)
    configuration = settings.configuration
    platform = settings.platform()
    payloads = source.load(platform, endpoint)
    confirmed = ""
    if platform.target != "embedded":
        mean = sum(len(payload.body) for payload in payloads) / len(payloads)
        found = bill.of(platform, endpoint, plan, payload_bytes=mean)
        confirm(found.sentences, yes=yes)
        confirmed = found.confirmation
    report = reports.begin(
        endpoint,
        plan,
        source,
        configuration,
        region=platform.region,
        variant=variant,
        confirmed=confirmed,
    )
    if detach:
        reports.start(report, configuration)
        _print_started(report, as_json)
        return 0
    stop = threading.Event()
    replay = Replay(
        platform,
        endpoint,
        payloads,
        plan,
        stop=stop,
        target_variant=variant or None,
        confirmed=confirmed,
    )
    with interrupting(stop), _progress(plan) as on_progress:
        summary = reports.carry_out(report, replay, stop, on_progress=on_progress)
    _print_report(report, as_json)
    return 1 if summary.failed else 0


@traffic.command("ls")
@click.option("--endpoint", default="", metavar="NAME", help="Only those of this endpoint.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@json_option
def list_(endpoint: str, limit: int, as_json: bool) -> None:
    """List the replays on this machine, newest first."""
    import time

    from console.cli.output import print_json, print_table, status_text, tell_more
    from console.formatting import ago, number
    from workflows.traffic import reports

    everything = [report for report in reports.list_reports() if endpoint in ("", report.endpoint)]
    found = everything[:limit]
    tell_more(len(everything) > limit)
    if as_json:
        print_json([_told(report) for report in found])
        return
    now = time.time()
    rows = []
    for report in found:
        summary = report.summary
        cells = ["–"] * 4
        if summary is not None:
            cells = [
                number(summary.answers),
                f"{summary.rate:.1f}/s",
                number(summary.latency.p99),
                number(summary.failed),
            ]
        rows.append([report.id, report.endpoint, status_text(report.status), ago(report.created, now), *cells])  # fmt: skip
    print_table(
        ["ID", "ENDPOINT", "STATUS", "BEGAN", "ANSWERS", "RATE", "p99 ms", "ERRORS"],
        rows,
        empty="There is no replay yet. `mlconsole traffic run` makes one.",
    )


@traffic.command()
@click.argument("report")
@json_option
def show(report: str, as_json: bool) -> None:
    """Show what a replay has measured: an id, its beginning or end, or last."""
    from workflows.traffic import reports

    _print_report(reports.find(report), as_json)


@traffic.command()
@click.argument("report")
@json_option
def stop(report: str, as_json: bool) -> None:
    """End a replay that goes on; its report stays."""
    from console.cli.output import Outcomes
    from workflows.traffic import reports

    found = reports.find(report)
    with Outcomes(as_json) as outcomes:
        reports.stop(found)
        outcomes.tell(found.id, "stopping", f"Asked {found.id} to end.")


@traffic.command()
@click.argument("report")
@yes_option
@json_option
def delete(report: str, yes: bool, as_json: bool) -> None:
    """Delete the report of a replay that has ended."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.traffic import reports

    found = reports.find(report)
    confirm([f"Delete the report {found.id}."], yes=yes)
    with Outcomes(as_json) as outcomes:
        reports.delete(found)
        outcomes.tell(found.id, "deleted", f"Deleted report {found.id}.")


def _absolute(place: str) -> str:
    """A path that another process finds, too."""
    from pathlib import Path

    return place if not place or place.startswith("s3://") else str(Path(place).expanduser().absolute())


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[Summary], None] | None]:
    """Draws a line of progress on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    import shutil

    def draw(summary: Summary) -> None:
        width = max(20, shutil.get_terminal_size().columns - 1)
        click.echo("\r" + progress_text(summary, plan)[:width].ljust(width), nl=False, err=True)

    try:
        yield draw
    finally:
        width = max(20, shutil.get_terminal_size().columns - 1)
        click.echo("\r" + " " * width + "\r", nl=False, err=True)


def progress_text(summary: Summary, plan: Plan) -> str:
    """``12 s of 60 s  598 answers  49.8/s  p50 3.1 ms  p99 9.0 ms  2 errors``."""
    from console.formatting import number, span

    of = f" of {span(plan.seconds)}" if plan.seconds else ""
    recent = summary.moments[-4:-1] or summary.moments
    seconds = sum(moment.seconds for moment in recent)
    rate = sum(moment.answers for moment in recent) / seconds if seconds else 0.0
    parts = [
        f"{span(summary.seconds)}{of}",
        f"{number(summary.answers)} answers",
        f"{rate:.1f}/s",
        f"p50 {number(summary.latency.p50)} ms",
        f"p99 {number(summary.latency.p99)} ms",
        f"{number(summary.failed)} errors",
    ]
    return "  ".join(parts)


def _told(report: Report) -> dict[str, Any]:
    """A report as ``--json`` prints it: without what is needed to start its process."""
    return {name: value for name, value in report.as_dict().items() if name not in ("configuration", "confirmed", "pid", "pid_started")}  # fmt: skip


def _print_started(report: Report, as_json: bool) -> None:
    from console.cli.output import print_json

    if as_json:
        print_json(_told(report))
    else:
        click.echo(
            f"Started {report.id}. `mlconsole traffic show {report.id}` tells how it goes, "
            f"`mlconsole traffic stop {report.id}` ends it."
        )


def _print_report(report: Report, as_json: bool) -> None:
    from console.cli.output import heading, print_json, print_pairs, print_table, status_text
    from console.formatting import clock, duration, number
    from workflows.traffic.summary import advice

    if as_json:
        print_json(json.loads(json.dumps(_told(report))))
        return
    summary = report.summary
    pairs: list[tuple[str, str]] = [
        ("replay", report.id),
        ("endpoint", report.endpoint + (f", variant {report.variant}" if report.variant else "")),
        ("status", status_text(report.status)),
        ("why", report.message),
        ("began", clock(report.created, day=True)),
        ("plan", str(report.plan)),
        ("sends", str(report.source)),
    ]
    if summary is None:
        print_pairs(pairs)
        return
    asked = f" of {summary.asked_rate:.1f}/s asked" if summary.asked_rate is not None else ""
    pairs += [
        ("took", duration(summary.seconds)),
        ("requests", f"{number(summary.answers)}, {summary.rate:.1f}/s{asked}"),
        ("errors", ", ".join(f"{count} {code}" for code, count in summary.errors.items()) or "none"),
    ]
    if summary.unsent:
        pairs.append(("not sent", f"{number(summary.unsent)}: no connection was free when they were due"))
    print_pairs(pairs)
    heading("Latency in ms")
    rows = [("all, since due", summary.latency), ("all, since sent", summary.service)]
    rows += [(f"variant {item.variant}, {item.answers} answers", item.latency) for item in summary.variants]
    print_table(
        ["", "MEAN", "p50", "p90", "p99", "p99.9", "MAX"],
        [
            [name, *(number(value) for value in (q.mean, q.p50, q.p90, q.p99, q.p999, q.max))]
            for name, q in rows
        ],
    )
    for sentence in advice(summary):
        click.echo(f"\n{sentence}")
