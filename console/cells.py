"""What the terminal shows, cell by cell, so that only cells that change are written.

Textual writes whole pieces of lines: a log that moves up by a line, or a chart with one more point, is written anew from
edge to edge, each piece of text between a full colour sequence and a reset. Over a slow line that is what one waits for. Here
each piece is compared with what stands there: cells that stay are skipped, and only what differs between one look and the
next is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from workflows.wording import STEERING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.segment import Segment
    from rich.style import Style

BRIDGE = 4
"""Cells between two changes that are rather written again than skipped: moving the cursor takes four octets or more."""
_NARROW = re.compile("[ -~\u2500-\u259f\u2800-\u28ff]*")
"""One cell each, without looking it up: ASCII, lines and blocks, braille."""
_SEEN_ON_BLANKS = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
"""Attributes that show where there is no letter: underlines, blinking, reverse, strike, frames, overline."""


class Look(NamedTuple):
    """How a cell looks: SGR parameters by what they set.

    Attributes:
        blank: Nothing shows but the background: the foreground may be any.
    """

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""
    link: str = ""
    blank: bool = False


PLAIN = Look()


@lru_cache(8192)
def look(ansi: str, link: str = "", blank: bool = False) -> Look:
    """The look of a Rich style.

    Args:
        ansi: SGR parameters with semicolons between them, as `textual.strip.Strip.render_ansi` writes them.
        link: The hyperlink sequence that opens it; empty for none.
        blank: It is that of spaces.
    """
    attributes, foreground, background = set(), "", ""
    codes = iter(ansi.split(";")) if ansi else iter(())
    for code in codes:
        number = int(code)
        if number in (38, 48):
            kind = next(codes)
            rest = [next(codes) for _ in range(3 if kind == "2" else 1)]
            colour = ";".join((code, kind, *rest))
        elif 30 <= number <= 39 or 90 <= number <= 97 or 40 <= number <= 49 or 100 <= number <= 107:
            colour = code
        else:
            attributes.add(code)
            continue
        if number < 40 or 90 <= number <= 97:
            foreground = "" if code == "39" else colour
        else:
            background = "" if code == "49" else colour
    if blank and not link and not attributes & _SEEN_ON_BLANKS:
        return Look(background=background, blank=True)
    return Look(frozenset(attributes), foreground, background, link)


@lru_cache(8192)
def change(now: Look, then: Look) -> tuple[str, Look]:
    """What to write between cells of two looks, and the look that holds then."""
    if (
        then.blank
        and now.background == then.background
        and not now.link
        and not now.attributes & _SEEN_ON_BLANKS
    ):
        return "", now
    if then.blank:
        then = then._replace(blank=False)
    link = "" if now.link == then.link else (then.link or "\x1b]8;;\x1b\\")
    parts: list[str] = []
    if now.attributes <= then.attributes:
        parts += sorted(then.attributes - now.attributes, key=int)
        if now.foreground != then.foreground:
            parts.append(then.foreground or "39")
        if now.background != then.background:
            parts.append(then.background or "49")
    else:
        parts += ["0", *sorted(then.attributes, key=int)]
        parts += [colour for colour in (then.foreground, then.background) if colour]
    if then == PLAIN and parts:
        return f"\x1b[m{link}", then
    return (f"\x1b[{';'.join(parts)}m" if parts else "") + link, then


class Cells:
    """The rows of a terminal as they were last written."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[list[str], list[Look]]] = {}
        self._out: list[str] = []
        self._look = PLAIN
        self._at = (-1, -1)

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: all that comes is written."""
        self._rows.clear()

    def write(self, pieces: Iterable[tuple[int, int, Sequence[Segment]]], colours: ColorSystem) -> str:
        """What to write for pieces of lines to stand there.

        Args:
            pieces: Row and column, from 0, of the first cell, and what begins there.
            colours: What the terminal knows.

        Returns:
            Sequences that begin and end without attributes; the cursor is left anywhere. Empty when all stands there already.
        """
        self._out, self._look, self._at = [], PLAIN, (-1, -1)
        for row, column, segments in pieces:
            self._piece(row, column, segments, colours)
        self._turn(PLAIN)
        return "".join(self._out)

    def _piece(self, row: int, column: int, segments: Sequence[Segment], colours: ColorSystem) -> None:
        characters: list[str] = []
        looks: list[Look] = []
        narrow = True
        for text, style, control in segments:
            if control or not text:
                continue
            characters += text
            looks += [look_of(style, text, colours)] * len(text)
            narrow = narrow and (_NARROW.fullmatch(text) is not None or _each_one_cell(text))
        if not narrow:
            self._whole(row, column, segments, colours)
            return
        end = column + len(characters)
        known, known_looks = self._row(row, end)
        old, old_looks = known[column:end], known_looks[column:end]
        if old == characters and old_looks == looks:
            return
        known[column:end], known_looks[column:end] = characters, looks
        for first, last in _changed(characters, looks, old, old_looks):
            self._move(row, column + first)
            self._run(characters, looks, first, last)
            self._at = (row, column + last)

    def _whole(self, row: int, column: int, segments: Sequence[Segment], colours: ColorSystem) -> None:
        """Text whose letters are not one cell each is written whole: terminals disagree about its width.

        Control characters are of no width, too, and left out here: whoever wrote a name or a reason of failure, and whatever screen
        shows it, it must not steer the terminal.
        """
        width = sum(segment.cell_length for segment in segments)
        known, known_looks = self._row(row, column + width)
        known[column : column + width] = [""] * width
        known_looks[column : column + width] = [PLAIN] * width
        self._at = (-1, -1)
        self._move(row, column)
        for text, style, control in segments:
            if text and not control:
                self._turn(look_of(style, text, colours))
                self._out.append(text.translate(STEERING))
        self._at = (-1, -1)

    def _row(self, row: int, width: int) -> tuple[list[str], list[Look]]:
        known = self._rows.setdefault(row, ([], []))
        if (missing := width - len(known[0])) > 0:
            known[0].extend([""] * missing)
            known[1].extend([PLAIN] * missing)
        return known

    def _run(self, characters: Sequence[str], looks: Sequence[Look], first: int, last: int) -> None:
        start = first
        while start < last:
            here = looks[start]
            end = start + 1
            while end < last and looks[end] is here:
                end += 1
            self._turn(here)
            self._out.append("".join(characters[start:end]))
            start = end

    def _turn(self, then: Look) -> None:
        if then is not self._look:
            written, self._look = change(self._look, then)
            self._out.append(written)

    def _move(self, row: int, column: int) -> None:
        at_row, at_column = self._at
        if (row, column) == (at_row, at_column):
            return
        if row == at_row and column > at_column >= 0:
            self._out.append(f"\x1b[{column - at_column}C")
        else:
            self._out.append(f"\x1b[{row + 1};{column + 1}H")


def look_of(style: Style | None, text: str, colours: ColorSystem) -> Look:
    """The look of a segment."""
    if style is None:
        return look("", "", text.isspace())
    ansi = style._ansi
    if ansi is None:
        ansi = Strip.render_ansi(style, colours)
    link = f"\x1b]8;id={style._link_id};{style._link}\x1b\\" if style._link else ""
    return look(ansi, link, text.isspace())


def _each_one_cell(text: str) -> bool:
    return all(get_character_cell_size(character) == 1 for character in text)


def _changed(
    characters: Sequence[str], looks: Sequence[Look], old: Sequence[str], old_looks: Sequence[Look]
) -> list[tuple[int, int]]:
    """First cell and the one after the last of each stretch that differs; close ones are one."""
    found: list[tuple[int, int]] = []
    for place, (character, before) in enumerate(zip(characters, old, strict=True)):
        if character != before or looks[place] != old_looks[place]:
            if found and place - found[-1][1] <= BRIDGE:
                found[-1] = (found[-1][0], place + 1)
            else:
                found.append((place, place + 1))
    return found


class Sparing(CompositorUpdate):
    """An update of Textual's that writes what differs from what the terminal shows."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, cells: Cells) -> None:
        self._update, self._cells = update, cells

    def render_segments(self, console: Console) -> str:
        """What to write."""
        colours = console._color_system or ColorSystem.TRUECOLOR
        update = self._update
        pieces = _lines(update) if isinstance(update, LayoutUpdate) else _chops(update)
        return self._cells.write(pieces, colours)


def _lines(update: LayoutUpdate) -> Iterable[tuple[int, int, Sequence[Segment]]]:
    for row, strips in enumerate(update.strips, update.region.y):
        column = update.region.x
        for strip in strips:
            yield row, column, strip._segments
            column += strip.cell_length


def _chops(update: ChopsUpdate) -> Iterable[tuple[int, int, Sequence[Segment]]]:
    """The pieces that lie in the spans, cut at their ends as Textual cuts them."""
    chops: Sequence[Mapping[int, Strip | None]] = update.chops
    for row, first, last in update.spans:
        for end, (column, strip) in zip(update.chop_ends[row], chops[row].items(), strict=False):
            if strip is None or column > last or end <= first:
                continue
            whole = last > column >= first and end <= last
            yield row, column, (strip if whole else strip.crop(0, min(end, last) - column))._segments
