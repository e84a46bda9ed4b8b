"""Sparse rows as text: ``<label>[:<weight>] [qid:<group>] <column>:<value> ...``, columns counted from 0."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 23
MAX_LINE = 1 << 26
_MAX_COLUMN = 2**31 - 1


class LibsvmError(ValueError):
    """A line that is not of this format, counted from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"row {line}: {problem}")
        self.line = line


class Rows(NamedTuple):
    """Some rows; ``counts`` says how many stored numbers each has. ``weights`` and ``groups`` are None when no row names one."""

    labels: NDArray[np.float32]
    counts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    groups: NDArray[np.int64] | None


def blocks(file: BinaryIO) -> Iterator[Rows]:
    """The rows of a file, many at a time.

    Raises:
        LibsvmError: A line is not of this format.
    """
    rest, line = b"", 1
    while True:
        fresh = file.read(BLOCK)
        data = rest + fresh
        cut = len(data) if not fresh else data.rfind(b"\n") + 1
        block, rest = data[:cut], data[cut:]
        if len(rest) > MAX_LINE:
            raise LibsvmError(
                line + block.count(b"\n"),
                f"is longer than {MAX_LINE >> 20} MB. Write one row a line, each line ended by a line feed",
            )
        if block.strip():
            yield parse(block, line)
        line += block.count(b"\n")
        if not fresh:
            return


def parse(block: bytes, first: int = 1, *, labelled: bool = True) -> Rows:
    """The rows in some whole lines.

    Args:
        labelled: Whether each row begins with a label; requests may leave it out, then labels are 0 where there is none.

    Raises:
        LibsvmError: See `blocks`.
    """
    quick = _quick(block) if labelled else None
    return _slow(block, first, labelled) if quick is None else quick


def _quick(block: bytes) -> Rows | None:
    """The rows of a block in which every row is a plain label and its pairs; None when one is not."""
    if b"q" in block or b"#" in block:
        return None
    lines = [line for line in block.split(b"\n") if line.strip()]
    counts = np.fromiter((line.count(b":") for line in lines), np.int64, len(lines))
    if any(b":" in line.split(None, 1)[0] for line in lines):
        return None
    with warnings.catch_warnings():
        # Text that is not all numbers warns and stops there; the count below tells.
        warnings.simplefilter("ignore")
        try:
            numbers = np.fromstring(block.replace(b":", b" ").decode("ascii"), np.float64, sep=" ")
        except ValueError:
            return None
    starts = np.concatenate([[0], np.cumsum(1 + 2 * counts)])
    if len(numbers) != starts[-1]:
        return None
    is_label = np.zeros(len(numbers), bool)
    is_label[starts[:-1]] = True
    pairs = numbers[~is_label].reshape(-1, 2)
    columns = pairs[:, 0].astype(np.int64)
    if (columns != pairs[:, 0]).any() or (len(columns) and (columns.min() < 0 or columns.max() > _MAX_COLUMN)):  # fmt: skip
        return None
    labels = numbers[is_label].astype(np.float32)
    return Rows(labels, counts, columns, pairs[:, 1].astype(np.float32), None, None)


def _slow(block: bytes, first: int, labelled: bool) -> Rows:
    labels: list[float] = []
    weights: list[float] = []
    groups: list[int] = []
    counts: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    weighed = grouped = False
    for number, line in enumerate(block.decode("utf-8", "replace").split("\n"), first):
        words = line.partition("#")[0].split()
        if not words:
            continue
        label, weight = 0.0, 1.0
        head, colon, tail = words[0].partition(":")
        if labelled or not colon:
            try:
                label, weight = float(head), float(tail) if colon else 1.0
            except ValueError:
                raise LibsvmError(
                    number, f"{words[0][:40]!r} does not follow LIBSVM label format <label>(:<weight>)"
                ) from None
            weighed = weighed or bool(colon)
            words = words[1:]
        group = -1
        if words and words[0].startswith("qid:"):
            group, words, grouped = _group(words[0], number), words[1:], True
        for word in words:
            column, value = _pair(word, number)
            columns.append(column)
            values.append(value)
        labels.append(label)
        weights.append(weight)
        groups.append(group)
        counts.append(len(words))
    return Rows(
        np.array(labels, np.float32),
        np.array(counts, np.int64),
        np.array(columns, np.int64),
        np.array(values, np.float64).astype(np.float32),
        np.array(weights, np.float32) if weighed else None,
        np.array(groups, np.int64) if grouped else None,
    )


def _group(word: str, line: int) -> int:
    try:
        return int(word.removeprefix("qid:"))
    except ValueError:
        raise LibsvmError(line, f"{word[:40]!r} does not name a group as qid:<number>") from None


def _pair(word: str, line: int) -> tuple[int, float]:
    column, colon, value = word.partition(":")
    try:
        index = int(column)
        if not colon or not 0 <= index <= _MAX_COLUMN:
            raise ValueError(word)
        return index, float(value)
    except ValueError:
        raise LibsvmError(line, f"{word[:40]!r} is not <column>:<value>") from None


def matrix(parts: list[Rows], width: int | None = None) -> Any:
    """All rows as a scipy CSR matrix of float32.

    Args:
        width: The number of columns; None takes one more than the largest.
    """
    from scipy.sparse import csr_matrix

    columns = np.concatenate([part.columns for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    wide = int(columns.max()) + 1 if len(columns) else 0
    values = np.concatenate([part.values for part in parts])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((values, columns, starts), shape=(len(counts), max(width or 0, wide)))
