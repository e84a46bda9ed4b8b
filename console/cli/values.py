"""What is typed for an option, as a value: ages and assignments. Ranges are in `ranges`."""

from __future__ import annotations

import click


def parse_age(text: str, option: str = "--since") -> float:
    """Seconds of ``90m``, ``12h``, ``7d`` or a plain number of seconds.

    Raises:
        click.BadParameter: It is none of these.
    """
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:].lower())
    digits = text[:-1] if factor else text
    try:
        value = float(digits) * (factor or 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e10:
        raise click.BadParameter(f"{text!r} is no time: write 60s, 90m, 12h or 7d.", param_hint=option)
    return value


def assignments(texts: tuple[str, ...], option: str = "--set") -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping.

    Raises:
        click.BadParameter: A text is no assignment.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise click.BadParameter(f"{text!r} is not an assignment. Write NAME=VALUE.", param_hint=option)
        found[name.strip()] = value
    return found
