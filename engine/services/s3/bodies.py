"""Bodies of uploads: received into a staged file and held against every digest the client declared."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.objectstore.digests import ALGORITHMS, encoded, md5, new
from engine.objectstore.staging import Staged
from engine.services.s3.chunked import ChunkedBody, seal_of
from engine.services.s3.wire import LARGEST_PUT

_LENGTHS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}


class Received(NamedTuple):
    """A body in a closed staged file, and the checksums (base64 by algorithm) that its client asked to be kept."""

    staged: Staged
    etag: str
    checksums: dict[str, str]


async def receive(engine: Engine, request: Request, *, algorithm: str = "") -> Received:
    """Write the request's body to a staged file and check it.

    Args:
        algorithm: A checksum to compute although the client declares none (a multipart upload's).

    Raises:
        ServiceError: ``BadDigest``, ``InvalidDigest``, ``XAmzContentSHA256Mismatch``, ``EntityTooLarge``, ``IncompleteBody`` ...
    """
    headers = request.headers
    declared = declared_checksum(headers)
    trailing = headers.get("x-amz-trailer", "").strip().lower().removeprefix("x-amz-checksum-").upper()
    if trailing and trailing not in ALGORITHMS:
        raise ServiceError(
            "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"
        )
    sent_md5 = _declared_md5(headers)
    payload = request.extra.get("payload_sha256", "")
    wanted = dict.fromkeys(filter(None, (declared[0], trailing, algorithm, "SHA256" if payload else "")))
    chunked = headers.get("x-amz-content-sha256", "").startswith(
        "STREAMING-"
    ) or "aws-chunked" in headers.get("content-encoding", "")
    length = headers.get("x-amz-decoded-content-length" if chunked else "content-length", "")
    if length.isdigit() and int(length) > LARGEST_PUT:
        raise ServiceError(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            fields={"ProposedSize": length, "MaxSizeAllowed": LARGEST_PUT},
        )
    decoder = ChunkedBody(request.stream(), seal_of(engine, request)) if chunked else None
    staged = engine.objects.stage(list(wanted))
    try:
        await staged.receive(decoder.decode() if decoder else request.stream())
        staged.close()
        if length.isdigit() and int(length) != staged.size:
            raise ServiceError(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            )
        digests = {name: digest.digest() for name, digest in staged.checksums.items()}
        if payload and digests["SHA256"].hex() != payload:
            raise ServiceError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                fields={
                    "ClientComputedContentSHA256": payload,
                    "S3ComputedContentSHA256": digests["SHA256"].hex(),
                },
            )
        etag = staged.md5.digest()
        if sent_md5 is not None and sent_md5 != etag:
            raise ServiceError(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
                fields={"ExpectedDigest": sent_md5.hex(), "CalculatedDigest": encoded(etag)},
            )
        if trailing and decoder is not None:
            value = decoder.trailers.get(f"x-amz-checksum-{trailing.lower()}", "")
            declared = _checked_value(trailing, value)
        name, value = declared
        if name and encoded(digests[name]) != value:
            raise bad_checksum(name)
        kept = name or algorithm
        return Received(staged, etag.hex(), {kept: encoded(digests[kept])} if kept else {})
    except BaseException:
        staged.drop()
        raise


def declared_checksum(headers: Mapping[str, str]) -> tuple[str, str]:
    """The algorithm and base64 value of the ``x-amz-checksum-`` header; empty strings without one.

    Raises:
        ServiceError: ``InvalidRequest``: there are several, or the value cannot be such a checksum.
    """
    found = [
        (name, headers[header])
        for name in ALGORITHMS
        if (header := f"x-amz-checksum-{name.lower()}") in headers
    ]
    if len(found) > 1:
        raise ServiceError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    return _checked_value(*found[0]) if found else ("", "")


def check_body(headers: Mapping[str, str], body: bytes) -> None:
    """Hold a small body that was read into memory against the digests its client declared.

    Raises:
        ServiceError: ``BadDigest``, ``InvalidDigest`` or ``InvalidRequest``.
    """
    sent_md5 = _declared_md5(headers)
    if sent_md5 is not None:
        digest = md5()
        digest.update(body)
        if digest.digest() != sent_md5:
            raise ServiceError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    name, value = declared_checksum(headers)
    if name:
        total = new(name)
        total.update(body)
        if encoded(total.digest()) != value:
            raise bad_checksum(name)


def bad_checksum(name: str) -> ServiceError:
    """``BadDigest`` for a checksum header."""
    return ServiceError("BadDigest", f"The {name} you specified did not match the calculated checksum.")


def _checked_value(name: str, value: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _LENGTHS[name]:
        raise ServiceError("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
    return name, value


def _declared_md5(headers: Mapping[str, str]) -> bytes | None:
    value = headers.get("content-md5")
    if value is None:
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16:
        raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.")
    return raw
