"""K-Means: quality against scikit-learn, the artefact, the log, serving foreign models, bad data and requests."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algorithms.builtin.failures import ClientError
from algorithms.builtin.kmeans import lloyd, model
from algorithms.builtin.kmeans.stream import Centers, Reservoir
from algorithms.formats import ndarray, recordio, records
from tests.algorithms.containers import Server, Trained, serving, train
from tests.algorithms.test_pca import census, pbr
from tests.algorithms.test_requests import bodies, types

CSV0 = "text/csv;label_size=0"
FIXTURES = Path(__file__).parent / "fixtures"


def blobs(rows: int = 2000, centers: int = 5, columns: int = 3, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    middle = random.uniform(-10, 10, (centers, columns))
    return (middle[random.integers(0, centers, rows)] + random.normal(size=(rows, columns))).astype("f4")


def msd(rows: Any, centers: Any) -> float:
    return model.Model(centers).squares(rows) / len(rows)


def best_of_scikit_learn(rows: Any, k: int) -> float:
    from sklearn.cluster import KMeans

    return float(KMeans(k, n_init=20, random_state=0).fit(rows.astype(np.float64)).inertia_) / len(rows)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    rows = blobs()
    # As the SDK v2's KMeans sends them.
    hyper = {"feature_dim": 3, "k": 5, "force_dense": "True", "mini_batch_size": 300, "epochs": 2}
    hyper["eval_metrics"] = '["msd", "ssd"]'
    files = {"matrix_0.pbr": pbr(rows[:900]), "matrix_1.pbr": pbr(rows[900:])}
    return train(
        tmp_path_factory.mktemp("kmeans"),
        "kmeans",
        hyper,
        {"train": ("", files), "test": ("", {"t.pbr": pbr(blobs()[:500])})},
    )


@pytest.fixture(scope="module")
def server(trained: Trained) -> Iterator[Server]:
    with serving(trained.base, "kmeans") as found:
        yield found


def centers_of(done: Trained) -> Any:
    (centers,) = ndarray.load(done.model_dir / "model_algo-1")
    return centers


def test_the_artefact_is_a_list_of_one_array_of_centres(trained: Trained) -> None:
    assert (trained.status, trained.errors, trained.failure) == (0, "", "")
    centers = centers_of(trained)
    assert (centers.shape, str(centers.dtype)) == ((5, 3), "float32")
    assert msd(blobs(), centers) < 1.01 * best_of_scikit_learn(blobs(), 5)


def test_awss_metric_definitions_find_their_values_in_the_log(trained: Trained) -> None:
    # The regular expressions are those of the SDK's metric definitions.
    found = re.findall(r"#quality_metric: host=\S+, test msd <loss>=(\S+)", trained.output)
    sums = re.findall(r"#quality_metric: host=\S+, test ssd <loss>=(\S+)", trained.output)
    expected = msd(blobs()[:500], centers_of(trained))
    assert [float(value) for value in found] == pytest.approx([expected])
    assert [float(value) for value in sums] == pytest.approx([500 * expected])
    assert re.findall(r"#progress_metric: host=\S+, completed (\S+) %", trained.output) == ["50", "100"]
    for words in (
        "processed a total of 2000 examples",
        "shrinking 50 centers into 5",
        "local kmeans attempt #9. Current mean square distance",
        "finished shrinking process. Mean Square Distance = ",
        "train msd <loss>=",
        '"Algorithm": "AWS/KMeansWebscale"',
    ):
        assert words in trained.output


def test_predictions_in_every_format(server: Server, trained: Trained) -> None:
    centers = centers_of(trained)
    rows = blobs(seed=3)[:4]
    distances = np.linalg.norm(rows[:, None].astype(float) - centers[None], axis=2)
    expected = [
        {"closest_cluster": float(row.argmin()), "distance_to_cluster": pytest.approx(row.min(), rel=1e-5)}
        for row in distances
    ]
    status, body, kind = server.invoke(pbr(rows), "application/x-recordio-protobuf")
    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == {"predictions": expected}
    text = "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()
    assert server.invoke(text, "text/csv")[1] == body
    _, lines, _ = server.invoke(text, "text/csv", "application/jsonlines")
    assert [json.loads(line) for line in lines.splitlines()] == expected
    _, table, _ = server.invoke(text, "text/csv", "text/csv")
    assert [float(line.split(b",")[0]) for line in table.splitlines()] == [
        row["closest_cluster"] for row in expected
    ]
    _, raw, _ = server.invoke(text, "text/csv", "application/x-recordio-protobuf")
    assert len(list(recordio.payloads(io.BytesIO(raw)))) == 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies, types, st.sampled_from(["", "text/csv", "image/png"]))
def test_sixty_random_requests_leave_the_worker_alive(
    server: Server, body: bytes, kind: str, accept: str
) -> None:
    status, answer, _ = server.invoke(body, kind, accept)
    assert status in (200, 400, 406, 415)
    assert answer.strip()
    assert server.process.poll() is None


def test_a_file_that_mxnet_wrote_is_served(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model_algo-1").write_bytes((FIXTURES / "list.ndarray").read_bytes())
    with serving(tmp_path, "kmeans") as foreign:
        status, body, _ = foreign.invoke(b"0.75,1,1.25\n0,0.25,3.5", "text/csv")
    assert status == 200
    assert json.loads(body)["predictions"] == [
        {"closest_cluster": 1.0, "distance_to_cluster": 0.0},
        {"closest_cluster": 1.0, "distance_to_cluster": pytest.approx(2.4874686)},
    ]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no file model_algo-1; it holds nothing"),
        ({"model_algo-1": (FIXTURES / "sparse.ndarray").read_bytes()}, "row_sparse"),
        ({"model_algo-1": ndarray.encode([np.ones(3, "f4")])}, r"arrays of shapes \[\(3,\)\]"),
        ({"model_algo-1": ndarray.encode([np.full((1, 2), np.nan)])}, "not finite"),
    ],
    ids=range(4),
)
def test_another_model_is_refused_by_name(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(ClientError, match=words):
        model.load(tmp_path)


GOOD = pbr(np.arange(12, dtype="f4").reshape(6, 2))


@pytest.mark.parametrize(
    ("changes", "channels", "words"),
    [
        ({"k": 7}, {"train": ("", {"a": GOOD})}, r"k \(7\) must not be greater than the number of rows in channel 'train' \(6\)"),
        ({"k": 0}, {"train": ("", {"a": GOOD})}, r"'0' is not valid under any of the given schemas"),
        ({"eval_metrics": '["rmse"]'}, {"train": ("", {"a": GOOD})}, r"rmse"),
        ({"init_method": "best"}, {"train": ("", {"a": GOOD})}, r"'best' is not one of"),
        ({"local_lloyd_tol": "2"}, {"train": ("", {"a": GOOD})}, r"'2' is not valid"),
        ({"feature_dim": 3}, {"train": ("", {"a": GOOD})}, r"cannot copy sequence with size 2 to array axis with dimension 3"),
        ({}, {"train": (CSV0, {"a.csv": b"1,2\n3,x\n"})}, r"a.csv, row 2: field 2 \('x'\)"),
        ({}, {"train": (CSV0, {"a.csv": b"\n"})}, r"hold no row"),
        ({}, {"train": ("", {"a": GOOD}), "test": (CSV0, {"b.csv": b"1\n"})}, r"b.csv, row 1 of channel 'test' has 1 features"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_cannot_be_used_is_a_client_error(
    tmp_path: Path, changes: dict[str, Any], channels: Any, words: str
) -> None:
    done = train(tmp_path, "kmeans", {"feature_dim": 2, "k": 2} | changes, channels)
    assert done.status == 2
    assert done.failure.startswith("ClientError: ")
    assert re.search(f"(?s){words}", done.failure), done.failure
    assert "Traceback" not in done.errors + done.output


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"init_method": "kmeans++", "local_lloyd_init_method": "random"},
        {"extra_center_factor": 1, "local_lloyd_num_trials": 1},
        {"half_life_time_size": 100, "mini_batch_size": 7, "epochs": 3},
        {"local_lloyd_max_iter": 1, "local_lloyd_tol": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "rows", [np.ones((9, 2), "f4"), np.arange(18, dtype="f4").reshape(9, 2)], ids=["same", "line"]
)
def test_duplicates_and_few_rows_give_k_finite_centres(
    tmp_path: Path, options: dict[str, Any], rows: Any
) -> None:
    done = train(tmp_path, "kmeans", {"feature_dim": 2, "k": 4} | options, {"train": ("", {"a": pbr(rows)})})
    assert (done.status, done.errors) == (0, "")
    centers = centers_of(done)
    assert centers.shape == (4, 2)
    assert np.isfinite(centers).all()
    assert (centers.min(axis=0) >= rows.min(axis=0) - 1e-4).all()
    assert (centers.max(axis=0) <= rows.max(axis=0) + 1e-4).all()


def test_sorted_data_and_large_means_lose_no_cluster(tmp_path: Path) -> None:
    rows = blobs(6000, 6)
    rows = rows[np.argsort(rows[:, 0])] * 5 + 1e4
    hyper = {"feature_dim": 3, "k": 6, "mini_batch_size": 200}
    done = train(tmp_path, "kmeans", hyper, {"train": ("", {"a": pbr(rows)})})
    assert msd(rows, centers_of(done)) < 1.01 * best_of_scikit_learn(rows, 6)


def test_a_sample_smaller_than_the_data_still_finds_the_clusters(tmp_path: Path) -> None:
    rows = blobs(40_000, 8, 4)
    done = train(tmp_path, "kmeans", {"feature_dim": 4, "k": 8}, {"train": ("", {"a": pbr(rows)})})
    assert msd(rows, centers_of(done)) < 1.01 * best_of_scikit_learn(rows, 8)


def test_the_census_clusters_are_within_one_percent_of_scikit_learns_best(
    real_data: Path, tmp_path: Path
) -> None:
    rows = census(real_data).astype(np.float64)
    centred = rows - rows.mean(axis=0)
    components = np.linalg.svd(centred, full_matrices=False)[2][:7]
    projected = (centred @ components.T).astype("f4")
    done = train(tmp_path, "kmeans", {"feature_dim": 7, "k": 8}, {"train": ("", {"a": pbr(projected)})})
    assert "Effective batch size used to initialize is 3218" in done.output
    assert msd(projected, centers_of(done)) < 1.01 * best_of_scikit_learn(projected, 8)


def test_streaming_centres_are_running_means() -> None:
    centers = Centers(np.array([[0.0], [10.0]], "f4"), half_life=0)
    centers.update(np.array([[1.0], [3.0], [9.0]], "f4"))
    centers.update(np.array([[5.0]], "f4"))
    assert centers.values.tolist() == [[3.0], [9.0]]
    assert centers.weights.tolist() == [3.0, 1.0]


def test_a_row_weighs_half_after_the_half_life() -> None:
    centers = Centers(np.array([[0.0]], "f4"), half_life=2)
    centers.update(np.array([[4.0], [4.0]], "f4"))
    centers.update(np.array([[1.0], [1.0]], "f4"))
    assert centers.weights.tolist() == [3.0]
    assert centers.values.tolist() == [[2.0]]


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 60))
def test_the_reservoir_holds_seen_rows_only(sizes: list[int], capacity: int) -> None:
    reservoir = Reservoir(capacity, 1, np.random.default_rng(0))
    for number, size in enumerate(sizes):
        reservoir.update((100 * number + np.arange(size, dtype="f4")).reshape(-1, 1))
    total = sum(sizes)
    assert reservoir.complete == (total <= capacity)
    kept = reservoir.rows[:, 0].tolist()
    assert len(kept) == min(total, capacity) == len(set(kept))
    assert set(kept) <= {100 * number + row for number, size in enumerate(sizes) for row in range(size)}


def test_the_reservoir_is_uniform() -> None:
    counts = np.zeros(50)
    for seed in range(2000):
        reservoir = Reservoir(10, 1, np.random.default_rng(seed))
        for start in range(0, 50, 7):
            reservoir.update(np.arange(start, min(50, start + 7), dtype="f4").reshape(-1, 1))
        counts[reservoir.rows[:, 0].astype(int)] += 1
    assert np.abs(counts - 400).max() < 6 * np.sqrt(400 * 0.8)


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays("f4", st.tuples(st.integers(3, 30), st.integers(1, 3)), elements=st.floats(-8, 8, width=16)),
    st.integers(1, 3),
    st.booleans(),
)
def test_lloyd_never_makes_the_loss_worse(points: Any, k: int, weighted: bool) -> None:
    random = np.random.default_rng(0)
    weights = random.uniform(0.5, 2, len(points)) if weighted else np.ones(len(points))
    start = lloyd.plus_plus(points, weights, k, random)
    squares = lloyd.distances(points, start, lloyd.nearest(points, start))
    fit = lloyd.fit(points, weights, start, iterations=50, tolerance=0)
    assert fit.centers.shape == (k, points.shape[1])
    assert fit.msd <= float(weights @ squares) / weights.sum() * (1 + 1e-5) + 1e-6


def test_a_sparse_channel_is_made_dense(tmp_path: Path) -> None:
    sparse = records.Sparse(np.ones(8, "f4"), np.arange(8) % 4, np.ones(8, np.int64), 4)
    raw = b"".join(records.sparse(sparse))
    done = train(tmp_path, "kmeans", {"feature_dim": 4, "k": 4}, {"train": ("", {"a": raw})})
    assert sorted(map(tuple, centers_of(done).round(4).tolist())) == sorted(map(tuple, np.eye(4).tolist()))
