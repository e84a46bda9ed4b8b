"""The moons source folder as a container runs it: a process of its own, told by SM_* variables, nothing of the project."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SOURCE = Path(__file__).parents[2] / "algorithms" / "moons" / "source"

_SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
for line in sys.stdin:
    request = json.loads(line)
    try:
        points = inference.input_fn(bytes.fromhex(request["body"]), request["content_type"])
        answer = inference.output_fn(inference.predict_fn(points, model), request["accept"])
        answer = answer if isinstance(answer, bytes) else answer.encode()
        print(json.dumps({"answer": answer.hex()}), flush=True)
    except ValueError as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


class Container:
    """The folders of one job and the environment that names them."""

    def __init__(self, root: Path) -> None:
        self.train = root / "train"
        self.model = root / "model"
        self.output = root / "output"
        self.train.mkdir()
        self._server: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "SM_CHANNEL_TRAIN": str(self.train),
            "SM_MODEL_DIR": str(self.model),
            "SM_OUTPUT_DATA_DIR": str(self.output / "data"),
            "SM_OUTPUT_DIR": str(self.output),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-I", "-c", _LAUNCH, str(SOURCE / "train.py"), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def ask(self, body: bytes, content_type: str, accept: str) -> bytes:
        done = self._serve(body, content_type, accept)
        assert "answer" in done, done
        return bytes.fromhex(done["answer"])

    def refusal(self, body: bytes, content_type: str, accept: str = "application/json") -> str:
        done = self._serve(body, content_type, accept)
        assert "error" in done, done
        return str(done["error"])

    def close(self) -> None:
        if self._server is not None:
            self._server.communicate(timeout=60)

    def _serve(self, body: bytes, content_type: str, accept: str) -> dict[str, Any]:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.model)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
            )  # fmt: skip
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = {"body": body.hex(), "content_type": content_type, "accept": accept}
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer


# -I keeps the project off the path; runpy puts the script's own folder there, as `python train.py` does.
_LAUNCH = (
    "import runpy, sys; from pathlib import Path; sys.argv = sys.argv[1:]; "
    "sys.path.insert(0, str(Path(sys.argv[0]).parent)); runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    made = Container(tmp_path)
    yield made
    made.close()


def moons(folder: Path, rows: int = 120) -> None:
    from sklearn.datasets import make_moons

    points, labels = make_moons(rows, noise=0.2, random_state=3)
    lines = [f"{float(label)!r},{x!r},{y!r}" for label, (x, y) in zip(labels, points.tolist(), strict=True)]
    (folder / "train.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    container = Container(tmp_path_factory.mktemp("trained"))
    moons(container.train, 200)
    done = container.run("--epochs", "40", "--hidden", "32", "--seed", "5")
    assert done.returncode == 0, done.stderr
    yield container
    container.close()


def test_every_epoch_prints_what_metric_definitions_find(container: Container) -> None:
    from workflows.studies.moons.trained import METRICS

    moons(container.train)
    done = container.run("--epochs", "6", "--batch-size", "16")
    assert done.returncode == 0, done.stderr
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch=")]
    assert [line.split()[0] for line in epochs] == [f"epoch={number}" for number in range(1, 7)]
    for line in epochs:
        values = [float(found.group(1)) for metric in METRICS if (found := re.search(metric.regex, line))]
        assert len(values) == len(METRICS)
        assert all(0 <= value < 5 for value in values)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(container: Container) -> None:
    moons(container.train)
    histories = []
    for seed in ("7", "7", "8"):
        assert container.run("--epochs", "3", "--seed", seed).returncode == 0
        histories.append((container.output / "data" / "history.csv").read_text())
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
    allowed = {"numpy", "torch", "net", "points", *sys.stdlib_module_names}
    for path in SOURCE.glob("*.py"):
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE):
            assert name in allowed, f"{path.name} imports {name}"


@pytest.mark.slow
def test_the_defaults_beat_the_notebook_on_every_seed(tmp_path: Path) -> None:
    from workflows.studies.moons import data

    train_x, test_x, train_y, test_y = data.make()
    accuracies = []
    for seed in range(1, 6):
        root = tmp_path / str(seed)
        root.mkdir()
        container = Container(root)
        data.write_csv(container.train / "train.csv", train_x, train_y)
        assert container.run("--seed", str(seed)).returncode == 0
        body = json.dumps(test_x.tolist()).encode()
        answers = json.loads(container.ask(body, "application/json", "application/json"))["predictions"]
        container.close()
        accuracies.append(float(((np.array(answers) > 0.5) == test_y).mean()))
    assert min(accuracies) > 0.86
    assert np.mean(accuracies) >= 0.89
