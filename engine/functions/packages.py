"""Deployment packages and layers: the zip as it was sent, and unpacked beside it, one place per content."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import shutil
import stat
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from engine.functions.names import invalid
from engine.objectstore.staging import link_or_copy

ZIP_LIMIT = 52_428_800
"""Bytes of a zip that a request carries; one from S3 may be as large as it likes (Lambda's quotas)."""
UNZIPPED_LIMIT = 262_144_000
"""Bytes of a function's package and layers together, unpacked."""
_CHUNK = 1 << 20
_IN_THE_WAY = (FileExistsError, IsADirectoryError, NotADirectoryError)
_BROKEN = "Could not unzip uploaded file. Please check your file, then try to upload again."


class Package(NamedTuple):
    """One content: SHA-256 in hex (its place on disk) and in base64 (as the API tells it), bytes packed and unpacked."""

    digest: str
    sha256: str
    size: int
    unpacked: int


class Packages:
    """Zips by content below one directory. A package is there whole or not at all; who refers to it is the caller's business."""

    def __init__(self, root: Path, secret: str) -> None:
        self.root = root
        self._merged = root / "merged"
        self._key = hmac.digest(secret.encode(), b"function packages", "sha256")

    def put(self, data: bytes) -> Package:
        """Unpack and keep a zip. May take long: not for the event loop.

        Raises:
            ServiceError: ``InvalidParameterValueException``: no zip, one that climbs out of its directory, or too large.
        """
        digest = hashlib.sha256(data)
        name = digest.hexdigest()
        unpacked = _unpacked_size(data)
        if unpacked >= UNZIPPED_LIMIT:
            raise invalid(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
        target = self.folder(name)
        if not target.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            part = self.root / f"{name}.{os.urandom(4).hex()}.part"
            try:
                _unpack(data, part)
                self.zip(name).write_bytes(data)
                part.rename(target)
            except OSError:
                if not target.is_dir():  # Another request may have been faster with the same content.
                    raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return Package(name, b64encode(digest.digest()).decode(), len(data), unpacked)

    def folder(self, digest: str) -> Path:
        """Where a package lies unpacked."""
        return self.root / digest

    def zip(self, digest: str) -> Path:
        """The package as it was sent."""
        return self.root / f"{digest}.zip"

    def layered(self, digests: Sequence[str]) -> Path | None:
        """A directory with the contents of all layers, later ones over earlier ones, as Lambda makes /opt; None without layers."""
        if len(digests) < 2:
            return self.folder(digests[0]) if digests else None
        target = self._merged / hashlib.sha256("".join(digests).encode()).hexdigest()
        if not target.is_dir():
            part = target.with_name(f"{target.name}.{os.urandom(4).hex()}.part")
            try:
                for digest in digests:
                    _overlay(self.folder(digest), part)
                part.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return target

    def recover(self) -> None:
        """Remove what a killed engine left half unpacked, and merged layers, which are made again when they are needed."""
        shutil.rmtree(self._merged, ignore_errors=True)
        for path in self.root.glob("*.part"):
            shutil.rmtree(path, ignore_errors=True)

    def sweep(self, kept: Iterable[str]) -> None:
        """Remove packages that nobody refers to. Nobody may be between `put` and telling who does."""
        if not self.root.is_dir():
            return
        known = {*kept, self._merged.name}
        for path in self.root.iterdir():
            if path.name.partition(".")[0] in known:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def ticket(self, digest: str, expires: int) -> str:
        """What proves that a URL of a package was made by this engine."""
        return hmac.digest(self._key, f"{digest} {expires}".encode(), "sha256").hex()

    def admits(self, digest: str, expires: str, ticket: str, now: float) -> bool:
        """Whether a URL is one of this engine's and still good."""
        if not expires.isdigit() or len(expires) > 12 or int(expires) < now:
            return False
        return hmac.compare_digest(self.ticket(digest, int(expires)), ticket)


def _unpacked_size(data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise invalid(_BROKEN) from error
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    return sum(entry.file_size for entry in entries)


def _unpack(data: bytes, target: Path) -> None:
    """Unpack with permissions and symbolic links, never writing outside ``target``."""
    target.mkdir(parents=True)
    links: list[tuple[Path, str]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                path = target / _inside(entry.filename)
                mode = entry.external_attr >> 16
                if entry.is_dir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                if stat.S_ISLNK(mode):
                    links.append((path, archive.read(entry).decode("utf-8")))
                    continue
                _extract(archive, entry, path)
                path.chmod((mode & 0o777) | 0o444 if mode else 0o644)
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, zlib.error, *_IN_THE_WAY) as error:
        raise invalid(_BROKEN) from error
    # Links come last: nothing was written through one.
    for path, destination in links:
        if PurePosixPath(destination).is_absolute() or not _stays(target, path.parent / destination):
            raise invalid(_BROKEN)
        path.unlink(missing_ok=True)
        path.symlink_to(destination)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    left = entry.file_size
    with archive.open(entry) as source, path.open("wb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile("an entry is longer than its record says")
            file.write(chunk)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise invalid(_BROKEN)
    return path


def _stays(root: Path, path: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)


def _overlay(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        place = target / entry.name
        if entry.is_dir() and not entry.is_symlink():
            if place.is_symlink() or place.is_file():
                place.unlink()
            _overlay(entry, place)
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        if entry.is_symlink():
            place.symlink_to(entry.readlink())
        else:
            link_or_copy(entry, place)
