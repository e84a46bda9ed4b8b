"""RecordIO-protobuf for users of SageMaker's SDK v3, whose own functions for it only raise NotImplementedError.

The functions have the SDK's names and signatures. `install` puts them into ``sagemaker.core``, where the SDK's ``RecordSerializer``
and ``RecordDeserializer`` find them; importing these two from here installs by itself. `upload` writes a matrix to S3 as the
SDK v2's ``record_set`` did.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from algorithms.formats import message, recordio, records

_CLASSES = {
    "RecordSerializer": "sagemaker.core.serializers.base",
    "RecordDeserializer": "sagemaker.core.deserializers.base",
}


def write_numpy_to_dense_tensor(file: BinaryIO, array: Any, labels: Any = None) -> None:
    """Append a matrix to a file, one record a row.

    Args:
        array: A numpy array of shape (n, d) of float32, float64 or integers (stored as int32).
        labels: A numpy array of shape (n,), or None.

    Raises:
        ValueError: Another shape or type, or an integer outside 32 bits.
    """
    _check(array, labels)
    for chunk in records.dense(array, labels):
        file.write(chunk)


def write_spmatrix_to_sparse_tensor(file: BinaryIO, array: Any, labels: Any = None) -> None:
    """Append a scipy sparse matrix to a file, one record a row with the stored columns only.

    Args:
        array: A sparse matrix or array of shape (n, d) of float32, float64 or integers (stored as int32).
        labels: A numpy array of shape (n,), or None.

    Raises:
        TypeError: The array is not sparse.
        ValueError: Another shape or type, or an integer outside 32 bits.
    """
    import numpy as np
    import scipy.sparse

    if not scipy.sparse.issparse(array):
        raise TypeError("Array must be sparse")
    _check(array, labels)
    rows = array.tocsr()
    matrix = records.Sparse(
        rows.data, rows.indices.astype(np.int64), np.diff(rows.indptr).astype(np.int64), rows.shape[1]
    )
    for chunk in records.sparse(matrix, labels, records.kind_of(rows.dtype)):
        file.write(chunk)


def read_records(file: BinaryIO) -> list[Any]:
    """All records of a file as protobuf messages: ``record.label["projection"].float32_tensor.values``.

    Raises:
        ValueError: The bytes are not recordIO, or a record is no message; the text says which.
    """
    from google.protobuf.message import DecodeError

    made = message.record_class()
    found = []
    for number, payload in enumerate(recordio.payloads(file), 1):
        try:
            found.append(made.FromString(payload))
        except DecodeError as error:
            raise ValueError(f"record {number} is no protobuf message: {error}") from error
    return found


def serialize(array: Any) -> bytes:
    """The records of a numpy array, the body of an inference request; 1-D is one row.

    Raises:
        ValueError: Not 1-D or 2-D, or of a type that records cannot hold.
    """
    if array.ndim == 1:
        array = array.reshape(1, -1)
    if array.ndim != 2:
        raise ValueError(f"Expected a 1D or 2D array, but got a {array.ndim}D array instead.")
    return b"".join(records.dense(array))


def install() -> None:
    """Make ``sagemaker.core``'s ``RecordSerializer`` and ``RecordDeserializer`` work, and the three functions below them.

    ``RecordSerializer.serialize`` answers bytes from then on: ``Endpoint.invoke`` cannot send the stream that the SDK's own
    method makes. Calling it again changes nothing.

    Raises:
        ImportError: The SDK is not installed, or is not v3.
    """
    from sagemaker.core.serializers import base, utils

    utils.write_numpy_to_dense_tensor = write_numpy_to_dense_tensor
    utils.write_spmatrix_to_sparse_tensor = write_spmatrix_to_sparse_tensor
    utils.read_records = read_records
    base.RecordSerializer.serialize = lambda self, data: serialize(data)


def __getattr__(name: str) -> Any:
    # The SDK takes 2 s to import, so its classes are fetched when somebody asks for them.
    if name in _CLASSES:
        import importlib

        install()
        return getattr(importlib.import_module(_CLASSES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Uploaded records, as a training channel takes them.

    Attributes:
        uri: The manifest's S3 URI.
        records: How many rows there are.
        feature_dim: How many features a row has.
    """

    uri: str
    records: int
    feature_dim: int

    def channel(
        self,
        name: str = "train",
        distribution: Literal["ShardedByS3Key", "FullyReplicated"] = "ShardedByS3Key",
    ) -> dict[str, Any]:
        """The channel for ``InputDataConfig`` of CreateTrainingJob."""
        source = {
            "S3DataType": "ManifestFile",
            "S3Uri": self.uri,
            "S3DataDistributionType": distribution,
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def upload(s3: Any, uri: str, array: Any, labels: Any = None, shards: int = 1) -> RecordSet:
    """Write a matrix to S3 as the SDK v2's ``record_set`` does: ``matrix_<i>.pbr`` and ``.amazon.manifest``.

    Args:
        s3: A boto3 S3 client.
        uri: The folder, ``s3://bucket/prefix``.
        array: A numpy array or scipy sparse matrix of shape (n, d).
        labels: A numpy array of shape (n,), or None.
        shards: How many objects, one for each training instance; never more than rows.

    Raises:
        ValueError: Not an S3 URI, no rows, fewer than one shard, or what the writers refuse.
    """
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"'{uri}' is not an S3 URI of the form s3://bucket/prefix.")
    if shards < 1:
        raise ValueError(f"Shards must be at least 1, not {shards}.")
    _check(array, labels)
    count = int(array.shape[0])
    if not count:
        raise ValueError("The array has no rows.")
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    sparse = hasattr(array, "tocsr")
    rows = array.tocsr() if sparse else array
    write = write_spmatrix_to_sparse_tensor if sparse else write_numpy_to_dense_tensor
    shards = min(shards, count)
    names = [f"matrix_{number}.pbr" for number in range(shards)]
    for number, name in enumerate(names):
        begin, end = count * number // shards, count * (number + 1) // shards
        buffer = io.BytesIO()
        write(buffer, rows[begin:end], None if labels is None else labels[begin:end])
        buffer.seek(0)
        s3.upload_fileobj(buffer, bucket, prefix + name)
    manifest = json.dumps([{"prefix": f"s3://{bucket}/{prefix}"}, *names])
    s3.put_object(Bucket=bucket, Key=f"{prefix}.amazon.manifest", Body=manifest.encode())
    return RecordSet(f"s3://{bucket}/{prefix}.amazon.manifest", count, int(array.shape[1]))


def _check(array: Any, labels: Any) -> None:
    if len(array.shape) != 2:
        raise ValueError("Array must be a Matrix")
    if labels is not None and len(labels.shape) != 1:
        raise ValueError("Labels must be a Vector")
    if labels is not None and labels.shape[0] != array.shape[0]:
        raise ValueError(f"Label shape {labels.shape} not compatible with array shape {array.shape}")
