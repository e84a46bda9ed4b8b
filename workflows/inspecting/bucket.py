"""What lies in S3, folder by folder, and the beginning of an object as it can be read."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from dataclasses import dataclass

from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import Listed, parts
from workflows.observe.reading import seconds
from workflows.problem import Problem

MOST_LISTED = 5_000
"""Entries of a folder that are read: five calls. A folder with more says so."""
PREVIEW = 256 << 10
"""Bytes of an object that are fetched to look at it; S3 bills them, and a terminal shows less."""
MOST_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Folder:
    """The folders (URIs that end with a slash) and objects right below a URI; ``complete`` is False where there are more."""

    uri: str
    folders: tuple[str, ...] = ()
    objects: tuple[Listed, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of an object: what it is, its lines, and whether that is all of it."""

    uri: str
    size: int
    content_type: str
    what: str
    lines: tuple[str, ...]
    complete: bool


def folder(gateway: Gateway, uri: str) -> Folder:
    """What lies below a folder; the buckets of the account for ``s3://``.

    Raises:
        Problem: It cannot be listed.
    """
    bucket, prefix = parts(uri)
    if not bucket:
        names = [str(item["Name"]) for item in answered(gateway, "s3", "list_buckets").get("Buckets") or ()]
        return Folder("s3://", tuple(f"s3://{name}/" for name in sorted(names)))
    prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    folders: list[str] = []
    objects: list[Listed] = []
    asked: dict[str, object] = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/"}
    while True:
        page = answered(gateway, "s3", "list_objects_v2", **asked)
        folders += [f"s3://{bucket}/{item['Prefix']}" for item in page.get("CommonPrefixes") or ()]
        objects += [
            Listed(
                f"s3://{bucket}/{item['Key']}",
                int(item.get("Size") or 0),
                seconds(item.get("LastModified")) or 0.0,
            )
            for item in page.get("Contents") or ()
            if item["Key"] != prefix
        ]
        token = page.get("NextContinuationToken")
        if not page.get("IsTruncated") or not token or len(folders) + len(objects) >= MOST_LISTED:
            more = bool(page.get("IsTruncated"))
            return Folder(f"s3://{bucket}/{prefix}", tuple(sorted(folders)), tuple(objects), not more)
        asked["ContinuationToken"] = token


def preview(gateway: Gateway, uri: str) -> Preview:
    """The beginning of an object: text as it is, JSON indented, archives as their contents, other bytes as a hex dump.

    Raises:
        Problem: It is not there or cannot be read.
    """
    bucket, key = parts(uri)
    head = answered(gateway, "s3", "head_object", Bucket=bucket, Key=key)
    size = int(head.get("ContentLength") or 0)
    data = b""
    if size:
        answer = answered(gateway, "s3", "get_object", Bucket=bucket, Key=key, Range=f"bytes=0-{PREVIEW - 1}")
        try:
            data = bytes(answer["Body"].read())
        except Exception as error:
            raise Problem(
                f"{uri} could not be read to its end: {error}.", "Try it again.", "connection"
            ) from error
    what, lines = _shown(key, data, size)
    complete = len(data) >= size and len(lines) <= MOST_LINES
    return Preview(uri, size, str(head.get("ContentType") or ""), what, tuple(lines[:MOST_LINES]), complete)


def _shown(key: str, data: bytes, size: int) -> tuple[str, list[str]]:
    if not data:
        return "empty", []
    if data[:2] == b"\x1f\x8b":
        names = _archive(data)
        if names is not None:
            return "a compressed archive", names
        plain = _unpacked(data)
        what, lines = _shown(key.removesuffix(".gz"), plain, size)
        return f"compressed {what}", lines
    if data[257:262] == b"ustar":
        return "an archive", _archive(data) or []
    if b"\0" in data[:4096]:
        return "binary", _hex(data[:4096])
    text = data.decode("utf-8", errors="replace")
    if len(data) == size and key.endswith((".json", ".manifest")):
        try:
            return "JSON", json.dumps(json.loads(text), indent=2, ensure_ascii=False).splitlines()
        except ValueError:
            pass
    return "text", text.splitlines()


def _archive(data: bytes) -> list[str] | None:
    """The members of a tar file as far as its beginning tells of them; None where it is none."""
    found: list[str] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|*") as archive:
            for member in archive:
                kind = "/" if member.isdir() else ""
                found.append(f"{member.size:>12,}  {member.name}{kind}".replace(",", " "))
    except (tarfile.TarError, EOFError, zlib.error, OSError):
        if not found:
            return None
        found.append("… what follows is not in the part that was read")
    return found


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error):
        return zlib.decompressobj(31).decompress(data, PREVIEW * 4)


def _hex(data: bytes) -> list[str]:
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {text}")
    return lines
