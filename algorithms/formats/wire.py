"""A protobuf record as bytes: its tensors found and made, nothing of it interpreted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from algorithms.formats import varints

Kind = Literal["float32", "float64", "int32"]

KEY = b"values"
"""The name under which the built-in algorithms look for features and label."""

WIDTHS: dict[Kind, int] = {"float32": 4, "float64": 8, "int32": 0}
"""Bytes of a number; 0 where it varies."""

_FIELDS: dict[Kind, int] = {"float32": 2, "float64": 3, "int32": 7}
_KINDS: dict[int, Kind] = {field: kind for kind, field in _FIELDS.items()}


class RecordError(ValueError):
    """A record's payload cannot be used; the message says which, counted from 1."""

    def __init__(self, record: int, problem: str) -> None:
        super().__init__(f"record {record}: {problem}")
        self.record = record
        self.problem = problem


class Tensor(NamedTuple):
    """A tensor's packed fields.

    Attributes:
        kind: The numbers' type.
        values: The numbers.
        at: Where they begin in the data that was parsed; -1 when they do not lie in one piece.
        keys: The columns of a sparse row.
        shape: Its width.
    """

    kind: Kind
    values: bytes
    at: int
    keys: bytes
    shape: bytes

    @property
    def sparse(self) -> bool:
        """Whether it is a sparse row."""
        return bool(self.keys) or not self.values


Parsed = tuple[Tensor, Tensor | None]
"""A record's features and its label."""


def parse(data: bytes, start: int, end: int, number: int) -> Parsed:
    """The record in some bytes.

    Raises:
        RecordError: It holds no usable features or label; ``number`` is its number for the message.
    """
    features: Tensor | None = None
    label: Tensor | None = None
    names: list[str] = []
    try:
        for place, begin, stop in _message(data, start, end, 2):
            if place > 2:
                continue
            name, value = b"", (0, 0)
            for part, low, high in _message(data, begin, stop, 2):
                if part == 1:
                    name = data[low:high]
                elif part == 2:
                    value = (low, high)
            if name != KEY:
                names.append(name.decode("utf-8", "replace"))
            elif place == 1:
                features = _tensor(data, *value)
            else:
                label = _tensor(data, *value)
    except ValueError as error:
        raise RecordError(number, str(error)) from error
    if features is None or not (features.values or features.shape):
        said = f"features named {', '.join(map(repr, names))}" if names else "no features"
        raise RecordError(number, f"has {said}; expected a tensor named 'values'")
    if label is not None and not label.values:
        label = None
    return features, label


def _tensor(data: bytes, start: int, end: int) -> Tensor:
    for place, begin, stop in _message(data, start, end, 2):
        kind = _KINDS.get(place)
        if kind is None:
            if place == 9:
                raise ValueError("holds bytes where numbers are expected")
            continue
        values: list[bytes] = []
        keys: list[bytes] = []
        shape: list[bytes] = []
        at = -1
        for part, low, high in _message(data, begin, stop, -1):
            if part in (1, 2, 3):
                (values, keys, shape)[part - 1].append(data[low:high])
            if part == 1:
                at = low if at == -1 else -2
        width = WIDTHS[kind]
        packed = b"".join(values)
        if width and len(packed) % width:
            raise ValueError(f"its values are no whole number of {kind} values ({len(packed)} bytes)")
        if not width and packed and packed[-1] > 0x7F:
            raise ValueError("a packed number does not end")
        indices = b"".join(keys)
        if indices and indices[-1] > 0x7F:
            raise ValueError("a packed key does not end")
        return Tensor(kind, packed, max(at, -1), indices, b"".join(shape))
    raise ValueError("its tensor 'values' is of no known type; float32, float64 and int32 are known")


def _message(data: bytes, position: int, end: int, wire: int) -> Iterator[tuple[int, int, int]]:
    """A message's fields: number, and where its content begins and ends; with ``wire`` only those of that wire type."""
    while position < end:
        tag, position = _varint(data, position, end)
        number, form = tag >> 3, tag & 7
        if form == 2:
            size, position = _varint(data, position, end)
        elif form == 5:
            size = 4
        elif form == 1:
            size = 8
        elif form == 0:
            size = _varint(data, position, end)[1] - position
        else:
            raise ValueError(f"is no protobuf message (wire type {form})")
        if not number:
            raise ValueError("is no protobuf message (field number 0)")
        if position + size > end:
            raise ValueError("is a truncated protobuf message")
        if wire in (-1, form):
            yield number, position, position + size
        position += size


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            break
    raise ValueError("is a truncated protobuf message")


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([number << 3 | 2]) + varints.one(len(content)) + content


def entry(
    place: int, kind: Kind, values: bytes, keys: bytes = b"", shape: bytes = b"", name: bytes = KEY
) -> bytes:
    """An entry of a record\'s map ``features`` (field 1) or ``label`` (field 2)."""
    tensor = b"".join(
        field(part, content) for part, content in ((1, values), (2, keys), (3, shape)) if content
    )
    return field(place, field(1, name) + field(2, field(_FIELDS[kind], tensor)))
