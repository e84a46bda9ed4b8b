"""Multipart uploads."""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request, Response
from engine.objects import ObjectInfo
from engine.objectstore import crc, uploads
from engine.objectstore.digests import ALGORITHMS, composite, encoded
from engine.objectstore.uploads import Part, Upload, etag_of
from engine.registry import operation
from engine.services.s3 import conditions
from engine.services.s3.bodies import receive
from engine.services.s3.copying import source_of
from engine.services.s3.objects import parse_range
from engine.services.s3.tagging import parse_header
from engine.services.s3.wire import (
    attributes_of,
    bucket_of,
    check_object_options,
    checksum_members,
    invalid_argument,
    iso_date,
    owner,
    quoted,
)

_LEAST_PART = 5 << 20
_MOST = 1000
_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


@operation("s3", "CreateMultipartUpload")
async def create_multipart_upload(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Begin an upload; what the object will be is said here."""
    bucket_of(engine, params)
    check_object_options(params)
    about = attributes_of(params, dict(request.headers))
    about.tags = parse_header(params.get("Tagging"))
    algorithm = (params.get("ChecksumAlgorithm") or "").upper()
    if algorithm and algorithm not in ALGORITHMS:
        raise ServiceError(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types.",
        )
    kind = params.get("ChecksumType") or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    if algorithm.startswith("SHA") and kind == "FULL_OBJECT":
        raise ServiceError(
            "InvalidRequest",
            f"The FULL_OBJECT checksum type cannot be used with the {algorithm} checksum algorithm.",
        )
    if algorithm == "CRC64NVME" and kind == "COMPOSITE":
        raise ServiceError(
            "InvalidRequest",
            "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
        )
    upload = uploads.create(
        engine.objects, params["Bucket"], params["Key"], about, algorithm, kind if algorithm else ""
    )
    return {
        "Bucket": params["Bucket"],
        "Key": params["Key"],
        "UploadId": upload.id,
        "ChecksumAlgorithm": algorithm or None,
        "ChecksumType": kind if algorithm else None,
    }


@operation("s3", "UploadPart", streams=True)
async def upload_part(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Receive a part."""
    bucket_of(engine, params)
    number = _number(params)
    upload = uploads.find(engine.objects, params["Bucket"], params["Key"], params["UploadId"])
    body = await receive(engine, request, algorithm=upload.algorithm)
    try:
        part = uploads.add_part(engine.objects, upload, number, body.staged, body.etag, body.checksums)
    finally:
        body.staged.drop()
    headers = {f"x-amz-checksum-{name.lower()}": value for name, value in part.checksums.items()}
    return Response(200, {"etag": quoted(part.etag), **headers})


@operation("s3", "UploadPartCopy")
async def upload_part_copy(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A part from an object or a range of it."""
    bucket_of(engine, params)
    number = _number(params)
    upload = uploads.find(engine.objects, params["Bucket"], params["Key"], params["UploadId"])
    _, source = source_of(engine, params)
    header = params.get("CopySourceRange")
    found = parse_range(header, source.size)
    if header is not None:
        end = header.rpartition("-")[2]
        if found is None or not end.isdigit() or int(end) >= source.size:
            text = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
            raise invalid_argument(text, "x-amz-copy-source-range", header)
    offset, length = found or (0, source.size)
    part = await asyncio.to_thread(_copy_part, engine, upload, number, source, offset, length)
    return {
        "CopyPartResult": {
            "ETag": quoted(part.etag),
            "LastModified": iso_date(part.modified),
            **checksum_members(part.checksums),
        }
    }


def _copy_part(
    engine: Engine, upload: Upload, number: int, source: ObjectInfo, offset: int, length: int
) -> Part:
    staged = engine.objects.stage([upload.algorithm] if upload.algorithm else [])
    try:
        with source.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while length > 0 and (data := file.read(min(length, 1 << 20))):
                staged.write(data)
                length -= len(data)
        staged.close()
        checksums = {name: encoded(digest.digest()) for name, digest in staged.checksums.items()}
        return uploads.add_part(engine.objects, upload, number, staged, staged.md5.digest().hex(), checksums)
    finally:
        staged.drop()


@operation("s3", "CompleteMultipartUpload")
async def complete_multipart_upload(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Join the parts that the caller names."""
    bucket_of(engine, params)
    asked = (params.get("MultipartUpload") or {}).get("Parts") or []
    if not asked or any("PartNumber" not in item or "ETag" not in item for item in asked):
        raise ServiceError("MalformedXML", _MALFORMED)
    try:
        upload = uploads.find(engine.objects, params["Bucket"], params["Key"], params["UploadId"])
    except ServiceError:
        info = _completed_before(engine, params, asked)
        if info is None:
            raise
        return _completion(params, info)
    chosen = _chosen(upload, {part.number: part for part in uploads.parts(engine.objects, upload.id)}, asked)
    size = params.get("MpuObjectSize")
    if size is not None and int(size) != sum(part.size for part in chosen):
        raise ServiceError(
            "InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match what was computed."
        )
    checksums = _checksums(upload, chosen)
    for name, value in checksums.items():
        declared = params.get(f"Checksum{name}")
        if declared is not None and declared.partition("-")[0] != value.partition("-")[0]:
            raise ServiceError(
                "BadDigest", f"The {name} you specified did not match the calculated checksum."
            )
    condition = conditions.for_write(params)
    info = await asyncio.to_thread(uploads.complete, engine.objects, upload, chosen, checksums, condition)
    return _completion(params, info)


def _completion(params: dict[str, Any], info: ObjectInfo) -> dict[str, Any]:
    return {
        "Location": f"/{params['Bucket']}/{params['Key']}",
        "Bucket": params["Bucket"],
        "Key": params["Key"],
        "ETag": quoted(info.etag),
        **checksum_members(info.attributes.checksums),
        "ChecksumType": info.attributes.checksum_type or None,
    }


def _completed_before(
    engine: Engine, params: dict[str, Any], asked: list[dict[str, Any]]
) -> ObjectInfo | None:
    """The object, when it is just what this request asks for: the client did not get the first answer and asks again."""
    info = engine.objects.find(params["Bucket"], params["Key"])
    try:
        wanted = etag_of([item["ETag"].strip('"') for item in asked])
    except ValueError:
        return None
    return info if info is not None and info.etag == wanted else None


def _chosen(upload: Upload, known: dict[int, Part], asked: list[dict[str, Any]]) -> list[Part]:
    numbers = [item["PartNumber"] for item in asked]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise ServiceError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            fields={"UploadId": upload.id},
        )
    chosen = []
    for i, item in enumerate(asked):
        part = known.get(item["PartNumber"])
        declared = {name: item[f"Checksum{name}"] for name in ALGORITHMS if f"Checksum{name}" in item}
        if (
            part is None
            or item["ETag"].strip('"') != part.etag
            or any(part.checksums.get(name, value) != value for name, value in declared.items())
        ):
            raise ServiceError(
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
                "entity tag may not match the part's entity tag.",
                fields={
                    "UploadId": upload.id,
                    "PartNumber": item["PartNumber"],
                    "ETag": item["ETag"].strip('"'),
                },
            )
        if part.size < _LEAST_PART and i < len(asked) - 1:
            raise ServiceError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                fields={
                    "ProposedSize": part.size,
                    "MinSizeAllowed": _LEAST_PART,
                    "PartNumber": part.number,
                    "ETag": part.etag,
                },
            )
        chosen.append(part)
    return chosen


def _checksums(upload: Upload, chosen: list[Part]) -> dict[str, str]:
    """The object's checksum from its parts'; none when a part has none."""
    name = upload.algorithm
    if not name or any(name not in part.checksums for part in chosen):
        return {}
    digests = [base64.b64decode(part.checksums[name]) for part in chosen]
    if upload.checksum_type == "COMPOSITE":
        return {name: composite(name, digests)}
    pieces = [(digest, part.size) for digest, part in zip(digests, chosen, strict=True)]
    return {name: encoded(crc.combined(name, pieces))}


@operation("s3", "AbortMultipartUpload")
async def abort_multipart_upload(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """End an upload without an object."""
    bucket_of(engine, params)
    upload = uploads.find(engine.objects, params["Bucket"], params["Key"], params["UploadId"])
    await asyncio.to_thread(uploads.abort, engine.objects, upload)
    return Response(204)


@operation("s3", "ListParts")
async def list_parts(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The parts received so far."""
    bucket_of(engine, params)
    upload = uploads.find(engine.objects, params["Bucket"], params["Key"], params["UploadId"])
    limit = min(_MOST, params["MaxParts"]) if params.get("MaxParts") is not None else _MOST
    marker = int(params.get("PartNumberMarker") or 0)
    found = uploads.parts(engine.objects, upload.id, marker, limit + 1)
    page = found[:limit]
    return {
        "Bucket": params["Bucket"],
        "Key": params["Key"],
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(found) > len(page),
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": iso_date(part.modified),
                "ETag": quoted(part.etag),
                "Size": part.size,
                **checksum_members(part.checksums),
            }
            for part in page
        ],
        "Initiator": owner(engine),
        "Owner": owner(engine),
        "StorageClass": upload.attributes.storage_class or "STANDARD",
        "ChecksumAlgorithm": upload.algorithm or None,
        "ChecksumType": upload.checksum_type or None,
    }


@operation("s3", "ListMultipartUploads")
async def list_multipart_uploads(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Unfinished uploads by key."""
    bucket_of(engine, params)
    limit = min(_MOST, params["MaxUploads"]) if params.get("MaxUploads") is not None else _MOST
    prefix, delimiter = params.get("Prefix") or "", params.get("Delimiter") or ""
    # Without an upload-id marker the page begins behind every upload of the marker's key.
    position = (params.get("KeyMarker") or "", params.get("UploadIdMarker") or "\U0010ffff")
    page: list[Upload] = []
    common: list[str] = []
    truncated = False
    while not truncated and (
        rows := uploads.listed(engine.objects, params["Bucket"], prefix, position, limit + 1)
    ):
        for upload in rows:
            cut = upload.key.find(delimiter, len(prefix)) if delimiter else -1
            group = upload.key[: cut + len(delimiter)] if cut >= 0 else ""
            if group and group in common:
                position = (upload.key, upload.id)
                continue
            if len(page) + len(common) >= limit:
                truncated = True
                break
            position = (upload.key, upload.id)
            if group:
                common.append(group)
            else:
                page.append(upload)
    return {
        "Bucket": params["Bucket"],
        "KeyMarker": params.get("KeyMarker") or "",
        "UploadIdMarker": params.get("UploadIdMarker") or "",
        "NextKeyMarker": position[0] if truncated else None,
        "NextUploadIdMarker": position[1] if truncated else None,
        "Prefix": params.get("Prefix"),
        "Delimiter": params.get("Delimiter"),
        "MaxUploads": limit,
        "IsTruncated": truncated,
        "Uploads": [
            {
                "Key": upload.key,
                "UploadId": upload.id,
                "Initiated": iso_date(upload.created),
                "StorageClass": upload.attributes.storage_class or "STANDARD",
                "Initiator": owner(engine),
                "Owner": owner(engine),
                "ChecksumAlgorithm": upload.algorithm or None,
            }
            for upload in page
        ],
        "CommonPrefixes": [{"Prefix": group} for group in common],
    }


def _number(params: dict[str, Any]) -> int:
    number = int(params["PartNumber"])
    if not 1 <= number <= 10_000:
        text = "Part number must be an integer between 1 and 10000, inclusive"
        raise invalid_argument(text, "partNumber", number)
    return number
