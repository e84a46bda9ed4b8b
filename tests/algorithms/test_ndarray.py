"""NDArray files: byte for byte MXNet's, every version read, damage refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algorithms.formats import ndarray
from algorithms.formats.ndarray import NDArrayError

FIXTURES = Path(__file__).parent / "fixtures"
ROWS = np.arange(6, dtype="float32").reshape(2, 3) / 4
TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64")


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("list", [ROWS]),
        ("dict", {"s": np.array([0.5, 2.25], "f4"), "v": np.ascontiguousarray(ROWS.T), "mean": ROWS[:1]}),
        ("types", {name: np.array([[1, 2], [3, 4]], name) for name in TYPES}),
        ("empty", []),
    ],
)
def test_files_are_those_that_mxnet_wrote(name: str, arrays: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    ndarray.save(path, arrays)
    assert path.read_bytes() == (FIXTURES / f"{name}.ndarray").read_bytes()
    found: Any = ndarray.load(FIXTURES / f"{name}.ndarray")
    assert type(found) is type(arrays)
    pairs = (
        zip(found.values(), arrays.values(), strict=True)
        if isinstance(found, dict)
        else zip(found, arrays, strict=True)
    )
    for one, other in pairs:
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_a_file_with_numpy_shapes_is_read() -> None:
    found: Any = ndarray.load(FIXTURES / "np_shape.ndarray")
    rows, scalar = found
    assert np.array_equal(rows, ROWS)
    assert scalar.shape == () and scalar == 7


def test_older_versions_are_read() -> None:
    head = struct.pack("<QQQ", 0x112, 0, 2)
    first = (
        struct.pack("<IIqq", ndarray.V1, 2, 1, 2)
        + struct.pack("<iii", 1, 0, 0)
        + np.array([1, 2], "<f4").tobytes()
    )
    legacy = struct.pack("<III", 2, 1, 2) + struct.pack("<iii", 1, 0, 4) + np.array([3, 4], "<i4").tobytes()
    found: Any = ndarray.decode(head + first + legacy + struct.pack("<Q", 0))
    assert [array.tolist() for array in found] == [[[1, 2]], [[3, 4]]]


@pytest.mark.parametrize(("name", "words"), [("sparse", "row_sparse"), ("csr", "csr")])
def test_sparse_arrays_are_refused_with_the_file_and_the_remedy(name: str, words: str) -> None:
    with pytest.raises(NDArrayError, match=rf"{name}.ndarray: array 0 is {words}.*tostype\('default'\)"):
        ndarray.load(FIXTURES / f"{name}.ndarray")


arrays = hnp.arrays(
    st.sampled_from(["f4", "f8", "f2", "u1", "i4", "i1", "i8", "?"]), hnp.array_shapes(max_dims=3, max_side=4)
)


@given(st.lists(arrays, max_size=4) | st.dictionaries(st.text(max_size=8), arrays, min_size=1, max_size=4))
def test_round_trip(values: Any) -> None:
    found: Any = ndarray.decode(ndarray.encode(values))
    if isinstance(values, dict):
        assert list(found) == list(values)
        found, values = list(found.values()), list(values.values())
    for one, other in zip(found, values, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


@given(
    st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: struct.pack("<QQQ", 0x112, 0, 1) + tail)
)
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        ndarray.decode(raw)
    except NDArrayError as error:
        assert str(error)


@given(st.data())
def test_a_cut_or_changed_file_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray((FIXTURES / data.draw(st.sampled_from(["dict.ndarray", "types.ndarray"]))).read_bytes())
    if data.draw(st.booleans()):
        with pytest.raises(NDArrayError, match=r"truncated|damaged|not an"):
            ndarray.decode(bytes(raw[: data.draw(st.integers(0, len(raw) - 1))]))
        return
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        ndarray.decode(bytes(raw))
    except NDArrayError as error:
        assert str(error)


@pytest.mark.parametrize("array", [np.array(1.0), np.zeros(2, complex)])
def test_what_a_file_cannot_hold_is_refused(array: Any) -> None:
    with pytest.raises(NDArrayError, match="cannot hold"):
        ndarray.encode([array])
