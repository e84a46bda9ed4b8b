"""A request to the public surface, and what is answered to it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
Pairs = list[tuple[str, str]]


@dataclass(slots=True)
class Call:
    """One request to a stage.

    ``path`` is percent-encoded and without the stage; ``headers`` are pairs in the order sent, with names capitalised as
    HTTP/1.1 clients write them (the server keeps no case); ``query`` holds decoded pairs.
    """

    request_id: str
    api_id: str
    stage_name: str
    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes
    source_ip: str
    domain: str
    protocol: str = "HTTP/1.1"
    moment: float = field(default_factory=time.time)
    extended_id: str = ""
    stage: Document = field(default_factory=dict)
    resource: Document = field(default_factory=dict)
    operation: Document = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)
    context: Document = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    integration_ms: float | None = None

    def header(self, name: str) -> str | None:
        """A header's last value, by its name in any case."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.headers) if key.lower() == wanted), None)

    @property
    def stage_variables(self) -> dict[str, str]:
        """The stage's variables."""
        found: dict[str, str] = self.stage.get("variables") or {}
        return found


@dataclass(slots=True)
class Answer:
    """A status, headers as pairs, and a body."""

    status: int
    headers: Pairs
    body: bytes


def capitalised(name: str) -> str:
    """A header's name as HTTP/1.1 clients write it."""
    return "-".join(part.capitalize() for part in name.split("-"))


def last(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last value of each name."""
    return dict(pairs)


def all_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each name."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
