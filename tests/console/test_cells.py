"""What is written for changed cells leaves the terminal as if everything had been written: a terminal emulator is the judge."""

from __future__ import annotations

from io import StringIO

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from console.cells import PLAIN, Cells, Look, Sparing, change, look
from console.screens.facts import sentences

WIDTH, HEIGHT = 24, 4
TERMINAL = Console(file=StringIO(), force_terminal=True, color_system="truecolor")

colours = st.sampled_from([None, "default", "red", "bright_blue", "color(123)", "#102030", "#aabbcc"])
styles = st.none() | st.builds(
    Style,
    color=colours,
    bgcolor=colours,
    bold=st.booleans(),
    dim=st.sampled_from([None, True]),
    italic=st.sampled_from([None, True]),
    underline=st.sampled_from([None, True]),
    reverse=st.sampled_from([None, True]),
    strike=st.sampled_from([None, True]),
)
texts = st.text(alphabet="ab Z9~  ─█⣿é", min_size=1, max_size=10)
lines = st.lists(st.tuples(texts, styles).map(lambda one: Segment(*one)), min_size=1, max_size=6).map(
    lambda segments: Strip(segments).adjust_cell_length(WIDTH)
)
screens = st.lists(lines, min_size=HEIGHT, max_size=HEIGHT)


class Judge:
    """A terminal."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def take(self, text: str) -> None:
        self._stream.feed(text)

    def shows(self) -> list[list[object]]:
        def seen(cell: pyte.screens.Char) -> object:
            lined = cell.underscore or cell.reverse or cell.strikethrough
            # Of a blank only the background is seen.
            return cell if cell.data != " " or lined else ("blank", cell.bg)

        return [[seen(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def whole(strips: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, WIDTH, HEIGHT))


def part(strips: list[Strip], rows: list[tuple[int, int, int]]) -> ChopsUpdate:
    return ChopsUpdate([{0: strip} for strip in strips], rows, [[WIDTH] for _ in strips])


spans = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 2), st.integers(1, WIDTH)).filter(
        lambda span: span[1] < span[2]
    ),
    min_size=1,
    max_size=3,
).map(sorted)


@given(st.lists(st.tuples(screens, st.none() | spans), min_size=1, max_size=5))
def test_the_terminal_shows_the_same(
    updates: list[tuple[list[Strip], list[tuple[int, int, int]] | None]],
) -> None:
    plain, spared, cells = Judge(), Judge(), Cells()
    for number, (strips, rows) in enumerate(updates):
        update = whole(strips) if rows is None or not number else part(strips, rows)
        plain.take(update.render_segments(TERMINAL))
        spared.take(Sparing(update, cells).render_segments(TERMINAL))
        assert spared.shows() == plain.shows()
        assert spared.screen.cursor.attrs == pyte.Screen(1, 1).cursor.attrs, "it ends without attributes"


@given(screens)
def test_what_stands_there_is_not_written_again_until_it_is_forgotten(strips: list[Strip]) -> None:
    cells = Cells()
    first = Sparing(whole(strips), cells).render_segments(TERMINAL)
    assert Sparing(whole(strips), cells).render_segments(TERMINAL) == ""
    cells.forget()
    assert Sparing(whole(strips), cells).render_segments(TERMINAL) == first


@pytest.mark.parametrize("text", ["漢字", "e\u0301", "🦊 x", "日\u0301"])
def test_letters_that_are_not_one_cell_are_written_whole(text: str) -> None:
    line = Strip([Segment("ab"), Segment(text), Segment("cd")])
    cells = Cells()
    update = LayoutUpdate([[line]], Region(0, 0, WIDTH, 1))
    written = Sparing(update, cells).render_segments(TERMINAL)
    assert written == f"\x1b[1;1Hab{text}cd"
    assert Sparing(update, cells).render_segments(TERMINAL) == written, "every time"
    narrow = Strip([Segment("a" * line.cell_length)])
    after = Sparing(LayoutUpdate([[narrow]], Region(0, 0, WIDTH, 1)), cells).render_segments(TERMINAL)
    assert after == "\x1b[1;1H" + "a" * line.cell_length


def test_no_text_steers_the_terminal() -> None:
    """A job writes the reason of its failure itself: a title, a cleared screen, letters from the right to the left."""
    hostile = Segment("A\x1b]0;title\x07\x1b[2J\x9b31m\u202eZ\r\n")
    written = Cells().write([(0, 0, [Segment("before ", Style(bold=True)), hostile])], TERMINAL._color_system)  # type: ignore[list-item, arg-type]
    text = written.partition("before")[2]
    assert "A]0;title[2J31mZ" in text and not set(text) & set("\x07\x9b\u202e\r\n")
    assert "\x1b]" not in written and "\x1b[2J" not in written
    (line,) = sentences(["A\x1b]0;title\x07\x1b[2JB\nC"], 40)
    assert line == [("AB C", "")]


def test_a_letter_costs_a_letter() -> None:
    """A number that changes within a coloured line: the cursor, its colour, its digit, and back."""
    style = Style(color="#aabbcc", bgcolor="#102030")
    cells = Cells()
    for number in ("7", "8"):
        line = Strip([Segment("epoch ", style), Segment(number, style), Segment(" of 80", style)])
        written = Sparing(LayoutUpdate([[line]], Region(0, 0, WIDTH, 1)), cells).render_segments(TERMINAL)
    assert written == "\x1b[1;7H\x1b[38;2;170;187;204;48;2;16;32;48m8\x1b[m"


def test_a_change_says_what_differs() -> None:
    bold = look("1;31;48;2;1;2;3")
    assert bold == Look(frozenset("1"), "31", "48;2;1;2;3")
    assert change(bold, look("1;38;5;9;48;2;1;2;3"))[0] == "\x1b[38;5;9m"
    assert change(bold, look("31;48;2;1;2;3"))[0] == "\x1b[0;31;48;2;1;2;3m"
    assert change(look("31"), look("1;31"))[0] == "\x1b[1m"
    assert change(bold, PLAIN)[0] == "\x1b[m"
    blank = look("31;44", "", True)
    assert change(look("32;44"), blank) == ("", look("32;44")), "a blank shows no letter's colour"
    assert change(look("4;32;44"), blank)[0] == "\x1b[0;44m", "an underline would show"


def test_links_are_opened_and_closed() -> None:
    style = Style(link="https://example.com")
    cells = Cells()
    line = Strip([Segment("see "), Segment("here", style), Segment(" now")])
    written = Sparing(LayoutUpdate([[line]], Region(0, 0, WIDTH, 1)), cells).render_segments(TERMINAL)
    opened = f"\x1b]8;id={style._link_id};https://example.com\x1b\\"
    assert written == f"\x1b[1;1Hsee {opened}here\x1b]8;;\x1b\\ now"
