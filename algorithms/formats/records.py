"""SageMaker's ``aialgs.data.Record`` protobuf messages: rows of numbers with an optional label.

A record has two maps, ``features`` (field 1) and ``label`` (field 2), from names to values; the built-in algorithms use the
name ``values``. A value is a tensor of float32 (field 2), float64 (3) or int32 (7) with packed ``values`` (1), ``keys`` (2: the
columns of a sparse row) and ``shape`` (3: its width). Many equal records are read and written as one array: their bytes
differ in the numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.formats import recordio, varints
from algorithms.formats.recordio import Block
from algorithms.formats.wire import WIDTHS, Kind, Parsed, Tensor, entry, parse
from algorithms.formats.wire import RecordError as RecordError

Floats = NDArray[np.float32]

_TYPES: dict[Kind, str] = {"float32": "<f4", "float64": "<f8"}
_FEW = 16
_WRITE_BYTES = 1 << 22


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
    quick = _alike(block)
    if quick is not None:
        yield quick
        return
    records: list[Parsed] = []
    for index, (start, length) in enumerate(zip(block.starts.tolist(), block.lengths.tolist(), strict=True)):
        records.append(parse(block.data, start, start + length, block.first + index))
    first = block.first

    def alike(item: Parsed) -> tuple[object, ...]:
        tensor, label = item
        sparse = tensor.sparse
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
            recordio.frame(entry(1, kind, row) + tag) for row, tag in zip(values, tags, strict=True)
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
            recordio.frame(entry(1, kind, value, key, shape) + tag)
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
        template += entry(2, "float32", bytes(4 * column.shape[1]), name=name.encode())
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


def _alike(block: Block) -> Rows | None:
    """The rows of records that differ in their numbers only; None when they differ otherwise."""
    count = len(block.starts)
    data = np.frombuffer(block.data, np.uint8)
    found: list[tuple[NDArray[np.int64], Rows]] = []
    if block.stride:
        length = int(block.lengths[0])
        table: NDArray[np.uint8] = np.ndarray(
            (count, length), np.uint8, block.data, int(block.starts[0]), (block.stride, 1)
        )
        return _stamped(table, block.first)
    # An int32 label takes one to ten bytes, so there may be some lengths in turn.
    lengths = np.unique(block.lengths)
    if count < _FEW or len(lengths) > count // _FEW:
        return None
    for length in lengths.tolist():
        chosen = np.flatnonzero(block.lengths == length)
        rows = _stamped(data[block.starts[chosen, None] + np.arange(length)], block.first + int(chosen[0]))
        if rows is None or (found and not _combinable(rows, found[0][1])):
            return None
        found.append((chosen, rows))
    if len(found) == 1:
        return found[0][1]._replace(first=block.first)
    order = np.argsort(np.concatenate([chosen for chosen, _ in found]))
    features = np.concatenate([rows.features for _, rows in found])[order]
    labels = [rows.labels for _, rows in found if rows.labels is not None]
    return Rows(features, np.concatenate(labels)[order] if labels else None, block.first, found[0][1].kind)


def _combinable(one: Rows, other: Rows) -> bool:
    return (
        one.kind == other.kind
        and one.features.shape[1] == other.features.shape[1]  # type: ignore[union-attr]
        and (one.labels is None) == (other.labels is None)
    )


def _stamped(table: NDArray[np.uint8], first: int) -> Rows | None:
    """Dense rows from records of one length, shape (n, length); None unless everything around the numbers is the same."""
    length = table.shape[1]
    tensor, label = parse(table[0].tobytes(), 0, length, first)
    if tensor.at < 0 or tensor.sparse or tensor.kind == "int32":
        return None
    holes = [(tensor.at, len(tensor.values))]
    if label is not None:
        if label.at < 0 or (WIDTHS[label.kind] or len(label.values)) != len(label.values):
            return None
        holes.append((label.at, len(label.values)))
    begin = 0
    for at, size in [*sorted(holes), (length, 0)]:
        if at > begin and not (table[:, begin:at] == table[0, begin:at]).all():
            return None
        begin = at + size
    labels = None
    if label is not None:
        raw = np.ascontiguousarray(table[:, label.at : label.at + len(label.values)])
        if label.kind == "int32":
            goes_on = raw > 0x7F
            if not goes_on[:, :-1].all() or goes_on[:, -1].any():
                return None
            labels = _signed(varints.decode(raw.reshape(-1)))
        else:
            labels = _narrow(raw.view(_TYPES[label.kind])[:, 0])
    numbers = np.ascontiguousarray(table[:, tensor.at : tensor.at + len(tensor.values)])
    return Rows(_narrow(numbers.view(_TYPES[tensor.kind])), labels, first, tensor.kind)


def _narrow(numbers: NDArray[Any]) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return numbers.astype(np.float32, copy=False)


def _signed(wide: NDArray[np.uint64]) -> Floats:
    return wide.astype(np.uint32).view(np.int32).astype(np.float32)


def _gather(some: list[Parsed], first: int) -> Iterator[Rows]:
    kind = some[0][0].kind
    values, counts = _numbers([tensor for tensor, _ in some])
    labels = None
    if some[0][1] is not None:
        labels, each = _numbers([label for _, label in some if label is not None])
        if (each != 1).any():
            wrong = int(np.flatnonzero(each != 1)[0])
            raise RecordError(first + wrong, f"the label holds {each[wrong]} values, expected 1")
    if some[0][0].sparse:
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


def _sparse(tensors: list[Tensor], values: Floats, counts: NDArray[np.int64], first: int) -> Sparse:
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


def _numbers(tensors: list[Tensor]) -> tuple[Floats, NDArray[np.int64]]:
    kind = tensors[0].kind
    joined = b"".join(tensor.values for tensor in tensors)
    if kind == "int32":
        wide = varints.decode(np.frombuffer(joined, np.uint8))
        return _signed(wide), _counts([tensor.values for tensor in tensors])
    counts = np.array([len(tensor.values) for tensor in tensors], np.int64) // WIDTHS[kind]
    return _narrow(np.frombuffer(joined, _TYPES[kind]).copy()), counts


def _counts(packed: list[bytes]) -> NDArray[np.int64]:
    """How many varints each of the packed fields holds."""
    lasts = np.concatenate([[0], np.cumsum(np.frombuffer(b"".join(packed), np.uint8) < 0x80)])
    ends = np.cumsum([len(one) for one in packed], dtype=np.int64)
    counts: NDArray[np.int64] = np.diff(lasts[ends], prepend=0).astype(np.int64)
    return counts


def _small(labels: NDArray[Any]) -> bool:
    return bool(((labels >= 0) & (labels < 0x80)).all())


def _stamp(part: NDArray[Any], kind: Kind, labels: NDArray[Any] | None, label_kind: Kind | None) -> bytes:
    size = part.shape[1] * WIDTHS[kind]
    template = entry(1, kind, bytes(size))
    places: list[tuple[NDArray[Any], int]] = [
        (np.ascontiguousarray(part, _TYPES[kind]), len(template) - size)
    ]
    if labels is not None and label_kind is not None:
        width = WIDTHS[label_kind] or 1
        template += entry(2, label_kind, bytes(width))
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
    return [entry(2, kind, one) for one in _split(labels, kind, np.ones(len(labels), np.int64))]


def _split(values: NDArray[Any], kind: Kind, counts: NDArray[np.int64]) -> list[bytes]:
    """The packed numbers of each row."""
    if kind != "int32":
        raw = np.ascontiguousarray(values, _TYPES[kind]).tobytes()
        return _slices(raw, counts * WIDTHS[kind])
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
