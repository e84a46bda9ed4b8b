"""S3 objects: list them, read text and lines from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import seconds
from workflows.problem import Problem

CHUNK = 1 << 16
MOST_TEXT = 16 << 20
"""Bytes of a small object, such as a manifest, that are read into memory at most."""
ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One object: where it is, how many bytes it has, and when it was written (epoch seconds; 0: not told)."""

    uri: str
    size: int
    modified: float = field(default=0.0, compare=False)


def parts(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def listed(gateway: Gateway, uri: str, most: int) -> tuple[Listed, ...] | None:
    """The objects whose names begin with an S3 URI, by key; None where there are more than ``most``.

    Raises:
        Problem: The bucket is not there or cannot be read.
    """
    found: list[Listed] = []
    bucket, _ = parts(uri)
    for page in _pages(gateway, uri):
        found += [
            Listed(
                f"s3://{bucket}/{item['Key']}",
                int(item.get("Size") or 0),
                seconds(item.get("LastModified")) or 0.0,
            )
            for item in page.get("Contents") or ()
        ]
        if len(found) > most:
            return None
    return tuple(found)


def children(gateway: Gateway, uri: str) -> tuple[list[str], list[str]]:
    """What lies right below a folder (an S3 URI that ends with a slash): URIs of folders and of objects, each in order.

    Raises:
        Problem: The bucket is not there or cannot be read.
    """
    bucket, _ = parts(uri)
    folders: list[str] = []
    files: list[str] = []
    for page in _pages(gateway, uri, Delimiter="/"):
        folders += [f"s3://{bucket}/{item['Prefix']}" for item in page.get("CommonPrefixes") or ()]
        files += [f"s3://{bucket}/{item['Key']}" for item in page.get("Contents") or ()]
    return sorted(folders), sorted(files)


def read_text(gateway: Gateway, uri: str) -> str:
    """A small object as text.

    Raises:
        Problem: It is not there, cannot be read, or is not small.
    """
    return read_bytes(gateway, uri, MOST_TEXT).decode("utf-8", errors="replace")


def read_bytes(gateway: Gateway, uri: str, most: int) -> bytes:
    """An object of at most so many bytes.

    Raises:
        Problem: It is not there, cannot be read, or is larger.
    """
    answer = _opened(gateway, uri)
    if int(answer.get("ContentLength") or 0) > most:
        raise Problem(f"{uri} has more than {most >> 20} MB.", "Is it the file that is meant?", "size")
    return bytes(answer["Body"].read())


def lines(gateway: Gateway, uri: str) -> Iterator[str]:
    """The lines of an object as they come, without their ends; the object is never in memory as a whole.

    Raises:
        Problem: It is not there or cannot be read.
    """
    body = _opened(gateway, uri)["Body"]
    rest = b""
    try:
        while chunk := body.read(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield _text(line)
        if rest:
            yield _text(rest)
    finally:
        body.close()


def _pages(gateway: Gateway, uri: str, **more: Any) -> Iterator[dict[str, Any]]:
    bucket, prefix = parts(uri)
    asked = {"Bucket": bucket, "Prefix": prefix, **more}
    while True:
        page = answered(gateway, "s3", "list_objects_v2", **asked)
        yield page
        if not page.get("IsTruncated") or not page.get("NextContinuationToken"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", errors="replace")


def _opened(gateway: Gateway, uri: str) -> dict[str, Any]:
    bucket, key = parts(uri)
    try:
        return answered(gateway, "s3", "get_object", Bucket=bucket, Key=key)
    except Problem as problem:
        if problem.code in ABSENT:
            raise Problem(
                f"There is no object {uri}.", "`mlconsole s3 ls` looks for it.", "not-found"
            ) from problem
        raise
