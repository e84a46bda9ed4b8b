"""CopyObject. The copy is a hard link to the source's file, so it costs nothing and holds nothing in memory."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.objects import Attributes, ObjectInfo
from engine.objectstore.digests import encoded, new
from engine.objectstore.staging import BATCH, link_or_copy
from engine.registry import operation
from engine.services.s3 import conditions
from engine.services.s3.tagging import parse_header
from engine.services.s3.wire import (
    LARGEST_PUT,
    attributes_of,
    bucket_of,
    check_object_options,
    check_owner,
    check_version,
    checksum_members,
    invalid_argument,
    iso_date,
    no_such_key,
    quoted,
)

_SOURCE = re.compile(r"/?([^/]+)/(.+)", re.DOTALL)


def source_of(engine: Engine, params: dict[str, Any]) -> tuple[str, ObjectInfo]:
    """The bucket and object that a copy names and whose conditions hold.

    Raises:
        ServiceError: ``InvalidArgument``, ``NoSuchBucket``, ``NoSuchKey``, ``AccessDenied``, ``PreconditionFailed``.
    """
    path, _, query = params["CopySource"].partition("?")
    match = _SOURCE.fullmatch(unquote(path))
    if match is None:
        raise invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source"
        )
    bucket, key = match[1], match[2]
    if query.startswith("versionId="):
        check_version({"Key": key, "VersionId": query.partition("=")[2]})
    engine.objects.bucket(bucket)
    check_owner(engine, params.get("ExpectedSourceBucketOwner"))
    info = engine.objects.find(bucket, key)
    if info is None:
        raise no_such_key(key)
    conditions.check_copy(info, params)
    return bucket, info


@operation("s3", "CopyObject")
async def copy_object(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Copy an object with its metadata and tags, or with new ones."""
    bucket_of(engine, params)
    check_object_options(params)
    bucket, source = source_of(engine, params)
    if source.size > LARGEST_PUT:
        text = f"The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_PUT}"
        raise ServiceError("InvalidRequest", text)
    replaces = _directive(params, "MetadataDirective")
    replaces_tags = _directive(params, "TaggingDirective")
    given = attributes_of(params, dict(request.headers))
    itself = (bucket, source.key) == (params["Bucket"], params["Key"])
    changes = replaces or replaces_tags or given.storage_class or params.get("ServerSideEncryption")
    if itself and not changes:
        raise ServiceError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
            "metadata, storage class, website redirect location or encryption attributes.",
        )
    old = source.attributes
    about = Attributes(
        headers=given.headers if replaces else old.headers,
        metadata=given.metadata if replaces else old.metadata,
        checksums=old.checksums,
        checksum_type=old.checksum_type,
        tags=parse_header(params.get("Tagging")) if replaces_tags else old.tags,
        storage_class=given.storage_class,
        parts=old.parts,
    )
    algorithm = params.get("ChecksumAlgorithm")
    condition = conditions.for_write(params)
    info = await asyncio.to_thread(_copy, engine, params, source, about, algorithm, condition)
    return {
        "CopyObjectResult": {
            "ETag": quoted(info.etag),
            "LastModified": iso_date(info.modified),
            **checksum_members(info.attributes.checksums),
        }
    }


def _copy(
    engine: Engine,
    params: dict[str, Any],
    source: ObjectInfo,
    about: Attributes,
    algorithm: str | None,
    condition: Any,
) -> ObjectInfo:
    staged = engine.objects.staging / os.urandom(16).hex()
    try:
        try:
            link_or_copy(source.path, staged)
        except FileNotFoundError:  # Deleted a moment ago.
            raise no_such_key(source.key) from None
        if algorithm and algorithm not in about.checksums:
            about.checksums, about.checksum_type = {algorithm: _checksum(algorithm, staged)}, ""
        return engine.objects.commit(
            params["Bucket"], params["Key"], staged, source.size, source.etag, about, condition=condition
        )
    finally:
        staged.unlink(missing_ok=True)


def _checksum(algorithm: str, path: Path) -> str:
    try:
        digest = new(algorithm)
    except KeyError:
        raise ServiceError(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types.",
        ) from None
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(BATCH):
            digest.update(chunk)
    return encoded(digest.digest())


def _directive(params: dict[str, Any], member: str) -> bool:
    value = params.get(member) or "COPY"
    if value not in ("COPY", "REPLACE"):
        kind = member.removesuffix("Directive").lower()
        raise invalid_argument(f"Unknown {kind} directive.", f"x-amz-{kind}-directive", value)
    return bool(value == "REPLACE")
