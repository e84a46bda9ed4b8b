"""Objects become mini-batches: the same ones however the bytes arrive, in order, never beyond the limit."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.transforms.reading import ReadError, Source
from engine.transforms.splitting import RECORDIO_MAGIC, Batch, SplitError, batches
from engine.transforms.window import Window

MAGIC = RECORDIO_MAGIC.to_bytes(4, "little")

lines_data = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"x")), max_size=40)
cuts = st.lists(st.integers(1, 30), min_size=1, max_size=8)
payloads = st.lists(st.binary(max_size=60), min_size=0, max_size=20)


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in chunks of these sizes, over and over."""
    at = number = 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield data[at : at + size]
        at, number = at + size, number + 1


def split(data: bytes, sizes: list[int], kind: str, limit: int, single: bool) -> list[Batch] | str:
    """The batches, or the error's text."""
    try:
        return list(batches(pieces(data, sizes), kind, limit=limit, single=single))
    except SplitError as error:
        return f"{error} / {error.record} / {error.offset}"


def recordio(payload: bytes) -> bytes:
    """A record as MXNet writes it: parts at the magic number, each padded to four bytes."""
    parts = payload.split(MAGIC)
    written = b""
    for number, part in enumerate(parts):
        kind = 0 if len(parts) == 1 else 1 if number == 0 else 3 if number == len(parts) - 1 else 2
        written += MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
    return written


def tfrecord(payload: bytes) -> bytes:
    """A record as TensorFlow writes it; the checksums are not looked at."""
    return struct.pack("<QI", len(payload), 7) + payload + b"\1\2\3\4"


FRAMES = {"RecordIO": recordio, "TFRecord": tfrecord}


@given(lines_data, cuts, st.integers(12, 64), st.booleans(), st.booleans())
def test_lines_do_not_depend_on_the_chunks(
    lines: list[bytes], sizes: list[int], limit: int, single: bool, ended: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    found = split(data, sizes, "Line", limit, single)
    assert found == split(data, [max(1, len(data))], "Line", limit, single)
    assert isinstance(found, list)
    wanted = data.removesuffix(b"\n").split(b"\n") if data else []
    if single:
        assert [batch.data for batch in found] == [line.removesuffix(b"\r") for line in wanted]
    assert all(len(batch.data) <= limit for batch in found)
    assert sum(batch.records for batch in found) == len(wanted)
    # One behind the other without a gap, from the first byte to the last.
    position, number = 0, 1
    for batch in found:
        assert (batch.offset, batch.first) == (position, number)
        assert data[batch.offset : batch.end].startswith(batch.data)
        position, number = batch.end, number + batch.records
    assert position == len(data)


@given(lines_data, st.integers(12, 64))
def test_a_batch_of_lines_is_as_full_as_it_can_be(lines: list[bytes], limit: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    found = list(batches([data] if data else [], "Line", limit=limit, single=False))
    for batch, following in itertools.pairwise(found):
        next_line = data[following.offset :].split(b"\n", 1)[0]
        assert batch.end - batch.offset + len(next_line) >= limit + bool(next_line)


@pytest.mark.parametrize("kind", sorted(FRAMES))
@given(payloads=payloads, sizes=cuts, limit=st.integers(100, 300), single=st.booleans())
def test_framed_records_do_not_depend_on_the_chunks(
    kind: str, payloads: list[bytes], sizes: list[int], limit: int, single: bool
) -> None:
    frames = [FRAMES[kind](payload) for payload in payloads]
    data = b"".join(frames)
    found = split(data, sizes, kind, limit, single)
    assert isinstance(found, list)
    assert found == split(data, [max(1, len(data))], kind, limit, single)
    if single:
        assert [batch.data for batch in found] == payloads
    else:
        assert b"".join(batch.data for batch in found) == data
    assert all(len(batch.data) <= limit for batch in found)
    assert sum(batch.records for batch in found) == len(payloads)
    assert [batch.first for batch in found] == [
        1 + sum(b.records for b in found[:i]) for i in range(len(found))
    ]


@given(payload=st.lists(st.sampled_from([MAGIC, b"a", b"bcd", b"\0"]), max_size=12).map(b"".join), sizes=cuts)
def test_a_payload_that_holds_the_magic_number_comes_back_whole(payload: bytes, sizes: list[int]) -> None:
    data = recordio(payload) + recordio(b"end")
    found = split(data, sizes, "RecordIO", 4096, True)
    assert isinstance(found, list)
    assert [batch.data for batch in found] == [payload, b"end"]


@pytest.mark.parametrize("kind", ["Line", "RecordIO", "TFRecord"])
@pytest.mark.parametrize("single", [True, False])
def test_a_record_beyond_the_limit_is_named(kind: str, single: bool) -> None:
    payloads = [b"a" * 30, b"b" * 30, b"c" * 500]
    if kind == "Line":
        data, offset = b"\n".join(payloads), 62
    else:
        data = b"".join(FRAMES[kind](payload) for payload in payloads)
        offset = 2 * len(FRAMES[kind](payloads[0]))
    for sizes in ([7], [len(data)]):
        found = split(data, sizes, kind, 64, single)
        assert isinstance(found, str)
        assert found.startswith(
            f"Too much data for max payload size. Record 3 (at byte {offset}) is longer than"
        )
        assert found.endswith(f" / 3 / {offset}")


def test_an_object_beyond_the_limit_is_refused_before_it_is_read() -> None:
    read = []

    def chunks() -> Iterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b"x" * 10

    with pytest.raises(SplitError, match="set SplitType"):
        list(batches(chunks(), "None", limit=35, single=False))
    assert len(read) == 4
    for single in (True, False):
        read.clear()
        with pytest.raises(SplitError, match="Record 1"):
            list(batches(chunks(), "Line", limit=35, single=single))
        assert len(read) == 4


@pytest.mark.parametrize("kind", sorted(FRAMES))
def test_what_is_cut_off_or_of_another_format_is_named(kind: str) -> None:
    data = FRAMES[kind](b"first") + FRAMES[kind](b"second")
    for end in range(len(FRAMES[kind](b"first")) + 1, len(data)):
        found = split(data[:end], [5], kind, 1000, False)
        assert isinstance(found, str), end
        assert "Record 2" in found
        assert "cut off" in found
    assert "not in RecordIO format" in str(split(b"a,b,c\n1,2,3\n", [4], "RecordIO", 1000, False))


@given(data=st.binary(max_size=3000), members=st.integers(1, 3), chunk=st.integers(1, 700))
def test_gzip_members_unpack_in_small_pieces(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, members: int, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("gzip") / "data.gz"
    path.write_bytes(b"".join(gzip.compress(data) for _ in range(members)))
    with Source(path, gzip=True, chunk=chunk) as source:
        found = list(source.chunks())
        assert source.position == path.stat().st_size
    assert b"".join(found) == data * members
    assert all(len(piece) <= chunk for piece in found)


def test_what_is_no_gzip_or_cut_off_is_said(tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(b"1,2,3\n")
    with pytest.raises(ReadError, match="not gzip-compressed"), Source(path, gzip=True) as source:
        list(source.chunks())
    path.write_bytes(gzip.compress(random.Random(1).randbytes(5000))[:-9])
    with pytest.raises(ReadError, match="cut off"), Source(path, gzip=True) as source:
        list(source.chunks())
    with pytest.raises(ReadError, match="deleted"):
        Source(tmp_path / "gone")


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 5), st.integers(1, 40))
def test_a_window_never_holds_more_than_it_has_room_for(sizes: list[int], slots: int, room: int) -> None:
    async def play() -> list[int]:
        window, entered = Window(slots, room), []

        async def one(number: int, size: int) -> None:
            await window.enter(size)
            entered.append(number)
            assert window.inside <= slots
            assert window.held <= room or window.inside == 1
            await asyncio.sleep(0)
            window.leave(size)

        await asyncio.wait_for(asyncio.gather(*(one(i, size) for i, size in enumerate(sizes))), 20)
        assert (window.inside, window.held) == (0, 0)
        return entered

    assert asyncio.run(play()) == list(range(len(sizes)))
