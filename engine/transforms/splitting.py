"""An object's bytes as mini-batches of whole records, none of them longer than the payload limit."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

RECORDIO_MAGIC = 0xCED7230A
_RECORDIO_HEAD = struct.Struct("<II")
_TFRECORD_HEAD = struct.Struct("<QI")
_TFRECORD_TAIL = 4

# MXNet's dmlc::RecordIO: a payload that holds the magic number is written in parts, the number standing between them.
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


class SplitError(Exception):
    """A record that cannot be sent.

    ``record`` counts from 1, ``offset`` is where it begins in the (unpacked) object.
    """

    def __init__(self, message: str, record: int, offset: int) -> None:
        super().__init__(message)
        self.record = record
        self.offset = offset


class Batch(NamedTuple):
    """What one request carries: its payload, how many records, the first one's number (from 1) and the payload's place in the object."""

    data: bytes
    records: int
    first: int
    offset: int
    end: int


class Frame(NamedTuple):
    """One record of a binary format: everything that belongs to it, and its payload alone."""

    framed: bytes
    payload: bytes


def batches(chunks: Iterable[bytes], split: str, *, limit: int, single: bool) -> Iterator[Batch]:
    """The mini-batches of an object in order; however the chunks fall, the batches are the same.

    Args:
        split: A SplitType: ``None``, ``Line``, ``RecordIO`` or ``TFRecord``.
        limit: Bytes that a payload may have.
        single: One record per batch, without line end, framing and padding; else as many as fit.

    Raises:
        SplitError: A record is longer than the limit, or the object is not of that format.
    """
    if split == "Line":
        return _single_lines(chunks, limit) if single else _lines(chunks, limit)
    if split == "RecordIO":
        return _framed(chunks, limit, single, _recordio)
    if split == "TFRecord":
        return _framed(chunks, limit, single, _tfrecord)
    return _whole(chunks, limit)


def too_long(limit: int, record: int, offset: int, split: str) -> SplitError:
    """AWS's sentence for a record beyond MaxPayloadInMB, with its place and what to do."""
    what = "The object" if split == "None" else f"Record {record} (at byte {offset})"
    more = "set SplitType, " if split == "None" else ""
    return SplitError(
        f"Too much data for max payload size. {what} is longer than MaxPayloadInMB={limit / 2**20:g}: "
        f"{more}raise MaxPayloadInMB (at most 100) or make the records shorter.",
        record,
        offset,
    )


def _whole(chunks: Iterable[bytes], limit: int) -> Iterator[Batch]:
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise too_long(limit, 1, 0, "None")
    if size:
        yield Batch(b"".join(parts), 1, 1, 0, size)


def _lines(chunks: Iterable[bytes], limit: int) -> Iterator[Batch]:
    buffer = bytearray()
    first, offset = 1, 0
    for chunk in chunks:
        buffer += chunk
        while len(buffer) > limit:
            cut = buffer.rfind(b"\n", 0, limit + 1)
            if cut < 0:
                raise too_long(limit, first, offset, "Line")
            # The newline goes along where there is room for it; without one an empty record at the end could not be told.
            if cut == limit and buffer[cut - 1 : cut] == b"\n":
                cut -= 1
            data = bytes(buffer[: min(cut + 1, limit)])
            del buffer[: cut + 1]
            batch = Batch(data, _count(data, ended=cut < limit), first, offset, offset + cut + 1)
            first, offset = first + batch.records, batch.end
            yield batch
    if buffer:
        data = bytes(buffer)
        yield Batch(data, _count(data, ended=data.endswith(b"\n")), first, offset, offset + len(data))


def _count(data: bytes, *, ended: bool) -> int:
    return data.count(b"\n") + (0 if ended else 1)


def _single_lines(chunks: Iterable[bytes], limit: int) -> Iterator[Batch]:
    rest: list[bytes] = []
    held = 0
    record, offset = 1, 0
    for chunk in chunks:
        *lines, last = chunk.split(b"\n")
        for line in lines:
            if rest:
                line = b"".join([*rest, line])
                rest, held = [], 0
            end = offset + len(line) + 1
            yield _line(line, record, offset, end, limit)
            record, offset = record + 1, end
        if last:
            rest.append(last)
            held += len(last)
            if held > limit + 1:  # a carriage return may still be its end
                raise too_long(limit, record, offset, "Line")
    if rest:
        line = b"".join(rest)
        yield _line(line, record, offset, offset + len(line), limit)


def _line(line: bytes, record: int, offset: int, end: int, limit: int) -> Batch:
    data = line.removesuffix(b"\r")
    if len(data) > limit:
        raise too_long(limit, record, offset, "Line")
    return Batch(data, 1, record, offset, end)


Parse = Callable[[bytearray, int, int, int], "Frame | int"]
"""Takes buffer, limit, record number and offset; the record at the buffer's start, or how many bytes it needs to go on."""


def _framed(chunks: Iterable[bytes], limit: int, single: bool, parse: Parse) -> Iterator[Batch]:
    held: list[bytes] = []
    size = records = 0
    first, start = 1, 0
    for record, (frame, offset) in enumerate(_frames(chunks, limit, parse), 1):
        data = frame.payload if single else frame.framed
        end = offset + len(frame.framed)
        if len(data) > limit:
            raise too_long(limit, record, offset, "RecordIO")
        if single:
            yield Batch(data, 1, record, offset, end)
            continue
        if size + len(data) > limit:
            yield Batch(b"".join(held), records, first, start, offset)
            held, size, records, first, start = [], 0, 0, record, offset
        held.append(data)
        size += len(data)
        records += 1
    if held:
        yield Batch(b"".join(held), records, first, start, start + size)


def _frames(chunks: Iterable[bytes], limit: int, parse: Parse) -> Iterator[tuple[Frame, int]]:
    buffer = bytearray()
    needed, record, offset = 1, 1, 0
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= needed:
            found = parse(buffer, limit, record, offset)
            if isinstance(found, int):
                needed = found
                continue
            yield found, offset
            del buffer[: len(found.framed)]
            record, offset, needed = record + 1, offset + len(found.framed), 1
    if buffer:
        raise SplitError(
            f"Record {record} (at byte {offset}) is cut off: the object ends after {len(buffer)} of at least {needed} bytes.",
            record,
            offset,
        )


def _recordio(buffer: bytearray, limit: int, record: int, offset: int) -> Frame | int:
    parts: list[bytes] = []
    at = 0
    while True:
        if len(buffer) < at + _RECORDIO_HEAD.size:
            return at + _RECORDIO_HEAD.size
        magic, word = _RECORDIO_HEAD.unpack_from(buffer, at)
        kind, length = int(word) >> 29, int(word) & 0x1FFFFFFF
        if magic != RECORDIO_MAGIC or kind > _LAST or (kind in (_WHOLE, _FIRST)) != (at == 0):
            raise SplitError(f"Record {record} (at byte {offset}) is not in RecordIO format.", record, offset)
        if at + length > limit + 64 * (1 + len(parts)):
            raise too_long(limit, record, offset, "RecordIO")
        body = at + _RECORDIO_HEAD.size
        after = body + (length + 3) // 4 * 4
        if len(buffer) < after:
            return after
        parts.append(bytes(buffer[body : body + length]))
        at = after
        if kind in (_WHOLE, _LAST):
            payload = RECORDIO_MAGIC.to_bytes(4, "little").join(parts)
            return Frame(bytes(buffer[:at]), payload)


def _tfrecord(buffer: bytearray, limit: int, record: int, offset: int) -> Frame | int:
    if len(buffer) < _TFRECORD_HEAD.size:
        return _TFRECORD_HEAD.size
    length, _ = _TFRECORD_HEAD.unpack_from(buffer)
    if length > limit:
        raise too_long(limit, record, offset, "TFRecord")
    body = _TFRECORD_HEAD.size
    after = body + int(length) + _TFRECORD_TAIL
    if len(buffer) < after:
        return after
    return Frame(bytes(buffer[:after]), bytes(buffer[body : body + length]))
