"""Delimited text as XGBoost's container takes it: no header, a sniffed delimiter, empty fields are missing values.

The shared CSV reader of the other algorithms takes commas only and refuses missing values; here both are part of the contract.
Numbers are parsed as float64 and then rounded to float32, as they are when a program parses them and hands them to the library.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 1 << 24
MAX_LINE = 1 << 26
_SMALL = 1 << 18
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = (",", "\t", ";", "|", " ", ":")
_MISSING = ("", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None", "?")
_MISSING_BYTES = frozenset(word.encode() for word in _MISSING)


class TableError(ValueError):
    """A line that cannot be used, counted from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"row {line}: {problem}")
        self.line = line


def delimiter(line: str, *, whole: bool = True) -> str:
    """The character that separates a line's numbers; a comma for a line of one number.

    Args:
        whole: Whether the line is not cut off within its last field.

    Raises:
        ValueError: None can be found.
    """
    line = line.strip("\r\n")
    for mark in _DELIMITERS:
        fields = line.split(mark)
        if not whole and len(fields) > 2:
            fields.pop()
        if len(fields) > 1 and all(_is_field(field.strip()) for field in fields):
            return mark
    if _is_field(line.strip()):
        return ","
    try:
        found = csv.Sniffer().sniff(line[:4096]).delimiter
    except csv.Error as error:
        raise ValueError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
    return "," if found.isalnum() or found in ".-+" else found


def blocks(file: BinaryIO, mark: str) -> Iterator[Floats]:
    """The rows of a file, many at a time: float32 of shape (n, d); blank lines are left out, missing values are NaN.

    Raises:
        TableError: A field is no number, a row has another width than the first, or a line is longer than `MAX_LINE`.
    """
    width, line, rest = 0, 1, b""
    begun = False
    while True:
        fresh = file.read(BLOCK)
        if not begun:
            begun, fresh = True, fresh.removeprefix(_BOM)
        data = rest + fresh
        cut = len(data) if not fresh else data.rfind(b"\n") + 1
        block, rest = data[:cut], data[cut:]
        if len(rest) > MAX_LINE:
            raise TableError(
                line + block.count(b"\n"),
                f"is longer than {MAX_LINE >> 20} MB. Write one row a line, each line ended by a line feed",
            )
        if block.strip():
            values = parse(block, mark, width, line)
            width = values.shape[1]
            yield values
        line += block.count(b"\n")
        if not fresh:
            return


def parse(block: bytes, mark: str, width: int = 0, first: int = 1) -> Floats:
    """The rows in some whole lines.

    Args:
        width: How many fields each row must have; 0 takes the first row's.
        first: The first line's number, for messages.

    Raises:
        TableError: See `blocks`.
    """
    # Blanks at a line's ends are no fields.
    quick = _quick(block, mark, width) if len(block) > _SMALL and mark != " " else None
    return _slow(block, mark.encode(), width, first) if quick is None else quick


def _quick(block: bytes, mark: str, width: int) -> Floats | None:
    """All rows in one go, None when something is not as it should be."""
    from pyarrow import ArrowInvalid, csv, float64, py_buffer

    if not width:
        width = block.lstrip(b"\r\n").partition(b"\n")[0].count(mark.encode()) + 1
    names = [str(number) for number in range(width)]
    try:
        found = csv.read_csv(
            py_buffer(block),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            csv.ParseOptions(delimiter=mark, quote_char=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, float64()),
                null_values=list(_MISSING),
                strings_can_be_null=False,
            ),
        )
    except ArrowInvalid:
        return None
    values = np.empty((found.num_rows, width), np.float32)
    with np.errstate(over="ignore"):
        for number, column in enumerate(found.columns):
            values[:, number] = column.to_numpy()
    return values


def _slow(block: bytes, mark: bytes, width: int, first: int) -> Floats:
    kept: list[list[float]] = []
    for number, line in enumerate(block.split(b"\n"), first):
        line = line.strip(b"\r\n ") if mark != b" " else line.strip()
        if not line:
            continue
        fields = line.split(mark)
        if width and len(fields) != width:
            raise TableError(number, f"has {len(fields)} fields, the rows before have {width}")
        width = len(fields)
        try:
            kept.append([float(field) for field in fields])
        except ValueError:
            kept.append([_number(field, number, place) for place, field in enumerate(fields, 1)])
    with np.errstate(over="ignore"):
        return np.array(kept, np.float64).reshape(len(kept), width).astype(np.float32)


def _number(field: bytes, line: int, place: int) -> float:
    text = field.strip()
    if len(text) > 1 and text[:1] == b'"' == text[-1:]:
        text = text[1:-1].strip()
    if text in _MISSING_BYTES:
        return float("nan")
    try:
        if b"_" in text:
            raise ValueError(text)
        return float(text)
    except ValueError:
        shown = text[:40].decode("utf-8", "replace") + ("..." if len(text) > 40 else "")
        hint = ". Remove the header: SageMaker's CSV has none" if line == 1 else ""
        raise TableError(line, f"field {place} ({shown!r}) is not a number{hint}") from None


def _is_field(text: str) -> bool:
    if text.strip('"') in _MISSING:
        return True
    try:
        float(text.strip('"'))
    except ValueError:
        return False
    return True


def line_of(file: BinaryIO, row: int) -> int:
    """The line, counted from 1, on which a file's ``row``-th row (from 0) stands: blank lines are no rows."""
    seen = -1
    number = 0
    for number, line in enumerate(file, 1):
        seen += bool(line.strip())
        if seen == row:
            return number
    return number


def as_text(value: Any) -> str:
    """A number as a person writes it."""
    return f"{float(value):g}"
