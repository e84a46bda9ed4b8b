"""A request as a handler sees it, and a raw response for handlers that do not go through the service model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import ServiceError

_DISCARDED = 256 * 2**20
Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Request:
    """One HTTP request.

    ``path`` is percent-encoded as received, ``query`` the raw query string, ``headers`` have lower-case names. ``service``,
    ``operation`` and ``access_key`` are filled in by routing and by signature checking before a handler runs. ``began`` says that the body was asked for.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    request_id: str
    receive: Receive
    service: str = ""
    operation: str = ""
    access_key: str = ""
    region: str = ""
    read: bytes | None = None
    began: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in the chunks it arrived in, once."""
        if self.read is not None:
            yield self.read
            return
        self.began = True
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _broken_off()
            chunk: bytes = message.get("body", b"")
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def body(self, limit: int, refusal: ServiceError | None = None) -> bytes:
        """The whole body, at most ``limit`` bytes.

        Raises:
            ServiceError: ``refusal`` when it is longer, else ``RequestEntityTooLarge`` (413).
        """
        if self.read is None:
            declared = self.headers.get("content-length", "")
            parts: list[bytes] = []
            size = int(declared) if declared.isdigit() else 0
            more = True
            if size <= limit:
                size = 0
                while more and size <= limit:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise _broken_off()
                    chunk: bytes = message.get("body", b"")
                    more = message.get("more_body", False)
                    size += len(chunk)
                    parts.append(chunk)
            if size > limit:
                await self._discard(more)
                raise refusal or ServiceError(
                    "RequestEntityTooLarge", f"Request size exceeds the limit of {limit} bytes.", 413
                )
            self.read = parts[0] if len(parts) == 1 else b"".join(parts)
        return self.read

    async def _discard(self, more: bool) -> None:
        """Read what is left of a body that is too long: a client that still sends would find its connection reset, and no answer."""
        left = _DISCARDED
        while more and left > 0:
            message = await self.receive()
            more = message["type"] != "http.disconnect" and message.get("more_body", False)
            left -= len(message.get("body", b""))


def _broken_off() -> ServiceError:
    return ServiceError("RequestTimeout", "The connection was closed before the request was complete.", 400)


@dataclass(slots=True)
class Response:
    """Status, headers and a body: bytes, or chunks when it must not be held in memory. ``repeated`` are headers that may occur more than once."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""
    repeated: list[tuple[str, str]] = field(default_factory=list)
