"""Multipart uploads: parts as files, joined when the upload is completed. They survive a restart between two parts."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import ServiceError
from engine.objects import Attributes, Condition, ObjectInfo, ObjectStore
from engine.objectstore import keys
from engine.objectstore.digests import Digest, md5
from engine.objectstore.index import dump
from engine.objectstore.staging import Staged


class Upload(NamedTuple):
    """An unfinished upload: what its object will be, and the checksum algorithm and type its parts have."""

    id: str
    bucket: str
    key: str
    created: float
    attributes: Attributes
    algorithm: str
    checksum_type: str


class Part(NamedTuple):
    """A part that was received; ``path`` is relative to the store's ``parts`` folder."""

    number: int
    size: int
    etag: str
    modified: float
    path: str
    checksums: dict[str, str]


def no_such_upload(upload: str) -> ServiceError:
    """``NoSuchUpload``."""
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    return ServiceError("NoSuchUpload", text, 404, fields={"UploadId": upload})


def etag_of(etags: Sequence[str]) -> str:
    """A multipart object's entity tag: the MD5 of its parts' MD5s and their number."""
    total: Digest = md5()
    for etag in etags:
        total.update(bytes.fromhex(etag))
    return f"{total.digest().hex()}-{len(etags)}"


def create(
    store: ObjectStore, bucket: str, key: str, attributes: Attributes, algorithm: str, checksum_type: str
) -> Upload:
    """Begin an upload."""
    identity = secrets.token_urlsafe(48)
    now = time.time()
    document = {"attributes": attributes.dump(), "algorithm": algorithm, "type": checksum_type}
    with store.index.transaction() as db:
        db.execute(
            "INSERT INTO uploads VALUES (?,?,?,?,?)",
            (identity, bucket, keys.encode(key), now, dump(document)),
        )
    (store.parts / folder_of(identity)).mkdir(exist_ok=True)
    return Upload(identity, bucket, key, now, attributes, algorithm, checksum_type)


def folder_of(upload: str) -> str:
    """The name of an upload's folder: a hash, as file systems that ignore case would mix up base64."""
    return hashlib.sha256(upload.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def find(store: ObjectStore, bucket: str, key: str, upload: str) -> Upload:
    """The upload.

    Raises:
        ServiceError: ``NoSuchUpload``: it is not there, or for another key.
    """
    row = store.index.first(
        "SELECT id,bucket,key,created,attributes FROM uploads WHERE id=? AND bucket=? AND key=?",
        (upload, bucket, keys.encode(key)),
    )
    if row is None:
        raise no_such_upload(upload)
    return _upload(row)


def listed(store: ObjectStore, bucket: str, prefix: str, after: tuple[str, str], limit: int) -> list[Upload]:
    """Uploads of a bucket by key and identity, behind (key, identity)."""
    low = prefix.encode()
    high = keys.after(low)
    sql = "SELECT id,bucket,key,created,attributes FROM uploads WHERE bucket=? AND key>=? AND (key,id)>(?,?)"
    values: list[object] = [bucket, low, after[0].encode(), after[1]]
    if high is not None:
        sql += " AND key<?"
        values.append(high)
    rows = store.index.query(f"{sql} ORDER BY key,id LIMIT ?", (*values, limit))
    return [_upload(row) for row in rows]


def parts(store: ObjectStore, upload: str, after: int = 0, limit: int = 10_000) -> list[Part]:
    """The upload's parts by number."""
    rows = store.index.query(
        "SELECT number,size,etag,modified,path,checksums FROM parts WHERE upload=? AND number>? ORDER BY number LIMIT ?",
        (upload, after, limit),
    )
    return [
        Part(number, size, etag, modified, path, json.loads(text))
        for number, size, etag, modified, path, text in rows
    ]


def add_part(
    store: ObjectStore, upload: Upload, number: int, staged: Staged, etag: str, checksums: dict[str, str]
) -> Part:
    """Make a closed staged file a part, replacing the one that had its number.

    Raises:
        ServiceError: ``NoSuchUpload``: it ended meanwhile.
    """
    folder = folder_of(upload.id)
    part = Part(number, staged.size, etag, time.time(), f"{folder}/{number}-{os.urandom(8).hex()}", checksums)
    with store.index.lock:
        find(store, upload.bucket, upload.key, upload.id)
        old = store.index.first("SELECT path FROM parts WHERE upload=? AND number=?", (upload.id, number))
        (store.parts / folder).mkdir(exist_ok=True)
        staged.path.replace(store.parts / part.path)
        with store.index.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO parts VALUES (?,?,?,?,?,?,?)",
                (upload.id, number, part.size, etag, part.modified, part.path, dump(checksums)),
            )
        if old is not None:
            (store.parts / old[0]).unlink(missing_ok=True)
    return part


def complete(
    store: ObjectStore,
    upload: Upload,
    chosen: Sequence[Part],
    checksums: dict[str, str],
    condition: Condition | None,
) -> ObjectInfo:
    """Join parts to the object and end the upload. The bytes are copied inside the kernel."""
    about = upload.attributes
    about.checksums = checksums
    about.checksum_type = upload.checksum_type if checksums else ""
    about.parts = [part.size for part in chosen]
    staged = store.stage()
    try:
        for part in chosen:
            staged.append_file(store.parts / part.path, 0, part.size)
        staged.close()
        etag = etag_of([part.etag for part in chosen])
        info = store.commit(
            upload.bucket,
            upload.key,
            staged.path,
            staged.size,
            etag,
            about,
            condition=condition,
            upload=upload.id,
        )
    except FileNotFoundError:
        raise no_such_upload(upload.id) from None
    finally:
        staged.drop()
    shutil.rmtree(store.parts / folder_of(upload.id), ignore_errors=True)
    return info


def abort(store: ObjectStore, upload: Upload) -> None:
    """End an upload and drop its parts."""
    with store.index.transaction() as db:
        db.execute("DELETE FROM uploads WHERE id=?", (upload.id,))
        db.execute("DELETE FROM parts WHERE upload=?", (upload.id,))
    shutil.rmtree(store.parts / folder_of(upload.id), ignore_errors=True)


def _upload(row: tuple[object, ...]) -> Upload:
    identity, bucket, key, created, text = row
    assert isinstance(key, bytes)
    document = json.loads(str(text))
    return Upload(
        str(identity),
        str(bucket),
        key.decode(),
        float(str(created)),
        Attributes.load(document["attributes"]),
        document["algorithm"],
        document["type"],
    )
