"""Mini-batches of a channel: the rows in order, whatever the files, types and sizes; bad data named by file and row."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algorithms.builtin import batches
from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import Channel
from algorithms.formats import records
from algorithms.formats.records import Sparse

CSV0, RECORDIO = "text/csv;label_size=0", "application/x-recordio-protobuf"


def channel(folder: Path, files: dict[str, bytes], content_type: str) -> Channel:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return Channel("train", folder, content_type)


def csv(rows: Any) -> bytes:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()


def pbr(rows: Any, labels: Any = None) -> bytes:
    return b"".join(records.dense(rows, labels))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(sum),
    st.integers(1, 50),
    st.sampled_from([CSV0, RECORDIO]),
)
def test_every_row_comes_once_in_order_in_batches_of_the_size(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], size: int, kind: str
) -> None:
    rows = np.arange(sum(counts) * 3, dtype="f4").reshape(-1, 3)
    parts = np.split(rows, np.cumsum(counts)[:-1])
    write = csv if kind == CSV0 else pbr
    files = {f"part-{number}": write(part) for number, part in enumerate(parts)}
    data = batches.read(channel(tmp_path_factory.mktemp("c"), files, kind), size)
    for _ in range(2):
        found = list(data)
        assert [len(batch) for batch in found[:-1]] == [size] * (len(found) - 1)
        assert np.array_equal(np.concatenate([batch.features for batch in found]), rows)
        assert data.rows == len(rows)
        position = 0
        for batch in found:
            for index in range(len(batch)):
                number = int(np.searchsorted(np.cumsum(counts), position, side="right"))
                row = position - sum(counts[:number]) + 1
                assert batch.place(index) == f"part-{number}, row {row}"
                position += 1
    assert data.feature_dim == 3


def test_labels_of_csv_are_its_first_columns(tmp_path: Path) -> None:
    rows = np.array([[1, 2, 3], [4, 5, 6]], "f4")
    (one,) = batches.read(channel(tmp_path / "a", {"x": csv(rows)}, "text/csv"), 10)
    assert one.labels is not None
    assert (one.labels.tolist(), one.features.tolist()) == ([1, 4], [[2, 3], [5, 6]])
    (two,) = batches.read(channel(tmp_path / "b", {"x": csv(rows)}, "text/csv; label_size=2"), 10)
    assert two.labels is not None
    assert (two.labels.tolist(), two.features.tolist()) == ([[1, 2], [4, 5]], [[3], [6]])


def test_sparse_records_stay_sparse_unless_dense_is_asked_for(tmp_path: Path) -> None:
    values = Sparse(np.array([5, 6, 7], "f4"), np.array([0, 3, 1]), np.array([1, 0, 2]), 4)
    where = channel(tmp_path, {"x": b"".join(records.sparse(values, np.array([1, 0, 1])))}, RECORDIO)
    (batch,) = batches.read(where, 10, labels=True)
    full = [[5, 0, 0, 0], [0, 0, 0, 0], [0, 7, 0, 6]]
    assert batch.features.toarray().tolist() == full
    assert batch.labels is not None and batch.labels.tolist() == [1, 0, 1]
    assert [part.features.tolist() for part in batches.read(where, 2, dense=True)] == [full[:2], full[2:]]


def test_no_content_type_is_recordio(tmp_path: Path) -> None:
    (batch,) = batches.read(channel(tmp_path, {"matrix_0.pbr": pbr(np.ones((2, 2), "f4"))}, ""), 5)
    assert batch.labels is None and len(batch) == 2


GOOD = np.ones((3, 2), "f4")


@pytest.mark.parametrize(
    ("files", "kind", "options", "words"),
    [
        ({}, CSV0, {}, r"No data in channel 'train'"),
        ({"a.csv": b""}, CSV0, {}, r"hold no row \(a.csv\)"),
        ({"a.pbr": b""}, RECORDIO, {}, r"hold no row \(a.pbr\)"),
        ({"a.csv": csv(GOOD)}, "image/png", {}, r"'image/png' is not one of .*channel 'train'"),
        ({"a.csv": csv(GOOD)}, "text/csv;label_size=x", {}, r"is not one of"),
        ({"a.csv": csv(GOOD)}, "text/csv;label_size=\u00b2", {}, r"is not one of"),
        ({"a.csv": csv(GOOD)}, "text/csv;label_size=" + "9" * 5000, {}, r"is not one of"),
        ({"a.csv": csv(GOOD), "b.csv": b"1,2\n3\n"}, CSV0, {}, r"Unable to read data channel 'train'.*b.csv, row 2: has 1 fields"),
        ({"a.csv": b"x,y\n1,2\n"}, CSV0, {}, r"a.csv, row 1: .*'x'.*Remove the header"),
        ({"a.csv": csv(GOOD), "b.csv": gzip.compress(csv(GOOD))}, CSV0, {}, r"b.csv, is compressed with gzip. Set the channel's CompressionType to Gzip"),
        ({"a.pbr": gzip.compress(pbr(GOOD))}, RECORDIO, {}, r"a.pbr, is compressed with gzip"),
        ({"a.csv": b"1,nan\n"}, CSV0, {}, r"a.csv, row 1: field 2 \(nan\)"),
        ({"a.csv": b"1\n"}, "text/csv", {}, r"a.csv, row 1: has 1 field, of which 1 would be the label.*label_size=0"),
        ({"a.csv": csv(GOOD)}, "text/csv", {"feature_dim": 2}, r"cannot copy sequence with size 1 to array axis with dimension 2: a.csv, row 1.*label_size=0"),
        ({"a.csv": csv(GOOD), "b.csv": csv(np.ones((1, 3)))}, CSV0, {}, r"with size 3 to array axis with dimension 2: b.csv, row 1"),
        ({"a.pbr": pbr(GOOD) + pbr(np.ones((1, 3), "f4"))}, RECORDIO, {}, r"a.pbr, row 4 of channel 'train' has 3 features"),
        ({"a.pbr": pbr(GOOD)[:-9]}, RECORDIO, {}, r"a.pbr, record 3 \(byte 64\): .*truncated"),
        ({"a.pbr": b"1,2\n3,4\n"}, RECORDIO, {}, r"a.pbr, record 1 \(byte 0\): does not start with a valid magic number"),
        ({"a.pbr": pbr(np.array([[1, 2], [np.nan, 3]], "f4"))}, RECORDIO, {}, r"a.pbr, record 2: its features hold a number that is not finite"),
        ({"a.pbr": pbr(np.array([[1.0, 1e300]]))}, RECORDIO, {}, r"a.pbr, record 1: .*not finite in float32"),
        ({"a.pbr": pbr(GOOD)}, RECORDIO, {"labels": True}, r"has no labels: a.pbr, record 1"),
        ({"a.csv": b"1," * (17 << 20)}, CSV0, {}, r"a.csv, row 1: is longer than 32 MB"),
        ({"a.pbr": b"".join(records.sparse(Sparse(np.ones(1, "f4"), np.array([1]), np.array([1]), 2**31 - 1)))}, RECORDIO, {"feature_dim": 2, "dense": True}, r"with size 2147483647"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_bad_data_is_a_client_error_that_names_file_and_row(
    tmp_path: Path, files: dict[str, bytes], kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=f"(?s){words}"):
        list(batches.read(channel(tmp_path, files, kind), 2, **options))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=100), st.sampled_from([CSV0, RECORDIO]), st.integers(0, 2))
def test_random_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, kind: str, good: int
) -> None:
    before = (csv if kind == CSV0 else pbr)(GOOD) * good
    try:
        for batch in batches.read(channel(tmp_path_factory.mktemp("c"), {"a": before + raw}, kind), 2):
            assert np.isfinite(
                batch.features if isinstance(batch.features, np.ndarray) else batch.features.data
            ).all()
    except ClientError as error:
        assert "channel 'train'" in str(error)


@pytest.mark.parametrize("kind", [CSV0, RECORDIO])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    peaks = []
    rows = np.random.default_rng(0).normal(size=(40_000, 8)).astype("f4")
    for copies in (4, 12):
        write = csv if kind == CSV0 else pbr
        folder = tmp_path / str(copies)
        folder.mkdir()
        piece = write(rows)
        with (folder / "data").open("wb") as file:
            for _ in range(copies):
                file.write(piece)
        tracemalloc.start()
        assert (
            sum(len(batch) for batch in batches.read(Channel("train", folder, kind), 500)) == copies * 40_000
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
