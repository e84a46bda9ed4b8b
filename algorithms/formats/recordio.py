"""MXNet's recordIO framing, in which SageMaker's built-in algorithms take protobuf records.

A record is ``uint32 magic, uint32 length, payload, zero padding to 4 bytes``, little endian. The upper three bits of the length
are a part flag (0 whole, 1 first, 2 middle, 3 last): a payload that holds the magic number may be stored in parts around it.
Files are read in blocks, so memory is bounded by the block size and the largest record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
MAX_LENGTH = 2**29 - 1
"""The longest payload that a length field without part flag can state."""

BLOCK = 1 << 22
_RUN = 16
_SCAN = 4096


class RecordIOError(ValueError):
    """The bytes are not recordIO; the message says which record, counted from 1, and the byte at which it begins."""

    def __init__(self, record: int, offset: int, problem: str) -> None:
        super().__init__(f"record {record} (byte {offset}): {problem}")
        self.record = record
        self.offset = offset


class Block(NamedTuple):
    """Some consecutive records.

    Attributes:
        data: The bytes they lie in.
        starts: Where each payload begins in ``data``, int64 of shape (n,).
        lengths: The payloads' lengths, int64 of shape (n,).
        stride: The distance between payloads when all are equally long and evenly spaced, else 0.
        first: The first record's number, counted from 1.
    """

    data: bytes
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    stride: int
    first: int

    def payload(self, index: int) -> bytes:
        """One record's bytes."""
        start = int(self.starts[index])
        return self.data[start : start + int(self.lengths[index])]


def blocks(file: BinaryIO, size: int = BLOCK) -> Iterator[Block]:
    """The records of a file in its order, many at a time.

    Raises:
        RecordIOError: A bad magic number, a part flag out of order, or a record that ends before its length.
    """
    rest = b""
    record, offset = 1, 0
    parts: list[bytes] = []
    wanted = size
    while True:
        fresh = _read(file, wanted)
        ended = len(fresh) < wanted
        buffer = rest + fresh if rest else fresh
        position = 0
        while True:
            position, block, needed = _next(buffer, position, record, offset, parts, ended)
            if block is None:
                break
            yield block
            record += len(block.starts)
        rest = buffer[position:]
        offset += position
        if ended:
            if parts:
                raise RecordIOError(record, offset, "the file ends before the record's last part")
            return
        wanted = max(size, needed - len(rest))


def payloads(file: BinaryIO, size: int = BLOCK) -> Iterator[bytes]:
    """The records' payloads one by one.

    Raises:
        RecordIOError: As `blocks` does.
    """
    for block in blocks(file, size):
        for index in range(len(block.starts)):
            yield block.payload(index)


def frame(payload: bytes) -> bytes:
    """One record in its frame.

    Raises:
        ValueError: The payload is longer than `MAX_LENGTH`.
    """
    if len(payload) > MAX_LENGTH:
        raise ValueError(f"A record holds at most {MAX_LENGTH} bytes, not {len(payload)}.")
    return struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def write(file: BinaryIO, records: Iterable[bytes]) -> int:
    """Append records to a file; answers how many."""
    count = 0
    for payload in records:
        file.write(frame(payload))
        count += 1
    return count


def _read(file: BinaryIO, wanted: int) -> bytes:
    # In steps: a damaged length field must not make us reserve what it claims.
    parts = []
    while wanted > 0:
        part = file.read(min(wanted, BLOCK))
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _next(
    buffer: bytes, position: int, record: int, offset: int, parts: list[bytes], ended: bool
) -> tuple[int, Block | None, int]:
    """The next block in the buffer, where the one after it begins, and how many bytes its first record needs."""
    starts: list[int] = []
    lengths: list[int] = []
    first = record
    total = len(buffer)
    while True:
        left = total - position
        if left < 8:
            if ended and left:
                problem = f"{left} bytes are too few for a record's header; the file is truncated"
                raise RecordIOError(record, offset + position, problem)
            needed = 8
            break
        magic, word = struct.unpack_from("<II", buffer, position)
        if magic != MAGIC:
            raise RecordIOError(
                record,
                offset + position,
                f"does not start with a valid magic number (found 0x{magic:08x}, expected 0x{MAGIC:08x})",
            )
        flag, length = word >> 29, word & MAX_LENGTH
        stride = 8 + length + (-length % 4)
        if left < stride:
            if ended and left < 8 + length:
                problem = f"its length is {length} bytes, only {left - 8} are there; the file is truncated"
                raise RecordIOError(record, offset + position, problem)
            if not ended:
                needed = stride
                break
            # The last record's padding may be missing.
        if flag or parts:
            if starts:
                needed = 0
                break
            payload = buffer[position + 8 : position + 8 + length]
            _join(parts, flag, payload, record, offset + position)
            position += min(stride, left)
            if flag == 3:
                whole = b"".join(parts)
                parts.clear()
                return position, _of(whole, [0], [len(whole)], record), 0
            continue
        run = _equal(buffer, position, stride) if not len(starts) % _RUN else 1
        if run >= _RUN:
            if starts:
                needed = 0
                break
            begins = position + 8 + stride * np.arange(run, dtype=np.int64)
            block = Block(buffer, begins, np.full(run, length, np.int64), stride, record)
            return min(total, position + run * stride), block, 0
        starts.append(position + 8)
        lengths.append(length)
        record += 1
        position += min(stride, left)
        if len(starts) >= _SCAN:
            needed = 0
            break
    return position, _of(buffer, starts, lengths, first) if starts else None, needed


def _of(buffer: bytes, starts: list[int], lengths: list[int], first: int) -> Block:
    return Block(buffer, np.array(starts, np.int64), np.array(lengths, np.int64), 0, first)


def _equal(buffer: bytes, position: int, stride: int) -> int:
    """How many records from here on have the first one's header."""
    count = (len(buffer) - position) // stride
    if count < _RUN:
        return 1
    heads: NDArray[np.uint64] = np.ndarray((count,), "<u8", buffer, position, (stride,))
    if heads[1] != heads[0] or heads[_RUN - 1] != heads[0]:
        return 1
    different = np.flatnonzero(heads != heads[0])
    return int(different[0]) if len(different) else count


def _join(parts: list[bytes], flag: int, payload: bytes, record: int, offset: int) -> None:
    if flag not in (1, 2, 3) or (flag == 1) != (not parts):
        raise RecordIOError(record, offset, f"a part with flag {flag} is out of order")
    if parts:
        parts.append(MAGIC_BYTES)
    parts.append(payload)
