"""``mlconsole config``: the configuration in force and where each value comes from."""

from __future__ import annotations

import click

from console.cli.options import Settings, json_option, platform_options

SECRETS = {"engine_secret_key", "notify_webhook"}


@click.group()
def config() -> None:
    """Show the configuration in force."""


@config.command()
@platform_options
@json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Print each option, its value, and where the value comes from."""
    from dataclasses import asdict

    from console.cli.output import print_json, print_table
    from workflows import locations
    from workflows.configuration import load, variable, variables

    settings = Settings.of(ctx)
    values = asdict(settings.configuration)
    path, given = locations.config_file(), variables()
    without_file = asdict(load(settings.flags, file=path.with_name("there-is-no-such-file.toml")))
    rows = []
    for name, value in values.items():
        if name in settings.flags:
            source = f"--{name.replace('_', '-')}"
        elif name in given:
            source = variable(name)
        elif value != without_file[name]:
            source = str(path)
        else:
            source = "default"
        rows.append((name, "(set)" if name in SECRETS and value else value, source))
    if as_json:
        print_json({name: {"value": value, "source": source} for name, value, source in rows})
        return
    print_table(
        ["OPTION", "VALUE", "FROM"],
        [[name, "–" if value in (None, "") else str(value), source] for name, value, source in rows],
    )


@config.command()
@json_option
def path(as_json: bool) -> None:
    """Print the path of the configuration file."""
    from console.cli.output import print_json
    from workflows import locations

    if as_json:
        print_json({"path": locations.config_file(), "exists": locations.config_file().exists()})
    else:
        click.echo(str(locations.config_file()))
