"""Takes files out of zip and tar archives: only plain files, by their last name, within limits."""

from __future__ import annotations

import contextlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from workflows.problem import Problem

LIMIT = 4 << 30
"""Bytes that an archive may unpack to; the largest original has 0.2 GB."""
MEMBERS = 500_000
CHUNK = 1 << 20


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, or is called a tar archive."""
    return (
        path.name.endswith((".tar.gz", ".tgz", ".tar")) or zipfile.is_zipfile(path) or path.suffix == ".zip"
    )


def extract(path: Path, folder: Path, name_of: Callable[[PurePosixPath], str | None]) -> list[Path]:
    """Writes members into a folder under the names that ``name_of`` gives them; None leaves a member out.

    Raises:
        Problem: The archive is damaged, encrypted, unpacks to too much, or names a place outside of itself.
    """
    written, total = [], 0
    for name, content in members(path):
        wanted = name_of(name)
        if wanted is None:
            continue
        target = folder / PurePosixPath(wanted).name
        if target in written:
            raise Problem(
                f"{path} holds several files called {target.name}.",
                "Import the right one by itself.",
                "archive",
            )
        with target.open("wb") as file:
            while chunk := content.read(CHUNK):
                total += len(chunk)
                if total > LIMIT:
                    raise _too_much(path)
                file.write(chunk)
        written.append(target)
    return written


def members(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """The plain files of an archive in their order; each can be read until the next one is asked for.

    Raises:
        Problem: As `extract`.
    """
    try:
        yield from _zip(path) if zipfile.is_zipfile(path) else _tar(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Problem(f"{path} is a damaged archive: {error}.", "Get it again.", "archive") from error
    except (RuntimeError, NotImplementedError) as error:
        raise Problem(
            f"{path} cannot be unpacked: {error}.", "Unpack it by hand, and import the file.", "archive"
        ) from error


def _zip(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MEMBERS or sum(entry.file_size for entry in entries) > LIMIT:
            raise _too_much(path)
        for entry in entries:
            name = _inside(path, entry.filename)
            kind = entry.external_attr >> 28
            if entry.is_dir() or kind not in (0, 8) or "__MACOSX" in name.parts:
                continue
            with archive.open(entry) as content:
                yield name, content


def _tar(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with tarfile.open(path, "r|*") as archive:
        total = 0
        for number, entry in enumerate(archive):
            name = _inside(path, entry.name)
            total += entry.size
            if number > MEMBERS or total > LIMIT:
                raise _too_much(path)
            if not entry.isreg():
                continue
            content = archive.extractfile(entry)
            if content is not None:
                with contextlib.closing(content):
                    yield name, content


def _inside(path: Path, name: str) -> PurePosixPath:
    inner = PurePosixPath(name.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or (inner.parts and inner.parts[0].endswith(":")):
        raise Problem(
            f"{path} holds {name!r}, which leads out of the archive: nothing was unpacked from it.",
            "Get the archive from its publisher.",
            "archive",
        )
    return inner


def _too_much(path: Path) -> Problem:
    return Problem(
        f"{path} unpacks to more than {LIMIT >> 30} GB or {MEMBERS:,} files: it is not the data set.",
        "Get the archive from its publisher.",
        "archive",
    )
