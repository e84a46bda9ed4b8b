"""PCA: against numpy's SVD, on real data, as a container, and against bad data and requests."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algorithms.builtin.failures import ClientError
from algorithms.builtin.pca import model
from algorithms.builtin.pca.accumulators import Covariance, Sketch
from algorithms.formats import ndarray, recordio, records
from tests.algorithms.containers import Server, Trained, serving, train
from tests.algorithms.test_requests import bodies, types

CSV0 = "text/csv;label_size=0"
HYPER = {"feature_dim": 6, "mini_batch_size": 50, "num_components": 4}


def data(rows: int = 400, columns: int = 6) -> Any:
    random = np.random.default_rng(1)
    mixed = random.normal(size=(rows, columns)) @ random.normal(size=(columns, columns))
    return (mixed + np.arange(columns) * 10).astype("f4")


def pbr(rows: Any, labels: Any = None) -> bytes:
    return b"".join(records.dense(rows, labels))


@pytest.mark.parametrize("subtract_mean", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_streamed_covariance_is_numpys_svd(subtract_mean: bool, offset: float) -> None:
    rows = data().astype(np.float64) + (offset if subtract_mean else 0)
    accumulator = Covariance(6)
    for part in np.array_split(rows, 7):
        accumulator.update(part)
    s, v, mean = accumulator.solve(subtract_mean)
    centred = rows - rows.mean(axis=0) if subtract_mean else rows
    _, expected, components = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(s[::-1], expected, rtol=1e-5)
    assert np.allclose(np.abs(components @ v[:, ::-1]), np.eye(6), atol=1e-4)
    assert np.allclose(mean, rows.mean(axis=0) if subtract_mean else 0)


@pytest.mark.parametrize("subtract_mean", [True, False])
def test_a_large_sketch_finds_the_components_and_singular_values(subtract_mean: bool) -> None:
    random = np.random.default_rng(0)
    strengths = np.array([50.0, 30, 10, 1, 0.5, 0.1, 0.1, 0.1])
    rows = random.normal(size=(3000, 8)) * strengths + 5
    sketch = Sketch(8, 600)
    for part in np.array_split(rows, 11):
        sketch.update(part)
    s, v, _ = sketch.solve(subtract_mean)
    centred = rows - rows.mean(axis=0) if subtract_mean else rows
    _, expected, components = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(s[::-1][:3], expected[:3], rtol=0.15)
    assert (np.diag(np.abs(components @ v[:, ::-1]))[:3] > 0.98).all()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    rows = data()
    files = {"matrix_0.pbr": pbr(rows[:150]), "matrix_1.pbr": pbr(rows[150:])}
    channels = {"train": ("", files), "test": (CSV0, {"t.csv": b"1,2,3,4,5,6\n"})}
    return train(tmp_path_factory.mktemp("pca"), "pca", HYPER, channels)


@pytest.fixture(scope="module")
def server(trained: Trained) -> Iterator[Server]:
    with serving(trained.base, "pca") as found:
        yield found


def test_the_artefact_is_what_notebooks_open(trained: Trained) -> None:
    assert (trained.status, trained.errors, trained.failure) == (0, "", "")
    arrays: Any = ndarray.load(trained.model_dir / "model_algo-1")
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
        "s": ((4,), "float32"),
        "v": ((6, 4), "float32"),
        "mean": ((1, 6), "float32"),
    }
    rows = data().astype(np.float64)
    _, expected, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    assert np.allclose(arrays["s"], expected[:4][::-1], rtol=1e-5)
    assert np.allclose(arrays["mean"][0], rows.mean(axis=0), rtol=1e-5)
    spread = np.linalg.norm((rows - rows.mean(axis=0)) @ arrays["v"], axis=0)
    assert np.allclose(spread, arrays["s"], rtol=1e-4)


def test_the_log_reads_as_the_containers(trained: Trained) -> None:
    for words in (
        "Docker entrypoint called with argument(s): train",
        "Reading default configuration from",
        "'algorithm_mode': 'regular'",
        "6 feature(s) found in 'data'.",
        "#progress_metric: host=algo-1, completed 100 % of epochs",
        "#throughput_metric: host=algo-1, train throughput=",
        '"Dimensions": {"Algorithm": "PCA", "Host": "algo-1", "Operation": "training"}',
        '"Total Records Seen": {"sum": 400.0',
        '"Total Batches Seen": {"sum": 8.0',
        "#test_score (algo-1) : ('mean_squared_reconstruction_error',",
        '"totaltime"',
    ):
        assert words in trained.output


def test_projections_in_every_format(server: Server, trained: Trained) -> None:
    arrays: Any = ndarray.load(trained.model_dir / "model_algo-1")
    rows = data()[:3]
    expected = (rows - arrays["mean"]) @ arrays["v"]
    text = "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()
    status, body, kind = server.invoke(text, "text/csv")
    assert (status, kind) == (200, "application/json")
    found = [row["projection"] for row in json.loads(body)["projections"]]
    assert np.allclose(found, expected, atol=1e-4)
    for content_type, sent in (
        (
            "application/json",
            json.dumps({"instances": [{"features": row} for row in rows.tolist()]}).encode(),
        ),
        (
            "application/jsonlines",
            b"\n".join(json.dumps({"features": row}).encode() for row in rows.tolist()),
        ),
        ("application/x-recordio-protobuf", pbr(rows)),
    ):
        assert server.invoke(sent, content_type)[:2] == (200, body)
    status, lines, kind = server.invoke(text, "text/csv", "application/jsonlines")
    assert (status, kind) == (200, "application/jsonlines")
    assert [json.loads(line)["projection"] for line in lines.splitlines()] == found
    status, raw, kind = server.invoke(text, "text/csv", "application/x-recordio-protobuf")
    assert (status, kind) == (200, "application/x-recordio-protobuf")
    assert len(list(recordio.payloads(io.BytesIO(raw)))) == 3
    status, table, _ = server.invoke(text, "text/csv", "text/csv")
    assert np.allclose(
        [list(map(float, line.split(b","))) for line in table.splitlines()], expected, atol=1e-4
    )


def test_a_rows_projection_does_not_depend_on_the_rows_beside_it(server: Server) -> None:
    rows = data(64)
    text = [",".join(map(repr, row)).encode() for row in rows.tolist()]
    _, together, _ = server.invoke(b"\n".join(text), "text/csv", "text/csv")
    alone = [server.invoke(line, "text/csv", "text/csv")[1] for line in text]
    assert together.splitlines() == [line.strip() for line in alone]


def test_the_server_tells_batch_transform_its_limits(server: Server) -> None:
    status, body, _ = server.request("GET", "/execution-parameters")
    assert status == 200
    assert json.loads(body) == {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies, types, st.sampled_from(["", "application/json", "image/png"]))
def test_sixty_random_requests_leave_the_worker_alive(
    server: Server, body: bytes, kind: str, accept: str
) -> None:
    status, answer, _ = server.invoke(body, kind, accept)
    assert 400 <= status < 500
    assert answer.strip()
    assert server.process.poll() is None


def test_only_numpy_is_loaded_before_the_first_request(server: Server, trained: Trained) -> None:

    program = (
        "import sys, pathlib; from algorithms.builtin import serve; from algorithms.builtin.algorithm import find;"
        f"find('pca').load(pathlib.Path({str(trained.model_dir)!r}), '1');"
        "print([name for name in ('scipy', 'sklearn', 'torch', 'pandas', 'pyarrow', 'xgboost') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


GOOD = pbr(np.ones((3, 6), "f4"))


@pytest.mark.parametrize(
    ("changes", "channels", "words"),
    [
        ({"num_components": 7}, {"train": ("", {"a": GOOD})}, r"num_components \(7\) must not be greater than feature_dim \(6\)"),
        ({"mini_batch_siz": 1}, {"train": ("", {"a": GOOD})}, r"Additional properties are not allowed \('mini_batch_siz' was unexpected\)"),
        ({"algorithm_mode": "fast"}, {"train": ("", {"a": GOOD})}, r"'fast' is not one of"),
        ({"feature_dim": 5}, {"train": ("", {"a": GOOD})}, r"cannot copy sequence with size 6 to array axis with dimension 5: a, row 1"),
        ({}, {"test": ("", {"a": GOOD})}, r"Missing required channel 'train'"),
        ({}, {"train": ("", {"a": GOOD[:-10]})}, r"a, record 3 .*truncated"),
        ({}, {"train": ("text/csv", {"a.csv": b"1,2,3,4,5,6\n"})}, r"with size 5 to array axis with dimension 6: a.csv, row 1.*label_size=0"),
        ({}, {"train": (CSV0, {"a.csv": b"1,2,3,4,5,6\n1,2\n"})}, r"a.csv, row 2: has 2 fields"),
        ({}, {"train": (CSV0, {"a.csv": b""})}, r"hold no row \(a.csv\)"),
        ({}, {"train": ("", {"a": GOOD}), "test": ("", {"b": b"x"})}, r"channel 'test'.*b, record 1"),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_cannot_be_used_is_a_client_error(
    tmp_path: Path, changes: dict[str, Any], channels: Any, words: str
) -> None:
    done = train(tmp_path, "pca", HYPER | changes, channels)
    assert done.status == 2
    assert done.failure.startswith("ClientError: ")
    assert re.search(f"(?s){words}", done.failure), done.failure
    assert "Traceback" not in done.errors + done.output


def test_rows_fewer_than_components_and_constant_columns_are_no_failure(tmp_path: Path) -> None:
    done = train(tmp_path, "pca", HYPER, {"train": ("", {"a": pbr(np.ones((2, 6), "f4"))})})
    assert done.status == 0
    assert "is greater than the number of rows (2)" in done.output
    arrays: Any = ndarray.load(done.model_dir / "model_algo-1")
    assert np.isfinite(arrays["v"]).all()
    assert np.allclose(arrays["s"], 0)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"weights.bin": b"x"}, "no file model_algo-1; it holds weights.bin"),
        ({"model_algo-1": b"PK\x03\x04"}, "is not a PCA model: model_algo-1: truncated"),
        ({"model_algo-1": ndarray.encode([np.ones((2, 2), "f4")])}, "holds a list of 1 arrays"),
        ({"model_algo-1": ndarray.encode({"v": np.ones(3, "f4")})}, r"'v' has the shape \(3,\)"),
    ],
)
def test_another_model_is_refused_by_name(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(ClientError, match=words):
        model.load(tmp_path)


def census(folder: Path) -> Any:
    import pandas as pd
    from sklearn.preprocessing import MinMaxScaler

    table = pd.read_csv(folder / "census" / "acs2015_county_data.csv").dropna()
    table = table.drop(columns=["CensusId", "State", "County"])
    assert table.shape == (3218, 34)
    return MinMaxScaler().fit_transform(table).astype("f4")


def test_the_population_notebooks_numbers(real_data: Path, tmp_path: Path) -> None:
    hyper = {"feature_dim": 34, "mini_batch_size": 500, "num_components": 33}
    done = train(tmp_path, "pca", hyper, {"train": ("", {"matrix_0.pbr": pbr(census(real_data))})})
    arrays: Any = ndarray.load(done.model_dir / "model_algo-1")
    s = arrays["s"].astype(np.float64)
    assert np.round(s[::-1][:5], 3).tolist() == [19.592, 13.036, 11.718, 10.180, 7.991]
    assert round(float((s[-7:] ** 2).sum() / (s**2).sum()), 4) == 0.8017
