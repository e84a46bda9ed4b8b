"""Which resource of a deployment a path means: literal parts before variables, those before greedy ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

Document = dict[str, Any]
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")


class Route(NamedTuple):
    """A resource and the variables of its path, as they were sent (REST APIs do not decode them)."""

    resource: Document
    variables: dict[str, str]


class _Node:
    def __init__(self) -> None:
        self.resource: Document | None = None
        self.literal: dict[str, _Node] = {}
        self.variable: tuple[str, _Node] | None = None
        self.greedy: tuple[str, Document] | None = None


class Routes:
    """The resources of a snapshot as a tree."""

    def __init__(self, resources: Mapping[str, Document]) -> None:
        self._root = _Node()
        for resource in resources.values():
            if resource.get("resourceMethods"):
                self._add(resource)

    def find(self, path: str) -> Route | None:
        """The most specific resource; ``path`` as sent, percent-encoded, without the stage."""
        parts = [part for part in path.split("/") if part]
        return self._walk(self._root, parts, 0, {})

    def _add(self, resource: Document) -> None:
        node = self._root
        for part in [part for part in resource["path"].split("/") if part]:
            named = _VARIABLE.fullmatch(part)
            if named is None:
                node = node.literal.setdefault(part, _Node())
            elif named[2]:
                node.greedy = (named[1], resource)
                return
            else:
                if node.variable is None:
                    node.variable = (named[1], _Node())
                node = node.variable[1]
        node.resource = resource

    def _walk(self, node: _Node, parts: list[str], at: int, found: dict[str, str]) -> Route | None:
        if at == len(parts):
            return Route(node.resource, found) if node.resource is not None else None
        part = parts[at]
        literal = node.literal.get(part) or node.literal.get(unquote(part))
        if literal is not None and (route := self._walk(literal, parts, at + 1, found)):
            return route
        if node.variable is not None:
            name, below = node.variable
            if route := self._walk(below, parts, at + 1, {**found, name: part}):
                return route
        if node.greedy is not None:
            name, resource = node.greedy
            return Route(resource, {**found, name: "/".join(parts[at:])})
        return None
