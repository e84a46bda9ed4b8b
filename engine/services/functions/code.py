"""Where a function's or a layer's code comes from, and where it can be had again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.functions.names import invalid
from engine.functions.packages import UNZIPPED_LIMIT, ZIP_LIMIT, Package

if TYPE_CHECKING:
    from engine.context import Engine

_URL_SECONDS = 600
PATH = "/_engine/packages/"


async def kept(engine: Engine, source: dict[str, Any], operation: str) -> Package:
    """The package that ``ZipFile`` holds or that lies in S3; the caller holds ``engine.functions.packaging``.

    Raises:
        ServiceError: ``InvalidParameterValueException``, ``RequestEntityTooLargeException``.
    """
    if source.get("ImageUri"):
        raise invalid("ImageUri: this engine runs zip packages, no container images.")
    data: bytes | None = source.get("ZipFile")
    place = source.get("S3Bucket"), source.get("S3Key")
    if data is None and not all(place):
        raise invalid("Please provide a source for function code.")
    if data is not None and any(place):
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if data is None:
        found = await asyncio.to_thread(_from_s3, engine, str(place[0]), str(place[1]))
        return await asyncio.to_thread(engine.functions.packages.put, found)
    if len(data) > ZIP_LIMIT:
        raise ServiceError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than 70167211 bytes for the {operation} operation",
            413,
        )
    return await asyncio.to_thread(engine.functions.packages.put, data)


def url(engine: Engine, digest: str) -> str:
    """Where the package can be fetched for ten minutes, without a signature, as from the URL that Lambda gives."""
    expires = int(engine.clock.time()) + _URL_SECONDS
    ticket = engine.functions.packages.ticket(digest, expires)
    settings = engine.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}{PATH}{digest}.zip?Expires={expires}&Signature={ticket}"


def _from_s3(engine: Engine, bucket: str, key: str) -> bytes:
    refused = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
    if not engine.objects.bucket_exists(bucket):
        raise invalid(refused.format("NoSuchBucket", "The specified bucket does not exist"))
    found = engine.objects.find(bucket, key)
    if found is None:
        raise invalid(refused.format("NoSuchKey", "The specified key does not exist."))
    if found.size > UNZIPPED_LIMIT:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
    return found.path.read_bytes()
