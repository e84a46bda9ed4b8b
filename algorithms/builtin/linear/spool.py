"""Blocks of arrays that are written once and read often: in memory while they are few, then in a file without a name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MEMORY: int = 1 << 21
"""Bytes that are kept in memory."""


class _Stored(NamedTuple):
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Spool:
    """A list of blocks, each a tuple of arrays.

    Args:
        folder: Where the file goes when memory is used up; the system's temporary folder when that cannot be written to.
        memory: Bytes that are kept in memory.
    """

    def __init__(self, folder: Path, memory: int = MEMORY) -> None:
        self._folder = folder
        self._left = memory
        self._blocks: list[tuple[NDArray[Any], ...] | tuple[_Stored, ...]] = []
        self._file: IO[bytes] | None = None
        self._end = 0

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def add(self, *arrays: NDArray[Any]) -> None:
        """Append a block.

        Raises:
            OSError: The file cannot be written, for example because the disk is full.
        """
        size = sum(array.nbytes for array in arrays)
        if self._file is None and size <= self._left:
            self._left -= size
            self._blocks.append(tuple(np.ascontiguousarray(array) for array in arrays))
            return
        if self._file is None:
            self._file = self._open()
        stored = []
        for array in arrays:
            self._file.write(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
            stored.append(_Stored(self._end, array.shape, array.dtype))
            self._end += array.nbytes
        self._blocks.append(tuple(stored))

    def __getitem__(self, index: int) -> tuple[NDArray[Any], ...]:
        """A block's arrays; they must not be changed."""
        return tuple(self._load(part) if isinstance(part, _Stored) else part for part in self._blocks[index])

    def _load(self, stored: _Stored) -> NDArray[Any]:
        array = np.empty(stored.shape, stored.dtype)
        if array.size:
            assert self._file is not None
            self._file.seek(stored.offset)
            view = array.data.cast("B")
            done = self._file.readinto(view)  # type: ignore[attr-defined]
            if done != len(view):
                raise OSError(f"the scratch file ends {len(view) - done} bytes early")
            self._file.seek(self._end)
        return array

    def _open(self) -> IO[bytes]:
        try:
            return tempfile.TemporaryFile(dir=self._folder)
        except OSError:
            return tempfile.TemporaryFile()
