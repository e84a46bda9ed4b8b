"""MXNet's NDArray files (``mx.nd.save``/``mx.nd.load``), in which PCA and K-Means leave their models.

A file is ``uint64 0x112, uint64 0, uint64 n``, then n arrays, then the number of names (0 for a list) and the names. What is
written here is byte for byte what MXNet 1.9.1 writes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = list[NDArray[Any]] | dict[str, NDArray[Any]]

FILE_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA

_TYPES: dict[int, str] = {
    0: "<f4",
    1: "<f8",
    2: "<f2",
    3: "|u1",
    4: "<i4",
    5: "|i1",
    6: "<i8",
    7: "|b1",
    8: "<i2",
    9: "<u2",
    10: "<u4",
    11: "<u8",
}
_CODES = {np.dtype(name): code for code, name in _TYPES.items()}
_STORAGE = {1: "row_sparse", 2: "csr"}
_MAX_DIMENSIONS = 32


class NDArrayError(ValueError):
    """The bytes are not a usable NDArray file; the message says what is wrong and where."""


def save(path: Path, arrays: Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]]) -> None:
    """Write a list or a dict of arrays as `encode` does."""
    path.write_bytes(encode(arrays))


def load(path: Path) -> Arrays:
    """The arrays of a file: a list, or a dict when they have names.

    Raises:
        NDArrayError: Not an NDArray file, or one with sparse arrays; the message names the file.
    """
    try:
        return decode(path.read_bytes())
    except NDArrayError as error:
        raise NDArrayError(f"{path.name}: {error}") from error


def encode(arrays: Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]]) -> bytes:
    """A list or a dict of arrays as ``mx.nd.save`` writes it.

    Raises:
        NDArrayError: A type that MXNet does not have, or an array without dimensions, which its files cannot tell from no array.
    """
    names = list(arrays) if isinstance(arrays, Mapping) else []
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    parts = [struct.pack("<QQQ", FILE_MAGIC, 0, len(values))]
    for array in values:
        code = _CODES.get(array.dtype.newbyteorder("<"))
        if code is None:
            raise NDArrayError(f"An NDArray file cannot hold numbers of type {array.dtype}.")
        if not array.ndim:
            raise NDArrayError("An NDArray file cannot hold an array without dimensions; reshape it to (1,).")
        parts.append(struct.pack(f"<IiI{array.ndim}q", V2, 0, array.ndim, *array.shape))
        parts.append(struct.pack("<iii", 1, 0, code))
        parts.append(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    parts.append(struct.pack("<Q", len(names)))
    for name in names:
        encoded = name.encode()
        parts.append(struct.pack("<Q", len(encoded)) + encoded)
    return b"".join(parts)


def decode(data: bytes) -> Arrays:
    """The arrays in the bytes of a file.

    Raises:
        NDArrayError: Not an NDArray file, truncated, or with sparse arrays.
    """
    reader = _Reader(data)
    magic, _, count = reader.take("<QQQ", "the header")
    if magic != FILE_MAGIC:
        raise NDArrayError(f"not an NDArray file: it begins with 0x{magic:x}, not 0x{FILE_MAGIC:x}")
    if count * 4 > len(data):
        raise NDArrayError(f"truncated: {count} arrays cannot fit into {len(data)} bytes")
    arrays = [_array(reader, number) for number in range(count)]
    (named,) = reader.take("<Q", "the number of names")
    if not named:
        return arrays
    if named != count:
        raise NDArrayError(f"damaged: {named} names for {count} arrays")
    names = []
    for number in range(named):
        (length,) = reader.take("<Q", f"the length of name {number}")
        try:
            names.append(bytes(reader.bytes(length, f"name {number}")).decode())
        except UnicodeDecodeError as error:
            raise NDArrayError(f"damaged: name {number} is no UTF-8 text") from error
    return dict(zip(names, arrays, strict=True))


def _array(reader: _Reader, number: int) -> NDArray[Any]:
    what = f"array {number}"
    (magic,) = reader.take("<I", what)
    if magic in (V2, V3):
        (storage,) = reader.take("<i", what)
        if storage != 0:
            kind = _STORAGE.get(storage, f"of storage type {storage}")
            raise NDArrayError(
                f"{what} is {kind}; only dense arrays can be read. Save it with tostype('default')."
            )
    if magic in (V1, V2, V3):
        (dimensions,) = reader.take("<i", what)
        form = "q"
    else:
        # Before V1 there was no magic number: the number of dimensions stood first.
        dimensions, form = magic, "I"
    if dimensions == (-1 if magic == V3 else 0):
        return np.empty(0, np.float32)
    if not 0 <= dimensions <= _MAX_DIMENSIONS:
        raise NDArrayError(
            f"damaged: {what} has 0x{dimensions & 0xFFFFFFFF:x} where its version or dimensions belong"
        )
    shape = reader.take(f"<{dimensions}{form}", f"the shape of {what}")
    _, _, code = reader.take("<iii", f"the type of {what}")
    if code not in _TYPES:
        raise NDArrayError(f"{what} has numbers of the unknown type {code}")
    if any(size < 0 for size in shape):
        raise NDArrayError(f"damaged: {what} has the shape {shape}")
    kind_ = np.dtype(_TYPES[code])
    if math.prod(size or 1 for size in shape) * kind_.itemsize >= 2**63:
        # NumPy refuses it even where another length of 0 leaves nothing to hold.
        raise NDArrayError(f"damaged: {what} has the shape {shape}")
    raw = reader.bytes(math.prod(shape) * kind_.itemsize, f"{what} of shape {shape}")
    return np.frombuffer(raw, kind_).reshape(shape).copy()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def bytes(self, size: int, what: str) -> memoryview:
        left = len(self._data) - self._at
        if size > left:
            raise NDArrayError(
                f"truncated in {what}: {size} bytes are needed at byte {self._at}, {left} are there"
            )
        self._at += size
        return self._data[self._at - size : self._at]

    def take(self, form: str, what: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form), what))
