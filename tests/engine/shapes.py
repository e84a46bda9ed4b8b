"""Hypothesis strategies for values of botocore's shapes, as operations take and return them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
)
_HEADER = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=12
)
_MOMENT = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda value: value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC)
)


def values(shape: Any, depth: int = 0, *, header: bool = False) -> st.SearchStrategy[Any]:
    """Values of a shape. Headers carry seconds and printable ASCII; recursion ends after a few levels."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, depth)
    if kind == "list":
        return st.lists(values(shape.member, depth + 1, header=header), min_size=1, max_size=3)
    if kind == "map":
        return st.dictionaries(
            _HEADER if header else _TEXT,
            values(shape.value, depth + 1, header=header),
            min_size=1,
            max_size=3,
        )
    if kind in ("string", "character"):
        return st.sampled_from(shape.enum) if getattr(shape, "enum", None) else _HEADER if header else _TEXT
    if kind == "integer":
        return st.integers(-(2**31), 2**31 - 1)
    if kind == "long":
        return st.integers(-(2**53), 2**53)
    if kind in ("float", "double"):
        return st.floats(allow_nan=False, allow_infinity=False, width=32)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        whole = header or shape.serialization.get("timestampFormat") == "rfc822"
        return _MOMENT.map(lambda value: value.replace(microsecond=0)) if whole else _MOMENT
    if kind == "blob":
        return st.binary(max_size=20)
    raise NotImplementedError(kind)


def _structure(shape: Any, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    if getattr(shape, "is_document_type", False):
        return st.just({})
    members: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location == "statusCode" or member.serialization.get("eventstream"):
            continue
        if (
            depth > 3
            and member.type_name in ("structure", "list", "map")
            and name not in shape.required_members
        ):
            continue
        if depth > 8:
            continue
        strategy = values(member, depth + 1, header=location in ("header", "headers"))
        (members if name in shape.required_members else optional)[name] = strategy
    if shape.is_tagged_union:
        return st.one_of(
            [st.fixed_dictionaries({name: strategy}) for name, strategy in {**members, **optional}.items()]
        )
    return st.fixed_dictionaries(members, optional=optional)
