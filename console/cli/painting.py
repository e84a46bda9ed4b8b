"""Figures on a terminal without the full-screen application: its own sixteen colours, or none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from console import figures
from workflows.events import Figure

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    "strong": "bold", "dim": "dim", "series-1": "blue", "series-2": "magenta", "series-3": "green", "series-4": "yellow",
    "series-5": "cyan", "series-6": "red",
}  # fmt: skip
PLAIN_WIDTH = 78
"""Cells of a figure in a file or a pipe."""


def painted(figure: Figure, width: int) -> Text:
    """A figure as text of rich."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="crop")
    for line in figures.on_page(figure, width):
        for part, role in line:
            text.append(part, STYLES.get(role, ""))
        text.append("\n")
    return text


def plain(figure: Figure) -> list[str]:
    """A figure as lines without colours; its title alone where the output's encoding has no characters to draw with."""
    try:
        "⣿█▒●".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return [f"{figure.title} (a figure: it needs an output in UTF-8)"]
    return ["".join(text for text, _ in line).rstrip() for line in figures.on_page(figure, PLAIN_WIDTH)]
