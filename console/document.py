"""A JSON document as rows that can be folded, searched and written as JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.formatting import count
from workflows.wording import ESCAPED

Path = tuple[str | int, ...]
FOLDED_FROM = 12
"""Members and items of a value inside a document from which on it is folded at first."""


@dataclass(frozen=True, slots=True)
class Node:
    """One row: a member or an item with its place in the document; ``inner`` is how many it holds (None: a plain value)."""

    path: Path
    label: str
    text: str
    inner: int | None = None
    open: bool = True

    @property
    def depth(self) -> int:
        return len(self.path) - 1


def nodes(document: Any, folded: Collection[Path] = ()) -> list[Node]:
    """The rows of a document, without what lies below the folded places."""
    return list(_below(document, (), folded))


def _below(value: Any, path: Path, folded: Collection[Path]) -> Iterator[Node]:
    for name, item in _members(value):
        here = (*path, name)
        label = str(name) if isinstance(name, str) else f"[{name}]"
        if isinstance(item, Mapping | list) and item:
            noun = "member" if isinstance(item, Mapping) else "item"
            unfolded = here not in folded
            yield Node(here, label, count(len(item), noun) if not unfolded else "", len(item), unfolded)
            if unfolded:
                yield from _below(item, here, folded)
        else:
            yield Node(here, label, _plain(item))


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(name), item) for name, item in value.items())
    elif isinstance(value, list):
        yield from enumerate(value)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("\n", "⏎")
    return json.dumps(value, ensure_ascii=False, default=str)


def foldable(document: Any) -> set[Path]:
    """All places that hold something."""
    return {node.path for node in nodes(document) if node.inner is not None}


def large(document: Any) -> set[Path]:
    """The places that are folded at first: what holds so much that it would push the rest from the screen."""
    return {node.path for node in nodes(document) if (node.inner or 0) >= FOLDED_FROM}


def at(document: Any, path: Path) -> Any:
    """The value at a place."""
    for name in path:
        document = document[name]
    return document


def found(document: Any, text: str) -> list[Path]:
    """The places whose name or value holds a text, in the order of the document; case does not matter."""
    wanted = text.lower()
    return [
        node.path for node in nodes(document) if wanted in node.label.lower() or wanted in node.text.lower()
    ]


def as_json(document: Any) -> str:
    """Indented JSON with the members in AWS's order."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)


def as_yaml(document: Any) -> str:
    """YAML in block style with the members in AWS's order, and no character that a terminal would obey: those are escaped, in quotes."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """One class per call: what is registered stays with it."""

    def text(dumper: Any, value: str) -> Any:
        steers = value != value.translate(ESCAPED)
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if steers else None)

    Dumper.add_representer(str, text)
    plain = json.loads(json.dumps(document, default=str))
    written = yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(written).translate(ESCAPED).rstrip("\n")
