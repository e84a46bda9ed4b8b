"""What the HTTP server needs of a model, whichever container it is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol


class Reply(NamedTuple):
    """What goes back over HTTP; with ``parts`` the body is what they yield, each sent as soon as it is there."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}
    parts: Iterator[bytes] | None = None


class Servant(Protocol):
    """A loaded model that answers requests; called from several threads at once."""

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer to ``POST /invocations``; header names are lower case. Never raises: a bad request is a 4xx with a message."""
        ...

    def execution_parameters(self, workers: int) -> Reply:
        """The answer to ``GET /execution-parameters``, which batch transform asks for."""
        ...
