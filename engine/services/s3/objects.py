"""Objects: put, get, head, delete, attributes."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request, Response
from engine.objects import ObjectInfo
from engine.registry import operation
from engine.services.s3 import conditions
from engine.services.s3.bodies import check_body, receive
from engine.services.s3.tagging import parse_header
from engine.services.s3.wire import (
    attributes_of,
    bucket_of,
    check_object_options,
    check_version,
    checksum_headers,
    checksum_members,
    http_date,
    no_such_key,
    object_headers,
    quoted,
)

_INLINE = 1 << 18
_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_MOST_DELETED = 1000


@operation("s3", "PutObject", streams=True)
async def put_object(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Store an object: read as it comes, checked, then there at once and whole."""
    bucket_of(engine, params)
    check_object_options(params)
    about = attributes_of(params, dict(request.headers))
    about.tags = parse_header(params.get("Tagging"))
    condition = conditions.for_write(params)
    key = params["Key"]
    if condition is not None:
        condition(engine.objects.find(params["Bucket"], key))  # Refused before the body is sent.
    body = await receive(engine, request)
    try:
        about.checksums = body.checksums
        info = engine.objects.commit(
            params["Bucket"], key, body.staged.path, body.staged.size, body.etag, about, condition=condition
        )
    finally:
        body.staged.drop()
    return Response(200, {"etag": quoted(info.etag), **checksum_headers(info)})


@operation("s3", "GetObject")
async def get_object(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """An object or a range of it."""
    bucket_of(engine, params)
    check_object_options(params)
    check_version(params)
    opened = engine.objects.open(params["Bucket"], params["Key"])
    if opened is None:
        raise no_such_key(params["Key"])
    info, descriptor = opened
    file = os.fdopen(descriptor, "rb", buffering=0)
    try:
        answer, offset, length = _answer(info, request, params)
        if answer.status == 304:
            return answer
        if length <= _INLINE:
            answer.body = os.pread(descriptor, length, offset)
        else:
            answer.body, file = _chunks(request, file, offset, length), None  # type: ignore[assignment]
        return answer
    finally:
        if file is not None:
            file.close()


@operation("s3", "HeadObject")
async def head_object(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """GetObject's headers."""
    bucket_of(engine, params)
    check_object_options(params)
    check_version(params)
    info = engine.objects.find(params["Bucket"], params["Key"])
    if info is None:
        raise no_such_key(params["Key"])
    return _answer(info, request, params)[0]


@operation("s3", "GetObjectAttributes")
async def get_object_attributes(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Those attributes of an object that the caller names."""
    bucket_of(engine, params)
    check_version(params)
    info = engine.objects.find(params["Bucket"], params["Key"])
    if info is None:
        raise no_such_key(params["Key"])
    about = info.attributes
    # The header may be sent once with commas or several times; both arrive as one value.
    wanted = {
        name.strip() for value in params.get("ObjectAttributes") or () for name in str(value).split(",")
    }
    answer: dict[str, Any] = {"LastModified": info.modified}
    if "ETag" in wanted:
        answer["ETag"] = info.etag
    if "ObjectSize" in wanted:
        answer["ObjectSize"] = info.size
    if "StorageClass" in wanted:
        answer["StorageClass"] = about.storage_class or "STANDARD"
    if "Checksum" in wanted and about.checksums:
        answer["Checksum"] = {
            **checksum_members(about.checksums),
            "ChecksumType": about.checksum_type or "FULL_OBJECT",
        }
    if "ObjectParts" in wanted and about.parts:
        answer["ObjectParts"] = {"TotalPartsCount": len(about.parts)}
    return answer


@operation("s3", "DeleteObject")
async def delete_object(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Delete an object; one that is not there counts as deleted."""
    bucket_of(engine, params)
    check_version(params)
    condition = conditions.for_write({"Key": params["Key"], "IfMatch": params.get("IfMatch")})
    engine.objects.delete(params["Bucket"], params["Key"], condition)
    return Response(204)


@operation("s3", "DeleteObjects")
async def delete_objects(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete up to 1,000 objects, each with its own outcome."""
    bucket_of(engine, params)
    body = request.read or b""
    check_body(request.headers, body)
    asked = (params.get("Delete") or {}).get("Objects") or []
    if not asked or len(asked) > _MOST_DELETED:
        raise ServiceError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    deleted, errors = await asyncio.to_thread(_delete_all, engine, params["Bucket"], asked)
    if params["Delete"].get("Quiet"):
        deleted = []
    return {"Deleted": deleted, "Errors": errors}


def _delete_all(
    engine: Engine, bucket: str, asked: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    deleted, errors = [], []
    for item in asked:
        key = item.get("Key") or ""
        try:
            check_version(item)
            condition = conditions.for_write({"Key": key, "IfMatch": item.get("ETag")})
            engine.objects.delete(bucket, key, condition)
            deleted.append({"Key": key, "VersionId": item.get("VersionId")})
        except ServiceError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
        except OSError as error:
            errors.append({"Key": key, "Code": "InternalError", "Message": str(error)})
    return deleted, errors


def _answer(info: ObjectInfo, request: Request, params: dict[str, Any]) -> tuple[Response, int, int]:
    """Status and headers of a read, and the offset and length of what is to be sent."""
    if conditions.check_read(info, params):
        kept = {"etag": quoted(info.etag), "last-modified": http_date(info.modified)}
        return Response(304, kept), 0, 0
    headers = object_headers(info, params)
    part = params.get("PartNumber")
    sizes = info.attributes.parts or [info.size]
    if part is not None:
        if params.get("Range"):
            raise ServiceError(
                "InvalidRequest", "Cannot specify both Range header and partNumber query parameter"
            )
        if not 1 <= part <= len(sizes):
            raise ServiceError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
        if info.attributes.parts:
            headers["x-amz-mp-parts-count"] = str(len(sizes))
        found: tuple[int, int] | None = (sum(sizes[: part - 1]), sizes[part - 1])
    else:
        found = parse_range(params.get("Range"), info.size)
    if found is None:
        headers["content-length"] = str(info.size)
        if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers.update(checksum_headers(info))
        return Response(200, headers), 0, info.size
    offset, length = found
    headers["content-length"] = str(length)
    if length:
        headers["content-range"] = f"bytes {offset}-{offset + length - 1}/{info.size}"
    return Response(206 if length else 200, headers), offset, length


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(offset, length) of a Range header; None when there is none that S3 heeds (several ranges, another unit).

    Raises:
        ServiceError: ``InvalidRange``.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        start, end = size - length, size - 1
    else:
        start = int(match[1])
        end = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        fields = {"RangeRequested": header, "ActualObjectSize": size}
        raise ServiceError("InvalidRange", "The requested range is not satisfiable", 416, fields=fields)
    return start, end - start + 1


async def _chunks(request: Request, file: Any, offset: int, length: int) -> AsyncIterator[bytes]:
    """A range of a file; the next chunk is read while one is sent. Ends early when the client has gone."""
    loop = asyncio.get_running_loop()
    ending = asyncio.ensure_future(request.receive())
    descriptor = file.fileno()
    following: asyncio.Future[bytes] | None = None
    try:
        following = loop.run_in_executor(None, os.pread, descriptor, min(_CHUNK, length), offset)
        while length:
            data = await following
            if not data:
                raise OSError(f"an object's file is shorter than its record: {file.name}")
            offset += len(data)
            length -= len(data)
            if length:
                following = loop.run_in_executor(None, os.pread, descriptor, min(_CHUNK, length), offset)
            yield data
            if ending.done() and ending.result()["type"] == "http.disconnect":
                return
    finally:
        ending.cancel()
        if following is not None and not following.done():
            await asyncio.wait([following])
        file.close()
