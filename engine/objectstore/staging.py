"""A body on its way into the store: written and hashed beside the tree, then moved into it or dropped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.objectstore.digests import Digest, md5, new

BATCH = 1 << 20
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="s3-body")


class Staged:
    """One file in ``staging/``, its size and the digests of what was written.

    Args:
        directory: The staging directory.
        algorithms: S3 checksum algorithms to compute besides the MD5 of the ETag.
    """

    def __init__(self, directory: Path, algorithms: Sequence[str] = ()) -> None:
        self.path = directory / os.urandom(16).hex()
        self.size = 0
        self.md5 = md5()
        self.checksums: dict[str, Digest] = {name: new(name) for name in algorithms}
        # Read-only from the start (the descriptor may write): job directories will share the inode.
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)

    def write(self, data: bytes) -> None:
        """Append and hash."""
        self.md5.update(data)
        self._store([data])

    async def receive(self, body: AsyncIterator[bytes]) -> None:
        """Write a whole body as it arrives, never holding more than a few MiB of it.

        Small bodies are handled on the spot. Larger ones go in batches to two threads, one for MD5 and one for everything else, while
        the next batch is received: hashing and writing release the interpreter lock.
        """
        batch: list[bytes] = []
        held = 0
        lanes: list[asyncio.Future[None]] = []
        loop = asyncio.get_running_loop()
        try:
            async for chunk in body:
                batch.append(chunk)
                held += len(chunk)
                if held >= BATCH:
                    if lanes:
                        await asyncio.gather(*lanes)
                    lanes = [loop.run_in_executor(_pool, work, batch) for work in (self._hash, self._store)]
                    batch, held = [], 0
            if lanes:
                await asyncio.gather(*lanes)
        except BaseException:
            if lanes:
                await asyncio.wait(lanes)
            raise
        self._hash(batch)
        self._store(batch)

    def append_file(self, source: Path, offset: int, length: int) -> None:
        """Append a range of a file inside the kernel, unhashed (for parts whose digests are known)."""
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while length > 0:
                done = _copy_range(descriptor, self._fd, length, offset)
                if done == 0:
                    raise OSError(f"{source} is shorter than its record says")
                offset += done
                length -= done
                self.size += done
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def drop(self) -> None:
        """Forget the body; harmless once it was moved away."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)  # noqa: PTH108

    def _hash(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self.md5.update(chunk)

    def _store(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            for digest in self.checksums.values():
                digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._fd, view) :]
            self.size += len(chunk)


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link and make read-only, or copy where the file system, the owner or hard-link protection says no."""
    try:
        os.link(source, target)
        target.chmod(0o444)
    except OSError:
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o444)


def digest_file(path: Path) -> tuple[int, Digest]:
    """Size and MD5 of a file."""
    digest, size = md5(), 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(BATCH):
            digest.update(chunk)
            size += len(chunk)
    return size, digest


def _copy_range(source: int, target: int, length: int, offset: int) -> int:
    copy = getattr(os, "copy_file_range", None)
    if copy is not None:
        try:
            done: int = copy(source, target, length, offset)
            return done
        except OSError:
            pass  # Across file systems, or one that lacks it: read and write below.
    data = os.pread(source, min(length, BATCH), offset)
    return os.write(target, data)
