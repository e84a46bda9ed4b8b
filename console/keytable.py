"""The table of all keys, for docs/console.md."""

from __future__ import annotations

from console import actions
from console.keynames import key_name
from console.places import PLACES


def markdown_table() -> str:
    """The table of keys in docs/console.md."""
    lines: list[str] = []
    for place, title in PLACES.items():
        here = actions.of(place)
        if not here:
            continue
        lines += [f"### {title}", "", "| key | does | |", "|---|---|---|"]
        for action in here:
            keys = (
                " ".join(f"`{key_name(key)}`" for key in action.keys.split(",") if key)
                or f"`:{action.command}`"
            )
            notes = []
            if action.danger != "none":
                notes.append("asks first; on AWS the name has to be typed")
            if action.command and action.keys:
                notes.append(
                    f"`:{action.command}" + (f" {action.argument.upper()}`" if action.argument else "`")
                )
            lines.append(f"| {keys} | {action.help} | {'; '.join(notes)} |")
        lines.append("")
    return "\n".join(lines)
