"""``mlconsole studies``: what can be run."""

from __future__ import annotations

import click

from console.cli.options import Nouns, json_option


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
