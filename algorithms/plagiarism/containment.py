"""Containment (Broder 1997, as the notebook has it): the share of an answer's word n-grams that its source has too.

C_n(A, S) = Σ over n-grams of min(count in A, count in S) / Σ count in A. Tokens are those of scikit-learn's
``CountVectorizer(analyzer="word")`` with its default pattern: lower case, two characters or more.

All n are counted with one sort: an n-gram's window of N tokens is one integer, token by token from the highest bits, so that windows in
order are in order for every prefix n ≤ N, and equal prefixes lie side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from algorithms.plagiarism import tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

Pair = tuple[Sequence[int], Sequence[int]]
"""Small token numbers of an answer and of its source, from 1 on; 0 for a token of the answer that the source has not."""

_TOKEN = re.compile(r"(?u)\b\w\w+\b")
_BITS = 62
"""Of a window, beside one bit for whose it is."""
_CELLS = 1 << 14
"""Windows that are sorted together: bounds memory, whatever the number of pairs."""


def containment(answer: str, source: str, n: int) -> float:
    """C_n of one pair of texts; 0 when the answer has fewer than n tokens.

    Raises:
        ValueError: n is less than 1.
    """
    pair = tokens.numbered(_TOKEN.findall(answer.lower()), _TOKEN.findall(source.lower()))
    return float(contained([pair], [n])[0, 0])


def contained(pairs: Sequence[Pair], ns: Sequence[int]) -> NDArray[np.float64]:
    """C_n for every pair and n, shape (pairs, ns).

    Raises:
        ValueError: An n is less than 1.
    """
    if any(n < 1 for n in ns):
        raise ValueError(f"n-grams have n of 1 or more, not {min(ns)}")
    found = np.zeros((len(pairs), len(ns)))
    if not ns:
        return found
    lengths = np.array([len(answer) for answer, _ in pairs], np.int64)
    order = sorted(range(len(pairs)), key=lambda index: sum(map(len, pairs[index])))
    for chunk in _chunks([sum(map(len, pairs[index])) for index in order]):
        rows = order[chunk]
        shared = _shared([pairs[row] for row in rows], sorted(set(ns)))
        for column, n in enumerate(ns):
            grams = lengths[rows] - n + 1
            found[rows, column] = np.where(grams > 0, shared[n] / np.maximum(grams, 1), 0.0)
    return found


def _chunks(widths: Sequence[int]) -> Iterator[slice]:
    """Slices of rows (in order of width) that make a matrix of some `_CELLS` cells."""
    start = 0
    for stop in range(1, len(widths) + 1):
        if stop == len(widths) or (stop - start + 1) * widths[stop] > _CELLS:
            yield slice(start, stop)
            start = stop


def _shared(pairs: Sequence[Pair], ns: Sequence[int]) -> dict[int, Integers]:
    """Σ min(count, count) of each pair, by n; ns ascend."""
    width = max(2, max(len(answer) + len(source) + 2 for answer, source in pairs))
    rows = np.zeros((len(pairs), width), np.int64)
    theirs = np.zeros((len(pairs), width), np.int64)
    for row, (answer, source) in enumerate(pairs):
        rows[row, : len(answer)] = answer
        middle = len(answer) + 1  # a 0 between them: no window runs from the answer into the source
        rows[row, middle : middle + len(source)] = source
        theirs[row, middle:] = 1
    bits = max(int(rows.max()), width + 1).bit_length()
    at_once = _BITS // bits
    found: dict[int, Integers] = {}
    head, size = rows, 1  # the number of the `size` tokens from here on, 0 where one of them is 0
    while True:
        window, reach = head, size
        while reach < ns[-1] and reach - size + 1 < at_once:
            going = (window & ((1 << bits) - 1)) != 0
            window = (window << bits) | np.where(going, _after(rows, reach), 0)
            reach += 1
        marked = np.sort((window << 1) | theirs, axis=1)
        for n in ns:
            if size <= n <= reach:
                found[n] = _common(marked, 1 + bits * (reach - n), bits)
        if reach == ns[-1]:
            return found
        head, size = _ranked(window, bits), reach


def _after(rows: Integers, steps: int) -> Integers:
    """The token ``steps`` further on, 0 past the end."""
    moved = np.zeros_like(rows)
    if steps < rows.shape[1]:
        moved[:, :-steps] = rows[:, steps:]
    return moved


def _common(marked: Integers, shift: int, bits: int) -> Integers:
    """Per row, Σ min over groups of equal prefixes; in windows whose last token is 0 some token is."""
    prefix = marked >> shift
    first = np.ones(prefix.shape, bool)
    first[:, 1:] = prefix[:, 1:] != prefix[:, :-1]
    starts = np.flatnonzero(first)
    sizes = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=sizes[:-1])
    sizes[-1] = first.size - starts[-1]
    theirs = np.add.reduceat((marked & 1).ravel(), starts)
    real = (prefix.ravel()[starts] & ((1 << bits) - 1)) != 0
    common = np.where(real, np.minimum(theirs, sizes - theirs), 0)
    sums: Integers = np.add.reduceat(
        common, np.searchsorted(starts, np.arange(len(prefix)) * prefix.shape[1])
    )
    return sums


def _ranked(window: Integers, bits: int) -> Integers:
    """Equal windows of a row the same number from 1 on; 0 where a token is 0."""
    order = np.argsort(window, axis=1, kind="stable")
    ordered = np.take_along_axis(window, order, axis=1)
    ranks = np.ones(ordered.shape, np.int64)
    ranks[:, 1:] += np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1)
    head = np.empty_like(window)
    np.put_along_axis(head, order, ranks, axis=1)
    return np.where((window & ((1 << bits) - 1)) == 0, 0, head)
