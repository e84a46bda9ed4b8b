"""Training data: a channel's files as one `Data`, which knows the file and row that each of its rows came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import GZIP, PACKED, Channel
from algorithms.builtin.xgb import libsvm, notes, tables

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
_FORMATS = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio-protobuf": RECORDIO,
}
MAX_DEPTH = 3
_SNIPPET = 50
_FIRST = 1 << 16
"""How many bytes of a file's first line are looked at."""


class Part(NamedTuple):
    """Some of a file's rows. ``features`` is a float32 array or a scipy CSR matrix."""

    features: Any
    labels: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None
    groups: NDArray[np.int64] | None = None


class Data(NamedTuple):
    """A channel's rows.

    Attributes:
        features: A float32 array in which NaN is missing, or a scipy CSR matrix.
        groups: The query of each row for ranking, None when the files name none.
        files: Each file with the number of its rows, in order.
    """

    features: Any
    labels: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    groups: NDArray[np.int64] | None
    files: list[tuple[Path, int]]
    kind: str

    def where(self, row: int) -> str:
        """``file 'a.csv', row 3`` of a row (from 0)."""
        for path, count in self.files:
            if row < count:
                if self.kind in (CSV, LIBSVM):
                    with path.open("rb") as file:
                        return f"file '{path.name}', row {tables.line_of(file, row)}"
                return f"file '{path.name}', record {row + 1}"
            row -= count
        return f"row {row + 1}"

    def matrix(self, xgboost: Any, objective: str, width: int | None = None) -> Any:
        """The library's DMatrix.

        Args:
            objective: ``survival:aft`` takes intervals; a label stands for the time that was observed.
            width: How many columns sparse rows have at least.
        """
        features = self.features
        if width is not None and not isinstance(features, np.ndarray) and features.shape[1] < width:
            features = _widened(features, width)
        found = xgboost.DMatrix(features, label=self.labels, weight=self.weights)
        if self.groups is not None:
            found.set_info(qid=self.groups)
        if objective == "survival:aft":
            found.set_info(label_lower_bound=self.labels, label_upper_bound=self.labels)
        return found


def _widened(features: Any, width: int) -> Any:
    features = features.copy()
    features.resize((features.shape[0], width))
    return features


def media_type(content_type: str) -> str:
    """Which of the formats a channel's ContentType names; libsvm for none.

    Raises:
        ClientError: None of them, or CSV with another number of label columns than one.
    """
    if not content_type:
        return LIBSVM
    name, *parameters = [part.strip() for part in content_type.lower().split(";")]
    found = _FORMATS.get(name)
    if found is None:
        raise ClientError(f"{content_type} is not an accepted ContentType: {', '.join(_FORMATS)}.")
    labels = [part.partition("=")[2].strip() for part in parameters if part.startswith("label_size")]
    if found == CSV and labels and labels[0] != "1":
        raise ClientError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return found


def read(channel: Channel, kind: str, *, weighted: bool) -> Data:
    """All rows of a channel, files in the order of their paths.

    Args:
        kind: What `media_type` answered.
        weighted: Whether the second column of CSV is the row's weight.

    Raises:
        ClientError: There are no rows, or some cannot be used; the message names file and row.
    """
    paths = channel.files()
    for path in paths:
        if len(path.relative_to(channel.folder).parts) > MAX_DEPTH + 1:
            raise ClientError(
                f"Folder depth exceeded the limit: {MAX_DEPTH}. '{path.relative_to(channel.folder)}' lies deeper in channel "
                f"'{channel.name}'."
            )
        with path.open("rb") as file:
            if file.read(2) == GZIP:
                raise ClientError(f"File '{path.name}' of channel '{channel.name}' {PACKED}.")
    mark = _delimiter(paths) if kind == CSV else ""
    parts: list[Part] = []
    files: list[tuple[Path, int]] = []
    width = 0
    for path in paths:
        count = 0
        try:
            for part in _parts(path, kind, mark, weighted=weighted):
                found = int(part.features.shape[1])
                if isinstance(part.features, np.ndarray) and width and found != width:
                    raise ClientError(
                        f"File '{path.name}' of channel '{channel.name}' has {found} features a row, the files before have {width}."
                    )
                width = max(width, found)
                parts.append(part)
                count += len(part.labels)
        except (tables.TableError, libsvm.LibsvmError, ValueError) as error:
            raise ClientError(
                f"Failed to load {kind} data: file '{path.name}' of channel '{channel.name}', {error}"
            ) from error
        files.append((path, count))
    if not sum(len(part.labels) for part in parts):
        where = "training" if channel.name == "train" else channel.name
        raise ClientError(f"No data in {where} channel path /opt/ml/input/data/{channel.name}")
    return _joined(parts, files, kind, width)


def _delimiter(paths: list[Path]) -> str:
    for path in paths:
        with path.open("rb") as file:
            line = file.readline(_FIRST).decode("utf-8-sig", "replace")
        if not line.strip():
            continue
        try:
            mark = tables.delimiter(line, whole=len(line) < _FIRST)
        except ValueError as error:
            raise ClientError(f"File '{path.name}': {error}") from error
        notes.info(f"Determined delimiter of CSV input is '{mark}'")
        return mark
    return ","


def _parts(path: Path, kind: str, mark: str, *, weighted: bool) -> Iterator[Part]:
    if kind == PARQUET:
        yield _table(path)
        return
    with path.open("rb") as file:
        if kind == CSV:
            ahead = 2 if weighted else 1
            for block in tables.blocks(file, mark):
                if block.shape[1] <= ahead:
                    raise ValueError(
                        f"row 1: has {block.shape[1]} fields; a label{', a weight' if weighted else ''} and at least one feature "
                        f"are needed. Check that the ContentType, csv, is right and that '{mark}' is the delimiter"
                    )
                weights = np.ascontiguousarray(block[:, 1]) if weighted else None
                yield Part(block[:, ahead:], np.ascontiguousarray(block[:, 0]), weights)
        elif kind == LIBSVM:
            yield from _sparse_text(file, path)
        else:
            yield from _records(file)


def _sparse_text(file: Any, path: Path) -> Iterator[Part]:
    first = file.readline(_FIRST)
    file.seek(0)
    words = first.partition(b"#")[0].split()
    if len(first) == _FIRST and len(words) > 1:
        words.pop()
    if words and (b"," in words[0] or not all(b":" in word for word in words[1:])):
        snippet = first[:_SNIPPET].decode("utf-8", "replace").rstrip()
        raise ClientError(
            f"First line '{snippet}...' of file '{path.name}' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' "
            "format, or name its ContentType (for example text/csv) in the channel."
        )
    for rows in libsvm.blocks(file):
        yield Part(libsvm.matrix([rows]), rows.labels, rows.weights, rows.groups)


def _records(file: Any) -> Iterator[Part]:
    from algorithms.formats import records

    for rows in records.rows(file):
        if rows.labels is None:
            raise ValueError(f"record {rows.first}: has no label. Training records need label 'values'")
        if isinstance(rows.features, records.Sparse):
            yield Part(sparse(rows.features), rows.labels)
        else:
            yield Part(rows.features, rows.labels)


def sparse(rows: Any) -> Any:
    """A scipy CSR matrix of recordIO's sparse rows."""
    from scipy.sparse import csr_matrix

    starts = np.concatenate([[0], np.cumsum(rows.counts)])
    return csr_matrix((rows.values, rows.columns, starts), shape=(len(rows.counts), rows.width))


def _table(path: Path) -> Part:
    """A parquet file: the first column is the label, nulls are missing values."""
    import pyarrow
    from pyarrow import parquet

    try:
        # `read_table` would make columns of a path's key=value folders.
        found = parquet.ParquetFile(path).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"it is not a parquet file: {error}") from error
    if found.num_columns < 2:
        raise ValueError(f"it has {found.num_columns} columns; a label and at least one feature are needed")
    values = np.empty((found.num_rows, found.num_columns), np.float32)
    for number, (name, column) in enumerate(zip(found.column_names, found.columns, strict=True)):
        try:
            values[:, number] = column.cast(pyarrow.float64()).to_numpy()
        except (pyarrow.ArrowException, NotImplementedError) as error:
            raise ValueError(f"column '{name}' of type {column.type} does not hold numbers") from error
    return Part(values[:, 1:], np.ascontiguousarray(values[:, 0]))


def _joined(parts: list[Part], files: list[tuple[Path, int]], kind: str, width: int) -> Data:
    dense = [isinstance(part.features, np.ndarray) for part in parts]
    if all(dense):
        features: Any = np.concatenate([part.features for part in parts])
    else:
        from scipy.sparse import csr_matrix, vstack

        rows = [part.features if not isinstance(part.features, np.ndarray) else csr_matrix(part.features) for part in parts]  # fmt: skip
        features = vstack([_widened(row, width) if row.shape[1] < width else row for row in rows], "csr")
    labels = np.concatenate([part.labels for part in parts])
    weights = groups = None
    if any(part.weights is not None for part in parts):
        weights = np.concatenate(
            [part.weights if part.weights is not None else np.ones(len(part.labels), np.float32) for part in parts]
        )  # fmt: skip
    if any(part.groups is not None for part in parts):
        groups = np.concatenate(
            [part.groups if part.groups is not None else np.full(len(part.labels), -1) for part in parts]
        )
    return Data(features, labels, weights, groups, files, kind)
