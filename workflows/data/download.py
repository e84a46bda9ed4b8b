"""Downloads one file over HTTP: resumes where it was interrupted, tries again, and is complete or not there."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from workflows.problem import Problem

CHUNK = 1 << 16
TIMEOUT = 30.0
"""Seconds without a byte after which the connection counts as lost."""
TRIES = 5
"""Attempts in a row that may bring nothing."""
AGENT = "mlconsole"

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all (0: not known)."""


class _Lost(Exception):
    """The connection broke, or the server asks for patience; what has come is kept."""


def download(
    url: str,
    target: Path,
    *,
    size: int = 0,
    md5: str = "",
    sha256: str = "",
    progress: Progress = lambda done, total: None,
    sleep: Callable[[float], None] = time.sleep,
    timeout: float = TIMEOUT,
) -> Path:
    """Downloads to ``target``, which is seen only when it is whole; ``target`` with ``.part`` holds what has come so far.

    A later call goes on from there when the server still has the same file (ETag or Last-Modified, sent as If-Range).

    Args:
        size: Bytes that the file must have; 0 when that is not known.
        md5: Its digest in hexadecimal digits; empty when that is not known.
        sha256: The same with SHA-256.
        sleep: Waits between attempts (1, 2, 4 … seconds).

    Raises:
        Problem: The server refuses or is not reached, the file is another one, or the disk is full.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise Problem(f"{url} is no web address.", "It must begin with https:// or http://.", "url")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(url, target)
    with part.locked():
        fruitless = 0
        while True:
            before = part.size
            try:
                _attempt(url, part, size, progress, timeout)
                break
            except _Lost as lost:
                fruitless = 0 if part.size > before else fruitless + 1
                if fruitless >= TRIES:
                    raise _unreached(url, part.size, str(lost)) from lost
                sleep(min(2.0**fruitless, 30.0))
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise _full(target, 0) from error
                raise
        _verify(url, part, size, {"md5": md5, "sha256": sha256})
        part.finish()
    return target


class _Part:
    """What has come so far: the bytes, and beside them which version of the file they belong to."""

    def __init__(self, url: str, target: Path) -> None:
        self.url, self.target = url, target
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        self.lock = target.with_name(target.name + ".lock")

    def locked(self) -> IO[bytes]:
        """Holds the lock for as long as a ``with`` block lasts.

        Raises:
            Problem: Somebody else downloads the same file.
        """
        file = self.lock.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise Problem(
                f"{self.target.name} is being downloaded by another process.",
                "Wait until it is done.",
                "busy",
            ) from error
        return file

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self) -> str:
        """What the server called the version of these bytes; empty when they cannot be gone on with."""
        try:
            noted = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(noted.get("version", "")) if noted.get("url") == self.url else ""

    def begin(self, version: str) -> None:
        """Starts from nothing."""
        self.path.write_bytes(b"")
        self.note.write_text(json.dumps({"url": self.url, "version": version}), encoding="utf-8")

    def drop(self) -> None:
        """Forgets what has come."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self) -> None:
        """The file is whole."""
        self.path.replace(self.target)
        self.note.unlink(missing_ok=True)
        self.lock.unlink(missing_ok=True)


def _attempt(url: str, part: _Part, size: int, progress: Progress, timeout: float) -> None:
    """One connection, until the file is whole.

    Raises:
        _Lost: It ended earlier.
    """
    have, version = part.size, part.version()
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    if have and version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # nothing lies beyond what is there: whole, or another file
                if have and _total(error.headers.get("Content-Range", "")) == have:
                    return
                part.drop()
                raise _Lost("the server has another file now") from error
            if error.code in (408, 425, 429) or error.code >= 500:
                raise _Lost(f"the server answers {error.code} {error.reason}") from error
            raise Problem(
                f"{url} is not there: the server answers {error.code} {error.reason}.",
                "The publisher may have moved it.",
                f"http-{error.code}",
            ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _Lost(str(getattr(error, "reason", error)) or type(error).__name__) from error
    with response:
        _receive(response, part, size, progress)


def _receive(response: Any, part: _Part, size: int, progress: Progress) -> None:
    have = part.size
    length = response.headers.get("Content-Length")
    begin = _begin(response.headers.get("Content-Range", ""))
    if response.status == 206 and begin == have:
        total = _total(response.headers.get("Content-Range", "")) or have + int(length or 0)
    else:  # the server sends everything, because it knows no ranges or has another version
        version = response.headers.get("ETag", "")
        if not version or version.startswith("W/"):
            version = response.headers.get("Last-Modified", "")
        part.begin(version)
        have, total = 0, int(length or 0)
        if response.status == 206:
            raise _Lost("the server sent another range than was asked for")
    _room(part.target, max(total, size) - have)
    with part.path.open("ab") as file:
        while True:
            try:
                chunk = response.read1(CHUNK)
            except (http.client.HTTPException, OSError) as error:
                raise _Lost(str(error) or type(error).__name__) from error
            if not chunk:
                break
            file.write(chunk)
            have += len(chunk)
            progress(have, total or size)
    if total and have < total:
        raise _Lost(f"the connection ended after {have:,} of {total:,} bytes")


def _verify(url: str, part: _Part, size: int, digests: Mapping[str, str]) -> None:
    found = part.size
    if size and found != size:
        part.drop()
        raise Problem(
            f"{url} gave {found:,} bytes; the data set has {size:,}.",
            "The publisher has another file now, or something on the way changed it. Nothing was kept.",
            "size",
        )
    for method, wanted in digests.items():
        if not wanted:
            continue
        with part.path.open("rb") as file:
            digest = hashlib.file_digest(file, method).hexdigest()
        if digest != wanted:
            part.drop()
            raise Problem(
                f"{url} gave a file with the {method.upper()} {digest}; the data set has {wanted}.",
                "The file was changed or damaged on the way. Nothing was kept; try again.",
                "checksum",
            )


def _room(target: Path, needed: int) -> None:
    if shutil.disk_usage(target.parent).free < needed + (16 << 20):
        raise _full(target, needed)


def _full(target: Path, needed: int) -> Problem:
    more = f"{needed / 1e6:,.0f} MB are needed" if needed else "it is full"
    return Problem(
        f"There is no room on the disk of {target.parent}: {more}.", "Make room, and say it again.", "disk"
    )


def _unreached(url: str, have: int, reason: str) -> Problem:
    host = urllib.parse.urlsplit(url).netloc
    kept = f" {have:,} bytes are kept; the same command goes on from there." if have else ""
    return Problem(
        f"{host} does not give the file: {reason}.",
        f"Look at the network (https_proxy), and try again.{kept}",
        "unreachable",
    )


def _begin(content_range: str) -> int:
    """The first byte of ``bytes 5-9/10``; -1 when there is none."""
    first = content_range.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else -1


def _total(content_range: str) -> int:
    """The size of the whole in ``bytes 5-9/10`` or ``bytes */10``; 0 when it is not told."""
    total = content_range.rpartition("/")[2]
    return int(total) if total.isdigit() else 0
