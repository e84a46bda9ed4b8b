"""The recordIO framing: round trips, parts as MXNet writes them, and damage named by record."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.formats import recordio
from algorithms.formats.recordio import MAGIC_BYTES, RecordIOError

FIXTURES = Path(__file__).parent / "fixtures"


def framed(*payloads: bytes) -> bytes:
    return b"".join(map(recordio.frame, payloads))


@given(st.lists(st.binary(max_size=40), max_size=60), st.integers(1, 300))
def test_whatever_is_written_is_read_again_in_blocks_of_any_size(records: list[bytes], size: int) -> None:
    assert list(recordio.payloads(io.BytesIO(framed(*records)), size)) == records


@given(st.binary(min_size=1, max_size=30), st.integers(16, 200), st.binary(max_size=9), st.integers(50, 4000))
def test_runs_of_equal_length_keep_what_stands_between_them(
    payload: bytes, count: int, other: bytes, size: int
) -> None:
    records = [payload] * count + [other] + [bytes(len(payload))] * count
    assert list(recordio.payloads(io.BytesIO(framed(*records)), size)) == records


def test_equal_records_come_as_one_strided_block() -> None:
    (block,) = recordio.blocks(io.BytesIO(framed(*[b"abcde"] * 100)))
    assert (block.stride, len(block.starts), block.first) == (16, 100, 1)


def test_parts_that_mxnet_wrote_are_joined() -> None:
    with (FIXTURES / "parts.rec").open("rb") as file:
        found = list(recordio.payloads(file))
    assert found == [
        b"abc",
        MAGIC_BYTES + b"one",
        b"0123" + MAGIC_BYTES + b"4567" + MAGIC_BYTES,
        b"ab" + MAGIC_BYTES,
        b"",
        b"x" * 70,
    ]


@given(st.integers(1, 64))
def test_parts_are_joined_across_blocks(size: int) -> None:
    raw = (FIXTURES / "parts.rec").read_bytes()
    assert len(list(recordio.payloads(io.BytesIO(raw), size))) == 6


@pytest.mark.parametrize(
    ("raw", "record", "words"),
    [
        (b"hello world, this is text", 1, "magic number"),
        (framed(b"abcd", b"efgh") + b"\x00" * 12, 3, "magic number"),
        (framed(b"abcd")[:-2], 1, "truncated"),
        (framed(b"abcd") + b"\x0a\x23", 2, "too few"),
        (framed(b"abcd") + struct.pack("<II", recordio.MAGIC, 2**29 - 1) + b"xy", 2, "truncated"),
        (struct.pack("<II", recordio.MAGIC, 1 << 29 | 4) + b"abcd", 1, "last part"),
        (struct.pack("<II", recordio.MAGIC, 3 << 29 | 4) + b"abcd", 1, "out of order"),
        (struct.pack("<II", recordio.MAGIC, 1 << 29 | 4) + b"abcd" + framed(b"efgh"), 1, "out of order"),
    ],
)
def test_damage_is_named_by_record(raw: bytes, record: int, words: str) -> None:
    with pytest.raises(RecordIOError, match=words) as caught:
        list(recordio.payloads(io.BytesIO(raw)))
    assert caught.value.record == record
    assert f"record {record} (byte " in str(caught.value)


@given(
    st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: framed(b"abc") + MAGIC_BYTES + tail)
)
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        list(recordio.payloads(io.BytesIO(raw), 16))
    except RecordIOError as error:
        assert error.record >= 1


def test_a_missing_pad_at_the_end_is_no_damage() -> None:
    assert list(recordio.payloads(io.BytesIO(framed(b"abcde")[:-3]))) == [b"abcde"]


def test_no_file_is_read_further_than_needed() -> None:
    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return (framed(b"abcd") * (size // 12 + 1))[:size] if self.given == size else b""

    file = Endless()
    first = next(recordio.blocks(file, 1200))  # type: ignore[arg-type]
    assert len(first.starts) == 100
    assert file.given == 1200
