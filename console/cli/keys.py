"""``mlconsole keys``: the keys of the console, and whether a keymap file can be used."""

from __future__ import annotations

import click

from console.cli.options import json_option


@click.command()
@click.option("--check", is_flag=True, help="Only tell whether the keymap file can be used.")
@click.option("--template", is_flag=True, help="Print a keymap file with every action in a comment.")
@json_option
def keys(check: bool, template: bool, as_json: bool) -> None:
    """Print every action of the console with its keys.

    Keys are changed in a TOML file (`mlconsole where keymap` prints its path; `mlconsole keys --template` is a beginning) with
    lines such as `jobs.stop = "Ctrl+X"`. A console that runs reads it again when it is saved.

    Ends with 1 when the file cannot be used: then the keys are the usual ones.
    """
    from console import actions, keymap
    from console.cli.output import print_json, print_table
    from console.formatting import count
    from console.keynames import key_name
    from console.places import PLACES
    from workflows import locations

    if template:
        click.echo(keymap.template(), nl=False)
        return
    path = locations.keymap_file()
    found, mistakes = keymap.read(path)
    if as_json:
        print_json(
            {
                "file": path,
                "mistakes": [{"line": mistake.line, "text": mistake.text} for mistake in mistakes],
                "actions": [
                    {
                        "id": action.id,
                        "keys": [key_name(key) for key in found.keys(action)],
                        "changed": action.id in found.changed,
                        "command": action.command,
                        "where": PLACES[action.place],
                        "does": action.help,
                    }
                    for action in actions.ACTIONS
                ],
            }
        )
    elif not check:
        print_table(
            ["ACTION", "KEYS", "", "WHERE", "DOES"],
            [
                [
                    action.id,
                    found.shown(action) or (f":{action.command}" if action.command else "–"),
                    "changed" if action.id in found.changed else "",
                    PLACES[action.place],
                    action.help,
                ]
                for action in actions.ACTIONS
            ],
        )
    for mistake in mistakes:
        click.echo(f"{path}, {mistake}", err=True)
    if mistakes:
        raise SystemExit(1)
    if check and not as_json:
        there = (
            f"{path} changes {count(len(found.changed), 'action')}."
            if path.exists()
            else f"{path} does not exist: the keys are the usual ones."
        )
        click.echo(there)
