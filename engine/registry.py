"""Which handler answers which operation of which service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request, Response

Handler = Callable[["Engine", "Request", dict[str, Any]], "Awaitable[dict[str, Any] | Response]"]


class Operation(NamedTuple):
    """A handler and how its request is read.

    ``streams`` handlers read ``request.stream()`` themselves; ``raw`` ones get only the labels of the path as parameters and
    read headers and body themselves: for the few operations where parsing by the model costs more than the work.
    """

    handler: Handler
    streams: bool
    raw: bool = False


_operations: dict[tuple[str, str], Operation] = {}


def operation(
    service: str, name: str, *, streams: bool = False, raw: bool = False
) -> Callable[[Handler], Handler]:
    """Register the decorated coroutine as the handler of ``service``'s operation ``name``.

    The handler takes the engine, the request and the parameters as parsed and validated against botocore's model
    (a dict with the model's member names; timestamps are aware datetimes, blobs are bytes), and returns the output members
    as a dict, or a `Response` when it writes the wire form itself.
    """

    def register(handler: Handler) -> Handler:
        key = (service, name)
        if key in _operations:
            raise RuntimeError(f"{service}:{name} is registered twice")
        _operations[key] = Operation(handler, streams, raw)
        return handler

    return register


def find(service: str, name: str) -> Operation | None:
    """The registered operation, or None."""
    return _operations.get((service, name))
