"""Pagination tokens: opaque, bound, tamper-evident."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.protocol.tokens import Tokens

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(position=_JSON, filters=st.dictionaries(st.text(), st.text(), max_size=3))
def test_a_token_gives_its_position_back(position: object, filters: dict[str, str]) -> None:
    tokens = Tokens("secret")
    token = tokens.encode("ListThings", filters, position)
    assert tokens.decode("ListThings", filters, token) == position


def test_the_page_size_may_change_and_nothing_else() -> None:
    tokens = Tokens("secret")
    token = tokens.encode("ListThings", {"NameContains": "a", "MaxResults": 5}, ["x", 3])
    again = Tokens("secret")
    assert again.decode("ListThings", {"NameContains": "a", "MaxResults": 9, "NextToken": token}, token) == [
        "x",
        3,
    ]
    for operation, filters, other in (
        ("ListOthers", {"NameContains": "a"}, again),
        ("ListThings", {"NameContains": "b"}, again),
        ("ListThings", {}, again),
        ("ListThings", {"NameContains": "a"}, Tokens("another secret")),
    ):
        with pytest.raises(ServiceError) as refused:
            other.decode(operation, filters, token)
        assert refused.value.code == "ValidationException"


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    tokens = Tokens("secret")
    raw = bytearray(urlsafe_b64decode(tokens.encode("ListThings", {}, ["name", 12.5])))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ServiceError):
        tokens.decode("ListThings", {}, urlsafe_b64encode(bytes(raw)).decode())


@pytest.mark.parametrize("token", ["", "x", "ä", "AAAA", "!" * 40, "A" * 5000])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(ServiceError):
        Tokens("secret").decode("ListThings", {}, token)


def test_the_position_cannot_be_read_from_the_token() -> None:
    token = Tokens("secret").encode("ListThings", {}, "a-job-of-somebody")
    assert b"somebody" not in urlsafe_b64decode(token)
