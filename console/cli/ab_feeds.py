"""``mlconsole ab feed``, ``replay`` and ``watch``: what comes into an A/B test, and how it goes on."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import click

from console.cli.completing import experiments
from console.cli.interrupting import interrupting
from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.abtest.following import Follower
    from workflows.abtest.report import Report

EVERY = 1.0
"""Seconds between two looks."""


@click.command()
@click.argument("name", shell_complete=experiments)
@click.argument("source", type=click.File("r"), required=False)
@click.option("--captured", is_flag=True, help="Take the assignments from what the endpoint has captured.")
@json_option
@platform_options
@click.pass_context
def feed(ctx: click.Context, name: str, source: IO[str] | None, captured: bool, as_json: bool) -> None:
    """Take rewards from a file (- is standard input): inferenceId,reward[,at] as CSV, or JSON lines.

    With a column ``variant`` a row tells an assignment too: which variant answered, optionally at, milliseconds, status, code, user.

    \b
    mlconsole ab feed spam-ab rewards.csv
    mlconsole ab feed spam-ab --captured
    """
    from console.cli.output import print_json
    from workflows.abtest import operations
    from workflows.abtest.feeding import rows
    from workflows.abtest.report import ODDITIES

    if (source is None) == (not captured):
        raise click.UsageError("Give a file, or --captured.")
    if captured:
        intake = operations.feed_captured(Settings.of(ctx).platform(), name)
    else:
        assert source is not None
        intake = operations.feed(name, rows(source.name, source))
    if as_json:
        print_json(intake)
        return
    click.echo(f"{intake.rows} rows; {intake.counted} rewards came to count.")
    for what, number in intake.oddities.items():
        click.echo(f"{number}: {ODDITIES[what]}", err=True)


@click.command()
@click.argument("name", shell_complete=experiments)
@click.argument("source", required=False)
@click.option(
    "--label", default="", metavar="COLUMN", help="The column of the true answers: a name or a number from 0."
)
@click.option("--key", default="", metavar="COLUMN", help="The column of the users, for a sticky test.")
@click.option("--header/--no-header", default=None, help="Whether a CSV file begins with its columns' names.")
@click.option("--content-type", "-c", default="", metavar="TYPE", help="By default by the file's name.")
@click.option(
    "--score",
    type=click.Choice(["accuracy", "absolute-error", "squared-error"]),
    default="accuracy",
    show_default=True,
    help="The reward of an answer.",
)
@click.option(
    "--rate", "-r", type=float, default=0.0, metavar="PER_SECOND", help="By default as fast as answers come."
)
@click.option(
    "--requests",
    "-n",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="How many at most.",
)
@click.option("--concurrency", type=int, default=4, show_default=True, help="Requests under way at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the random order of the rows.")
@click.option("--past-verdict", is_flag=True, help="Go on when there is a verdict.")
@click.option("--detach", is_flag=True, help="Go on in a process of its own, and return at once.")
@click.option("--stop", "end", is_flag=True, help="End the detached replay of this test.")
@yes_option
@json_option
@interface_option
@platform_options
@click.pass_context
def replay(
    ctx: click.Context,
    name: str,
    source: str | None,
    label: str,
    key: str,
    header: bool | None,
    content_type: str,
    score: str,
    rate: float,
    requests: int,
    concurrency: int,
    seed: int,
    past_verdict: bool,
    detach: bool,
    end: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send labelled rows to the test's endpoint: answers are scored, and both count. A verdict ends it, and so does Ctrl-C.

    \b
    mlconsole ab replay spam-ab test.csv --label y
    mlconsole ab replay spam-ab test.csv --label 0 --no-header --rate 20 --detach
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.abtest import background, replaying
    from workflows.abtest.following import follower
    from workflows.abtest.replaying import ReplayRequest

    if end:
        ended = background.end(name)
        click.echo(f"The replay of {name} ends." if ended else f"No detached replay feeds {name}.")
        return
    if source is None:
        raise click.UsageError("Give the file of the rows.")
    known = follower(name)
    request = ReplayRequest(
        source=source,
        label=label,
        key=key,
        header=header,
        content_type=content_type,
        score=score,
        rate=rate,
        requests=requests,
        concurrency=concurrency,
        seed=seed,
        until_verdict=not past_verdict,
    )
    settings = Settings.of(ctx)
    with settings.acting() as (platform, interface):
        rows = replaying.payloads(request, platform)
        confirmed = ""
        if platform.target != "embedded":
            bill = replaying.bill(platform, known.experiment.endpoint, request, rows)
            confirm(bill.sentences, yes=yes)
            confirmed = bill.confirmation
        if detach:
            background.start(name, request, settings.configuration, confirmed=confirmed)
            click.echo(
                f"A replay feeds {name}: `mlconsole ab watch {name}` shows it, `mlconsole ab replay {name} --stop` ends it."
            )
            return
        stop = threading.Event()
        with interrupting(stop), _told(known, as_json):
            summary = replaying.replay(
                platform,
                interface.rollouts,
                name,
                rows,
                replaying.plan(request),
                score=score,
                stop=stop,
                until_verdict=request.until_verdict,
                confirmed=confirmed,
            )
    report = known.report()
    if as_json:
        print_json({"sent": summary.sent, **report.as_dict()})
    else:
        from console.cli.ab_report import print_report

        click.echo(f"{summary.sent} requests were sent.", err=True)
        print_report(report)


@click.command()
@click.argument("name", shell_complete=experiments)
@click.option("--past-verdict", is_flag=True, help="Go on when there is a verdict.")
@json_option
def watch(name: str, past_verdict: bool, as_json: bool) -> None:
    """Follow an A/B test until its verdict or its end; Ctrl-C leaves it alone.

    With --json a report is printed whenever something has come.
    """
    from console.cli.output import print_json
    from workflows.abtest.following import follower

    known = follower(name)
    seen: tuple[object, ...] = ()
    stop = threading.Event()
    with interrupting(stop):
        while True:
            report = known.report()
            now = (report.requests, report.rewarded, report.verdict, report.state)
            if now != seen:
                seen = now
                if as_json:
                    print_json(report.as_dict())
                else:
                    _line(report)
            if (
                report.state != "running"
                or (report.verdict != "watching" and not past_verdict)
                or stop.wait(EVERY)
            ):
                break
    if not as_json and sys.stdout.isatty():
        click.echo()


def _line(report: Report) -> None:
    """One line on how it stands, over the last one on a terminal."""
    from console import verdicts

    one, chip = report.experiment, verdicts.chip(report)
    parts = [f"{report.requests} requests"]
    parts += [
        f"{item.variant} {verdicts.difference(one, item.value)} ({verdicts.interval(one, item)}) {verdicts.evidence(item.evidence)}"
        for item in report.comparisons
        if item.n
    ]
    text = "  ".join([*parts, str(chip)])
    if sys.stdout.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False)
        sys.stdout.flush()
    else:
        click.echo(text)


@contextlib.contextmanager
def _told(known: Follower, as_json: bool) -> Iterator[None]:
    """Print how the test stands every second while the block runs, on a terminal."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(EVERY):
            _line(known.report())

    if as_json or not sys.stdout.isatty():
        yield
        return
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        click.echo()
