"""What S3's operations share: the caller's bucket, entity tags, times, the headers of an object."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.objects import Attributes, BucketInfo, ObjectInfo

CONTENT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)
LARGEST_PUT = 5 << 30
_OVERRIDES = {
    "ResponseCacheControl": "cache-control",
    "ResponseContentDisposition": "content-disposition",
    "ResponseContentEncoding": "content-encoding",
    "ResponseContentLanguage": "content-language",
    "ResponseContentType": "content-type",
    "ResponseExpires": "expires",
}
_METADATA_LIMIT = 2048
_LINE_END = re.compile(r"[\r\n]")


def bucket_of(engine: Engine, params: dict[str, Any]) -> BucketInfo:
    """The request's bucket.

    Raises:
        ServiceError: ``NoSuchBucket``, or ``AccessDenied`` when the bucket is not the expected owner's.
    """
    bucket = engine.objects.bucket(params["Bucket"])
    check_owner(engine, params.get("ExpectedBucketOwner"))
    return bucket


def check_owner(engine: Engine, expected: str | None) -> None:
    """Refuse a request that expects the bucket to be another account's."""
    if expected is not None and expected != engine.settings.account_id:
        raise ServiceError("AccessDenied", "Access Denied", 403)


def no_such_key(key: str) -> ServiceError:
    """``NoSuchKey``."""
    return ServiceError("NoSuchKey", "The specified key does not exist.", 404, fields={"Key": key})


def invalid_argument(message: str, name: str = "", value: object = None) -> ServiceError:
    """``InvalidArgument`` with the argument it is about."""
    fields = {"ArgumentName": name, "ArgumentValue": str(value)} if name else {}
    return ServiceError("InvalidArgument", message, fields=fields)


def check_version(params: dict[str, Any]) -> None:
    """Buckets here are never versioned: only the null version exists.

    Raises:
        ServiceError: ``NoSuchVersion``.
    """
    version = params.get("VersionId")
    if version not in (None, "null"):
        fields = {"Key": params.get("Key", ""), "VersionId": version}
        raise ServiceError("NoSuchVersion", "The specified version does not exist.", 404, fields=fields)


def check_object_options(params: dict[str, Any]) -> None:
    """Refuse what would be a promise not kept: encryption with the caller's key, and ACLs on a bucket that has none.

    Raises:
        ServiceError: ``NotImplemented`` or ``AccessControlListNotSupported``.
    """
    if params.get("SSECustomerAlgorithm") or params.get("CopySourceSSECustomerAlgorithm"):
        raise ServiceError("NotImplemented", "Encryption with customer-provided keys is not offered.", 501)
    if params.get("ACL") not in (None, "private", "bucket-owner-full-control"):
        raise ServiceError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def quoted(etag: str) -> str:
    """An entity tag as headers and XML carry it."""
    return f'"{etag}"'


def http_date(moment: float) -> str:
    """Epoch seconds as an HTTP date."""
    return formatdate(int(moment), usegmt=True)


def iso_date(moment: float) -> float:
    """A modification time for XML: whole seconds, as S3 keeps them."""
    return float(int(moment))


def attributes_of(params: dict[str, Any], headers: dict[str, str]) -> Attributes:
    """What a request that creates an object says about it.

    Raises:
        ServiceError: ``MetadataTooLarge``, ``InvalidTag`` or ``InvalidStorageClass``.
    """
    metadata = {name.lower(): value for name, value in (params.get("Metadata") or {}).items()}
    size = sum(len(name) + len(value.encode("latin-1", "replace")) for name, value in metadata.items())
    if size > _METADATA_LIMIT:
        fields = {"Size": size, "MaxSizeAllowed": _METADATA_LIMIT}
        raise ServiceError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            fields=fields,
        )
    content = {name: headers[name] for name in CONTENT_HEADERS if headers.get(name)}
    encodings = [part.strip() for part in content.get("content-encoding", "").split(",")]
    kept = [part for part in encodings if part and part != "aws-chunked"]
    content.pop("content-encoding", None)
    if kept:
        content["content-encoding"] = ",".join(kept)
    if headers.get("x-amz-website-redirect-location"):
        content["x-amz-website-redirect-location"] = headers["x-amz-website-redirect-location"]
    storage = params.get("StorageClass") or ""
    if storage not in _STORAGE_CLASSES:
        raise ServiceError("InvalidStorageClass", "The storage class you specified is not valid")
    return Attributes(
        headers=content, metadata=metadata, storage_class="" if storage == "STANDARD" else storage
    )


_STORAGE_CLASSES = frozenset(
    ["", "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR"]
)


def object_headers(info: ObjectInfo, params: dict[str, Any]) -> dict[str, str]:
    """The headers of a GetObject or HeadObject answer except length, range and checksum."""
    about = info.attributes
    headers = {
        "accept-ranges": "bytes",
        "content-type": info.content_type,
        "etag": quoted(info.etag),
        "last-modified": http_date(info.modified),
        **about.headers,
    }
    for name, value in about.metadata.items():
        headers[f"x-amz-meta-{name}"] = value
    if about.storage_class:
        headers["x-amz-storage-class"] = about.storage_class
    if about.tags:
        headers["x-amz-tagging-count"] = str(len(about.tags))
    for member, name in _OVERRIDES.items():
        override = params.get(member)
        if override is not None:
            text = override if isinstance(override, str) else http_date(override.timestamp())
            headers[name] = _LINE_END.sub(" ", text)
    return headers


def checksum_headers(info: ObjectInfo) -> dict[str, str]:
    """The stored checksums, for answers that carry the whole object."""
    headers = {f"x-amz-checksum-{name.lower()}": value for name, value in info.attributes.checksums.items()}
    if headers:
        headers["x-amz-checksum-type"] = info.attributes.checksum_type or "FULL_OBJECT"
    return headers


def checksum_members(checksums: dict[str, str]) -> dict[str, str]:
    """Checksums as members of an output (``ChecksumCRC32`` ...)."""
    return {f"Checksum{name}": value for name, value in checksums.items()}


def owner(engine: Engine) -> dict[str, str]:
    """The canonical user that owns everything: made up from the account id, as AWS's are opaque too."""
    from hashlib import sha256

    return {"ID": sha256(f"canonical:{engine.settings.account_id}".encode()).hexdigest()}
