"""The plagiarism source folder as a container runs it."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest

from algorithms.plagiarism import arrays, features, split
from algorithms.plagiarism.source import classifiers, inference, rows
from tests.algorithms import answers
from tests.algorithms.scripts import Container

SOURCE = Path(__file__).parents[2] / "algorithms" / "plagiarism" / "source"
NAMES = ["c_1", "c_3", "lcs_word"]


def parts() -> tuple[arrays.Rows, arrays.Rows]:
    made = answers.synthetic("abcd")
    return arrays.train_test(split.datatypes(made.frame()), features.table(made), NAMES)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(SOURCE, tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    made = Container(SOURCE, tmp_path_factory.mktemp("trained"))
    train, test = parts()
    arrays.write_csv(made.train / "train.csv", train.x, train.y)
    validation = made.train.with_name("validation")
    arrays.write_csv(validation / "validation.csv", test.x, test.y)
    done = made.run(
        "--features", '"c_1,c_3,lcs_word"', "-c", "10", "--validation", str(validation), "--other", "1"
    )
    assert done.returncode == 0, done.stderr
    (made.output / "log").write_text(done.stdout)
    yield made
    made.close()


def test_metrics_are_lines_that_metric_definitions_find(trained: Container) -> None:
    log = (trained.output / "log").read_text()
    found = {name: float(value) for name, value in re.findall(r"([\w:-]+)=([0-9]+(?:[.][0-9]+)?);", log)}
    for part in ("train", "cv", "validation"):
        assert found[f"{part}:accuracy"] >= 0.9
        assert set(found) >= {f"{part}:{metric}" for metric in ("precision", "recall", "f1", "log_loss")}
    assert (found["rows"], found["features"]) == (16, 3)
    assert "ignored arguments: --other 1" in log
    written = json.loads((trained.output / "data" / "metrics.json").read_text())
    assert written["validation"]["accuracy"] == pytest.approx(found["validation:accuracy"], abs=1e-4)


def test_the_archive_serves_itself_and_all_formats_agree(trained: Container) -> None:
    _, test = parts()
    buffer = io.BytesIO()
    np.save(buffer, test.x)
    as_npy = np.load(io.BytesIO(trained.ask(buffer.getvalue(), "application/x-npy", "application/x-npy")))
    assert as_npy.shape == (len(test.x), 2)
    assert (as_npy[:, 0] == test.y).mean() >= 0.9
    assert np.array_equal(as_npy[:, 0], as_npy[:, 1] >= 0.5)
    text = "\n".join(",".join(map(repr, row)) for row in test.x.tolist())
    as_csv = trained.ask(text.encode(), "text/csv; charset=utf-8", "text/csv").decode().splitlines()
    assert np.allclose([[float(cell) for cell in line.split(",")] for line in as_csv], as_npy)
    named = [dict(zip(reversed(NAMES), reversed(row), strict=True)) for row in test.x.tolist()]
    as_json = json.loads(trained.ask(json.dumps({"instances": named}).encode(), "application/json", "*/*"))
    assert np.allclose([[row["label"], row["probability"]] for row in as_json["predictions"]], as_npy)
    one = json.loads(trained.ask(b"[0.9, 0.8, 0.9]", "application/json", "application/json"))
    assert one["predictions"][0]["label"] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b"0.1,0.2", "text/csv", "rows have 2 features; the model takes 3 features in the order c_1, c_3, lcs_word"),
        (b"a,b,c", "text/csv", "could not convert"),
        (b"0.1,nan,0.2", "text/csv", "NaN or infinite"),
        (b"", "text/csv", "rows of features are expected"),
        (b"0.1,0.2,0.3\n0.1", "text/csv", "different numbers of features"),
        (b"{}", "application/json", "holds no features"),
        (b'[{"c_1": 1, "c_2": 0, "lcs_word": 0}]', "application/json", "the request names c_1, c_2, lcs_word; the model takes"),
        (b'[{"c_1": 1}, {"c_3": 0}]', "application/json", "name different features"),
        (b"", "application/x-npy", "holds no features"),
        (b"<a/>", "application/xml", "application/xml"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_a_reason(
    trained: Container, body: bytes, content_type: str, told: str
) -> None:
    model = inference.model_fn(str(trained.model))
    with pytest.raises(ValueError, match=re.escape(told)):
        inference.predict_fn(inference.input_fn(body, content_type), model)


def test_an_answer_in_an_unknown_format_is_refused(trained: Container) -> None:
    answer = inference.predict_fn(
        inference.input_fn("0,0,0", "text/csv"), inference.model_fn(str(trained.model))
    )
    with pytest.raises(ValueError, match="image/png"):
        inference.output_fn(answer, "image/png")
    body, kind = inference.output_fn(answer, "image/png, text/csv;q=0.5")
    assert (str(body)[:2], kind) == ("0,", "text/csv")


def test_a_model_of_another_scikit_learn_says_so(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"sklearn": "0.20.0"}')
    joblib.dump({}, tmp_path / "model.joblib")
    assert inference.model_fn(str(tmp_path)).estimator == {}
    (tmp_path / "model.joblib").write_bytes(b"\x80\x04cno.such.module\nClass\n.")
    with pytest.raises(RuntimeError, match=r"saved by scikit-learn 0.20.0 and this container has"):
        inference.model_fn(str(tmp_path))


@pytest.mark.parametrize("name", classifiers.NAMES)
def test_every_classifier_learns_and_gives_probabilities(name: str) -> None:
    train, test = parts()
    x, y = np.concatenate([train.x, test.x]), np.concatenate([train.y, test.y])
    model = classifiers.fitted(name, x, y, n_estimators=5)
    assert ((classifiers.probability(model, x) >= 0.5) == y).mean() >= 0.9
    out = classifiers.out_of_sample(name, x, y, 3, n_estimators=5)
    assert out.shape == y.shape
    assert ((out >= 0) & (out <= 1)).all()


def test_classifiers_refuse_what_they_cannot_learn_from() -> None:
    x, y = np.zeros((4, 1)), np.array([0, 1, 1, 1])
    for told, call in (
        ("there is no classifier 'tree'; there are logistic-regression", lambda: classifiers.make("tree")),
        ("no hyperparameter depth", lambda: classifiers.make("svm", depth=1)),
        ("svm needs 5 rows of each class", lambda: classifiers.fitted("svm", x, y)),
        ("k-neighbors needs 5 rows; there are 4", lambda: classifiers.fitted("k-neighbors", x, y)),
        ("too few for leave-one-out", lambda: classifiers.out_of_sample("gaussian-nb", x, y)),
        ("too few for 3 folds", lambda: classifiers.out_of_sample("gaussian-nb", x, y, 3)),
    ):
        with pytest.raises(ValueError, match=re.escape(told)):
            call()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "train.csv is empty"),
        ("1\n", "line 1 has 1 columns"),
        ("0,1\n1,2,3\n", "line 2 has 3 columns"),
        ("Class,c_1\n0,1\n", "line 1 is not numeric"),
        ("0,1\n1,inf\n", "line 2 holds NaN or an infinite value"),
        ("0,1\n-1,-1\n", "line 2 is an original (label -1); upload the answers only"),
        ("0,1\n2,1\n", "line 2 has the label 2"),
        ("1,1\n1,2\n", "all 2 rows have the label 1; a classifier needs both classes"),
        (None, "channel 'train' holds no CSV file"),
    ],
)
def test_bad_data_is_refused_with_file_line_and_remedy(
    tmp_path: Path, content: str | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "train.csv").write_text(content)
    with pytest.raises(rows.DataError, match=re.escape(told)):
        rows.read(tmp_path)


def test_files_of_a_channel_must_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("0,1\n1,2\n")
    (tmp_path / "b.csv").write_text("0,1,2\n")
    with pytest.raises(rows.DataError, match=r"b.csv has 3 columns, a.csv 2"):
        rows.read(tmp_path)
    (tmp_path / "b.csv").unlink()
    assert rows.read(tmp_path)[0].tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--classifier", "tree"], "hyperparameter classifier cannot be tree; there are logistic-regression"),
        (["--features", "c_1"], "hyperparameter features names 1 columns (c_1), the channel has 2"),
    ],
)
def test_a_job_that_cannot_train_ends_with_its_reason(
    container: Container, arguments: list[str], told: str
) -> None:
    (container.train / "train.csv").write_text("0,1,2\n1,2,3\n0,1,1\n1,4,3\n")
    done = container.run(*arguments)
    assert done.returncode == 1
    assert told in (container.output / "failure").read_text()
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (container.model / "model.joblib").exists()


def test_the_source_folder_needs_nothing_of_the_project_and_is_for_the_containers_python() -> None:
    own = {path.stem for path in SOURCE.glob("*.py")}
    allowed = {"numpy", "sklearn", "joblib", "threadpoolctl", *own, *sys.stdlib_module_names}
    for path in SOURCE.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 8))
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE):
            assert name in allowed, f"{path.name} imports {name}"
