"""What is typed for an option, as a value: ages and assignments. Ranges are in `ranges`."""

from __future__ import annotations

import click


def parse_age(text: str, option: str = "--since") -> float:
    """Seconds of ``90m``, ``12h``, ``7d`` or a plain number of seconds.

    Raises:
        click.BadParameter: It is none of these.
    """
    from console.filtering import age

    try:
        return age(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


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
