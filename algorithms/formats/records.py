"""SageMaker's ``aialgs.data.Record`` protobuf messages: rows of numbers with an optional label.

A record has two maps, ``features`` (field 1) and ``label`` (field 2), from names to values; the built-in algorithms use the
name ``values``. A value is a tensor of float32 (field 2), float64 (3) or int32 (7) with packed ``values`` (1), ``keys`` (2: the
columns of a sparse row) and ``shape`` (3: its width). Many equal records are read and written as one array: their bytes
differ in the numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.formats import recordio, varints
from algorithms.formats.recordio import Block

Kind = Literal["float32", "float64", "int32"]
Floats = NDArray[np.float32]

KEY = b"values"
_FIELDS: dict[Kind, int] = {"float32": 2, "float64": 3, "int32": 7}
_KINDS: dict[int, Kind] = {field: kind for kind, field in _FIELDS.items()}
_WIDTHS: dict[Kind, int] = {"float32": 4, "float64": 8, "int32": 0}
_TYPES: dict[Kind, str] = {"float32": "<f4", "float64": "<f8"}
_WRITE_BYTES = 1 << 22


class RecordError(ValueError):
    """A record's payload cannot be used; the message says which, counted from 1."""

    def __init__(self, record: int, problem: str) -> None:
        super().__init__(f"record {record}: {problem}")
        self.record = record
        self.problem = problem


class Sparse(NamedTuple):
    """Rows of which only some columns are stored.

    Attributes:
        values: All stored numbers, row after row.
        columns: Their columns, counted from 0.
        counts: How many numbers each row has.
        width: How many columns the rows have.
    """

    values: NDArray[Any]
    columns: NDArray[np.int64]
    counts: NDArray[np.int64]
    width: int


class Rows(NamedTuple):
    """Some consecutive records as numbers.

    Attributes:
        features: float32 of shape (n, d), or sparse rows.
        labels: float32 of shape (n,), None when no record has one.
        first: The first record's number, counted from 1.
        kind: The numbers' type in the file.
    """

    features: Floats | Sparse
    labels: Floats | None
    first: int
    kind: Kind


class _Tensor(NamedTuple):
    kind: Kind
    values: bytes
    at: int
    keys: bytes
    shape: bytes


_Parsed = tuple[_Tensor, _Tensor | None]


def rows(file: BinaryIO, size: int = recordio.BLOCK) -> Iterator[Rows]:
    """The records of a recordIO file as numbers, many at a time; memory is bounded by the block size.

    Rows of one answer have the same width, type and density; a file that mixes them gives more and smaller answers.

    Raises:
        RecordIOError: The framing is damaged.
        RecordError: A record holds no usable features or label.
    """
    for block in recordio.blocks(file, size):
        yield from decode(block)


def decode(block: Block) -> Iterator[Rows]:
    """The rows of a block.

    Raises:
        RecordError: A record holds no usable features or label.
    """
    if block.stride:
        quick = _equal(block)
        if quick is not None:
            yield quick
            return
    records: list[_Parsed] = []
    for index, (start, length) in enumerate(zip(block.starts.tolist(), block.lengths.tolist(), strict=True)):
        records.append(_parse(block.data, start, start + length, block.first + index))
    first = block.first

    def alike(item: _Parsed) -> tuple[object, ...]:
        tensor, label = item
        sparse = _is_sparse(tensor)
        width = tensor.shape if sparse else 0 if tensor.kind == "int32" else len(tensor.values)
        return tensor.kind, sparse, width, label and label.kind

    for _, group in groupby(records, alike):
        some = list(group)
        yield from _gather(some, first)
        first += len(some)


def dense(array: NDArray[Any], labels: NDArray[Any] | None = None) -> Iterator[bytes]:
    """The framed records of a matrix, in chunks of some megabytes.

    Args:
        array: Shape (n, d) of float32, float64 or any integers, which become int32.
        labels: Shape (n,), or None.

    Raises:
        ValueError: Another shape or type, or an integer outside int32.
    """
    kind = kind_of(array.dtype)
    label_kind = None if labels is None else kind_of(labels.dtype)
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(f"Array must be a Matrix, not of shape {array.shape}")
    if labels is not None and labels.shape != (len(array),):
        raise ValueError(f"Label shape {labels.shape} not compatible with array shape {array.shape}")
    step = max(1, _WRITE_BYTES // (array.shape[1] * 8 + 64))
    for start in range(0, len(array), step):
        part = array[start : start + step]
        marks = None if labels is None else labels[start : start + step]
        if kind != "int32" and (marks is None or label_kind != "int32" or _small(marks)):
            yield _stamp(part, kind, marks, label_kind)
            continue
        values = _split(part.reshape(-1), kind, np.full(len(part), part.shape[1]))
        tags = [b""] * len(part) if marks is None else _labels(marks)
        yield b"".join(
            recordio.frame(_entry(1, kind, row) + tag) for row, tag in zip(values, tags, strict=True)
        )


def sparse(matrix: Sparse, labels: NDArray[Any] | None = None, kind: Kind = "float32") -> Iterator[bytes]:
    """The framed records of sparse rows, in chunks.

    Args:
        labels: Shape (n,), or None.
        kind: The type in which the numbers are stored.

    Raises:
        ValueError: An integer outside int32.
    """
    ends = np.cumsum(matrix.counts)
    shape = varints.one(matrix.width)
    step = 1 << 13
    for start in range(0, len(matrix.counts), step):
        counts = matrix.counts[start : start + step]
        low, high = (int(ends[start - 1]) if start else 0), int(ends[start + len(counts) - 1])
        values = _split(matrix.values[low:high], kind, counts)
        keys = _cut(*varints.encode(matrix.columns[low:high].astype(np.uint64)), counts)
        tags = [b""] * len(counts) if labels is None else _labels(labels[start : start + step])
        yield b"".join(
            recordio.frame(_entry(1, kind, value, key, shape) + tag)
            for value, key, tag in zip(values, keys, tags, strict=True)
        )


def outputs(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Framed records that carry an algorithm's answers: each has a label of float32 numbers per column.

    Args:
        columns: Names to arrays of shape (n,) or (n, m).
    """
    wide = {
        name: np.ascontiguousarray(np.asarray(column).reshape(len(column), -1), "<f4")
        for name, column in columns.items()
    }
    template = b""
    places: list[tuple[NDArray[np.float32], int]] = []
    for name, column in wide.items():
        entry = _entry(2, "float32", bytes(4 * column.shape[1]), name=name.encode())
        template += entry
        places.append((column, len(template) - 4 * column.shape[1]))
    return _fill(template, places, len(next(iter(wide.values()))))


def kind_of(dtype: np.dtype[Any]) -> Kind:
    """The tensor type for numpy's.

    Raises:
        ValueError: There is none.
    """
    if dtype.kind in "iu":
        return "int32"
    if dtype == np.float64:
        return "float64"
    if dtype == np.float32:
        return "float32"
    raise ValueError(f"Unsupported dtype {dtype} on array")


def _equal(block: Block) -> Rows | None:
    start, length, count = int(block.starts[0]), int(block.lengths[0]), len(block.starts)
    tensor, label = _parse(block.data, start, start + length, block.first)
    if tensor.at < 0 or _is_sparse(tensor) or tensor.kind == "int32":
        return None
    holes = [(tensor.at - start, len(tensor.values))]
    if label is not None:
        if label.at < 0 or len(label.values) != (_WIDTHS[label.kind] or 1):
            return None
        holes.append((label.at - start, len(label.values)))
    table: NDArray[np.uint8] = np.ndarray((count, length), np.uint8, block.data, start, (block.stride, 1))
    begin = 0
    for at, size in [*sorted(holes), (length, 0)]:
        # Everything around the numbers is the same in each record, else they are parsed one by one.
        if at > begin and not (table[:, begin:at] == table[0, begin:at]).all():
            return None
        begin = at + size
    labels = None
    if label is not None:
        marks: NDArray[Any]
        if label.kind == "int32":
            marks = table[:, label.at - start]
            if (marks > 0x7F).any():
                return None
        else:
            marks = np.ndarray((count,), _TYPES[label.kind], block.data, label.at, (block.stride,))
        labels = marks.astype(np.float32)
    width = _WIDTHS[tensor.kind]
    numbers: NDArray[Any] = np.ndarray(
        (count, len(tensor.values) // width),
        _TYPES[tensor.kind],
        block.data,
        tensor.at,
        (block.stride, width),
    )
    with np.errstate(over="ignore", invalid="ignore"):
        features = numbers.astype(np.float32, order="C")
    return Rows(features, labels, block.first, tensor.kind)


def _gather(some: list[_Parsed], first: int) -> Iterator[Rows]:
    kind = some[0][0].kind
    values, counts = _numbers([tensor for tensor, _ in some])
    labels = None
    if some[0][1] is not None:
        labels, each = _numbers([label for _, label in some if label is not None])
        if (each != 1).any():
            wrong = int(np.flatnonzero(each != 1)[0])
            raise RecordError(first + wrong, f"the label holds {each[wrong]} values, expected 1")
    if _is_sparse(some[0][0]):
        yield Rows(_sparse([tensor for tensor, _ in some], values, counts, first), labels, first, kind)
        return
    # int32 rows of one width may differ in bytes, so the widths are known only now.
    cuts = np.flatnonzero(np.diff(counts)) + 1
    begin, at = 0, 0
    for end in [*cuts.tolist(), len(counts)]:
        width = int(counts[begin])
        size = width * (end - begin)
        part = None if labels is None else labels[begin:end]
        yield Rows(values[at : at + size].reshape(end - begin, width), part, first + begin, kind)
        begin, at = end, at + size


def _sparse(tensors: list[_Tensor], values: Floats, counts: NDArray[np.int64], first: int) -> Sparse:
    try:
        keys = varints.decode(np.frombuffer(b"".join(tensor.keys for tensor in tensors), np.uint8))
        shape = varints.decode(np.frombuffer(tensors[0].shape, np.uint8))
    except ValueError as error:
        raise RecordError(first, f"its keys or shape are damaged: {error}") from error
    given = _counts([tensor.keys for tensor in tensors])
    if (given != counts).any():
        wrong = int(np.flatnonzero(given != counts)[0])
        raise RecordError(first + wrong, f"has {given[wrong]} keys for {counts[wrong]} values")
    if len(shape) != 1:
        said = "no shape" if not len(shape) else f"a shape of {len(shape)} dimensions"
        raise RecordError(first, f"a sparse record with {said}; the shape must be [number of columns]")
    width = int(shape[0])
    if width > 2**31 - 1:
        raise RecordError(first, f"its shape claims {width} columns; at most {2**31 - 1} are possible")
    if len(keys) and int(keys.max()) >= width:
        row = int(np.searchsorted(np.cumsum(counts), int(np.argmax(keys)), side="right"))
        raise RecordError(first + row, f"key {int(keys.max())} is outside its shape [{width}]")
    return Sparse(values, keys.astype(np.int64), counts, width)


def _numbers(tensors: list[_Tensor]) -> tuple[Floats, NDArray[np.int64]]:
    kind = tensors[0].kind
    joined = b"".join(tensor.values for tensor in tensors)
    if kind == "int32":
        wide = varints.decode(np.frombuffer(joined, np.uint8))
        values = wide.astype(np.uint32).view(np.int32).astype(np.float32)
        return values, _counts([tensor.values for tensor in tensors])
    counts = np.array([len(tensor.values) for tensor in tensors], np.int64) // _WIDTHS[kind]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.frombuffer(joined, _TYPES[kind]).astype(np.float32), counts


def _counts(packed: list[bytes]) -> NDArray[np.int64]:
    """How many varints each of the packed fields holds."""
    lasts = np.concatenate([[0], np.cumsum(np.frombuffer(b"".join(packed), np.uint8) < 0x80)])
    ends = np.cumsum([len(one) for one in packed], dtype=np.int64)
    counts: NDArray[np.int64] = np.diff(lasts[ends], prepend=0).astype(np.int64)
    return counts


def _is_sparse(tensor: _Tensor) -> bool:
    return bool(tensor.keys) or not tensor.values


def _parse(data: bytes, start: int, end: int, number: int) -> _Parsed:
    features: _Tensor | None = None
    label: _Tensor | None = None
    names: list[str] = []
    try:
        for field, begin, stop in _message(data, start, end, 2):
            if field > 2:
                continue
            name, value = b"", (0, 0)
            for part, low, high in _message(data, begin, stop, 2):
                if part == 1:
                    name = data[low:high]
                elif part == 2:
                    value = (low, high)
            if name != KEY:
                names.append(name.decode("utf-8", "replace"))
            elif field == 1:
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


def _tensor(data: bytes, start: int, end: int) -> _Tensor:
    for field, begin, stop in _message(data, start, end, 2):
        kind = _KINDS.get(field)
        if kind is None:
            if field == 9:
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
        width = _WIDTHS[kind]
        packed = b"".join(values)
        if width and len(packed) % width:
            raise ValueError(f"its values are no whole number of {kind} values ({len(packed)} bytes)")
        if not width and packed and packed[-1] > 0x7F:
            raise ValueError("a packed number does not end")
        indices = b"".join(keys)
        if indices and indices[-1] > 0x7F:
            raise ValueError("a packed key does not end")
        return _Tensor(kind, packed, max(at, -1), indices, b"".join(shape))
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


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varints.one(len(content)) + content


def _entry(
    field: int, kind: Kind, values: bytes, keys: bytes = b"", shape: bytes = b"", name: bytes = KEY
) -> bytes:
    tensor = b"".join(
        _field(place, content) for place, content in ((1, values), (2, keys), (3, shape)) if content
    )
    return _field(field, _field(1, name) + _field(2, _field(_FIELDS[kind], tensor)))


def _small(labels: NDArray[Any]) -> bool:
    return bool(((labels >= 0) & (labels < 0x80)).all())


def _stamp(part: NDArray[Any], kind: Kind, labels: NDArray[Any] | None, label_kind: Kind | None) -> bytes:
    size = part.shape[1] * _WIDTHS[kind]
    template = _entry(1, kind, bytes(size))
    places: list[tuple[NDArray[Any], int]] = [
        (np.ascontiguousarray(part, _TYPES[kind]), len(template) - size)
    ]
    if labels is not None and label_kind is not None:
        width = _WIDTHS[label_kind] or 1
        template += _entry(2, label_kind, bytes(width))
        marks = labels.astype(_TYPES.get(label_kind, "u1")).reshape(-1, 1)
        places.append((marks, len(template) - width))
    return _fill(template, places, len(part))


def _fill(template: bytes, places: list[tuple[NDArray[Any], int]], count: int) -> bytes:
    frame = recordio.frame(template)
    out = np.empty((count, len(frame)), np.uint8)
    out[:] = np.frombuffer(frame, np.uint8)
    for numbers, at in places:
        raw = numbers.view(np.uint8).reshape(count, -1)
        out[:, 8 + at : 8 + at + raw.shape[1]] = raw
    return out.tobytes()


def _labels(labels: NDArray[Any]) -> list[bytes]:
    kind = kind_of(labels.dtype)
    return [_entry(2, kind, one) for one in _split(labels, kind, np.ones(len(labels), np.int64))]


def _split(values: NDArray[Any], kind: Kind, counts: NDArray[np.int64]) -> list[bytes]:
    """The packed numbers of each row."""
    if kind != "int32":
        raw = np.ascontiguousarray(values, _TYPES[kind]).tobytes()
        return _slices(raw, counts * _WIDTHS[kind])
    if len(values) and (int(values.min()) < -(2**31) or int(values.max()) > 2**31 - 1):
        raise ValueError("An integer is outside the 32 bits that a record can hold; use float64")
    return _cut(*varints.encode(values.astype(np.int64).view(np.uint64)), counts)


def _cut(packed: bytes, sizes: NDArray[np.int64], counts: NDArray[np.int64]) -> list[bytes]:
    ends = np.concatenate([[0], np.cumsum(sizes)])
    rows_end = ends[np.cumsum(counts)]
    return _slices(packed, np.diff(rows_end, prepend=0))


def _slices(packed: bytes, sizes: NDArray[Any]) -> list[bytes]:
    ends = np.cumsum(sizes).tolist()
    return [packed[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
