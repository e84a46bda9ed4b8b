"""The JSONPath subset of batch transform's filters: ``$``, names, wildcards, indexes and slices, and nothing that searches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_NAME = re.compile(r"[^\s.\[\]()'\"?@*,:$]+")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_INDEX = re.compile(r"-?\d+")
_SLICE = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?")


class PathError(ValueError):
    """Not a path of the subset, or one that selects nothing from a record; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Names:
    """``.name``, ``['name']`` or several names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """``[1]``, ``[0,-1]``, ``[1:]`` or a mixture, as in ``[0,5:]``."""

    items: tuple[int | slice, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """``*``."""


Segment = Names | Items | Every


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def whole(self) -> bool:
        """Whether it is ``$``: everything, unchanged."""
        return not self.segments

    @property
    def for_rows(self) -> bool:
        """Whether it can select from a CSV row, which is a list of texts."""
        return len(self.segments) <= 1 and not any(isinstance(item, Names) for item in self.segments)

    def select(self, value: Any) -> Any:
        """What the path selects: the one value that it names, an object for several names, else a list.

        Raises:
            PathError: The value has no such part.
        """
        found, one = [value], True
        last = len(self.segments) - 1
        for number, segment in enumerate(self.segments):
            if isinstance(segment, Names):
                if len(segment.names) == 1:
                    found = self._named(found, segment.names[0], strict=one)
                elif number == last:
                    found = [self._object(item, segment.names) for item in found]
                else:
                    found = [part for name in segment.names for part in self._named(found, name, strict=True)]
                    one = False
            elif isinstance(segment, Items):
                found = [part for item in found for part in self._items(item, segment.items)]
                one = one and len(segment.items) == 1 and isinstance(segment.items[0], int)
            else:
                # What is neither has no parts, which is an error only where nothing has.
                held = [item for item in found if isinstance(item, dict | list)]
                found = [part for item in held or found for part in self._every(item)]
                one = False
        return found[0] if one else found

    def pick(self, row: list[T]) -> list[T]:
        """What the path selects from a row; only for a path that is `for_rows`.

        Raises:
            PathError: The row has no such column.
        """
        segment = self.segments[0] if self.segments else None
        return self._items(row, segment.items) if isinstance(segment, Items) else row

    def _named(self, found: Sequence[Any], name: str, *, strict: bool) -> list[Any]:
        parts = [item[name] for item in found if isinstance(item, dict) and name in item]
        if strict and not parts:
            raise PathError(f"the path {self.text} finds nothing: there is no '{name}'")
        return parts

    def _object(self, value: Any, names: Sequence[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise PathError(f"the path {self.text} needs an object, which the record is not")
        chosen = {name: value[name] for name in names if name in value}
        if not chosen:
            raise PathError(f"the path {self.text} finds nothing: there is none of {', '.join(names)}")
        return chosen

    def _items(self, value: list[T], items: Sequence[int | slice]) -> list[T]:
        if not isinstance(value, list):
            raise PathError(f"the path {self.text} needs an array, which the record is not")
        parts: list[T] = []
        for item in items:
            if isinstance(item, slice):
                parts += value[item]
                continue
            try:
                parts.append(value[item])
            except IndexError:
                raise PathError(
                    f"the path {self.text} is outside the record: there is no index {item} among {len(value)} elements"
                ) from None
        return parts

    def _every(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, list):
            return value
        raise PathError(f"the path {self.text} needs an object or an array where '*' stands")


def compile_path(text: str) -> Path:
    """Read a path.

    Raises:
        PathError: It is not one, or uses an operator that batch transform does not have.
    """
    source = text.strip()
    if not source.startswith("$"):
        raise PathError(f"'{text}' must begin with $, the whole record")
    at = 1
    segments: list[Segment] = []
    while at < len(source):
        if source.startswith("..", at):
            raise PathError(f"'{text}' uses '..', which is not supported")
        if source[at] == ".":
            at += 1
            if source.startswith("[", at):
                continue
            if source.startswith("*", at):
                segments.append(Every())
                at += 1
                continue
            name = _NAME.match(source, at)
            if name is None:
                raise PathError(f"'{text}' has no name after the dot at character {at}")
            segments.append(Names((name[0],)))
            at = name.end()
        elif source[at] == "[":
            segment, at = _bracket(source, at + 1, text)
            segments.append(segment)
        else:
            raise PathError(f"'{text}' cannot be read from character {at + 1}: '{source[at:]}'")
    return Path(source, tuple(segments))


def _bracket(source: str, at: int, text: str) -> tuple[Segment, int]:
    names: list[str] = []
    items: list[int | slice] = []
    every = False
    while True:
        at = _skip(source, at)
        if source.startswith(("?", "@", "("), at):
            raise PathError(f"'{text}' uses a filter expression, which is not supported")
        if quoted := _QUOTED.match(source, at):
            inner = quoted[1] if quoted[1] is not None else quoted[2]
            names.append(re.sub(r"\\(.)", r"\1", inner))
            at = quoted.end()
        elif sliced := _SLICE.match(source, at):
            items.append(slice(int(sliced[1]) if sliced[1] else None, int(sliced[2]) if sliced[2] else None))
            at = sliced.end()
        elif index := _INDEX.match(source, at):
            items.append(int(index[0]))
            at = index.end()
        elif source.startswith("*", at):
            every = True
            at += 1
        else:
            raise PathError(f"'{text}' cannot be read from character {at + 1}: '{source[at:]}'")
        at = _skip(source, at)
        if source.startswith(",", at):
            at += 1
            continue
        if not source.startswith("]", at):
            raise PathError(f"'{text}' has no closing ']'")
        break
    if bool(names) + bool(items) + every > 1:
        raise PathError(f"'{text}' mixes names, indexes and '*' in one pair of brackets")
    if every:
        return Every(), at + 1
    return (Names(tuple(names)) if names else Items(tuple(items))), at + 1


def _skip(source: str, at: int) -> int:
    while at < len(source) and source[at] == " ":
        at += 1
    return at
