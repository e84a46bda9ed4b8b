"""What the first and the last bytes of a file tell: not data at all, another encoding, damaged, cut off."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

from workflows.data.findings import Finding

HEAD = 4_096
_LFS = b"version https://git-lfs.github.com/spec/"


def unfit(path: Path) -> Finding | None:
    """Why a file holds no table at all, or None."""
    raw = _first(path)
    if not raw:
        return Finding("error", "empty", "", "The file is empty.", "Get it again.")
    if path.suffix == ".gz" and not raw.startswith(b"\x1f\x8b"):
        if raw.lstrip().lower().startswith((b"<!doctype", b"<html")):
            return _page()
        return Finding(
            "error",
            "corrupt",
            "",
            "The file is called .gz and is no gzip file.",
            "Get it again, or rename it.",
        )
    if path.suffix != ".gz" and raw.startswith(b"\x1f\x8b"):
        return Finding(
            "error", "format", "", "The file is compressed by gzip.", "Rename it so that it ends in .gz."
        )
    if raw.startswith(b"PK\x03\x04"):
        return Finding(
            "error",
            "format",
            "",
            "The file is a zip archive, or a spreadsheet.",
            "Unpack it, or save it as CSV.",
        )
    if raw.startswith(_LFS):
        return Finding(
            "error",
            "format",
            "",
            "The file is a pointer of Git LFS, not the data.",
            "Run git lfs pull where it comes from.",
        )
    text = _head(path)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Finding(
            "error",
            "encoding",
            "row 1",
            "The file is UTF-16.",
            "Save it as UTF-8: iconv -f utf-16 -t utf-8 FILE > NEW.",
        )
    if text.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return _page()
    if b"\x00" in text:
        return Finding("error", "corrupt", "", "The file holds NUL bytes: it is no text.", "Get it again.")
    return None


def cut_off(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    if path.suffix == ".gz":
        return False
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if not size:
            return False
        file.seek(size - 1)
        return file.read(1) not in (b"\n", b"\r")


def header(path: Path) -> list[str]:
    """The names in the first line; empty when it cannot be read."""
    try:
        lines = _head(path).decode("utf-8-sig", errors="replace").splitlines()
        return [name.strip() for name in next(csv.reader(lines[:1]), [])]
    except csv.Error:
        return []


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _head(path: Path) -> bytes:
    """The first bytes of the text, unpacked where it is compressed; what cannot be unpacked is left to the reader."""
    if path.suffix != ".gz":
        return _first(path)
    try:
        with gzip.open(path, "rb") as file:
            return file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def _page() -> Finding:
    text = "The file is a web page, perhaps one that asks to log in, and not the data."
    return Finding("error", "format", "", text, "Download it again in a browser where you are logged in.")
