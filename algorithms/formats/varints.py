"""Protobuf's base-128 numbers, many at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def encode(values: NDArray[np.uint64]) -> tuple[bytes, NDArray[np.int64]]:
    """All numbers one after another, and how many bytes each took."""
    groups = np.ones(len(values), np.int64)
    for shift in range(7, 64, 7):
        groups += (values >> np.uint64(shift)) > 0
    width = int(groups.max(initial=1))
    shifts = np.arange(0, 7 * width, 7, dtype=np.uint64)
    table = ((values[:, None] >> shifts) & np.uint64(0x7F)).astype(np.uint8)
    column = np.arange(width)
    table |= np.where(column < groups[:, None] - 1, 0x80, 0).astype(np.uint8)
    return table[column < groups[:, None]].tobytes(), groups


def decode(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The numbers in packed bytes.

    Raises:
        ValueError: The last number does not end, or one is longer than ten bytes.
    """
    if not len(data):
        return np.empty(0, np.uint64)
    ends = np.flatnonzero(data < 0x80)
    if not len(ends) or ends[-1] != len(data) - 1:
        raise ValueError("a packed number does not end")
    if len(ends) == len(data):
        return data.astype(np.uint64)
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts + 1
    if int(lengths.max()) > 10:
        raise ValueError("a packed number is longer than ten bytes")
    values = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max())):
        chosen = lengths > place
        values[chosen] |= (data[starts[chosen] + place] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(
            7 * place
        )
    return values


def one(value: int) -> bytes:
    """One number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
