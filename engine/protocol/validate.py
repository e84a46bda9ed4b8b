"""Parameters against the model's constraints, with AWS's own messages. Checks are compiled once per shape."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import ServiceError
from engine.protocol import models
from engine.protocol.models import Service
from engine.protocol.patterns import compiled

Check = Callable[[Any, str, list[str]], None]
_MOST = 100
_LONGEST = 1024


def validate(service: Service, operation: str, params: dict[str, Any]) -> None:
    """Refuse parameters that break a constraint of the operation's input.

    Raises:
        ServiceError: The service's own validation code, with every broken constraint: "2 validation errors detected: Value ...".
    """
    check = _operation(service.name, operation)
    if check is None:
        return
    problems: list[str] = []
    check(params, "", problems)
    if problems:
        raise ServiceError(service.invalid, summary(problems))


def summary(problems: list[str]) -> str:
    """The problems in AWS's one sentence."""
    told = problems[:_MOST]
    return f"{len(told)} validation error{'s' if len(told) > 1 else ''} detected: {'; '.join(told)}"


@functools.cache
def _operation(service: str, name: str) -> Check | None:
    model = models.operation(service, name)
    if model is None or model.input_shape is None:
        return None
    return _structure(service, model.input_shape)


@functools.cache
def _structures(service: str) -> dict[str, Check]:
    return {}


def _check(service: str, shape: Any) -> Check | None:
    """The check of a shape; None when every value that could be parsed is valid."""
    kind = shape.type_name
    if kind == "structure":
        return None if getattr(shape, "is_document_type", False) else _structure(service, shape)
    if service == "s3":
        # S3 words each of its errors differently: its operations check lengths and enumerations themselves.
        return _items(service, shape.member, None) if kind == "list" else None
    if kind == "list":
        return _items(service, shape.member, _constraints(shape))
    if kind == "map":
        return _map(service, shape)
    rules = _constraints(shape)
    secret = bool(shape.metadata.get("sensitive"))
    if not rules:
        return None

    def scalar(value: Any, path: str, problems: list[str]) -> None:
        for broken, text in rules:
            if broken(value):
                problems.append(_problem(value, path, text, secret))

    return scalar


def _structure(service: str, shape: Any) -> Check:
    known = _structures(service)
    if shape.name in known:
        return known[shape.name]
    required: list[tuple[str, str]] = []
    checks: dict[str, tuple[str, Check]] = {}

    def structure(value: dict[str, Any], path: str, problems: list[str]) -> None:
        prefix = f"{path}." if path else ""
        for name, label in required:
            if value.get(name) is None:
                problems.append(
                    f"Value null at '{prefix}{label}' failed to satisfy constraint: Member must not be null"
                )
        for name, item in value.items():
            found = checks.get(name)
            if found is not None and item is not None:
                found[1](item, prefix + found[0], problems)

    known[shape.name] = structure
    for name, member in shape.members.items():
        label = name[:1].lower() + name[1:]
        if name in shape.required_members and not member.metadata.get("idempotencyToken"):
            required.append((name, label))
        check = _check(service, member)
        if check is not None:
            checks[name] = (label, check)
    return structure


Rule = tuple[Callable[[Any], bool], str]


def _items(service: str, member: Any, rules: list[Rule] | None) -> Check | None:
    """The check of a list: its length, then its items. Scalars are reported by the list, structures by their own path."""
    inner = _check(service, member) if member.type_name in ("structure", "list", "map") else None
    of_item = _constraints(member) if inner is None and rules is not None else []

    def check(value: list[Any], path: str, problems: list[str]) -> None:
        for broken, text in rules or ():
            if broken(value):
                problems.append(_problem(value, path, text))
        for index, item in enumerate(value, 1):
            if item is None:
                problems.append(
                    f"Value null at '{path}.{index}.member' failed to satisfy constraint: Member must not be null"
                )
            elif inner is not None:
                inner(item, f"{path}.{index}.member", problems)
            elif any(broken(item) for broken, _ in of_item):
                problems.append(
                    _problem(value, path, f"Member must satisfy constraint: [{_joined(of_item)}]")
                )
                return
            if len(problems) > _MOST:
                return

    return check


def _map(service: str, shape: Any) -> Check | None:
    rules, of_key = _constraints(shape), _constraints(shape.key)
    nested = shape.value.type_name in ("structure", "list", "map")
    inner = _check(service, shape.value) if nested else None
    of_value = [] if nested else _constraints(shape.value)

    def check(value: Mapping[str, Any], path: str, problems: list[str]) -> None:
        for broken, text in rules:
            if broken(value):
                problems.append(_problem(value, path, text))
        if any(broken(key) for key in value for broken, _ in of_key):
            problems.append(_problem(value, path, f"Map keys must satisfy constraint: [{_joined(of_key)}]"))
        if any(item is None for item in value.values()):
            problems.append(
                _problem(value, path, "Map value must satisfy constraint: [Member must not be null]")
            )
        elif any(broken(item) for item in value.values() for broken, _ in of_value):
            problems.append(
                _problem(value, path, f"Map value must satisfy constraint: [{_joined(of_value)}]")
            )
        if inner is not None:
            for key, item in value.items():
                if item is not None:
                    inner(item, f"{path}.{key}.member", problems)

    return check


def _joined(rules: list[Rule]) -> str:
    return ", ".join(text for _, text in rules)


def _constraints(shape: Any) -> list[Rule]:
    kind, found = shape.type_name, shape.metadata
    rules: list[Rule] = []
    low, high = found.get("min"), found.get("max")
    if kind in ("string", "character", "blob", "list", "map"):
        if high is not None:
            rules.append((_longer_than(high), f"Member must have length less than or equal to {high}"))
        if low:
            rules.append((_shorter_than(low), f"Member must have length greater than or equal to {low}"))
    elif kind in ("integer", "long", "short", "byte", "float", "double"):
        if high is not None:
            rules.append((_above(high), f"Member must have value less than or equal to {high}"))
        if low is not None:
            rules.append((_below(low), f"Member must have value greater than or equal to {low}"))
    if kind == "string":
        pattern = found.get("pattern")
        regex = compiled(pattern) if pattern else None
        if regex is not None:
            rules.append(
                (_unlike(regex.fullmatch, high), f"Member must satisfy regular expression pattern: {pattern}")
            )
        allowed = found.get("enum")
        if allowed:
            rules.append(
                (_outside(frozenset(allowed)), f"Member must satisfy enum value set: [{', '.join(allowed)}]")
            )
    return rules


def _longer_than(high: int) -> Callable[[Any], bool]:
    return lambda value: len(value) > high


def _shorter_than(low: int) -> Callable[[Any], bool]:
    return lambda value: len(value) < low


def _above(high: float) -> Callable[[Any], bool]:
    return lambda value: value > high


def _below(low: float) -> Callable[[Any], bool]:
    return lambda value: value < low


def _unlike(fullmatch: Callable[[str], Any], high: int | None) -> Callable[[Any], bool]:
    # A text beyond its longest length is refused for that; matching it could take long.
    longest = max(high or 0, 100_000)
    return lambda value: len(value) <= longest and fullmatch(value) is None


def _outside(allowed: frozenset[str]) -> Callable[[Any], bool]:
    return lambda value: value not in allowed


def _problem(value: Any, path: str, constraint: str, secret: bool = False) -> str:
    shown = "***" if secret else _shown(value)
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]}..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _shown(value: Any) -> str:
    """A value as AWS's messages write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "java.nio.HeapByteBuffer"
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value[:100])}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in list(value.items())[:100]) + "}"
    return str(value)
