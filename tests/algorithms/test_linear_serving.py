"""LinearLearner's endpoint: every request form, every answer form, and what happens to bad requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algorithms.builtin.failures import ClientError
from algorithms.builtin.linear import artefact, load
from algorithms.builtin.linear.model import Model
from algorithms.formats import records
from algorithms.formats.message import record_class
from algorithms.formats.recordio import payloads
from tests.algorithms.containers import Server, serving
from tests.algorithms.test_requests import bodies, types

JSON, JSONLINES, CSV, RECORDIO = (
    "application/json",
    "application/jsonlines",
    "text/csv",
    "application/x-recordio-protobuf",
)
FEATURES = 6
ROWS = np.random.default_rng(0).normal(size=(7, FEATURES)).astype("f4")
ROWS[ROWS < 0.2] = 0
MODELS = {
    "binary": Model(
        "binary_classifier",
        "logistic",
        np.array([[1.0], [-2], [0.5], [0], [3], [1]]),
        np.array([0.25]),
        0.4,
    ),
    "multiclass": Model(
        "multiclass_classifier",
        "softmax_loss",
        np.random.default_rng(1).normal(size=(FEATURES, 4)).astype("f4").astype(float),
        np.array([0.0, 1, 2, 3]),
        0.0,
    ),
    "regressor": Model("regressor", "squared_loss", np.arange(6.0)[:, None], np.array([20.0]), 0.0),
    "hinge": Model("binary_classifier", "hinge_loss", np.ones((FEATURES, 1)), np.array([-1.5]), 0.1),
}


@pytest.fixture(scope="module", params=list(MODELS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Server]]:
    base = tmp_path_factory.mktemp(request.param)
    artefact.save(MODELS[request.param], base / "model")
    with serving(base, "linear-learner") as server:
        yield request.param, server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("one")
    artefact.save(MODELS["binary"], base / "model")
    with serving(base, "linear-learner") as server:
        yield server


def requests_of(rows: Any) -> dict[str, tuple[str, bytes]]:
    """The same rows in every form."""
    matrix = sp.csr_matrix(rows)
    sparse = records.Sparse(
        matrix.data, matrix.indices.astype("i8"), np.diff(matrix.indptr).astype("i8"), FEATURES
    )
    keyed = [
        {"keys": row.nonzero()[0].tolist(), "shape": [FEATURES], "values": row[row != 0].tolist()}
        for row in rows
    ]
    forms: dict[str, list[Any]] = {
        "plain": [{"features": row.tolist()} for row in rows],
        "values": [{"data": {"features": {"values": row.tolist()}}} for row in rows],
        "keys": [{"data": {"features": features}} for features in keyed],
    }
    found = {
        "csv": (CSV, "\n".join(",".join(f"{v:.9g}" for v in row) for row in rows).encode()),
        "csv, no label": (
            "text/csv; label_size=0",
            b"\n".join(b",".join(b"%.9g" % v for v in row) for row in rows) + b"\n",
        ),
        "dense records": (RECORDIO, b"".join(records.dense(rows))),
        "sparse records": (RECORDIO, b"".join(records.sparse(sparse))),
    }
    for name, instances in forms.items():
        found[f"json {name}"] = (JSON, json.dumps({"instances": instances, "configuration": {}}).encode())
        found[f"jsonlines {name}"] = (JSONLINES, "\n".join(map(json.dumps, instances)).encode())
    return found


def expected(kind: str, rows: Any) -> list[dict[str, Any]]:
    """The answers by plain arithmetic."""
    model = MODELS[kind]
    answers = []
    for row in rows.astype(float):
        raw = row @ model.weights + model.bias
        if kind == "multiclass":
            shares = np.exp(raw) / np.exp(raw).sum()
            answers.append(
                {"score": pytest.approx(shares.tolist(), abs=1e-6), "predicted_label": int(raw.argmax())}
            )
            continue
        score = 1 / (1 + np.exp(-raw[0])) if kind == "binary" else raw[0]
        answer: dict[str, Any] = {"score": pytest.approx(score, rel=1e-6)}
        if kind != "regressor":
            answer["predicted_label"] = int(raw[0] >= model.threshold)
        answers.append(answer)
    return answers


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]], ids=["batch", "single"])
def test_every_form_of_a_request_has_the_same_answer(served: tuple[str, Server], rows: Any) -> None:
    kind, server = served
    wanted = expected(kind, rows)
    for name, (content_type, body) in requests_of(rows).items():
        status, answer, answered = server.invoke(body, content_type)
        assert (status, answered) == (200, JSON), (name, answer)
        assert json.loads(answer) == {"predictions": wanted}, name


def test_every_answer_form_says_the_same(served: tuple[str, Server]) -> None:
    kind, server = served
    wanted = expected(kind, ROWS)
    body = requests_of(ROWS)["csv"][1]
    status, answer, answered = server.invoke(body, CSV, JSONLINES)
    assert (status, answered) == (200, JSONLINES)
    assert [json.loads(line) for line in answer.splitlines()] == wanted
    status, answer, answered = server.invoke(body, CSV, CSV)
    assert (status, answered) == (200, CSV)
    lines = [[float(cell) for cell in line.split(",")] for line in answer.decode().splitlines()]
    status, answer, answered = server.invoke(body, CSV, RECORDIO)
    assert (status, answered) == (200, RECORDIO)
    Record = record_class()
    labels = []
    import io

    for payload in payloads(io.BytesIO(answer)):
        record = Record()
        record.ParseFromString(payload)
        labels.append({name: list(value.float32_tensor.values) for name, value in record.label.items()})
    for row, line, label in zip(wanted, lines, labels, strict=True):
        flat = [*np.atleast_1d(line)]
        count = 4 if kind == "multiclass" else 1
        score = flat[:count] if kind == "multiclass" else flat[0]
        assert score == row["score"]
        assert (label["score"] if count > 1 else label["score"][0]) == row["score"]
        assert set(label) == set(row)
        if "predicted_label" in row:
            assert flat[-1] == label["predicted_label"][0] == row["predicted_label"]


def test_labels_are_integers_and_classes_differ() -> None:
    answers = MODELS["binary"].answers(ROWS)
    assert answers["predicted_label"].dtype.kind == "i"
    assert answers["score"].dtype == np.float32
    assert set(answers["predicted_label"].tolist()) == {0, 1}


def test_rows_whose_probability_rounds_to_one_are_still_told_apart() -> None:
    model = Model("binary_classifier", "logistic", np.ones((1, 1)), np.zeros(1), 45.5)
    answers = model.answers(np.array([[40.0], [45.0], [46.0], [60.0]], "f4"))
    assert answers["score"].tolist() == [1, 1, 1, 1]
    assert answers["predicted_label"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "texts"),
    [
        (CSV, b"1,2,3", 400, ["row 1", "3 features", "6"]),
        (CSV, b"1,2,3,4,5,6\n1,2,3,4,5", 400, ["row 2"]),
        (CSV, b"1,2,x,4,5,6", 400, ["row 1"]),
        (CSV, b"", 400, ["empty"]),
        (JSON, b'{"instances": [{"features": [1, 2, 3, 4, 5, 6]}, {"features": [1]}]}', 400, ["row 2", "1 features", "6"]),
        (JSON, b"{", 400, ["not JSON"]),
        (JSON, b'{"rows": []}', 400, ["instances"]),
        (JSONLINES, b'{"features": [1]}', 400, ["row 1"]),
        (RECORDIO, b"abc", 400, ["recordIO"]),
        ("image/png", b"x", 415, ["image/png"]),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_what_is_wrong(
    server: Server, content_type: str, body: bytes, status: int, texts: list[str]
) -> None:
    found, answer, _ = server.invoke(body, content_type)
    assert found == status
    for text in texts:
        assert text in answer.decode()


def test_an_answer_in_an_unknown_format_is_refused(server: Server) -> None:
    assert server.invoke(b"1,2,3,4,5,6", CSV, "image/png")[0] == 406


def test_batch_transform_is_told_how_to_ask(server: Server) -> None:
    status, answer, _ = server.request("GET", "/execution-parameters")
    assert status == 200
    assert json.loads(answer)["BatchStrategy"] == "MULTI_RECORD"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies, types, st.sampled_from(["", JSON, "image/png"]))
def test_sixty_random_requests_leave_the_worker_alive(
    server: Server, body: bytes, kind: str, accept: str
) -> None:
    status, answer, _ = server.invoke(body, kind, accept)
    assert 400 <= status < 500
    assert answer.strip()
    assert server.process.poll() is None


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04broken"])
def test_what_is_no_model_is_refused_with_the_remedy(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "model_algo-1").write_bytes(content)
    with pytest.raises(ClientError) as caught:
        load(tmp_path, "1")
    assert "model_algo-1" in str(caught.value)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_model_is_refused_or_read_never_a_traceback(tmp_path: Path, at: int, patch: bytes) -> None:
    path = artefact.save(MODELS["binary"], tmp_path)
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at : at + len(patch)] = patch
    path.write_bytes(bytes(data))
    try:
        load(tmp_path, "1")
    except ClientError as error:
        assert "is no LinearLearner model" in str(error)
