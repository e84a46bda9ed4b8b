"""A built-in algorithm learns the same from a channel however its objects come: plain, packed, listed, in several files, as a pipe."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from algorithms.formats import ndarray
from tests.engine.conftest import RunningEngine
from tests.engine.jobs import channel, fetch, finish, fresh, put, request, unpack

IMAGE = "174872318107.dkr.ecr.us-west-2.amazonaws.com/pca:1"
ROWS = np.random.default_rng(0).normal(size=(60, 3)) * [3, 2, 1]
HYPERPARAMETERS = {"feature_dim": "3", "mini_batch_size": "20", "num_components": "3"}


def text(rows: Any) -> bytes:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()


def trained(engine: RunningEngine, uri: str, *, mode: str = "File", **more: Any) -> dict[str, Any]:
    name = fresh("channels")
    kind = more.pop("kind", "S3Prefix")
    engine.client("sagemaker").create_training_job(
        **request(
            engine,
            name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": mode},
            HyperParameters=HYPERPARAMETERS,
            InputDataConfig=[channel(uri, "train", kind, ContentType="text/csv;label_size=0", **more)],
        )
    )
    return finish(engine, name)


def singular_values(engine: RunningEngine, job: dict[str, Any]) -> Any:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    archive = unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))
    arrays = ndarray.decode(archive["model_algo-1"])
    assert isinstance(arrays, dict)
    return arrays["s"]


@pytest.mark.parametrize(
    ("mode", "packed"),
    [("File", False), ("Pipe", False), ("FastFile", False), ("File", True), ("Pipe", True)],
)
def test_the_model_does_not_depend_on_how_the_rows_come(
    engine: RunningEngine, mode: str, packed: bool
) -> None:
    folder = f"channels/{mode}-{packed}"
    parts = [text(part) for part in np.array_split(ROWS, 3)]
    for number, part in enumerate(parts):
        uri = put(
            engine, f"{folder}/deep/part-{number}.csv", gzip.compress(part) if packed else part
        ).rpartition("/deep/")[0]
    put(engine, f"{folder}/_SUCCESS", b"")
    job = trained(engine, uri, mode=mode, **({"CompressionType": "Gzip"} if packed else {}))
    expected = np.linalg.svd(ROWS - ROWS.mean(axis=0), compute_uv=False)[::-1]
    assert np.allclose(singular_values(engine, job), expected, rtol=1e-5)


def test_a_manifest_names_the_objects_that_are_read(engine: RunningEngine) -> None:
    folder = put(engine, "channels/listed/a.csv", text(ROWS[:40])).rpartition("/")[0]
    put(engine, "channels/listed/sub/b.csv", text(ROWS[40:]))
    put(engine, "channels/listed/unlisted.csv", b"not,a,number\n")
    listed = put(engine, "channels/my.manifest", json.dumps([{"prefix": f"{folder}/"}, "a.csv", "sub/b.csv"]))
    expected = np.linalg.svd(ROWS - ROWS.mean(axis=0), compute_uv=False)[::-1]
    found = singular_values(engine, trained(engine, listed, kind="ManifestFile"))
    assert np.allclose(found, expected, rtol=1e-5)


def test_packed_objects_that_are_not_called_so_are_told_apart(engine: RunningEngine) -> None:
    uri = put(engine, "channels/mistaken/a.csv.gz", gzip.compress(text(ROWS)))
    job = trained(engine, uri)
    assert job["TrainingJobStatus"] == "Failed"
    assert "a.csv.gz, is compressed with gzip. Set the channel's CompressionType" in job["FailureReason"]
