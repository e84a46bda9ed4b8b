"""Digests of a body while it is written."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

from engine.objectstore import crc


class Digest(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Crc32:
    """CRC-32 as zlib computes it, big-endian as S3 sends it."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def md5() -> Digest:
    """MD5 for ETags, which says nothing about security."""
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "CRC32": Crc32,
    "CRC32C": crc.crc32c,
    "CRC64NVME": crc.crc64nvme,
    "SHA1": _sha1,
    "SHA256": hashlib.sha256,
}
"""S3's checksum algorithms by name; the header is ``x-amz-checksum-`` and the name in lower case."""


def new(algorithm: str) -> Digest:
    """A fresh digest.

    Raises:
        KeyError: S3 has no such algorithm.
    """
    return ALGORITHMS[algorithm]()


def encoded(digest: bytes) -> str:
    """Base64, as checksum headers carry it."""
    return base64.b64encode(digest).decode()


def composite(algorithm: str, digests: Iterable[bytes]) -> str:
    """The checksum of a multipart object whose type is COMPOSITE: the digest of the parts' digests."""
    total = new(algorithm)
    count = 0
    for one in digests:
        total.update(one)
        count += 1
    return f"{encoded(total.digest())}-{count}"
