"""Comma-separated numbers as SageMaker's built-in algorithms take them: no header, every field a finite number, rows of one width.

A file is read in blocks that end at a line's end, so memory does not depend on its size. A block that does not parse in one go
is looked at line by line, to name the line and the field.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 22
MAX_LINE = 1 << 25
"""A longer line is refused: it is a file without line ends, or not text at all."""

_SMALL = 1 << 14
_TOO_LARGE = float(np.finfo(np.float32).max) * (1 + 2.0**-25)
_QUOTE = b'"'
_BOM = b"\xef\xbb\xbf"


class CsvError(ValueError):
    """A line cannot be used; the message says which, counted from 1, and why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"row {line}: {problem}")
        self.line = line
        self.problem = problem


class Rows(NamedTuple):
    """Some consecutive lines as numbers: float32 of shape (n, d), and the first one's line number, counted from 1."""

    values: NDArray[np.float32]
    first: int


def rows(file: BinaryIO, size: int = BLOCK) -> Iterator[Rows]:
    """The rows of a file in its order, many at a time; blank lines are left out.

    Raises:
        CsvError: A field that is empty, no number or not finite, a row of another width than the first, or a line longer than
            `MAX_LINE`.
    """
    rest: list[bytes] = []
    held = 0
    line = 1
    width = 0
    begun = False
    while True:
        fresh = file.read(size)
        if not begun and fresh:
            begun = True
            fresh = fresh.removeprefix(_BOM)
        if fresh:
            cut = fresh.rfind(b"\n") + 1
            if not cut:
                rest.append(fresh)
                held += len(fresh)
                if held > MAX_LINE:
                    raise CsvError(
                        line,
                        f"is longer than {MAX_LINE >> 20} MB. Write one row a line, each line ended by a line feed",
                    )
                continue
            block = b"".join([*rest, fresh[:cut]])
            rest = [fresh[cut:]]
            held = len(rest[0])
        else:
            block, rest = b"".join(rest), []
        if block:
            values = parse(block, width, line)
            if len(values):
                width = values.shape[1]
                yield Rows(values, line)
            line += block.count(b"\n")
        if not fresh:
            return


def parse(block: bytes, width: int = 0, first: int = 1) -> NDArray[np.float32]:
    """The rows in some whole lines: float32 of shape (n, d), n being 0 when all lines are blank.

    Args:
        width: How many fields each row must have; 0 takes the first row's.
        first: The first line's number, for messages.

    Raises:
        CsvError: As `rows` does.
    """
    quick = _quick(block, width) if len(block) > _SMALL else None
    return _slow(block, width, first) if quick is None else quick


def _quick(block: bytes, width: int) -> NDArray[np.float32] | None:
    """All rows in one go, None when anything is not as it should be."""
    from pyarrow import ArrowInvalid, csv, float32, py_buffer

    if not width:
        width = block.lstrip(b"\r\n").partition(b"\n")[0].count(b",") + 1
    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            py_buffer(block),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(column_types=dict.fromkeys(names, float32()), null_values=[]),
        )
    except ArrowInvalid:
        return None
    values = np.empty((table.num_rows, width), np.float32)
    for number, column in enumerate(table.columns):
        values[:, number] = column.to_numpy()
    return values if finite(values) else None


def finite(values: NDArray[np.float32]) -> bool:
    """Whether no number is NaN or infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        # The sum is finite unless a number is not, or the sum itself overflows.
        return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())


def _slow(block: bytes, width: int, first: int) -> NDArray[np.float32]:
    kept: list[list[float]] = []
    for number, line in enumerate(block.split(b"\n"), first):
        if not line.strip():
            continue
        if len(line) > MAX_LINE:
            raise CsvError(
                number,
                f"is longer than {MAX_LINE >> 20} MB. Write one row a line, each line ended by a line feed",
            )
        fields = line.split(b",")
        if width and len(fields) != width:
            raise CsvError(number, f"has {len(fields)} fields, the rows before have {width}")
        width = len(fields)
        kept.append([_number(field, number, place) for place, field in enumerate(fields, 1)])
    return np.array(kept, np.float32).reshape(len(kept), width)


def _number(field: bytes, line: int, place: int) -> float:
    text = field.strip()
    if len(text) > 1 and text[:1] == _QUOTE == text[-1:]:
        text = text[1:-1].strip()
    if not text:
        raise CsvError(line, f"field {place} is empty. Fill or drop missing values")
    try:
        if b"_" in text:
            raise ValueError(text)
        value = float(text)
    except ValueError:
        shown = text[:40].decode("utf-8", "replace") + ("..." if len(text) > 40 else "")
        hint = ". Remove the header: SageMaker's CSV has none" if line == 1 else ""
        raise CsvError(line, f"field {place} ({shown!r}) is not a number{hint}") from None
    if not math.isfinite(value):
        raise CsvError(
            line, f"field {place} ({text[:40].decode()}) is not a finite number. Fill or drop missing values"
        )
    if abs(value) >= _TOO_LARGE:
        raise CsvError(line, f"field {place} ({value!r}) is too large for float32")
    return value
