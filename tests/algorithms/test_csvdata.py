"""Strict CSV: what is read equals what was written, and every unusable line is named."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algorithms.formats import csvdata
from algorithms.formats.csvdata import CsvError


def text(rows: Any, end: str = "\n") -> bytes:
    return "".join(",".join(map(repr, row)) + end for row in rows.tolist()).encode()


def read(raw: bytes, size: int = csvdata.BLOCK) -> Any:
    return np.concatenate([part.values for part in csvdata.rows(io.BytesIO(raw), size)])


@given(
    hnp.arrays(
        "f4",
        st.tuples(st.integers(1, 20), st.integers(1, 4)),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    st.integers(1, 400),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_is_written_is_read_again(rows: Any, size: int, end: str, ended: bool) -> None:
    raw = text(rows, end)
    assert np.array_equal(read(raw if ended else raw.rstrip(), size), rows)


def test_large_blocks_give_the_same_numbers_as_single_lines() -> None:
    rows = np.random.default_rng(0).normal(size=(4000, 7)).astype("f4")
    raw = text(rows)
    assert np.array_equal(read(raw), rows)
    assert np.array_equal(csvdata._slow(raw, 0, 1), rows)


def test_forms_that_are_no_mistake() -> None:
    raw = b'\xef\xbb\xbf 1, +2 ,3e0\r\n\r\n"4",5.,.5\n\n'
    assert read(raw).tolist() == [[1, 2, 3], [4, 5, 0.5]]


FILLER = b"".join(b"%d,%d,%d\n" % (number, number, number) for number in range(3000))


@pytest.mark.parametrize("before", [b"1,2,3\n", FILLER], ids=["small", "large"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"1,2", "has 2 fields, the rows before have 3"),
        (b"1,2,3,4", "has 4 fields"),
        (b"1,,3", "field 2 is empty"),
        (b"1,2,", "field 3 is empty"),
        (b"1,two,3", r"field 2 \('two'\) is not a number"),
        (b"1,nan,3", "not a finite number"),
        (b"inf,2,3", "not a finite number"),
        (b"1,2,1e39", "too large for float32"),
        (b"1_0,2,3", "is not a number"),
        (b"0x10,2,3", "is not a number"),
        (b"\xff\xfe,2,3", "is not a number"),
        (b"1;2;3", "has 1 fields"),
    ],
)
def test_an_unusable_line_is_named(before: bytes, line: bytes, words: str) -> None:
    number = before.count(b"\n") + 3
    raw = before + b"\n7,8,9\n" + line + b"\n1,2,3\n"
    with pytest.raises(CsvError, match=words) as caught:
        read(raw)
    assert caught.value.line == number
    assert str(caught.value).startswith(f"row {number}: ")


def test_a_header_is_said_to_be_one() -> None:
    with pytest.raises(CsvError, match=r"row 1: .*'TotalPop'.*Remove the header"):
        read(b"TotalPop,Men\n1,2\n")


def test_a_file_without_line_ends_is_refused_before_it_is_read_whole() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"7" * size

    file = Endless()
    with pytest.raises(CsvError, match="row 1: is longer than 32 MB"):
        list(csvdata.rows(file))  # type: ignore[arg-type]
    assert file.given < 2 * csvdata.MAX_LINE


@given(
    st.binary(max_size=200) | st.text('0123456789.,-+eE \n\r"na', max_size=200).map(str.encode),
    st.integers(1, 50),
)
def test_random_bytes_are_read_or_refused(raw: bytes, size: int) -> None:
    try:
        for part in csvdata.rows(io.BytesIO(raw), size):
            assert np.isfinite(part.values).all()
    except CsvError as error:
        assert 1 <= error.line <= raw.count(b"\n") + 1


def test_blank_files_hold_no_row() -> None:
    assert list(csvdata.rows(io.BytesIO(b""))) == []
    assert list(csvdata.rows(io.BytesIO(b"\n \r\n"))) == []
