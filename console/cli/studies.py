"""``mlconsole studies``: what can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.options import Nouns, Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.studies.campaign import Outcome


@click.group(cls=Nouns)
def studies() -> None:
    """The studies that can be run."""


@studies.command("ls")
@json_option
def list_(as_json: bool) -> None:
    """List the studies: what they take and cost, whether their data is there, how their last runs went."""
    from console.cli.output import plain, print_json, print_table
    from console.formatting import count
    from console.money import amount
    from workflows import lineage, runs
    from workflows.configuration import load
    from workflows.studies.catalog import catalog
    from workflows.studies.measures import leading
    from workflows.studies.shelf import shelves

    found, known = shelves(load()), runs.list_runs()
    rows, told = [], []
    for info in catalog():
        shelf = found[info.name]
        own = [run for run in known if run.study == info.name]
        last = own[0] if own else None
        name, value = leading(info, last.metrics) if last is not None else ("", None)
        if last is not None and lineage.check(last, quick=True).withheld(name, value):
            name, value = "withheld", None
        score = f", {name} {value:.4g}" if value is not None else f", {name}" if name else ""
        here, aws = (f"{minutes:g} min" for minutes in info.minutes)
        rows.append(
            [
                info.name, info.title, shelf.data, here, f"{aws}, to {amount(shelf.dollars)}",
                f"{last.status}{score} ({count(len(own), 'run')})" if last is not None else "never run",
            ]
        )  # fmt: skip
        told.append(
            plain(info)
            | {
                "data": shelf.data, "data_note": shelf.note, "aws_dollars_at_most": shelf.dollars, "runs": len(own),
                "last_run": {"run": last.id, "status": last.status, "metric": name, "value": value} if last is not None else None,
            }
        )  # fmt: skip
    if as_json:
        print_json(told)
        return
    print_table(["STUDY", "WHAT IT IS", "DATA", "HERE", "ON AWS", "LAST RUN"], rows)


@studies.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Describe a study: what it does, its steps and its parameters."""
    from console.cli.output import heading, print_json, print_table
    from workflows.studies.catalog import find

    info = find(name)
    if as_json:
        print_json(info)
        return
    click.echo(f"{info.name}: {info.title}")
    click.echo(info.summary)
    heading("What it teaches")
    for line in info.teaches:
        click.echo(f"  {line}")
    heading("Steps")
    print_table(["STEP", "WHAT IT DOES"], info.steps)
    heading("Parameters (--set name=value)")
    print_table(
        ["NAME", "DEFAULT", "ALLOWED", "WHAT IT IS"],
        [[item.name, str(item.default), item.range, item.help] for item in info.parameters],
    )
    for preset, values in info.presets.items():
        heading(f"--{preset}" if preset == "as-in-notebook" else f"Preset {preset}")
        click.echo("  " + ", ".join(f"{key}={value}" for key, value in values.items()))


@studies.command("run")
@click.argument("names", nargs=-1, metavar="[STUDY]...")
@click.option(
    "--interface", type=click.Choice(["low", "high", "both"]), default="both", help="Through which interface."
)
@click.option(
    "--data",
    "kind",
    type=click.Choice(["real", "synthetic", "both"]),
    default="both",
    help="On which data; real data are left out where this machine has none.",
)
@click.option("--as-in-notebook", is_flag=True, help="The lesson notebooks' settings.")
@click.option("--yes", "-y", is_flag=True, help="Host models although a gate fails.")
@json_option
@platform_options
@click.pass_context
def run_all(
    ctx: click.Context,
    names: tuple[str, ...],
    interface: str,
    kind: str,
    as_in_notebook: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Run studies one after another, all of them when none is named, and compare what came out.

    Each is a run of its own that `mlconsole runs ls` lists. Ctrl-C stops the one that runs, and starts no other.

    Exit status: 0 all completed, 1 one did not, 130 or 143 stopped.
    """
    from console.cli.attach import Silent, watch
    from console.cli.output import print_json
    from console.cli.run import DEPLOY
    from workflows import runs
    from workflows.studies import campaign

    configuration = Settings.of(ctx).configuration
    planned = campaign.plan(
        configuration,
        names,
        campaign.INTERFACES if interface == "both" else [interface],
        campaign.DATA if kind == "both" else [kind],
    )
    outcomes: list[Outcome] = []
    status = 0
    for number, item in enumerate(planned, 1):
        click.echo(f"{number}/{len(planned)} {item.study}, {item.interface}, {item.data} data …", err=True)
        run = runs.start(
            item.study,
            item.parameters,
            interface=item.interface,
            configuration=configuration,
            auto_answers=DEPLOY if yes else {},
            preset=_preset(item.study, as_in_notebook),
        )
        status = watch(run, Silent(), ask=False, quiet=True)
        ended = runs.read(run.folder)
        outcomes.append(
            campaign.Outcome(
                item,
                ended.id,
                ended.status,
                ended.ended - ended.created,
                campaign.figures(item.study, ended.metrics, item.data),
                ended.message,
                tuple(ended.left_behind),
            )
        )
        if status in (130, 143, 129):
            break
    if as_json:
        print_json([_plain(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)
    ctx.exit(status if status in (130, 143, 129) else int(not all(outcome.complete for outcome in outcomes)))


def _preset(study: str, as_in_notebook: bool) -> str:
    from workflows.studies.catalog import find

    return "as-in-notebook" if as_in_notebook and "as-in-notebook" in find(study).presets else ""


def _plain(outcome: Outcome) -> dict[str, object]:
    from console.cli.output import plain

    planned = plain(outcome.planned)
    rest = {name: value for name, value in plain(outcome).items() if name != "planned"}
    return {**planned, **rest, "verdict": outcome.verdict, "complete": outcome.complete}


def _print_outcomes(outcomes: list[Outcome]) -> None:
    from console.cli.output import heading, print_table, status_text
    from console.formatting import duration

    rows: list[list[str]] = []
    for outcome in outcomes:
        head = [
            outcome.planned.study,
            outcome.planned.interface,
            outcome.planned.data,
            duration(outcome.seconds),
        ]
        verdict = status_text(outcome.verdict) if outcome.status != "completed" else outcome.verdict
        for place, figure in enumerate(outcome.figures or (None,)):
            scores = (
                [figure.name, *(_number(one) for one in (figure.ours, figure.baseline, figure.notebook))]
                if figure
                else ["", "", "", ""]
            )
            rows.append([*(head if not place else [""] * 4), *scores, "" if place else verdict])
    print_table(
        ["STUDY", "INTERFACE", "DATA", "TIME", "SCORE", "OURS", "BASELINE", "NOTEBOOK", "VERDICT"], rows
    )
    bad = [outcome for outcome in outcomes if not outcome.complete]
    if bad:
        heading("Not completed")
    for outcome in bad:
        click.echo(f"  {outcome.run}: {outcome.message}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
