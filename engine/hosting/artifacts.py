"""Model data: found in S3, checked, and unpacked so that nothing leaves its directory and nothing fills the disk."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from engine.objects import ObjectStore

MAX_MEMBERS = 200_000
MAX_UNPACKED = 64 * 2**30
"""Bytes; an archive is also refused when it would leave less than a tenth of the disk free."""


class ArtifactError(Exception):
    """Model data that cannot be used; the message is what FailureReason says."""


class Location(NamedTuple):
    """Where model data lies. ``compressed``: one archive; else an object (``prefix`` false) or everything below a prefix."""

    uri: str
    bucket: str
    key: str
    compressed: bool
    prefix: bool


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI or of its https form; ("", "") when it is neither."""
    if uri.startswith("s3://"):
        bucket, _, key = uri[5:].partition("/")
        return bucket, key
    if uri.startswith("https://"):
        host, _, path = uri[8:].partition("/")
        if host.startswith("s3") and host.endswith(("amazonaws.com", "amazonaws.com.cn")):
            bucket, _, key = unquote(path).partition("/")
            return bucket, key
        bucket, found, _ = host.partition(".s3")
        if found:
            return bucket, unquote(path)
    return "", ""


def location(container: Mapping[str, Any]) -> Location | None:
    """Where a container definition's model data lies, None when it has none."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    if source:
        uri = source["S3Uri"]
        bucket, key = split_uri(uri)
        compressed = source["CompressionType"] == "Gzip"
        return Location(uri, bucket, key, compressed, not compressed and source["S3DataType"] == "S3Prefix")
    uri = container.get("ModelDataUrl") or ""
    if not uri:
        return None
    bucket, key = split_uri(uri)
    return Location(uri, bucket, key, True, False)


def exists(objects: ObjectStore, place: Location) -> bool:
    """Whether the model data is there."""
    if not place.bucket or not objects.bucket_exists(place.bucket):
        return False
    if place.prefix:
        return next(iter(objects.iterate(place.bucket, place.key)), None) is not None
    return objects.find(place.bucket, place.key) is not None


def fetch(objects: ObjectStore, place: Location, target: Path, container: str) -> None:
    """Write model data into a new directory ``target``; afterwards it is there whole or not at all.

    Raises:
        ArtifactError: It is not there, no archive, or an archive that must not be unpacked.
    """
    building = target.with_name(f"{target.name}.part")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        if not exists(objects, place):
            raise ArtifactError(
                f'Failed to download model data for container "{container}" from URL: "{place.uri}". Please ensure that there '
                "is an object located at the URL and that the role passed to CreateModel has permissions to download the object."
            )
        if place.prefix:
            _copy_prefix(objects, place, building)
            building.replace(target)
            return
        found = objects.find(place.bucket, place.key)
        assert found is not None
        if place.compressed:
            unpack(found.path, building, place.uri)
        else:
            shutil.copyfile(found.path, building / (place.key.rpartition("/")[2] or "model"))
        building.replace(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def unpack(archive: Path, target: Path, name: str) -> None:
    """Unpack a tar archive (gzip or plain) with Python's ``data`` filter and bounds on count and size.

    Raises:
        ArtifactError: No archive, a member that would leave the directory, or too much of it.
    """
    usage = shutil.disk_usage(target)
    room = min(MAX_UNPACKED, usage.free - usage.total // 10)
    members = size = 0
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                members += 1
                size += member.size
                if members > MAX_MEMBERS or size > room:
                    raise ArtifactError(
                        f"The model data at {name} is too large to unpack: more than {MAX_MEMBERS} files or {room} bytes."
                    )
                opened.extract(member, target, filter="data")
    except tarfile.FilterError as error:
        raise ArtifactError(f"The model data at {name} cannot be unpacked: {error}") from error
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ArtifactError(
            f'Failed to extract model data archive from URL "{name}": {error}. '
            "Please ensure that the object located at the URL is a valid tar.gz archive."
        ) from error


def link_tree(source: Path, target: Path) -> None:
    """A copy of a directory tree whose files are hard links; where links are not possible, copies."""
    target.mkdir(parents=True)
    for folder, folders, files in os.walk(source):
        into = target / Path(folder).relative_to(source)
        for name in folders:
            path = Path(folder) / name
            if path.is_symlink():
                (into / name).symlink_to(path.readlink())
            else:
                (into / name).mkdir()
        for name in files:
            path = Path(folder) / name
            if path.is_symlink():
                (into / name).symlink_to(path.readlink())
                continue
            try:
                (into / name).hardlink_to(path)
            except OSError:
                shutil.copy2(path, into / name)


def _copy_prefix(objects: ObjectStore, place: Location, target: Path) -> None:
    """Every object below a prefix, copied: the files of S3 objects must never be written to by a container."""
    root = place.key if place.key.endswith("/") or not place.key else place.key.rpartition("/")[0] + "/"
    size = 0
    room = shutil.disk_usage(target).free
    for item in objects.iterate(place.bucket, place.key):
        relative = item.key[len(root) :] if item.key.startswith(root) else item.key.rpartition("/")[2]
        if not relative or relative.endswith("/"):
            continue
        path = target / relative
        if not path.resolve().is_relative_to(target.resolve()):
            raise ArtifactError(f"The object key '{item.key}' would be written outside /opt/ml/model.")
        size += item.size
        if size > min(MAX_UNPACKED, room):
            raise ArtifactError(f"The model data at {place.uri} does not fit on the disk.")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(item.path, path)
