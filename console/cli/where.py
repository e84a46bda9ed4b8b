"""``mlconsole where``: the folders."""

from __future__ import annotations

import click

from console.cli.options import json_option


@click.command()
@click.argument("what", required=False)
@json_option
def where(what: str | None, as_json: bool) -> None:
    """Print where everything is kept and which variable moves it; with a name (config, data, engine …) only that path."""
    from console.cli.output import print_json, print_table
    from workflows import locations

    table = locations.as_table()
    if what is not None:
        found = [path for name, path, _ in table if name == what]
        if not found:
            raise click.UsageError(
                f"There is no {what!r}. There are: {', '.join(name for name, _, _ in table)}."
            )
        if as_json:
            print_json(
                {name: {"path": path, "variable": variable} for name, path, variable in table if name == what}
            )
        else:
            click.echo(str(found[0]))
        return
    if as_json:
        print_json({name: {"path": path, "variable": variable} for name, path, variable in table})
        return
    print_table(
        ["WHAT", "PATH", "MOVED BY", "THERE"],
        [
            [name, str(path), variable, "yes" if path.exists() else "not yet"]
            for name, path, variable in table
        ],
    )
    real = locations.datasets_dir()
    if real is not None:
        click.echo(
            f"Real data sets are read from {real} (MLCONSOLE_DATA_DIR); `mlconsole data ls` lists them.",
            err=True,
        )
