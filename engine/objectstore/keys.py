"""Where the file of a key lives, and which keys and bucket names there can be.

A key whose parts are ordinary file names is stored under that very path, so that the tree reads like the bucket. Every other key
(``..``, ``//``, a leading or trailing slash, control characters, parts too long for a file system, a key below another key) is
stored under the hash of its bytes in a tree of its own. The index says which file holds which key, so neither form can escape the
store's directory or hide another key.
"""

from __future__ import annotations

import hashlib
import re

from engine.errors import ServiceError

MAX_KEY_BYTES = 1024
_PART_BYTES = 255
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}")


def encode(key: str) -> bytes:
    """The key's UTF-8 bytes, which are what S3 orders and measures.

    Raises:
        ServiceError: ``KeyTooLongError`` beyond 1,024 bytes, ``InvalidURI`` when the key is not UTF-8.
    """
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI.") from None
    if len(raw) > MAX_KEY_BYTES:
        fields = {"Size": str(len(raw)), "MaxSizeAllowed": str(MAX_KEY_BYTES)}
        raise ServiceError("KeyTooLongError", "Your key is too long", fields=fields)
    return raw


def after(prefix: bytes) -> bytes | None:
    """The least byte string above every string that starts with ``prefix``; None when there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def is_ordinary(key: str) -> bool:
    """Whether each part of the key can be a file name as it stands."""
    if any(character < " " or character == "\x7f" or character == "\\" for character in key):
        return False
    for part in key.split("/"):
        if part in ("", ".", "..") or len(part) > _PART_BYTES or len(part.encode()) > _PART_BYTES:
            return False
    return True


def tree_path(bucket: str, key: str) -> str:
    """The path of an ordinary key, relative to the store."""
    return f"buckets/{bucket}/{key}"


def hashed_path(bucket: str, key: bytes) -> str:
    """The path of any key, relative to the store."""
    digest = hashlib.sha256(key).hexdigest()
    return f"hashed/{bucket}/{digest[:2]}/{digest}"


def check_bucket_name(name: str) -> None:
    """Refuse what S3 refuses as the name of a new bucket.

    Raises:
        ServiceError: ``InvalidBucketName``.
    """
    refused = (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or ".-" in name
        or "-." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        or name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3"))
    )
    if refused:
        raise ServiceError(
            "InvalidBucketName", "The specified bucket is not valid.", fields={"BucketName": name}
        )
