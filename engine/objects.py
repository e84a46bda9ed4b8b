"""S3 objects as plain files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from engine.errors import ServiceError
from engine.objectstore import keys
from engine.objectstore.index import Index, Row, dump
from engine.objectstore.staging import Staged, digest_file, link_or_copy

DEFAULT_TYPE = "binary/octet-stream"


@dataclass(slots=True)
class Attributes:
    """What S3 keeps with an object besides its bytes.

    ``headers`` are the content headers by lower-case name (``content-type``, ``cache-control`` ...), ``checksums`` base64 by algorithm name,
    ``parts`` the sizes of the parts it was uploaded in.
    """

    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    storage_class: str = ""
    parts: list[int] = field(default_factory=list)

    def dump(self) -> str:
        """As JSON, without what is empty."""
        return dump({name: value for name in self.__slots__ if (value := getattr(self, name))})

    @classmethod
    def load(cls, text: str) -> Attributes:
        """From `dump`'s JSON."""
        return cls(**json.loads(text))


class ObjectInfo(NamedTuple):
    """An object's key and what S3 says about it. ``path`` is its file, to be read or hard-linked, never written."""

    key: str
    size: int
    etag: str
    modified: float
    path: Path
    attributes: Attributes

    @property
    def content_type(self) -> str:
        return self.attributes.headers.get("content-type", DEFAULT_TYPE)


class BucketInfo(NamedTuple):
    """A bucket."""

    name: str
    region: str
    created: float


Condition = Callable[["ObjectInfo | None"], None]
"""Looks at the object that is there and raises when the write must not happen; called where nothing can come between."""


def no_such_bucket(bucket: str) -> ServiceError:
    """``NoSuchBucket``."""
    return ServiceError(
        "NoSuchBucket", "The specified bucket does not exist", 404, fields={"BucketName": bucket}
    )


class ObjectStore:
    """Buckets and objects below one directory. Writes are atomic: an object is there whole or not at all.

    ``buckets/<bucket>/<key>`` holds the objects with ordinary keys, ``hashed/`` the others, ``staging/`` and ``parts/`` what is being
    uploaded. Object files are read-only and are replaced, never written: a hard link keeps the content it was made of.
    Methods may be called from any thread; those that move content may take long for big files. ``etag`` has no quotes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = str(root)
        self.staging = root / "staging"
        self.parts = root / "parts"
        for folder in (root, self.staging, self.parts):
            folder.mkdir(parents=True, exist_ok=True)
        self.index = Index(root / "index.db")
        # Every request asks for its bucket; this process is the only one that changes them.
        rows = self.index.query("SELECT name,region,created FROM buckets")
        self._buckets = {name: BucketInfo(name, region, created) for name, region, created in rows}
        self._recover()

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def clear(self) -> None:
        """Delete every bucket, object and upload."""
        with self.index.transaction() as db:
            for table in ("buckets", "objects", "pending", "uploads", "parts"):
                db.execute(f"DELETE FROM {table}")
            self._buckets.clear()
            for folder in ("buckets", "hashed", "staging", "parts"):
                shutil.rmtree(self.root / folder, ignore_errors=True)
            self.staging.mkdir(exist_ok=True)
            self.parts.mkdir(exist_ok=True)

    # Buckets

    def buckets(self) -> list[BucketInfo]:
        """All buckets by name."""
        return [bucket for _, bucket in sorted(self._buckets.items())]

    def bucket(self, name: str) -> BucketInfo:
        """The bucket.

        Raises:
            ServiceError: ``NoSuchBucket``.
        """
        found = self._buckets.get(name)
        if found is None:
            raise no_such_bucket(name)
        return found

    def bucket_exists(self, bucket: str) -> bool:
        """Whether there is such a bucket."""
        return bucket in self._buckets

    def create_bucket(self, bucket: str, *, region: str, now: float) -> bool:
        """Create a bucket; False when it is there already.

        Raises:
            ServiceError: ``InvalidBucketName``.
        """
        keys.check_bucket_name(bucket)
        with self.index.transaction() as db:
            if bucket in self._buckets:
                return False
            db.execute("INSERT INTO buckets VALUES (?,?,?)", (bucket, region, now))
            self._buckets[bucket] = BucketInfo(bucket, region, now)
        (self.root / "buckets" / bucket).mkdir(parents=True, exist_ok=True)
        return True

    def delete_bucket(self, bucket: str) -> None:
        """Delete an empty bucket and its unfinished uploads.

        Raises:
            ServiceError: ``NoSuchBucket`` or ``BucketNotEmpty``.
        """
        with self.index.transaction() as db:
            if db.execute("SELECT 1 FROM objects WHERE bucket=? LIMIT 1", (bucket,)).fetchone():
                fields = {"BucketName": bucket}
                raise ServiceError(
                    "BucketNotEmpty", "The bucket you tried to delete is not empty", 409, fields=fields
                )
            if db.execute("DELETE FROM buckets WHERE name=?", (bucket,)).rowcount == 0:
                raise no_such_bucket(bucket)
            del self._buckets[bucket]
            sql = "SELECT path FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket=?)"
            doomed = {Path(row[0]).parent for row in db.execute(sql, (bucket,))}
            db.execute("DELETE FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket=?)", (bucket,))
            db.execute("DELETE FROM uploads WHERE bucket=?", (bucket,))
        for parts in doomed:
            shutil.rmtree(self.parts / parts, ignore_errors=True)
        for folder in ("buckets", "hashed"):
            shutil.rmtree(self.root / folder / bucket, ignore_errors=True)

    # Reading

    def find(self, bucket: str, key: str) -> ObjectInfo | None:
        """The object, or None when it or its bucket is not there."""
        row = self.index.object(bucket, keys.encode(key))
        return self._info(row) if row else None

    def open(self, bucket: str, key: str) -> tuple[ObjectInfo, int] | None:
        """The object and a descriptor of just that content, which the caller closes; None when it is not there."""
        with self.index.lock:
            info = self.find(bucket, key)
            if info is None:
                return None
            try:
                return info, os.open(info.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None  # Somebody removed the file behind the store's back.

    def iterate(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object below a prefix in key order; objects that come and go meanwhile do not disturb it."""
        low, inclusive = prefix.encode(), True
        high = keys.after(low)
        while rows := self.index.range(bucket, low, high, 1000, inclusive=inclusive):
            for row in rows:
                yield self._info(row)
            low, inclusive = rows[-1].key, False

    # Writing

    def stage(self, algorithms: Sequence[str] = ()) -> Staged:
        """A file for new content; pass it to `commit`, or drop it."""
        return Staged(self.staging, algorithms)

    def put_bytes(self, bucket: str, key: str, data: bytes, content_type: str = DEFAULT_TYPE) -> ObjectInfo:
        """Store an object.

        Raises:
            ServiceError: ``NoSuchBucket``.
        """
        staged = self.stage()
        try:
            staged.write(data)
            staged.close()
            attributes = Attributes(headers={"content-type": content_type})
            return self.commit(bucket, key, staged.path, staged.size, staged.md5.digest().hex(), attributes)
        finally:
            staged.drop()

    def put_file(self, bucket: str, key: str, source: Path, content_type: str = DEFAULT_TYPE) -> ObjectInfo:
        """Store a file as an object: hard-linked (and made read-only) where possible, else copied. The source stays.

        Raises:
            ServiceError: ``NoSuchBucket``.
        """
        target = self.staging / os.urandom(16).hex()
        try:
            link_or_copy(source.resolve(), target)
            size, digest = digest_file(target)
            attributes = Attributes(headers={"content-type": content_type})
            return self.commit(bucket, key, target, size, digest.digest().hex(), attributes)
        finally:
            target.unlink(missing_ok=True)

    def commit(
        self,
        bucket: str,
        key: str,
        source: Path,
        size: int,
        etag: str,
        attributes: Attributes,
        *,
        condition: Condition | None = None,
        upload: str = "",
    ) -> ObjectInfo:
        """Make a file in ``staging/`` the content of an object, replacing what was there.

        Args:
            condition: Refuses the write by raising.
            upload: The multipart upload that ends in the same transaction.

        Raises:
            ServiceError: ``NoSuchBucket``, or what ``condition`` raises.
        """
        raw = keys.encode(key)
        now = time.time()
        with self.index.lock:
            if not self.bucket_exists(bucket):
                raise no_such_bucket(bucket)
            old = self.index.object(bucket, raw)
            if condition is not None:
                condition(self._info(old) if old else None)
            path = old.path if old else self._free_path(bucket, key, raw)
            target = f"{self._base}/{path}"
            folder = target[: target.rindex("/")]
            if not os.path.isdir(folder):  # noqa: PTH112 - plain strings halve the time of a small put
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            row = Row(raw, size, etag, now, path, attributes.dump())
            with self.index.transaction() as db:
                # One slot is enough: what the write before owed was done before it gave the lock back.
                db.execute("INSERT OR REPLACE INTO pending VALUES (1,?,?)", (f"staging/{source.name}", path))
                db.execute("INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?)", (bucket, *row))
                if upload:
                    db.execute("DELETE FROM uploads WHERE id=?", (upload,))
                    db.execute("DELETE FROM parts WHERE upload=?", (upload,))
            try:
                os.replace(source, target)  # noqa: PTH105
            except OSError:
                self._restore(bucket, raw, old)
                raise
        return self._info(row)

    def update(self, bucket: str, key: str, change: Callable[[Attributes], None]) -> ObjectInfo | None:
        """Change an object's attributes in place (tags); its modification time stays. None when it is not there."""
        raw = keys.encode(key)
        with self.index.transaction() as db:
            row = self.index.object(bucket, raw)
            if row is None:
                return None
            attributes = Attributes.load(row.attributes)
            change(attributes)
            row = row._replace(attributes=attributes.dump())
            db.execute(
                "UPDATE objects SET attributes=? WHERE bucket=? AND key=?", (row.attributes, bucket, raw)
            )
        return self._info(row)

    def delete(self, bucket: str, key: str, condition: Condition | None = None) -> bool:
        """Delete an object; False when it was not there.

        Raises:
            ServiceError: What ``condition`` raises.
        """
        raw = keys.encode(key)
        with self.index.lock:
            row = self.index.object(bucket, raw)
            if condition is not None:
                condition(self._info(row) if row else None)
            if row is None:
                return False
            with self.index.transaction() as db:
                db.execute("INSERT OR REPLACE INTO pending VALUES (1,'',?)", (row.path,))
                db.execute("DELETE FROM objects WHERE bucket=? AND key=?", (bucket, raw))
            self._unlink(row.path)
        return True

    # Inside

    def _info(self, row: Row) -> ObjectInfo:
        return ObjectInfo(
            row.key.decode(),
            row.size,
            row.etag,
            row.modified,
            self.root / row.path,
            Attributes.load(row.attributes),
        )

    def _free_path(self, bucket: str, key: str, raw: bytes) -> str:
        """A path for a key that has none: in the tree unless another key's file or folder is in the way."""
        if keys.is_ordinary(key):
            path = keys.tree_path(bucket, key)
            try:
                # Something may be there: ``a/b`` where the key is ``a``, or ``A`` where the system ignores case.
                os.lstat(f"{self._base}/{path}")
            except FileNotFoundError:
                return path
            except NotADirectoryError:
                pass  # The object ``a`` is a file where ``a/b`` needs a folder.
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
        return keys.hashed_path(bucket, raw)

    def _restore(self, bucket: str, key: bytes, old: Row | None) -> None:
        """Take back a committed row whose file could not be moved."""
        with self.index.transaction() as db:
            db.execute("DELETE FROM pending")
            db.execute("DELETE FROM objects WHERE bucket=? AND key=?", (bucket, key))
            if old is not None:
                db.execute("INSERT INTO objects VALUES (?,?,?,?,?,?,?)", (bucket, *old))

    def _unlink(self, path: str) -> None:
        """Remove an object's file and the folders that it leaves empty."""
        (self.root / path).unlink(missing_ok=True)
        folder = Path(path).parent
        while len(folder.parts) > 2:
            try:
                (self.root / folder).rmdir()
            except OSError:
                return
            folder = folder.parent

    def _recover(self) -> None:
        """Redo the moves that a killed engine still owed, then drop what it was only receiving."""
        for source, target in self.index.query("SELECT source, target FROM pending ORDER BY id"):
            if not source:
                self._unlink(target)
            elif (self.root / source).exists():
                (self.root / target).parent.mkdir(parents=True, exist_ok=True)
                (self.root / source).replace(self.root / target)
        with self.index.transaction() as db:
            db.execute("DELETE FROM pending")
        for leftover in self.staging.iterdir():
            leftover.unlink()
        known = {row[0] for row in self.index.query("SELECT path FROM parts")}
        for folder in self.parts.iterdir():
            for file in folder.iterdir():
                if f"{folder.name}/{file.name}" not in known:
                    file.unlink()
            with contextlib.suppress(OSError):
                folder.rmdir()
