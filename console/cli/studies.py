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
    """List the studies."""
    from console.cli.output import print_json, print_table
    from workflows.studies.catalog import catalog

    found = catalog()
    if as_json:
        print_json(found)
        return
    print_table(
        ["STUDY", "WHAT IT IS", "HERE", "ON AWS"],
        [[info.name, info.title, *(f"{minutes:g} min" for minutes in info.minutes)] for info in found],
    )


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
