"""The aws-chunked content encoding: chunks that may each be signed, and trailers with the checksum.

Facts: "Signature calculations for the Authorization header: transferring payload in multiple chunks" in the S3 API reference.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import NamedTuple

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.protocol import signature
from engine.protocol.signature import EMPTY

_LONGEST_LINE = 16_384
_LARGEST_CHUNK = 1 << 30


class Seal(NamedTuple):
    """What chunk signatures are made with: the signing key, the request's timestamp and scope, its own signature."""

    key: bytes
    timestamp: str
    scope: str
    seed: str


def seal_of(engine: Engine, request: Request) -> Seal | None:
    """The seal when the request's chunks are signed."""
    if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        return None
    claim = signature.claim(request.headers, request.query)
    key = engine.keys.find(request.access_key)
    if claim is None or key is None:
        return None
    signing = signature.signing_key(key.secret, claim.date, claim.region, claim.scope)
    return Seal(
        signing, claim.timestamp, f"{claim.date}/{claim.region}/{claim.scope}/aws4_request", claim.signature
    )


class ChunkedBody:
    """Decodes a stream; ``trailers`` (lower-case names) are there when it has ended."""

    def __init__(self, stream: AsyncIterator[bytes], seal: Seal | None) -> None:
        self.trailers: dict[str, str] = {}
        self._stream = stream
        self._seal = seal
        self._previous = seal.seed if seal else ""
        self._buffer = bytearray()

    async def decode(self) -> AsyncIterator[bytes]:
        """The payload.

        Raises:
            ServiceError: ``InvalidChunkSizeError``, ``IncompleteBody``, or ``SignatureDoesNotMatch`` for a forged chunk.
        """
        while True:
            size, declared = _parse_size(await self._line())
            digest = hashlib.sha256()
            if size == 0:
                self._check(declared, EMPTY)
                await self._read_trailers()
                return
            left = size
            while left:
                if not self._buffer:
                    await self._more()
                piece = bytes(self._buffer[:left])
                del self._buffer[: len(piece)]
                left -= len(piece)
                if self._seal is not None:
                    digest.update(piece)
                yield piece
            if await self._line():
                raise _incomplete()
            self._check(declared, digest.hexdigest())

    async def _read_trailers(self) -> None:
        lines = []
        while (line := await self._line(at_end=True)) is not None and line:
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()
            if name.strip().lower() != "x-amz-trailer-signature":
                lines.append(f"{name.strip().lower()}:{value.strip()}\n")
        declared = self.trailers.pop("x-amz-trailer-signature", "")
        if self._seal is not None and lines:
            digest = hashlib.sha256("".join(lines).encode("latin-1")).hexdigest()
            self._compare(declared, "AWS4-HMAC-SHA256-TRAILER", [self._previous, digest])

    def _check(self, declared: str, digest: str) -> None:
        if self._seal is not None:
            self._previous = self._compare(
                declared, "AWS4-HMAC-SHA256-PAYLOAD", [self._previous, EMPTY, digest]
            )

    def _compare(self, declared: str, algorithm: str, parts: list[str]) -> str:
        assert self._seal is not None
        text = "\n".join([algorithm, self._seal.timestamp, self._seal.scope, *parts])
        wanted = hmac.digest(self._seal.key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), declared.encode("latin-1", "replace")):
            raise ServiceError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
                403,
            )
        return wanted

    async def _line(self, *, at_end: bool = False) -> bytes | None:
        """The next line without its CRLF; None at the end of the stream where that is allowed."""
        while (cut := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise _incomplete()
            if not await self._more(at_end=at_end):
                return None
        line = bytes(self._buffer[:cut])
        del self._buffer[: cut + 2]
        return line

    async def _more(self, *, at_end: bool = False) -> bool:
        async for chunk in self._stream:
            self._buffer += chunk
            return True
        if at_end:
            return False
        raise _incomplete()


def _parse_size(line: bytes | None) -> tuple[int, str]:
    size, _, extension = (line or b"").partition(b";")
    try:
        number = int(size, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= _LARGEST_CHUNK:
        raise ServiceError(
            "InvalidChunkSizeError", "The chunk size in the aws-chunked body is not valid.", 403
        )
    return number, extension.decode("latin-1").strip().removeprefix("chunk-signature=")


def _incomplete() -> ServiceError:
    return ServiceError("IncompleteBody", "The request body terminated unexpectedly")
