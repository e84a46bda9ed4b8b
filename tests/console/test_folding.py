"""Lines that are longer than there is room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console.screens.facts import table
from console.widgets.folding import LEAST, fold


def folded(text: str, width: int) -> list[str]:
    return ["".join(part for part, _ in line) for line in fold([(text, "")], width)]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("it fits", 40, ["it fits"]),
        (
            "✓ InService · endpoint · since 2027-01-06 08:00 · 9 d ago",
            46,
            ["✓ InService · endpoint", "  since 2027-01-06 08:00 · 9 d ago"],
        ),
        (
            "Best       3.233 · trial 029-3c688c4b · 41 s ago",
            46,
            ["Best       3.233 · trial 029-3c688c4b", "           41 s ago"],
        ),
        (
            " 0.0 s  ~4.0 s  ░░░░   0%  green starts beside blue",
            46,
            [" 0.0 s  ~4.0 s  ░░░░   0%  green starts beside", "                           blue"],
        ),
        (
            "           2 running · 4 stopped early",
            30,
            ["           2 running", "           4 stopped early"],
        ),
        ("a reading of 2 400 things", 14, ["a reading of", "  2 400 things"]),
    ],
)
def test_what_finds_no_room_goes_on_below_itself(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width) == lines


@given(
    st.lists(
        st.tuples(st.text("ab ·9│日é", max_size=30), st.sampled_from(["", "dim", "strong"])), max_size=6
    ),
    st.integers(LEAST, 60),
)
def test_nothing_is_lost_and_nothing_is_too_wide(line: list[tuple[str, str]], width: int) -> None:
    lines = fold(line, width)

    def letters(runs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(letter, role) for text, role in runs for letter in text if letter not in " ·"]

    assert all(cell_len("".join(text for text, _ in each).rstrip()) <= width for each in lines)
    assert [pair for each in lines for pair in letters(each)] == letters(line)


def test_a_table_whose_figures_find_no_room_is_laid_out_below_itself() -> None:
    columns, rows = (
        ["Variant", "Share", "Requests"],
        [["champion", "90%", 12_400], ["challenger", "10%", 600]],
    )

    def texts(width: int) -> list[str]:
        return ["".join(text for text, _ in line) for line in table(columns, rows, width)]

    assert texts(40)[1:] == ["champion      90%    12 400", "challenger    10%       600"]
    assert texts(24) == ["Variant  Share  Requests", "champi…    90%    12 400", "challe…    10%       600"]
    assert texts(20) == [
        "champion", "  Share 90% · Requests 12 400", "challenger", "  Share 10% · Requests 600"
    ]  # fmt: skip
