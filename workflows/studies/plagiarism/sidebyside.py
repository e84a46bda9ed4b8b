"""An answer beside its source as lines of two columns, the longest common subsequence of words in «marks»."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from algorithms.plagiarism.subsequence import Alignment, Piece

WIDTH = 36
"""Characters of a column: both fit into a terminal of 80."""
LONGEST = 180
"""Characters that a stretch which is not common may have before its middle is left out."""


def rows(alignment: Alignment, width: int = WIDTH) -> list[list[str]]:
    """Lines of the answer and of the source, side by side."""
    columns = (
        textwrap.wrap(_marked(pieces), width, break_on_hyphens=False)
        for pieces in (alignment.answer, alignment.source)
    )
    return [[left, right] for left, right in zip_longest(*columns, fillvalue="")]


def _marked(pieces: Sequence[Piece]) -> str:
    return "".join(_shown(piece) for piece in pieces)


def _shown(piece: Piece) -> str:
    if piece.run is not None:
        return f"«{piece.text}»"
    if len(piece.text) <= LONGEST:
        return piece.text
    half = LONGEST // 2
    head, tail = piece.text[:half].rpartition(" ")[0], piece.text[-half:].partition(" ")[2]
    return f"{head} […] {tail}"
