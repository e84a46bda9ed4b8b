"""PATCH operations on stored documents, with the paths and the refusals of API Gateway."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from engine.errors import ServiceError
from engine.gateways.record import Document, refused

Check = Callable[[str], Any]


class Field(NamedTuple):
    """One thing that can be patched.

    ``path`` has ``{}`` for names of the caller's, ``operations`` what may be done there, ``change`` does it: it gets the document,
    the names in the path, the operation and its value.
    """

    path: str
    operations: tuple[str, ...]
    change: Callable[[Document, list[str], str, str | None], None]


def text(value: str) -> str:
    """A value that is taken as it is."""
    return value


def boolean(value: str) -> bool:
    """``true`` or ``false``.

    Raises:
        ServiceError: It is neither.
    """
    if value.lower() not in ("true", "false"):
        raise refused(f"Invalid boolean value: {value}")
    return value.lower() == "true"


def integer(value: str) -> int:
    """A whole number.

    Raises:
        ServiceError: It is none.
    """
    try:
        return int(value)
    except ValueError as error:
        raise refused(f"Invalid integer value: {value}") from error


def number(value: str) -> float:
    """A number.

    Raises:
        ServiceError: It is none.
    """
    try:
        return float(value)
    except ValueError as error:
        raise refused(f"Invalid number: {value}") from error


def one(name: str, check: Check = text, operations: tuple[str, ...] = ("replace",)) -> Field:
    """A member with one value: ``/name``."""

    def change(document: Document, names: list[str], operation: str, value: str | None) -> None:
        if operation == "remove":
            document.pop(name, None)
        else:
            document[name] = check(_given(value, f"/{name}"))

    return Field(f"/{name}", operations, change)


def entries(name: str, check: Check = text) -> Field:
    """A member with values by name: ``/name/{}``."""

    def change(document: Document, names: list[str], operation: str, value: str | None) -> None:
        kept = document.setdefault(name, {})
        if operation == "remove":
            if names[0] not in kept:
                raise missing_entry(name, names[0])
            del kept[names[0]]
        else:
            kept[names[0]] = check(_given(value, f"/{name}/{names[0]}"))
        if not kept:
            del document[name]

    return Field(f"/{name}/{{}}", ("add", "replace", "remove"), change)


def members(name: str) -> Field:
    """A member with a list of texts: ``/name/{}``."""

    def change(document: Document, names: list[str], operation: str, value: str | None) -> None:
        kept = document.setdefault(name, [])
        if operation != "add":
            if names[0] not in kept:
                raise missing_entry(name, names[0])
            kept.remove(names[0])
        added = names[0] if operation == "add" else value if operation == "replace" else None
        if added is not None and added not in kept:
            kept.append(added)
        if not kept:
            del document[name]

    return Field(f"/{name}/{{}}", ("add", "replace", "remove"), change)


def missing_entry(name: str, entry: str) -> ServiceError:
    """The refusal to change an entry that is not there."""
    return ServiceError("NotFoundException", f"Invalid parameter name specified: {name}/{entry}", 404)


def apply(document: Document, operations: Iterable[dict[str, str]], fields: Sequence[Field]) -> None:
    """Make the changes, in order.

    Raises:
        ServiceError: ``BadRequestException``: a path or an operation that is not for this resource, or a value that does not fit.
    """
    for asked in operations:
        operation, path = asked.get("op", ""), asked.get("path", "")
        field, names = _find(fields, path)
        if field is None or operation not in field.operations:
            known = ", ".join(one.path for one in fields if operation in one.operations)
            raise refused(
                f"Invalid patch path  '{path}' specified for op '{operation}'. Must be one of: [{known}]"
            )
        field.change(document, names, operation, asked.get("value"))


def _find(fields: Sequence[Field], path: str) -> tuple[Field | None, list[str]]:
    for field in fields:
        pattern = "".join(
            "([^/]+)" if part == "{}" else re.escape(part) for part in re.split(r"(\{\})", field.path)
        )
        found = re.fullmatch(pattern, path)
        if found:
            return field, [name.replace("~1", "/").replace("~0", "~") for name in found.groups()]
    return None, []


def _given(value: str | None, path: str) -> str:
    if value is None:
        raise refused(f"Invalid patch value specified for path '{path}': a value is required")
    return value
