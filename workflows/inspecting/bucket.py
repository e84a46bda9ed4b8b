"""What lies in S3, folder by folder, and the beginning of an object as it can be read."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.inspecting.contents import contents
from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import Listed, parts
from workflows.observe.reading import seconds
from workflows.problem import Problem

MOST_LISTED = 5_000
"""Entries of a folder that are read: five calls. A folder with more says so."""
PREVIEW = 256 << 10
"""Bytes of an object that are fetched to look at it; S3 bills them, and a terminal shows less."""
MOST_LINES = 1_000
MISSING = ("404", "NoSuchKey", "NoSuchBucket", "NotFound", "not-found")
LONGEST = 8_000
"""Characters of a line; what is longer says how much more there is."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folders (URIs that end with a slash) and objects right below a URI; ``complete`` is False where there are more."""

    uri: str
    folders: tuple[str, ...] = ()
    objects: tuple[Listed, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of an object: what it is, its lines, and whether that is all of it; ``columns`` of CSV, else 0."""

    uri: str
    size: int
    content_type: str
    what: str
    lines: tuple[str, ...]
    complete: bool
    columns: int = 0


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
        try:
            page = answered(gateway, "s3", "list_objects_v2", **asked)
        except Problem as problem:
            raise _missing(problem, bucket) from problem
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
    if not bucket or not key:
        raise Problem(
            f"{uri} names no object.", "Write s3://BUCKET/KEY; `mlconsole s3 ls` lists buckets.", "input"
        )
    try:
        head = answered(gateway, "s3", "head_object", Bucket=bucket, Key=key)
    except Problem as problem:
        raise _missing(problem, bucket, key) from problem
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
    found = contents(key, data, len(data) >= size)
    lines = [
        line if len(line) <= LONGEST else f"{line[:LONGEST]} … {len(line) - LONGEST} more characters"
        for line in found.lines[:MOST_LINES]
    ]
    complete = found.complete and len(found.lines) <= MOST_LINES
    kind = str(head.get("ContentType") or "")
    return Preview(uri, size, kind, found.what, tuple(lines), complete, found.columns)


def _missing(problem: Problem, bucket: str, key: str = "") -> Problem:
    """The problem with the name of what is not there."""
    if problem.code == "NoSuchBucket" or (problem.code in MISSING and not key):
        return Problem(
            f"There is no bucket {bucket}.", "`mlconsole s3 ls` lists those that there are.", "not-found"
        )
    if problem.code in MISSING:
        above = f"s3://{bucket}/{key.rpartition('/')[0]}".rstrip("/") + "/"
        return Problem(
            f"There is no object s3://{bucket}/{key}.",
            f"`mlconsole s3 ls {above}` lists what lies there.",
            "not-found",
        )
    return problem
