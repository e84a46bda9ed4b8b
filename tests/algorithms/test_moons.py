"""The moons source folder as a container runs it."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.scripts import Container

SOURCE = Path(__file__).parents[2] / "algorithms" / "moons" / "source"


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    made = Container(SOURCE, tmp_path)
    yield made
    made.close()


def moons(folder: Path, rows: int = 120) -> None:
    from sklearn.datasets import make_moons

    points, labels = make_moons(rows, noise=0.2, random_state=3)
    lines = [f"{float(label)!r},{x!r},{y!r}" for label, (x, y) in zip(labels, points.tolist(), strict=True)]
    (folder / "train.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    container = Container(SOURCE, tmp_path_factory.mktemp("trained"))
    moons(container.train, 200)
    done = container.run("--epochs", "40", "--hidden", "32", "--seed", "5")
    assert done.returncode == 0, done.stderr
    yield container
    container.close()


def test_every_epoch_prints_what_metric_definitions_find(container: Container) -> None:
    from workflows.studies.moons.live import surface
    from workflows.studies.moons.trained import METRICS

    moons(container.train)
    done = container.run("--epochs", "6", "--batch-size", "16", "--boundary-every", "3")
    assert done.returncode == 0, done.stderr
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch=")]
    assert [line.split()[0] for line in epochs] == [f"epoch={number}" for number in range(1, 7)]
    for line in epochs:
        values = [float(found.group(1)) for metric in METRICS if (found := re.search(metric.regex, line))]
        assert len(values) == len(METRICS)
        assert all(0 <= value < 5 for value in [values[0], *values[2:]])
        assert 0 <= values[1] <= 128
    lines = [line for line in done.stdout.splitlines() if line.startswith("boundary")]
    found = [surface(line) for line in lines]
    assert [one[0] for one in found if one] == [1, 3, 6]
    assert max(len(line) for line in lines) < 2000
    assert surface(lines[0][:-1]) is None
    assert found[-1] is not None
    grid = found[-1][1]
    assert (len(grid["z"]), len(grid["z"][0])) == (len(grid["y"]), len(grid["x"])) == (27, 41)
    assert 0 <= grid["z"][-1][8] < 0.5 < grid["z"][0][30] <= 1


def test_a_relu_before_the_sigmoid_is_given_up_and_the_archive_tells(container: Container) -> None:
    moons(container.train)
    args = ("--epochs", "200", "--final-activation", "relu", "--learning-rate", "1", "--seeds", "3")
    done = container.run(*args)
    assert done.returncode == 0, done.stderr
    (reason,) = [line for line in done.stdout.splitlines() if line.startswith("dead: ")]
    assert "stays at 0.693147" in reason and "ReLU before the sigmoid" in reason
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch=")]
    assert 10 <= len(epochs) < 60
    described = json.loads((container.model / "model.json").read_text())
    assert described["dead"] == reason.removeprefix("dead: ")
    assert described["seeds"] == [1]


def test_the_same_seed_gives_the_same_model_and_another_seed_another(container: Container) -> None:
    moons(container.train)
    histories = []
    for seed, seeds in (("7", "1"), ("7", "3"), ("8", "1")):
        done = container.run("--epochs", "3", "--seed", seed, "--seeds", seeds)
        assert done.returncode == 0, done.stderr
        histories.append((container.output / "data" / "history.csv").read_text())
        if seeds == "3":
            scores = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("seed=")]
            assert scores == ["seed=7", "seed=8", "seed=9"]
            assert sorted(path.name for path in (container.model / "seeds").iterdir()) == ["8.pth", "9.pth"]
    assert histories[0] == histories[1]
    assert histories[0] != histories[2]


def test_training_ends_early_and_keeps_the_best_epoch(container: Container) -> None:
    moons(container.train)
    done = container.run("--epochs", "2000", "--patience", "3", "--learning-rate", "0.3", "--batch-size", "8")
    assert done.returncode == 0, done.stderr
    losses = [float(value) for value in re.findall(r"validation:loss=([0-9.]+)", done.stdout)]
    assert len(losses) < 2000
    assert "early stop" in done.stdout
    kept = json.loads((container.model / "model.json").read_text())["epoch"]
    assert losses[kept - 1] == min(losses)
    history = (container.output / "data" / "history.csv").read_text().splitlines()
    assert len(history) == len(losses) + 1


def test_without_validation_the_last_weights_are_kept(container: Container) -> None:
    moons(container.train)
    done = container.run("--epochs", "4", "--validation-share", "0", "--shuffle", "false", "--dropout", "0.3")
    assert done.returncode == 0, done.stderr
    assert "validation:loss" not in done.stdout
    assert json.loads((container.model / "model.json").read_text())["epoch"] == 4


def test_quoted_hyperparameters_of_older_sdks_are_understood(container: Container) -> None:
    moons(container.train)
    assert container.run("--epochs", "1", "--shuffle", '"true"', "--unknown-option", "7").returncode == 0


def test_the_archive_serves_itself_and_all_formats_agree(trained: Container) -> None:
    points = np.array([[0.0, 1.0], [1.0, -0.5], [0.2, 0.1]], dtype=np.float32)
    buffer = io.BytesIO()
    np.save(buffer, points)
    as_npy = np.load(io.BytesIO(trained.ask(buffer.getvalue(), "application/x-npy", "application/x-npy")))
    text = "\n".join(",".join(str(value) for value in row) for row in points.tolist())
    as_csv = [
        float(line) for line in trained.ask(text.encode(), "text/csv; charset=utf-8", "text/csv").split()
    ]
    body = json.dumps({"instances": points.tolist()}).encode()
    as_json = json.loads(trained.ask(body, "application/json", "*/*"))["predictions"]
    assert as_npy.shape == (3,)
    assert np.allclose(as_npy, as_csv, atol=1e-6)
    assert np.allclose(as_npy, as_json, atol=1e-6)
    assert as_npy[0] < 0.5 < as_npy[1]


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b"1,2,3", "text/csv", "two coordinates"),
        (b"a,b", "text/csv", "could not convert"),
        (b"nan,1", "text/csv", "NaN"),
        (b"{}", "application/json", "holds no points"),
        (b"not json", "application/json", "Expecting value"),
        (b"", "application/x-npy", "holds no points"),
        (b"\x93NUMPYgarbage", "application/x-npy", ""),
        (b"<a/>", "application/xml", "application/xml"),
    ],
)
def test_a_bad_request_is_refused_with_a_reason(
    trained: Container, body: bytes, content_type: str, told: str
) -> None:
    assert told in trained.refusal(body, content_type)


def test_an_answer_in_an_unknown_format_is_refused(trained: Container) -> None:
    assert "image/png" in trained.refusal(b"0,0", "text/csv", "image/png")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "train.csv is empty"),
        ("0,1.0\n", "line 1 has 2 columns"),
        ("label,x,y\n0,1,2\n", "line 1 is not numeric"),
        ("0,1,2\n1,nan,2\n", "line 2 holds NaN"),
        ("0,1,2\n0,2,3\n", "a classifier needs both classes"),
        ("0,1,2\n7,2,3\n", "labels are 0, 7"),
        ("0,1,2\n1,2,3\n", "too few"),
        (None, "holds no CSV file"),
    ],
)
def test_bad_data_is_refused_with_file_line_and_remedy(
    tmp_path: Path, content: str | None, told: str
) -> None:
    found = importlib.util.spec_from_file_location("moons_points", SOURCE / "points.py")
    assert found is not None
    assert found.loader is not None
    points = importlib.util.module_from_spec(found)
    found.loader.exec_module(points)
    if content is not None:
        (tmp_path / "train.csv").write_text(content)
    with pytest.raises(points.DataError, match=re.escape(told)):
        _, labels = points.read_points(tmp_path)
        points.split(labels, 0.2, 1)


def test_bad_data_ends_the_job_with_its_reason(container: Container) -> None:
    (container.train / "train.csv").write_text("0,1,2\n1,nan,2\n")
    done = container.run("--epochs", "1")
    assert done.returncode == 1
    assert "train.csv line 2 holds NaN" in (container.output / "failure").read_text()
    assert "train.csv line 2 holds NaN" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (container.model / "model.pth").exists()


def test_a_bad_hyperparameter_ends_the_job_with_its_reason(container: Container) -> None:
    moons(container.train)
    done = container.run("--dropout", "1.5")
    assert done.returncode == 1
    assert "dropout cannot be 1.5" in (container.output / "failure").read_text()


def test_the_source_folder_needs_nothing_but_numpy_and_torch() -> None:
    allowed = {"numpy", "torch", "net", "points", "boundary", "fitting", *sys.stdlib_module_names}
    for path in SOURCE.glob("*.py"):
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE):
            assert name in allowed, f"{path.name} imports {name}"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_defaults_beat_the_notebook_on_every_seed(tmp_path: Path) -> None:
    from workflows.studies.moons import data

    train_x, test_x, train_y, test_y = data.make()
    accuracies = []
    for seed in range(1, 6):
        root = tmp_path / str(seed)
        root.mkdir()
        container = Container(SOURCE, root)
        data.write_csv(container.train / "train.csv", train_x, train_y)
        assert container.run("--seed", str(seed)).returncode == 0
        body = json.dumps(test_x.tolist()).encode()
        answers = json.loads(container.ask(body, "application/json", "application/json"))["predictions"]
        container.close()
        accuracies.append(float(((np.array(answers) > 0.5) == test_y).mean()))
    assert min(accuracies) > 0.86
    assert np.mean(accuracies) >= 0.89
