"""CBOR (RFC 8949) as far as the protocol smithy-rpc-v2-cbor needs it: the SDKs of Go, Java and JavaScript speak it with CloudWatch."""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Any

from engine.protocol.scalars import malformed

_DEPTH = 128
_EPOCH_TAG = b"\xc1"
_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def encode(value: Any) -> bytes:
    """A document of dicts, lists, texts, bytes, numbers, booleans, None and datetimes (tag 1, epoch seconds)."""
    out = bytearray()
    _write(value, out)
    return bytes(out)


def decode(data: bytes) -> Any:
    """The document; times become epoch seconds.

    Raises:
        ServiceError: ``SerializationException``: it is not one well-formed item.
    """
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, ValueError, TypeError, OverflowError) as error:
        raise malformed("The request body is not valid CBOR") from error
    if value is _BREAK or end != len(data):
        raise malformed("The request body is not valid CBOR")
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for code, form, limit in ((24, ">BB", 1 << 8), (25, ">BH", 1 << 16), (26, ">BI", 1 << 32)):
        if number < limit:
            return struct.pack(form, major << 5 | code, number)
    return struct.pack(">BQ", major << 5 | 27, number)


def _write(value: Any, out: bytearray) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        out += _head(0, value) if value >= 0 else _head(1, -1 - value)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xFB, value)
    elif isinstance(value, str):
        text = value.encode()
        out += _head(3, len(text)) + text
    elif isinstance(value, bytes):
        out += _head(2, len(value)) + value
    elif isinstance(value, datetime):
        out += _EPOCH_TAG + struct.pack(">Bd", 0xFB, value.timestamp())
    elif isinstance(value, dict):
        out += _head(5, len(value))
        for key, item in value.items():
            _write(key, out)
            _write(item, out)
    else:
        out += _head(4, len(value))
        for item in value:
            _write(item, out)


def _read(data: bytes, place: int, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH:
        raise malformed("The request body is nested too deeply")
    major, info = data[place] >> 5, data[place] & 31
    place += 1
    if major == 7:
        return _read_simple(data, place, info)
    number: int | None = info
    if info == 31:
        if major in (0, 1, 6):
            raise ValueError("this type has no indefinite length")
        number = None
    elif info >= 24:
        size = {24: 1, 25: 2, 26: 4, 27: 8}[info] if info < 28 else 0
        if not size or place + size > len(data):
            raise ValueError("a length is cut off")
        number = int.from_bytes(data[place : place + size], "big")
        place += size
    if major in (2, 3):
        return _read_text(data, place, major, number)
    if major == 4:
        return _read_list(data, place, number, depth)
    if major == 5:
        return _read_map(data, place, number, depth)
    assert number is not None
    if major == 6:
        value, place = _read(data, place, depth + 1)
        if number == 1 and not isinstance(value, int | float):
            raise ValueError("a time is a number")
        return value, place
    return (number if major == 0 else -1 - number), place


def _read_simple(data: bytes, place: int, info: int) -> tuple[Any, int]:
    if info == 31:
        return _BREAK, place
    if info in _SIMPLE:
        return _SIMPLE[info], place
    form = {25: ">e", 26: ">f", 27: ">d"}.get(info)
    if form is None:
        raise ValueError("an unknown simple value")
    value: float = struct.unpack_from(form, data, place)[0]
    size = struct.calcsize(form)
    # The readers of shapes take non-finite numbers as JSON writes them.
    shown = (
        value
        if math.isfinite(value)
        else "NaN"
        if value != value
        else "Infinity"
        if value > 0
        else "-Infinity"
    )
    return shown, place + size


def _read_text(data: bytes, place: int, major: int, number: int | None) -> tuple[Any, int]:
    if number is not None:
        if place + number > len(data):
            raise ValueError("a text is cut off")
        part = data[place : place + number]
        return (part if major == 2 else part.decode("utf-8")), place + number
    parts: list[Any] = []
    while data[place] != 0xFF:
        if data[place] >> 5 != major or data[place] & 31 == 31:
            raise ValueError("a text of mixed parts")
        part, place = _read(data, place, 0)
        parts.append(part)
    return (b"" if major == 2 else "").join(parts), place + 1


def _read_list(data: bytes, place: int, number: int | None, depth: int) -> tuple[list[Any], int]:
    if number is not None and number > len(data):
        raise ValueError("a list is cut off")
    out: list[Any] = []
    while number is None or len(out) < number:
        value, place = _read(data, place, depth + 1)
        if value is _BREAK:
            if number is not None:
                raise ValueError("a stray break")
            break
        out.append(value)
    return out, place


def _read_map(data: bytes, place: int, number: int | None, depth: int) -> tuple[dict[str, Any], int]:
    if number is not None and number > len(data):
        raise ValueError("a map is cut off")
    out: dict[str, Any] = {}
    left = number
    while left is None or left > 0:
        key, place = _read(data, place, depth + 1)
        if key is _BREAK and left is None:
            break
        if not isinstance(key, str):
            raise ValueError("a key is a text")
        value, place = _read(data, place, depth + 1)
        if value is _BREAK:
            raise ValueError("a stray break")
        out[key] = value
        left = None if left is None else left - 1
    return out, place
