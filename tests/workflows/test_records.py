"""Records for SDK v3: the bytes of SDK v2, messages, sets in S3, and the SDK's own classes once they are installed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from workflows import records

FIXTURES = Path(__file__).parents[1] / "algorithms" / "fixtures"
ROWS = np.arange(12, dtype="f4").reshape(3, 4) / 8
SPARSE = scipy.sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0], [2, 0, -1]], "f4"))


@pytest.mark.parametrize(
    ("name", "array", "labels"),
    [
        ("dense", ROWS, None),
        ("labelled", ROWS.astype("f8"), np.array([0, 1, 300])),
        ("integers", np.array([[1, -2], [300, 70000]]), np.array([0.5, 1.5], "f4")),
        ("sparse", SPARSE, np.array([1.0, 0.0, 1.0])),
        ("sparse", SPARSE.tocoo(), np.array([1.0, 0.0, 1.0])),
    ],
)
def test_files_are_those_that_sdk_v2_wrote(name: str, array: Any, labels: Any) -> None:
    file = io.BytesIO()
    if scipy.sparse.issparse(array):
        records.write_spmatrix_to_sparse_tensor(file, array, labels)
    else:
        records.write_numpy_to_dense_tensor(file, array, labels)
    assert file.getvalue() == (FIXTURES / f"{name}.pbr").read_bytes()


def test_records_are_read_as_messages() -> None:
    with (FIXTURES / "labelled.pbr").open("rb") as file:
        found = records.read_records(file)
    assert [one.label["values"].int32_tensor.values[0] for one in found] == [0, 1, 300]
    assert list(found[2].features["values"].float64_tensor.values) == ROWS[2].tolist()


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"no records", "record 1 .*magic"), (b"\x0a\x23\xd7\xce\x01\0\0\0\xff\0\0\0", "record 1 is no")],
)
def test_other_bytes_are_refused_by_record(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        records.read_records(io.BytesIO(raw))


@pytest.mark.parametrize(
    ("array", "labels", "words"),
    [
        (np.zeros(3), None, "must be a Matrix"),
        (ROWS, np.zeros((3, 1)), "must be a Vector"),
        (ROWS, np.zeros(4), "not compatible"),
        (ROWS.astype("f2"), None, "Unsupported dtype float16"),
    ],
)
def test_what_records_cannot_hold_is_refused(array: Any, labels: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        records.write_numpy_to_dense_tensor(io.BytesIO(), array, labels)
    with pytest.raises(TypeError, match="must be sparse"):
        records.write_spmatrix_to_sparse_tensor(io.BytesIO(), array, labels)


class Bucket:
    """An S3 client that keeps what it is given."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        self.objects[f"{bucket}/{key}"] = file.read()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[f"{Bucket}/{Key}"] = Body


@pytest.mark.parametrize("array", [ROWS, scipy.sparse.csr_matrix(ROWS)], ids=["dense", "sparse"])
def test_a_record_set_has_shards_and_a_manifest(array: Any) -> None:
    s3 = Bucket()
    found = records.upload(s3, "s3://data/some/where", array, np.arange(3), shards=2)
    assert (found.uri, found.records, found.feature_dim) == ("s3://data/some/where/.amazon.manifest", 3, 4)
    assert sorted(s3.objects) == [
        f"data/some/where/{name}" for name in (".amazon.manifest", "matrix_0.pbr", "matrix_1.pbr")
    ]
    assert json.loads(s3.objects["data/some/where/.amazon.manifest"]) == [
        {"prefix": "s3://data/some/where/"},
        "matrix_0.pbr",
        "matrix_1.pbr",
    ]
    labels = [
        one.label["values"].int32_tensor.values[0]
        for number in (0, 1)
        for one in records.read_records(io.BytesIO(s3.objects[f"data/some/where/matrix_{number}.pbr"]))
    ]
    assert labels == [0, 1, 2]
    assert found.channel() == {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "ManifestFile",
                "S3Uri": found.uri,
                "S3DataDistributionType": "ShardedByS3Key",
            }
        },
    }


def test_a_small_set_has_no_empty_shards() -> None:
    s3 = Bucket()
    records.upload(s3, "s3://data", ROWS, shards=9)
    assert sorted(s3.objects) == [
        "data/.amazon.manifest",
        "data/matrix_0.pbr",
        "data/matrix_1.pbr",
        "data/matrix_2.pbr",
    ]


@pytest.mark.parametrize(
    ("uri", "array", "shards", "words"),
    [
        ("/tmp/x", ROWS, 1, "not an S3 URI"),
        ("s3://", ROWS, 1, "not an S3 URI"),
        ("s3://b/x", ROWS[:0], 1, "no rows"),
        ("s3://b/x", ROWS, 0, "at least 1"),
    ],
)
def test_a_set_that_cannot_be_written_is_refused(uri: str, array: Any, shards: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        records.upload(Bucket(), uri, array, shards=shards)


PROGRAM = """
import io, sys
from workflows import records
assert not any(name.split(".")[0] in ("sagemaker", "boto3", "google", "scipy") for name in sys.modules)
from workflows.records import RecordDeserializer, RecordSerializer
import numpy as np
import sagemaker.core.deserializers.base as deserializers
import sagemaker.core.serializers.base as serializers
from sagemaker.core.serializers.utils import write_numpy_to_dense_tensor
assert RecordSerializer is serializers.RecordSerializer and RecordDeserializer is deserializers.RecordDeserializer
assert write_numpy_to_dense_tensor is records.write_numpy_to_dense_tensor
records.install()
body = RecordSerializer().serialize(np.array([1.0, 2.0]))
(one,) = RecordDeserializer().deserialize(io.BytesIO(body), "application/x-recordio-protobuf")
assert list(one.features["values"].float64_tensor.values) == [1.0, 2.0]
try:
    RecordSerializer().serialize(np.zeros((1, 1, 1)))
except ValueError as error:
    assert "3D array" in str(error)
else:
    raise AssertionError("a 3D array was taken")
"""


def test_the_sdks_own_classes_work_once_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
