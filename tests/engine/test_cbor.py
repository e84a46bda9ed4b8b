"""CBOR both ways, the examples of RFC 8949, and bytes that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.protocol import cbor

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cbor.decode(data)
    except ServiceError as error:
        assert error.code == "SerializationException"


def test_times_are_tagged() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)
    assert cbor.encode(moment)[0] == 0xC1
    assert cbor.decode(cbor.encode(moment)) == moment.timestamp()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1b000000e8d4a51000", 1_000_000_000_000),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("f90001", 5.960464477539063e-08),
        ("fa47c35000", 100_000.0),
        ("fb3ff199999999999a", 1.1),
        ("f97e00", "NaN"),
        ("f97c00", "Infinity"),
        ("c11a514b67b0", 1_363_896_240),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("62c3bc", "ü"),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)
def test_the_standards_examples(data: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "",
        "ff",
        "1c",
        "18",
        "61",
        "62c3",
        "61ff",
        "81",
        "9a7fffffff",
        "bb7fffffffffffffff",
        "a10101",
        "a1",
        "0000",
        "5f61ff",
        "81ff",
        "c1616",
        "9f",
    ],
)
def test_what_is_no_cbor(data: str) -> None:
    with pytest.raises(ServiceError):
        cbor.decode(bytes.fromhex(data if len(data) % 2 == 0 else data + "0"))


def test_nesting_has_an_end() -> None:
    with pytest.raises(ServiceError, match="too deeply"):
        cbor.decode(b"\x81" * 10_000 + b"\x00")
