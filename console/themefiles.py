"""A person's own themes: one TOML file each, ``NAME.toml``, read again while the console runs.

``base`` names the theme that it begins with, every other line a colour: ``primary = "#6cb6ff"``, ``dim = "ansi_white"``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from console import contrast
from workflows.tomllines import line_of

COLOURS = (
    "primary",
    "secondary",
    "accent",
    "warning",
    "error",
    "success",
    "foreground",
    "background",
    "surface",
    "panel",
)
VARIABLES = ("dim", "faint", "cursor-line")


@dataclass(frozen=True, slots=True)
class Read:
    """What a folder holds: the themes that can be used, what is wrong with the others, and colours that are hard to read."""

    themes: tuple[Theme, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def files(folder: Path) -> list[Path]:
    """The theme files of a folder, which need not exist."""
    try:
        return sorted(folder.glob("*.toml"))
    except OSError:
        return []


def read(folder: Path, shipped: Mapping[str, Theme]) -> Read:
    """The themes of a folder; ``shipped`` are those that can be a base, by the names that people use."""
    themes: list[Theme] = []
    problems: list[str] = []
    warnings: list[str] = []
    for path in files(folder):
        if path.stem in shipped:
            problems.append(f"{path.name}: {path.stem} is a theme of mlconsole; give the file another name")
            continue
        try:
            themes.append(parse(path.stem, path.read_text(encoding="utf-8"), shipped))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path.name}: it cannot be read: {error}")
        except ValueError as error:
            problems.append(f"{path.name}, {error}")
        else:
            warnings += [f"{path.name}: {text}" for text in hard_to_read(themes[-1])]
    return Read(tuple(themes), tuple(problems), tuple(warnings))


def parse(name: str, text: str, shipped: Mapping[str, Theme]) -> Theme:
    """The theme of a file's text.

    Raises:
        ValueError: It cannot be used; the text begins with the line.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        raise ValueError(
            f"line {match[1] if match else 1}: it is not TOML: {str(error).partition(' (')[0]}"
        ) from error
    base = document.pop("base", "dark")
    if base not in shipped:
        raise ValueError(
            f"{_line(text, 'base')}: there is no theme {base!r}; base is one of {', '.join(shipped)}"
        )
    colours: dict[str, str] = {}
    for key, value in document.items():
        if key not in (*COLOURS, *VARIABLES):
            raise ValueError(
                f"{_line(text, key)}: there is no colour {key!r}; there are {', '.join((*COLOURS, *VARIABLES))}"
            )
        colours[key] = _colour(value, _line(text, key))
    first = shipped[base]
    own: dict[str, Any] = {key: value for key, value in colours.items() if key in COLOURS}
    variables = first.variables | {key: value for key, value in colours.items() if key in VARIABLES}
    ansi = first.ansi and not any(value.startswith("#") for value in colours.values())
    return replace(first, name=name, variables=variables, ansi=ansi, **own)


def _colour(value: object, line: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{line}: {value!r} is no colour: write "#6cb6ff" or "ansi_blue"')
    try:
        parsed = Color.parse(value)
    except ColorParseError as error:
        raise ValueError(f'{line}: {value!r} is no colour: write "#6cb6ff" or "ansi_blue"') from error
    return value if value.startswith("ansi_") else parsed.hex6.lower()


def _line(text: str, key: str) -> str:
    return f"line {line_of(text, key) or 1}"


def colours(theme: Theme) -> dict[str, str]:
    """All colours of a theme by their names."""
    return {name: str(getattr(theme, name) or "") for name in COLOURS} | {
        name: theme.variables.get(name, "") for name in VARIABLES
    }


def hard_to_read(theme: Theme) -> list[str]:
    """Texts of a theme with less contrast than WCAG asks for, worst first."""
    found = sorted(
        (value, ink, ground)
        for ink, ground, value in contrast.pairs(colours(theme))
        if value < contrast.ENOUGH
    )
    return [
        f"{ink} on {ground} has a contrast of {value:.1f}:1, and {contrast.ENOUGH}:1 is asked for"
        for value, ink, ground in found
    ]
