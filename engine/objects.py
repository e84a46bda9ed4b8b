"""S3 objects as plain files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class ObjectInfo(NamedTuple):
    """An object's key and what S3 says about it. ``path`` is its file, to be read or hard-linked, never written."""

    key: str
    size: int
    etag: str
    modified: float
    path: Path


class ObjectStore:
    """Buckets and objects below one directory. Writes are atomic: an object is there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clear(self) -> None: ...
    def bucket_exists(self, bucket: str) -> bool: ...
    def create_bucket(self, bucket: str, *, region: str, now: float) -> None: ...
    def find(self, bucket: str, key: str) -> ObjectInfo | None: ...
    def iterate(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]: ...
    def put_bytes(self, bucket: str, key: str, data: bytes, content_type: str = "binary/octet-stream") -> ObjectInfo: ...
    def put_file(self, bucket: str, key: str, source: Path, content_type: str = "binary/octet-stream") -> ObjectInfo: ...
    def delete(self, bucket: str, key: str) -> bool: ...
