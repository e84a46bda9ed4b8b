"""Words as small numbers that mean the same within one pair of texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, repeat


def numbered(answer: Sequence[str], source: Sequence[str]) -> tuple[list[int], list[int]]:
    """The source with a number from 1 to its length for each distinct word; the answer with the same numbers, 0 for what the source has not.

    Words that only one text has can neither be common nor part of a common n-gram, so they need no numbers of their own.
    """
    table = dict(zip(source, count(1), strict=False))
    return list(map(table.get, answer, repeat(0))), list(map(table.__getitem__, source))


def longer(words: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """The numbers of words of two characters or more: the tokens of scikit-learn's default pattern in cleaned text."""
    return [number for word, number in zip(words, numbers, strict=True) if len(word) > 1]
