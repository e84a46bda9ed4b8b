"""Protobuf records: byte for byte what google.protobuf writes, whatever it writes is read, and damage is refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algorithms.formats import recordio, records, varints, wire
from algorithms.formats.message import record_class
from algorithms.formats.recordio import RecordIOError
from algorithms.formats.records import RecordError, Sparse

KINDS = {"f4": "float32_tensor", "f8": "float64_tensor", "i8": "int32_tensor"}


def google(rows: Any, labels: Any, kind: str, label_kind: str, keys: Any = None, width: int = 0) -> bytes:
    out = []
    for index, row in enumerate(rows):
        one = record_class()()
        tensor = getattr(one.features["values"], KINDS[kind])
        tensor.values.extend(row.tolist())
        if keys is not None:
            tensor.keys.extend(keys[index])
            tensor.shape.append(width)
        if labels is not None:
            getattr(one.label["values"], KINDS[label_kind]).values.append(labels[index].item())
        out.append(one.SerializeToString())
    return b"".join(map(recordio.frame, out))


def numbers(kind: str) -> st.SearchStrategy[Any]:
    if kind == "i8":
        return st.integers(-(2**31), 2**31 - 1)
    return st.floats(-1e6, 1e6, width=32 if kind == "f4" else 64)


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Any, Any, str, str]:
    kind, label_kind = draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(sorted(KINDS)))
    shape = draw(st.tuples(st.integers(0, 40), st.integers(1, 5)))
    rows = draw(hnp.arrays(kind, shape, elements=numbers(kind)))
    labelled = draw(st.booleans())
    labels = draw(hnp.arrays(label_kind, shape[0], elements=numbers(label_kind))) if labelled else None
    return rows, labels, kind, label_kind


def gather(raw: bytes, size: int = recordio.BLOCK) -> tuple[Any, Any]:
    parts: Any = list(records.rows(io.BytesIO(raw), size))
    labels = [part.labels for part in parts]
    return (
        np.concatenate([part.features for part in parts]),
        np.concatenate(labels) if all(one is not None for one in labels) else None,
    )


@given(matrices(), st.integers(20, 3000))
def test_matrices_are_written_as_google_writes_them_and_read_again(
    matrix: tuple[Any, Any, str, str], size: int
) -> None:
    rows, labels, kind, label_kind = matrix
    raw = b"".join(records.dense(rows, labels))
    assert raw == google(rows, labels, kind, label_kind)
    if len(rows):
        found, marks = gather(raw, size)
        assert np.array_equal(found, rows.astype(np.float32))
        assert (marks is None) == (labels is None)
        if labels is not None:
            assert np.array_equal(marks, labels.astype(np.float32))


@given(st.data(), st.integers(1, 30), st.sampled_from(sorted(KINDS)), st.integers(20, 3000))
def test_sparse_rows_are_written_as_google_writes_them_and_read_again(
    data: st.DataObject, width: int, kind: str, size: int
) -> None:
    keys = data.draw(
        st.lists(st.lists(st.integers(0, width - 1), unique=True, max_size=width), min_size=1, max_size=25)
    )
    rows = [data.draw(hnp.arrays(kind, len(some), elements=numbers(kind))) for some in keys]
    counts = np.array([len(some) for some in keys])
    matrix = Sparse(
        np.concatenate(rows), np.array([key for some in keys for key in some], np.int64), counts, width
    )
    labels = np.arange(len(rows)) * 100
    names = {"f4": "float32", "f8": "float64", "i8": "int32"}
    raw = b"".join(records.sparse(matrix, labels, names[kind]))  # type: ignore[arg-type]
    assert raw == google(rows, labels, kind, "i8", keys, width)
    found: Any = list(records.rows(io.BytesIO(raw), size))
    assert all(isinstance(part.features, Sparse) and part.features.width == width for part in found)
    assert np.array_equal(np.concatenate([part.features.counts for part in found]), counts)
    assert np.array_equal(np.concatenate([part.features.columns for part in found]), matrix.columns)
    assert np.array_equal(
        np.concatenate([part.features.values for part in found]),
        matrix.values.astype(np.float32),
    )
    assert np.array_equal(np.concatenate([part.labels for part in found]), labels)


def test_records_of_all_kinds_in_one_file_keep_their_order_and_numbers() -> None:
    small, large = np.ones((20, 3), "f4"), np.full((2, 4), 7, "f8")
    sparse = Sparse(np.array([5.0], "f4"), np.array([1]), np.array([1]), 4)
    raw = b"".join(records.dense(small)) + b"".join(records.dense(large)) + b"".join(records.sparse(sparse))
    raw += b"".join(records.dense(np.array([[1, -2, 300, 4], [5, 6, 7, 8]]), np.array([1, 0])))
    found = [(part.first, part.kind, type(part.features).__name__) for part in records.rows(io.BytesIO(raw))]
    assert found == [
        (1, "float32", "ndarray"),
        (21, "float64", "ndarray"),
        (23, "float32", "Sparse"),
        (24, "int32", "ndarray"),
    ]


def test_one_differing_label_does_not_disturb_the_rest() -> None:
    labels = np.arange(200) % 130
    found, marks = gather(b"".join(records.dense(np.ones((200, 3), "f4"), labels)))
    assert found.shape == (200, 3)
    assert np.array_equal(marks, labels)


def test_integer_labels_of_all_lengths_in_turn_keep_their_rows() -> None:
    rows = np.arange(9000, dtype="f4").reshape(-1, 3)
    labels = np.random.default_rng(0).integers(-5, 40_000, 3000)
    for some in (labels, np.abs(labels), labels % 300 + 128):
        raw = b"".join(records.dense(rows, some))
        for size in (1000, recordio.BLOCK):
            found, marks = gather(raw, size)
            assert np.array_equal(found, rows)
            assert np.array_equal(marks, some)


def test_unpacked_numbers_and_unknown_fields_are_read() -> None:
    tensor = b"".join(b"\x0d" + np.float32(number).tobytes() for number in (1.5, 2.5))
    inner = wire.field(2, wire.field(2, tensor))
    payload = wire.field(1, wire.field(1, b"values") + inner) + wire.field(3, b"uid") + b"\x78\x05"
    part: Any
    (part,) = records.rows(io.BytesIO(recordio.frame(payload)))
    assert np.array_equal(part.features, [[1.5, 2.5]])


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no features"),
        (wire.entry(1, "float32", b"1234", name=b"image"), "features named 'image'"),
        (wire.entry(1, "float32", b"12345"), "whole number"),
        (wire.entry(1, "float32", b"1234", b"\x01", b""), "no shape"),
        (wire.entry(1, "float32", b"1234", b"\x01", b"\x01\x01"), "2 dimensions"),
        (wire.entry(1, "float32", b"1234", b"\x05", b"\x05"), "outside its shape"),
        (wire.entry(1, "float32", b"1234", b"\x01\x02", b"\x05"), "2 keys for 1 values"),
        (wire.entry(1, "int32", b"\x81"), "does not end"),
        (wire.entry(1, "float32", b"1234") + wire.entry(2, "float32", b"12345678"), "label holds 2"),
        (b"\x0b", "no protobuf"),
        (b"\x0a\x7f", "truncated"),
        (
            wire.field(1, wire.field(1, b"values") + wire.field(2, wire.field(9, b"x"))),
            "bytes",
        ),
    ],
)
def test_an_unusable_record_is_named(payload: bytes, words: str) -> None:
    good = wire.entry(1, "float32", b"1234")
    with pytest.raises(RecordError, match=words) as caught:
        list(records.rows(io.BytesIO(recordio.frame(good) + recordio.frame(payload))))
    assert caught.value.record == 2


@given(st.binary(max_size=60), st.integers(1, 40))
def test_random_payloads_are_read_or_refused(payload: bytes, count: int) -> None:
    try:
        list(records.rows(io.BytesIO(recordio.frame(payload) * count)))
    except RecordError as error:
        assert 1 <= error.record <= count


@given(st.data())
def test_a_flipped_byte_is_read_or_refused(data: st.DataObject) -> None:
    labels = np.arange(20, dtype="f4") if data.draw(st.booleans()) else np.arange(20)
    raw = bytearray(b"".join(records.dense(np.ones((20, 3), "f4"), labels)))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        list(records.rows(io.BytesIO(bytes(raw))))
    except (RecordError, RecordIOError) as error:
        assert error.record >= 1


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros((2, 2), complex), np.zeros((2, 0), "f4"), np.full((1, 1), 2**40)]
)
def test_what_a_record_cannot_hold_is_refused(array: Any) -> None:
    with pytest.raises(ValueError, match=r"Matrix|dtype|32 bits"):
        list(records.dense(array))


def test_answers_carry_their_columns_as_labels() -> None:
    raw = records.outputs({"score": np.array([[0.25, 0.75], [1, 0]]), "predicted_label": np.array([1, 0])})
    found = []
    for payload in recordio.payloads(io.BytesIO(raw)):
        one = record_class().FromString(payload)
        found.append({name: list(value.float32_tensor.values) for name, value in one.label.items()})
    assert found == [
        {"score": [0.25, 0.75], "predicted_label": [1.0]},
        {"score": [1.0, 0.0], "predicted_label": [0.0]},
    ]


@given(hnp.arrays(np.uint64, st.integers(0, 50)))
def test_varints_round_trip(values: Any) -> None:
    packed, sizes = varints.encode(values)
    assert packed == b"".join(varints.one(int(value)) for value in values)
    assert sizes.sum() == len(packed)
    assert np.array_equal(varints.decode(np.frombuffer(packed, np.uint8)), values)
