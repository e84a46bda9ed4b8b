"""What a lesson shows at a step: a file, a tree of folders, an exchange over HTTP, a command; and its colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from console.formatting import count
from console.widgets.canvas import Lines, Run
from workflows.events import Note

MOST_COLOURED = 40_000
"""Characters of a text that gets colours: a longer one would hold the screen up while it is read."""
_ENDINGS = {"python": "py", "json": "json", "sh": "sh", "http": "http", "html": "html"}
_ROLES = (
    ("Token.Comment", "dim"),
    ("Token.Keyword", "key"),
    ("Token.Literal.String", "series-3"),
    ("Token.Literal.Number", "series-2"),
    ("Token.Name.Tag", "series-1"),
    ("Token.Name.Attribute", "series-1"),
    ("Token.Name.Function", "strong"),
    ("Token.Name.Class", "strong"),
    ("Token.Name.Decorator", "series-2"),
)
"""Which tokens of a highlighter have which role here; all others have none."""
_VISIBLE = {code: 0x2400 + code for code in range(32) if code != 10} | {127: 0x2421}
"""Control characters as their pictures: a terminal would obey them."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Something to look at. ``about`` is the title of the note that shows it, ``language`` what a highlighter calls it."""

    title: str
    language: str
    text: str
    about: str = ""

    @property
    def kind(self) -> str:
        """``python · 41 lines``"""
        lines = count(self.text.count("\n") + 1, "line")
        return f"{self.language} · {lines}" if self.language not in ("", "text") else lines

    @property
    def ending(self) -> str:
        """The ending of a file that holds it."""
        return _ENDINGS.get(self.language, "txt")

    def lines(self, most: int | None = None) -> Lines:
        """Its lines with their colours, at most so many; they are not wrapped."""
        text = self.text if most is None else "\n".join(self.text.split("\n")[:most])
        return _coloured(text.replace("\r\n", "\n").expandtabs(4).translate(_VISIBLE), self.language)


def exhibits(note: Note) -> list[Exhibit]:
    """What a note shows."""
    return [
        Exhibit(one.get("title", ""), one.get("language", ""), one.get("text", "").rstrip("\n"), note.title)
        for one in note.shown
    ]


@lru_cache(maxsize=128)
def _coloured(text: str, language: str) -> Lines:
    if language in ("", "text") or len(text) > MOST_COLOURED:
        return [[(line, "")] for line in text.split("\n")]
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [[(line, "")] for line in text.split("\n")]
    lines: Lines = [[]]
    for token, value in lexer.get_tokens(text):
        role = next((role for name, role in _ROLES if str(token).startswith(name)), "")
        for at, piece in enumerate(value.split("\n")):
            if at:
                lines.append([])
            if piece:
                lines[-1].append((piece, role))
    return lines


def cropped(line: list[Run], width: int) -> list[Run]:
    """A line within so many cells, with ``…`` where it goes on."""
    if sum(cell_len(text) for text, _ in line) <= width:
        return line
    kept: list[Run] = []
    room = width - 1
    for text, role in line:
        piece = text if cell_len(text) <= room else set_cell_size(text, max(0, room))
        kept.append((piece, role))
        room -= cell_len(piece)
        if room <= 0:
            break
    return [*kept, ("…", "dim")]
