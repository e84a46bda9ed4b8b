"""ListObjectsV2, ListObjects and ListObjectVersions. The XML is written here: the generic renderer would cost five times as much."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from engine.context import Engine
from engine.http import Request, Response
from engine.objects import Attributes, ObjectStore
from engine.objectstore.index import Row
from engine.objectstore.keys import after
from engine.registry import operation
from engine.services.s3.wire import bucket_of, invalid_argument, owner

_MOST = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(slots=True)
class Listing:
    """One page: objects and common prefixes in one byte order; ``last`` is where the next page goes on."""

    rows: list[Row] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""


def list_page(
    store: ObjectStore, bucket: str, prefix: bytes, delimiter: bytes, start_after: bytes, limit: int
) -> Listing:
    """The keys and common prefixes behind ``start_after``.

    A common prefix counts once and is skipped over in the index, however many keys lie below it.
    """
    page = Listing()
    if limit == 0:
        return page
    high = after(prefix)
    low, inclusive = (start_after, False) if start_after >= prefix else (prefix, True)
    if delimiter and low.startswith(prefix) and not inclusive:
        cut = low.find(delimiter, len(prefix))
        if cut >= 0:
            # The last page ended with this common prefix or within it.
            beyond = after(low[: cut + len(delimiter)])
            if beyond is None:
                return page
            low, inclusive = beyond, True
    wanted = limit + 1
    while True:
        rows = store.index.range(bucket, low, high, wanted, inclusive=inclusive)
        for row in rows:
            cut = row.key.find(delimiter, len(prefix)) if delimiter else -1
            if len(page.rows) + len(page.prefixes) >= limit:
                page.truncated = True
                return page
            if cut < 0:
                page.rows.append(row)
                page.last = low = row.key
                inclusive = False
                continue
            common = row.key[: cut + len(delimiter)]
            page.prefixes.append(common)
            page.last = common
            beyond = after(common)
            if beyond is None:
                return page
            low, inclusive = beyond, True
            wanted = 2  # Where one common prefix was, the next key most likely begins another.
            break
        else:
            if len(rows) < wanted:
                return page
            wanted = min(limit + 1, wanted * 4)


@operation("s3", "ListObjectsV2")
async def list_objects_v2(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Keys in UTF-8 byte order."""
    name = bucket_of(engine, params).name
    limit = _limit(params, "MaxKeys", "max-keys")
    token, start = params.get("ContinuationToken"), params.get("StartAfter") or ""
    if token is not None:
        text = "The continuation token provided is incorrect"
        start = engine.tokens.decode(
            "ListObjectsV2", {"Bucket": name}, token, code="InvalidArgument", message=text
        )
    page = await _page(engine, params, start, limit)
    write = _encoder(params)
    person = owner(engine)["ID"] if params.get("FetchOwner") else ""
    parts = [
        _element("Name", escape(name)),
        _element("Prefix", write(params.get("Prefix") or "")),
        *_optional(params, "Delimiter", write),
        _element("MaxKeys", str(_asked(params, "MaxKeys"))),
        *_optional(params, "EncodingType", escape),
        _element("KeyCount", str(len(page.rows) + len(page.prefixes))),
        _element("IsTruncated", "true" if page.truncated else "false"),
        *_optional(params, "ContinuationToken", escape),
        *_optional(params, "StartAfter", write),
    ]
    if page.truncated:
        following = engine.tokens.encode("ListObjectsV2", {"Bucket": name}, page.last.decode())
        parts.append(_element("NextContinuationToken", following))
    return await asyncio.to_thread(_answer, "ListBucketResult", parts, page, write, person)


@operation("s3", "ListObjects")
async def list_objects(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """The first version of the list, with markers."""
    name = bucket_of(engine, params).name
    limit = _limit(params, "MaxKeys", "max-keys")
    page = await _page(engine, params, params.get("Marker") or "", limit)
    write = _encoder(params)
    parts = [
        _element("Name", escape(name)),
        _element("Prefix", write(params.get("Prefix") or "")),
        _element("Marker", write(params.get("Marker") or "")),
        *_optional(params, "Delimiter", write),
        _element("MaxKeys", str(_asked(params, "MaxKeys"))),
        *_optional(params, "EncodingType", escape),
        _element("IsTruncated", "true" if page.truncated else "false"),
    ]
    if page.truncated and params.get("Delimiter"):
        parts.append(_element("NextMarker", write(page.last.decode())))
    return await asyncio.to_thread(_answer, "ListBucketResult", parts, page, write, owner(engine)["ID"])


@operation("s3", "ListObjectVersions")
async def list_object_versions(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Every object as its own only version: buckets here are not versioned."""
    name = bucket_of(engine, params).name
    limit = _limit(params, "MaxKeys", "max-keys")
    page = await _page(engine, params, params.get("KeyMarker") or "", limit)
    write = _encoder(params)
    parts = [
        _element("Name", escape(name)),
        _element("Prefix", write(params.get("Prefix") or "")),
        _element("KeyMarker", write(params.get("KeyMarker") or "")),
        _element("VersionIdMarker", ""),
        *_optional(params, "Delimiter", write),
        _element("MaxKeys", str(_asked(params, "MaxKeys"))),
        *_optional(params, "EncodingType", escape),
        _element("IsTruncated", "true" if page.truncated else "false"),
    ]
    if page.truncated:
        parts.append(_element("NextKeyMarker", write(page.last.decode())))
        parts.append(_element("NextVersionIdMarker", "null"))
    return await asyncio.to_thread(
        _answer, "ListVersionsResult", parts, page, write, owner(engine)["ID"], versions=True
    )


async def _page(engine: Engine, params: dict[str, Any], start: str, limit: int) -> Listing:
    if params.get("EncodingType") not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type")
    return await asyncio.to_thread(
        list_page,
        engine.objects,
        params["Bucket"],
        (params.get("Prefix") or "").encode(),
        (params.get("Delimiter") or "").encode(),
        start.encode(),
        limit,
    )


def _asked(params: dict[str, Any], member: str) -> int:
    value = params.get(member)
    return _MOST if value is None else int(value)


def _limit(params: dict[str, Any], member: str, name: str) -> int:
    asked = _asked(params, member)
    if asked < 0:
        raise invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647", name, asked)
    return min(asked, _MOST)


def _encoder(params: dict[str, Any]) -> Any:
    if params.get("EncodingType") == "url":
        return lambda text: quote(text, safe="/*-._~")
    return _xml


def _xml(text: str) -> str:
    """Escaped text; control characters as numeric references, which is what S3 sends although XML 1.0 has no such thing."""
    escaped = escape(text, {"\r": "&#13;"})
    return _CONTROL.sub(lambda match: f"&#x{ord(match[0]):x};", escaped)


def _element(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>"


def _optional(params: dict[str, Any], member: str, write: Any) -> list[str]:
    value = params.get(member)
    return [] if value is None else [_element(member, write(value))]


def _answer(
    root: str, parts: list[str], page: Listing, write: Any, person: str, *, versions: bool = False
) -> Response:
    entry = "Version" if versions else "Contents"
    version = "<VersionId>null</VersionId><IsLatest>true</IsLatest>" if versions else ""
    owned = f"<Owner><ID>{person}</ID></Owner>" if person else ""
    for row in page.rows:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(row.modified))
        about = (
            Attributes.load(row.attributes)
            if '"checksums"' in row.attributes or '"storage_class"' in row.attributes
            else None
        )
        checksums = ""
        storage = "STANDARD"
        if about is not None:
            checksums = "".join(f"<ChecksumAlgorithm>{name}</ChecksumAlgorithm>" for name in about.checksums)
            if checksums:
                checksums += f"<ChecksumType>{about.checksum_type or 'FULL_OBJECT'}</ChecksumType>"
            storage = about.storage_class or storage
        parts.append(
            f"<{entry}><Key>{write(row.key.decode())}</Key>{version}<LastModified>{moment}</LastModified>"
            f"<ETag>&quot;{row.etag}&quot;</ETag>{checksums}<Size>{row.size}</Size>{owned}"
            f"<StorageClass>{storage}</StorageClass></{entry}>"
        )
    for prefix in page.prefixes:
        text = write(prefix.decode(errors="replace"))
        parts.append(f"<CommonPrefixes><Prefix>{text}</Prefix></CommonPrefixes>")
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{"".join(parts)}</{root}>'
    )
    return Response(200, {"content-type": "application/xml"}, document.encode())
