"""The longest common subsequence of words: its length (bit-parallel, Hyyrö 2004, by rapidfuzz) and where it lies in both texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from algorithms.plagiarism import cleaning, tokens
from algorithms.plagiarism.cleaning import Word

_CELLS = 1 << 30
"""Words times words: where a subsequence lies takes a bit for each, its length does not."""


class TooLong(ValueError):
    """Texts whose alignment would not fit into memory."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a text as written. ``run`` numbers common stretches from 0, alike in both texts; None: not common."""

    text: str
    run: int | None


@dataclass(frozen=True)
class Alignment:
    """Two texts as written, cut into common and other pieces, which together are the whole texts.

    ``common`` is the number of common words; ``share`` that of the answer's words (the feature ``lcs_word``).
    """

    answer: tuple[Piece, ...]
    source: tuple[Piece, ...]
    common: int
    share: float


def common(answer: Sequence[int], source: Sequence[int]) -> int:
    """The length of the longest common subsequence of two sequences of numbers ≥ 0."""
    return int(LCSseq.similarity(answer, source))


def normalised(answer: str, source: str) -> float:
    """The longest common subsequence of words as a share of the answer's words (the notebook's ``lcs_norm_word``).

    Words are what stands between white space; 0 for an answer without any.
    """
    words, others = tokens.numbered(answer.split(), source.split())
    return common(words, others) / len(words) if words else 0.0


def matches(answer: Sequence[str], source: Sequence[str]) -> list[tuple[int, int]]:
    """Positions in both of the words of one longest common subsequence, ascending.

    Raises:
        TooLong: Some 30,000 words against as many; the length alone (`normalised`) can still be had.
    """
    if len(answer) * len(source) > _CELLS:
        raise TooLong(
            f"{len(answer):,} and {len(source):,} words are too many to lay side by side; shorten one of the texts"
        )
    words, others = tokens.numbered(answer, source)
    return [
        (block.src_start + step, block.dest_start + step)
        for block in LCSseq.opcodes(words, others)
        if block.tag == "equal"
        for step in range(block.src_end - block.src_start)
    ]


def align(answer: str, source: str) -> Alignment:
    """Two texts as written, compared by their cleaned words, with the common subsequence marked.

    Raises:
        TooLong: As `matches`.
    """
    ours, theirs = cleaning.words(answer), cleaning.words(source)
    pairs = matches([word.word for word in ours], [word.word for word in theirs])
    runs: list[int] = []
    for index, (here, there) in enumerate(pairs):
        goes_on = index > 0 and pairs[index - 1] == (here - 1, there - 1)
        runs.append(runs[-1] + (not goes_on) if runs else 0)
    return Alignment(
        _pieces(answer, ours, {here: run for (here, _), run in zip(pairs, runs, strict=True)}),
        _pieces(source, theirs, {there: run for (_, there), run in zip(pairs, runs, strict=True)}),
        len(pairs),
        len(pairs) / len(ours) if ours else 0.0,
    )


def _pieces(text: str, words: Sequence[Word], runs: dict[int, int]) -> tuple[Piece, ...]:
    pieces = []
    at = 0
    positions = sorted(runs)
    index = 0
    while index < len(positions):
        last = index
        while last + 1 < len(positions) and runs[positions[last + 1]] == runs[positions[index]]:
            last += 1
        start, end = words[positions[index]].start, words[positions[last]].end
        if start > at:
            pieces.append(Piece(text[at:start], None))
        pieces.append(Piece(text[start:end], runs[positions[index]]))
        at, index = end, last + 1
    if at < len(text):
        pieces.append(Piece(text[at:], None))
    return tuple(pieces)
