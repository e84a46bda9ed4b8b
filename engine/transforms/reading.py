"""An object's bytes a piece at a time, unpacked where the job says that it is compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

CHUNK = 1 << 20


class ReadError(Exception):
    """An object that cannot be read; the message is what the data log says."""


class Source:
    """One object, opened once: what replaces it meanwhile does not matter.

    ``position`` is how many of the stored bytes were read.
    """

    def __init__(self, path: Path, *, gzip: bool = False, chunk: int = CHUNK) -> None:
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise ReadError("The object was deleted while the job ran.") from error
        self._gzip = gzip
        self._chunk = chunk
        self.position = 0

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def chunks(self) -> Iterator[bytes]:
        """The (unpacked) content in pieces of at most about a MiB.

        Raises:
            ReadError: It is not gzip although the job says so, or is cut off.
        """
        return self._unpacked() if self._gzip else self._plain()

    def _plain(self) -> Iterator[bytes]:
        while data := self._file.read(self._chunk):
            self.position += len(data)
            yield data

    def _unpacked(self) -> Iterator[bytes]:
        """gzip members one after the other; a small file may unpack to terabytes, so no piece is larger than a chunk."""
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        open_member = False
        try:
            for data in self._plain():
                while data:
                    if unpacker.eof:
                        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
                        data = data.lstrip(b"\0")  # tar and tapes pad with zeros
                        if not data:
                            break
                    open_member = True
                    piece = unpacker.decompress(data, self._chunk)
                    if piece:
                        yield piece
                    data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                    open_member = not unpacker.eof
        except zlib.error as error:
            raise ReadError(
                f"The object is not gzip-compressed, as CompressionType says: {error}."
            ) from error
        if open_member:
            raise ReadError("The gzip-compressed object is cut off: its end is missing.")
