"""A channel's rows as mini-batches, whatever its content type; memory is bounded by the mini-batch, not by the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import GZIP, PACKED, Channel
from algorithms.formats import csvdata, records
from algorithms.formats.recordio import BLOCK, RecordIOError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]

CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
DEFAULT = RECORDIO
"""What a channel without content type holds."""

_ALIASES = {"csv": CSV, "text/csv": CSV, RECORDIO: RECORDIO, "": DEFAULT}


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of a channel.

    Attributes:
        features: float32 of shape (n, d), or a scipy CSR matrix where the data is sparse and was not asked for dense.
        labels: float32 of shape (n,); (n, m) for CSV with m > 1 label columns; None without.
        where: The file and the row in it (counted from 1; a CSV file's line) of the batch's first row.
        places: All such marks: position in the batch, file, row. Use `place`.
    """

    features: Any
    labels: Floats | None
    where: tuple[Path, int]
    places: tuple[tuple[int, Path, int], ...]

    def place(self, index: int) -> str:
        """Where a row of the batch comes from, for messages: ``matrix_0.pbr, row 12``."""
        start, path, row = max(mark for mark in self.places if mark[0] <= index)
        return f"{path.name}, row {row + index - start}"

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self.features.shape[0])


class _Piece(NamedTuple):
    """Rows as they come from a file."""

    features: Any
    labels: Floats | None
    path: Path
    row: int


@dataclass(frozen=True, slots=True)
class ContentType:
    """A channel's content type, parsed: ``text/csv;label_size=0`` has the name ``text/csv`` and no label column."""

    name: str
    label_size: int

    @classmethod
    def of(cls, channel: Channel) -> ContentType:
        """The channel's.

        Raises:
            ClientError: A type that the first-party algorithms do not read.
        """
        name, _, rest = channel.content_type.partition(";")
        known = _ALIASES.get(name.strip().lower())
        label_size = 1
        for parameter in filter(None, (part.strip() for part in rest.split(";"))):
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "label_size":
                if not (value.isascii() and value.strip().isdigit() and len(value) < 10):
                    known = None
                    break
                label_size = int(value)
        if known is None:
            raise ClientError(
                "Unable to initialize the algorithm. Failed to validate input data configuration. "
                f"(caused by ValidationError)\n\nCaused by: {channel.content_type!r} is not one of ['text/csv', "
                f"'text/csv;label_size=0', '{RECORDIO}'], the ContentType of channel '{channel.name}'."
            )
        return cls(known, label_size)


class Batches:
    """A channel's mini-batches; each iteration reads the files again from the beginning, in the same order.

    Attributes:
        feature_dim: How many features a row has; None until the first batch was read, when it was not given.
        rows: How many rows the last complete iteration had.
    """

    def __init__(
        self,
        channel: Channel,
        size: int,
        *,
        feature_dim: int | None,
        dense: bool,
        labels: bool,
        float32_only: bool = False,
        block: int = BLOCK,
    ) -> None:
        self.channel = channel
        self.size = size
        self.feature_dim = feature_dim
        self.rows = 0
        self._content = ContentType.of(channel)
        self._dense = dense
        self._labels = labels
        self._float32_only = float32_only
        self._block = block
        self._files = channel.files()

    def __iter__(self) -> Iterator[Batch]:
        held: list[_Piece] = []
        count = rows = 0
        for piece in self._pieces():
            self._check(piece)
            begin, total = 0, int(piece.features.shape[0])
            while begin < total:
                taken = min(total - begin, self.size - count)
                held.append(_cut(piece, begin, begin + taken))
                begin += taken
                count += taken
                if count == self.size:
                    yield self._batch(held)
                    rows += count
                    held, count = [], 0
        if held:
            yield self._batch(held)
        self.rows = rows + count
        if not self.rows:
            names = ", ".join(path.name for path in self._files[:5])
            raise ClientError(
                f"No data in channel '{self.channel.name}': its files hold no row ({names}). "
                "Check that the files were written completely."
            )

    def _pieces(self) -> Iterator[_Piece]:
        reader: Callable[[BinaryIO, Path], Iterator[_Piece]] = (
            self._csv if self._content.name == CSV else self._recordio
        )
        for path in self._files:
            try:
                with path.open("rb") as file:
                    if file.read(2) == GZIP:
                        raise self.refusal(path, PACKED)
                    file.seek(0)
                    yield from reader(file, path)
            except (RecordIOError, records.RecordError, csvdata.CsvError) as error:
                raise self.refusal(path, str(error)) from error
            except OSError as error:
                raise self.refusal(path, f"cannot be read: {error.strerror}") from error

    def refusal(self, path: Path, problem: str) -> ClientError:
        """AWS's sentence for data that is not what its content type says, with the file and the problem in it."""
        stated = self.channel.content_type or self._content.name
        return ClientError(
            f"Unable to read data channel '{self.channel.name}'. Requested content-type is '{stated}'. "
            f"Please verify the data matches the requested content-type.\n\nCaused by: {path.name}, {problem}."
        )

    def _csv(self, file: BinaryIO, path: Path) -> Iterator[_Piece]:
        size = self._content.label_size
        for values, first in csvdata.rows(file, self._block):
            if values.shape[1] <= size:
                fields = f"{values.shape[1]} field{'s' if values.shape[1] > 1 else ''}"
                raise csvdata.CsvError(
                    first,
                    f"has {fields}, of which {size} would be the label; nothing is left. "
                    "Use the content type text/csv;label_size=0 for data without label",
                )
            labels = None if not size else values[:, 0] if size == 1 else values[:, :size]
            yield _Piece(values[:, size:], labels, path, first)

    def _recordio(self, file: BinaryIO, path: Path) -> Iterator[_Piece]:
        for part in records.rows(file, self._block):
            if self._float32_only and part.kind != "float32":
                raise records.RecordError(
                    part.first,
                    f"its features are {part.kind}; only Float32 tensors are supported. "
                    "Write the records from an array of float32, for example array.astype('float32')",
                )
            stored = part.features.values if isinstance(part.features, records.Sparse) else part.features
            for name, numbers in (("features", stored), ("label", part.labels)):
                if numbers is not None and not csvdata.finite(numbers):
                    raise records.RecordError(
                        self._culprit(part, name), f"its {name} hold a number that is not finite in float32"
                    )
            features: Any = part.features
            if isinstance(part.features, records.Sparse):
                self._width(part.features.width, path, part.first)
                features = _matrix(part.features)
            yield _Piece(features, part.labels, path, part.first)

    @staticmethod
    def _culprit(part: records.Rows, name: str) -> int:
        if name == "label" and part.labels is not None:
            return part.first + int(np.flatnonzero(~np.isfinite(part.labels))[0])
        if isinstance(part.features, records.Sparse):
            index = int(np.flatnonzero(~np.isfinite(part.features.values))[0])
            return part.first + int(np.searchsorted(np.cumsum(part.features.counts), index, side="right"))
        return part.first + int(np.flatnonzero(~np.isfinite(part.features).all(axis=1))[0])

    def _check(self, piece: _Piece) -> None:
        self._width(int(piece.features.shape[1]), piece.path, piece.row)
        if self._labels and piece.labels is None:
            raise ClientError(
                f"Channel '{self.channel.name}' has no labels: {piece.path.name}, record {piece.row} has features only. "
                "Write each record with a label, for example by record_set(train, labels=...)."
            )

    def _width(self, width: int, path: Path, row: int) -> None:
        if self.feature_dim is None:
            self.feature_dim = width
        elif width != self.feature_dim:
            raise ClientError(
                f"cannot copy sequence with size {width} to array axis with dimension {self.feature_dim}: "
                f"{path.name}, row {row} of channel '{self.channel.name}' has {width} features, {self.feature_dim} are expected. "
                "Set feature_dim to the number of columns without the label, and for CSV the number of label columns "
                "in the content type (text/csv;label_size=0 for none)."
            )

    def _batch(self, held: list[_Piece]) -> Batch:
        places: list[tuple[int, Path, int]] = []
        position = 0
        for piece in held:
            places.append((position, piece.path, piece.row))
            position += int(piece.features.shape[0])
        labels = None
        if all(piece.labels is not None for piece in held):
            labels = _joined([piece.labels for piece in held])
        return Batch(self._features([piece.features for piece in held]), labels, places[0][1:], tuple(places))

    def _features(self, parts: list[Any]) -> Any:
        sparse = [not isinstance(part, np.ndarray) for part in parts]
        if any(sparse) and not self._dense:
            import scipy.sparse as sp

            if not all(sparse):
                parts = [sp.csr_matrix(part) for part in parts]
            return parts[0] if len(parts) == 1 else sp.vstack(parts, "csr")
        return _joined(
            [part.toarray() if is_sparse else part for part, is_sparse in zip(parts, sparse, strict=True)]
        )


def read(
    channel: Channel,
    size: int,
    *,
    feature_dim: int | None = None,
    dense: bool = False,
    labels: bool = False,
    float32_only: bool = False,
    block: int = BLOCK,
) -> Batches:
    """A channel's mini-batches, to be iterated as often as there are epochs.

    Args:
        size: Rows in a batch; the last one of an iteration may have fewer.
        feature_dim: How many features a row must have; None takes the first row's.
        dense: Answer numpy arrays even where the data is sparse.
        labels: Whether each row must have a label.
        float32_only: Whether recordIO features of another type are refused.
        block: How many bytes of a file are looked at together.

    Raises:
        ClientError: The channel is empty or has a content type that is not read. While iterating: data that cannot be used,
            named by file and row.
    """
    return Batches(
        channel,
        size,
        feature_dim=feature_dim,
        dense=dense,
        labels=labels,
        float32_only=float32_only,
        block=block,
    )


def _cut(piece: _Piece, begin: int, end: int) -> _Piece:
    if begin == 0 and end == int(piece.features.shape[0]):
        return piece
    labels = None if piece.labels is None else piece.labels[begin:end]
    return _Piece(piece.features[begin:end], labels, piece.path, piece.row + begin)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _matrix(rows: records.Sparse) -> csr_matrix:
    import scipy.sparse as sp

    pointers = np.concatenate([[0], np.cumsum(rows.counts)])
    return sp.csr_matrix((rows.values, rows.columns, pointers), shape=(len(rows.counts), rows.width))
