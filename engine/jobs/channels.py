"""Input channels: which S3 objects a data source means, and how they come into a job's directory."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from engine.objects import ObjectInfo, ObjectStore

_FICLONE = 0x40049409
_MAX_MANIFEST_ENTRIES = 1_000_000


class ChannelError(Exception):
    """A channel that cannot be brought in; the message is the job's FailureReason after ``ClientError: ``."""


class NothingFound(ChannelError):
    """A data source without objects."""


class Item(NamedTuple):
    """An object, the path relative to the channel's directory at which the program finds it, and the object's bucket."""

    info: ObjectInfo
    path: str
    bucket: str = ""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix, possibly empty) of an ``s3://`` URI.

    Raises:
        ChannelError: It is not one.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ChannelError(f"'{uri}' is not an S3 URI of the form s3://bucket/key.")
    return bucket, key


def nothing_found(uri: str, region: str, role: str) -> str:
    """AWS's sentence for a data source without objects."""
    bucket = uri.partition("://")[2].partition("/")[0]
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in the '
        f'selected region ({region}), that objects exist under that S3 prefix, and that the role "{role}" has '
        f'"s3:ListBucket" permissions on bucket "{bucket}".'
    )


def items(objects: ObjectStore, channel: Mapping[str, Any], *, region: str, role: str) -> Iterator[Item]:
    """The objects of a channel's data source.

    Raises:
        ChannelError: There are none, or the kind of source cannot be read here.
    """
    source = channel["DataSource"].get("S3DataSource")
    name = channel["ChannelName"]
    if source is None:
        raise ChannelError(f"Channel '{name}': only S3DataSource is supported on this machine.")
    kind, uri = source["S3DataType"], source["S3Uri"]
    if kind == "ManifestFile":
        found = iter(manifest(objects, uri, region=region, role=role))
    elif kind == "S3Prefix":
        bucket, prefix = split_uri(uri)
        found = _below(objects, bucket, prefix)
    else:
        raise ChannelError(
            f"Channel '{name}': S3DataType {kind} is not supported on this machine; use S3Prefix or ManifestFile."
        )
    empty = True
    for item in found:
        empty = False
        yield item
    if empty:
        raise NothingFound(nothing_found(uri, region, role))


def manifest(objects: ObjectStore, uri: str, *, region: str, role: str) -> list[Item]:
    """The objects that a manifest lists; the program sees each at its entry's path.

    The file is ``[{"prefix": "s3://bucket/some/prefix/"}, "relative/path", ...]``.

    Raises:
        ChannelError: It is not there, or is not a manifest.
    """
    bucket, key = split_uri(uri)
    info = objects.find(bucket, key) if objects.bucket_exists(bucket) else None
    if info is None:
        raise NothingFound(nothing_found(uri, region, role))
    try:
        entries = json.loads(info.path.read_bytes())
    except ValueError as error:
        raise ChannelError(f"Manifest '{uri}' is not valid JSON: {error}.") from error
    if (
        not isinstance(entries, list)
        or not entries
        or not isinstance(entries[0], dict)
        or "prefix" not in entries[0]
    ):
        raise ChannelError(
            f"Manifest '{uri}' must be a JSON list whose first entry is an object with the key 'prefix'."
        )
    names = entries[1:]
    if not names or len(names) > _MAX_MANIFEST_ENTRIES or not all(isinstance(item, str) for item in names):
        raise ChannelError(f"Manifest '{uri}' must list the objects as texts relative to its prefix.")
    prefix_bucket, prefix = split_uri(str(entries[0]["prefix"]))
    listed = []
    for name in names:
        info = objects.find(prefix_bucket, prefix + name) if objects.bucket_exists(prefix_bucket) else None
        if info is None:
            raise ChannelError(
                f"Manifest '{uri}' lists \"s3://{prefix_bucket}/{prefix}{name}\", which does not exist."
            )
        listed.append(Item(info, name.lstrip("/"), prefix_bucket))
    return listed


def _below(objects: ObjectStore, bucket: str, prefix: str) -> Iterator[Item]:
    """Objects whose key begins with a prefix, as S3 prefixes go: ``s3://b/train`` means ``train/a.csv`` and ``train.csv``.

    A prefix that is a whole folder is left out of the path, ``a.csv``; of another one the part before its last slash is.
    """
    if not objects.bucket_exists(bucket):
        return
    folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    above = prefix.rpartition("/")[0] + "/" if "/" in prefix else ""
    for info in objects.iterate(bucket, prefix):
        relative = info.key[len(folder if info.key.startswith(folder) else above) :]
        if relative and not relative.endswith("/"):
            yield Item(info, relative, bucket)


def place(item: Item, folder: Path, *, link: bool, unpack: bool) -> None:
    """Bring one object into a channel's directory.

    The file is the program's own: cloned where the file system can, else copied. A hard link would be free, but programs may
    write to their input on SageMaker, and what is written through a link changes the S3 object itself. Links are therefore
    made only for what is mounted read-only (``link``).

    Raises:
        ChannelError: The key leaves the directory, or names both a file and a directory.
    """
    parts = PurePosixPath(item.path).parts
    if ".." in parts or PurePosixPath(item.path).is_absolute() or "\0" in item.path:
        raise ChannelError(f"The key '{item.info.key}' cannot be a file below the channel's directory.")
    target = folder.joinpath(*parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if unpack and (target.suffix == ".gz" or _is_gzip(item.info.path)):
            _gunzip(item.info.path, target.with_suffix("") if target.suffix == ".gz" else target)
        elif link:
            try:
                os.link(item.info.path, target)
            except OSError:
                clone(item.info.path, target)
        else:
            clone(item.info.path, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ChannelError(
            f"The key '{item.info.key}' is both a file and a directory below its prefix."
        ) from error
    except FileNotFoundError as error:
        raise ChannelError(
            f"The object '{item.info.key}' was deleted while the job downloaded it."
        ) from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise ChannelError(
            f"The object '{item.info.key}' is not gzip-compressed, as its channel's CompressionType says."
        ) from error


def clone(source: Path, target: Path) -> None:
    """A private copy of a file: sharing blocks where the file system can, else copied by the kernel."""
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
            return
        except OSError:
            pass
        with contextlib.suppress(OSError, AttributeError):
            left = os.fstat(reader.fileno()).st_size
            while left > 0 and (done := os.copy_file_range(reader.fileno(), writer.fileno(), left)):
                left -= done
        if os.fstat(writer.fileno()).st_size != os.fstat(reader.fileno()).st_size:
            reader.seek(0)
            writer.seek(0)
            writer.truncate()
            shutil.copyfileobj(reader, writer, 1 << 20)


def _is_gzip(path: Path) -> bool:
    # CompressionType says what the objects are, whatever their names are.
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _gunzip(source: Path, target: Path) -> None:
    with gzip.open(source, "rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def check_space(folder: Path, size: int) -> None:
    """Refuse a download that would fill the disk.

    Raises:
        ChannelError: Less is free than the objects need.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ChannelError(f"The input data needs {size:,} bytes, {free:,} are free on this machine's disk.")
