"""Bodies of inference requests as the library's DMatrix."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.xgb import libsvm, tables
from algorithms.builtin.xgb.data import sparse

CSV, LIBSVM, RECORDIO = "csv", "libsvm", "recordio-protobuf"
_TYPES = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio-protobuf": RECORDIO,
}


class Unreadable(ValueError):
    """A body that is not what its content type says, or a content type that is not read."""


class Misfit(ValueError):
    """Rows that do not have the model's features."""


def kind_of(content_type: str) -> str:
    """Which format a Content-Type names; CSV for none.

    Raises:
        Unreadable: Another one.
    """
    name, *parameters = [part.strip() for part in (content_type or "text/csv").lower().split(";")]
    found = _TYPES.get(name)
    if found is None:
        raise Unreadable(
            f"Content-type {name} not supported. Supported content-type is text/csv, text/libsvm, application/x-recordio-protobuf"
        )
    labels = [part.partition("=")[2].strip() for part in parameters if part.startswith("label_size")]
    if found == CSV and labels and labels[0] not in ("0", "1"):
        raise Unreadable(
            f"{content_type} is not an accepted csv ContentType: rows of a request have no label."
        )
    return found


def features(body: bytes, kind: str) -> Any:
    """The rows of a body: a float32 array in which NaN is missing, or a scipy CSR matrix.

    Raises:
        Unreadable: It is not of that format, or holds no row.
    """
    try:
        if kind != RECORDIO and not body.strip():
            raise ValueError("there is no row")
        if kind == CSV:
            return _table(body)
        if kind == LIBSVM:
            return libsvm.matrix([libsvm.parse(body.strip(b"\r\n"), labelled=False)])
        return _records(body)
    except (ValueError, UnicodeDecodeError, MemoryError) as error:
        raise Unreadable(
            f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n {type(error).__name__}: {error}"
        ) from error


def _table(body: bytes) -> NDArray[np.float32]:
    first = body.strip(b"\r\n").partition(b"\n")[0][:4096]
    # A line may be longer, and cut off in a field.
    mark = tables.delimiter(first.decode("utf-8-sig", "replace"), whole=len(first) < 4096)
    return np.concatenate(list(tables.blocks(io.BytesIO(body.strip(b"\r\n")), mark)))


def _records(body: bytes) -> Any:
    from algorithms.formats import records

    parts = [part.features for part in records.rows(io.BytesIO(body))]
    if not parts:
        raise ValueError("there is no record")
    dense = [part for part in parts if isinstance(part, np.ndarray)]
    if len(dense) == len(parts):
        widths = {part.shape[1] for part in dense}
        if len(widths) > 1:
            raise ValueError(f"the records have different numbers of features: {sorted(widths)}")
        return np.concatenate(dense)
    from scipy.sparse import csr_matrix, vstack

    rows = [csr_matrix(part) if isinstance(part, np.ndarray) else sparse(part) for part in parts]
    wide = max(row.shape[1] for row in rows)
    for row in rows:
        row.resize((row.shape[0], wide))
    return vstack(rows, "csr")


def fitted(rows: Any, kind: str, width: int) -> Any:
    """The rows with the model's number of features.

    CSV and recordIO may have one feature less, as in the container: the last one is missing then. Sparse rows may have any less.

    Raises:
        Misfit: They have another number.
    """
    have = int(rows.shape[1])
    if have == width:
        return rows
    if kind == LIBSVM or not isinstance(rows, np.ndarray):
        if have > width:
            raise Misfit(
                f"Feature size of {kind} inference data {have} is larger than feature size of trained model {width}."
            )
        rows.resize((rows.shape[0], width))
        return rows
    if have != width - 1:
        raise Misfit(
            f"Feature size of {kind} inference data {have} is not consistent with feature size of trained model {width}."
        )
    missing = np.full((len(rows), 1), np.nan, np.float32)
    return np.concatenate([rows, missing], axis=1)
