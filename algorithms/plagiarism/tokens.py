"""Words as small numbers that mean the same within one pair of texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count


def numbered(answer: Iterable[str], source: Iterable[str]) -> tuple[list[int], list[int]]:
    """Both sequences with 1, 2, … for their distinct words in order of appearance."""
    table: defaultdict[str, int] = defaultdict()
    table.default_factory = count(1).__next__
    number = table.__getitem__
    return list(map(number, answer)), list(map(number, source))


def longer(words: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """The numbers of words of two characters or more: the tokens of scikit-learn's default pattern in cleaned text."""
    return [number for word, number in zip(words, numbers, strict=True) if len(word) > 1]
