"""The serving container: real processes, real scikit-learn and PyTorch models, the contract over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algorithms.container import serving_codecs as codecs
from algorithms.container.serving_http import render
from algorithms.container.serving_model import Context, Function, Model, Reply

JSON, CSV, NPY, NPZ = codecs.JSON, codecs.CSV, codecs.NPY, codecs.NPZ


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Container:
    """One serving process and its log."""

    def __init__(self, base: Path, framework: str, variables: dict[str, str]) -> None:
        self.base = base
        self.framework = framework
        self.variables = variables
        # Unix socket paths end at 108 bytes, pytest's directories do not.
        self._directory = tempfile.TemporaryDirectory(prefix="srv")
        self.socket = str(Path(self._directory.name) / "s")
        self.log = base / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SAGEMAKER_")}
        environment |= {
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_SOCKET": self.socket,
            "SAGEMAKER_FRAMEWORK": framework,
            **variables,
        }
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "algorithms.container.serve"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=base,
            )

    def wait(self) -> Container:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.log.read_text()}")
            with contextlib.suppress(OSError):
                if self.get("/ping").status == 200:
                    return self
            time.sleep(0.02)
        raise AssertionError(f"not healthy:\n{self.log.read_text()}")

    def ended(self) -> str:
        """Wait for a failed start and return the log."""
        assert self.process.wait(60) == 1, self.log.read_text()
        return self.log.read_text()

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = _Unix(self.socket)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def invoke(
        self, body: bytes | str, content_type: str | None = JSON, accept: str | None = None, **more: str
    ) -> Answer:
        headers = {"X-Amzn-SageMaker-Custom-Attributes": more["attributes"]} if "attributes" in more else {}
        if content_type is not None:
            headers["Content-Type"] = content_type
        if accept is not None:
            headers["Accept"] = accept
        data = body.encode() if isinstance(body, str) else body
        return self.request("POST", "/invocations", data, headers)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self._directory.cleanup()


Serve = Callable[..., Container]


def write_model(base: Path, code: str, **files: bytes) -> None:
    (base / "model" / "code").mkdir(parents=True)
    if code:
        (base / "model" / "code" / "inference.py").write_text(code)
    for name, data in files.items():
        (base / "model" / name.replace("__", ".")).write_bytes(data)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Write a script (and files beside it) and start a container on it."""
    started: list[Container] = []

    def start(
        code: str, framework: str = "scikit-learn", files: dict[str, bytes] | None = None, **variables: str
    ) -> Container:
        base = tmp_path / f"c{len(started)}"
        write_model(base, code)
        for name, data in (files or {}).items():
            path = base / "model" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        started.append(Container(base, framework, variables))
        return started[-1]

    yield start
    for container in started:
        container.close()


SKLEARN = """
import joblib, os

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""


@pytest.fixture(scope="module")
def classifier() -> Any:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 3))
    return LogisticRegression().fit(points, (points @ [1.0, -2.0, 0.5] > 0).astype(int))


@pytest.fixture(scope="module")
def sklearn_container(tmp_path_factory: pytest.TempPathFactory, classifier: Any) -> Iterator[Container]:
    import joblib

    base = tmp_path_factory.mktemp("sk")
    write_model(base, SKLEARN)
    joblib.dump(classifier, base / "model" / "model.joblib")
    container = Container(base, "scikit-learn", {})
    try:
        yield container.wait()
    finally:
        container.close()


@pytest.fixture(scope="module")
def torch_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    import torch

    base = tmp_path_factory.mktemp("pt")
    write_model(base, "")
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -1.0]]))
        layer.bias.fill_(0.5)
    torch.jit.script(torch.nn.Sequential(layer)).save(str(base / "model" / "net.pth"))
    container = Container(base, "pytorch", {})
    try:
        yield container.wait()
    finally:
        container.close()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


POINTS = [[1.0, 0.2, -0.3], [-1.0, 2.0, 0.4], [0.1, -1.5, 2.0]]


class TestScikitLearn:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (JSON, json.dumps(POINTS).encode()),
            ("application/json; charset=utf-8", json.dumps(POINTS).encode()),
            (CSV, "\n".join(",".join(map(str, row)) for row in POINTS).encode()),
            (NPY, npy(np.array(POINTS))),
            (None, json.dumps(POINTS).encode()),
        ],
    )
    def test_predicts_as_the_model_does(
        self, sklearn_container: Container, classifier: Any, content_type: str | None, body: bytes
    ) -> None:
        answer = sklearn_container.invoke(body, content_type)
        assert answer.status == 200, answer.text
        assert answer.headers["content-type"] == JSON
        assert json.loads(answer.body) == classifier.predict(np.array(POINTS, dtype=np.float32)).tolist()

    def test_reads_a_sparse_matrix(self, sklearn_container: Container, classifier: Any) -> None:
        import scipy.sparse

        stream = io.BytesIO()
        scipy.sparse.save_npz(stream, scipy.sparse.csr_matrix(POINTS))
        answer = sklearn_container.invoke(stream.getvalue(), NPZ)
        assert json.loads(answer.body) == classifier.predict(POINTS).tolist()

    def test_one_row_without_brackets_is_one_row(self, sklearn_container: Container, classifier: Any) -> None:
        answer = sklearn_container.invoke("1.0,0.2,-0.3", CSV)
        assert json.loads(answer.body) == classifier.predict([POINTS[0]]).tolist()

    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, JSON),
            ("*/*", JSON),
            ("", JSON),
            (CSV, CSV),
            (NPY, NPY),
            ("image/png, text/csv;q=0.5, application/x-npy;q=0.9", NPY),
            ("text/*", CSV),
            ("image/png, */*;q=0.1", JSON),
        ],
    )
    def test_answers_in_an_accepted_type(
        self, sklearn_container: Container, classifier: Any, accept: str | None, expected: str
    ) -> None:
        answer = sklearn_container.invoke(json.dumps(POINTS), JSON, accept)
        assert (answer.status, answer.headers["content-type"]) == (200, expected)
        read: dict[str, Callable[[bytes], Any]] = {
            JSON: json.loads,
            CSV: lambda body: np.loadtxt(io.BytesIO(body)),
            NPY: lambda body: np.load(io.BytesIO(body)),
        }
        assert np.array_equal(read[expected](answer.body), classifier.predict(POINTS))

    def test_refuses_types_it_does_not_know(self, sklearn_container: Container) -> None:
        answer = sklearn_container.invoke(b"<a/>", "application/xml")
        assert answer.status == 415
        assert "Content type application/xml is not supported by this framework." in answer.text
        answer = sklearn_container.invoke(json.dumps(POINTS), JSON, "image/png")
        assert answer.status == 406
        assert "Content type image/png is not supported" in answer.text

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"{not json", JSON),
            (b"", JSON),
            (b"", CSV),
            (b'["a", "b"]', JSON),
            (b"[[1, 2], [3]]", JSON),
            (b"x,y,z", CSV),
            (b"\xff\xfe", JSON),
            (b"nonsense", NPY),
            (b"nonsense", NPZ),
        ],
    )
    def test_says_what_is_wrong_with_a_body(
        self, sklearn_container: Container, body: bytes, content_type: str
    ) -> None:
        answer = sklearn_container.invoke(body, content_type)
        assert answer.status == 400
        assert "request body" in answer.text.splitlines()[0]

    def test_never_unpickles_a_request(self, sklearn_container: Container, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> Any:
                return os.mkdir, (str(tmp_path / "evil"),)

        stream = io.BytesIO()
        np.save(stream, np.array([Evil()], dtype=object), allow_pickle=True)
        assert sklearn_container.invoke(stream.getvalue(), NPY).status == 400
        assert not (tmp_path / "evil").exists()

    def test_a_failing_prediction_is_a_500_with_message_and_traceback(
        self, sklearn_container: Container
    ) -> None:
        answer = sklearn_container.invoke("[[1.0, 2.0]]")
        assert answer.status == 500
        assert "X has 2 features" in answer.text.splitlines()[0]
        assert "Traceback (most recent call last)" in answer.text
        assert "X has 2 features" in sklearn_container.log.read_text()

    def test_model_fn_is_required(self, serve: Serve) -> None:
        assert (
            "Please provide a model_fn implementation." in serve("def predict_fn(d, m): return d\n").ended()
        )

    def test_other_paths_and_methods(self, sklearn_container: Container) -> None:
        assert sklearn_container.get("/nothing").status == 404
        assert sklearn_container.get("/invocations").status == 405
        assert sklearn_container.get("/ping").body == b""
        parameters = json.loads(sklearn_container.get("/execution-parameters").body)
        assert parameters == {
            "MaxConcurrentTransforms": 1,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": 6,
        }

    def test_custom_attributes_come_back(self, sklearn_container: Container) -> None:
        answer = sklearn_container.invoke(json.dumps(POINTS), attributes="trace=7, a=b")
        assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7, a=b"

    def test_many_requests_on_one_connection(self, sklearn_container: Container) -> None:
        """Pipelined and chunked requests are answered in order."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(sklearn_container.socket)
        one = json.dumps([POINTS[0]]).encode()
        head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        plain = head + b"content-length: %d\r\n\r\n" % len(one) + one
        chunked = head + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(one) + one + b"\r\n0\r\n\r\n"
        ping = b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n"
        last = b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        connection.sendall(plain + chunked + ping + plain + last)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        assert received.count(b"HTTP/1.1 200 OK") == 5
        connection.close()

    def test_malformed_http_is_refused_and_others_go_on(self, sklearn_container: Container) -> None:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(sklearn_container.socket)
        connection.sendall(b"NONSENSE\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        assert connection.recv(65536) == b""
        connection.close()
        assert sklearn_container.get("/ping").status == 200


class TestPyTorch:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (JSON, b"[[1, 2], [3, 4]]"),
            (CSV, b"1,2\n3,4\n"),
            (NPY, npy(np.array([[1, 2], [3, 4]], dtype=np.float32))),
        ],
    )
    def test_default_functions_run_a_torchscript_model(
        self, torch_container: Container, content_type: str, body: bytes
    ) -> None:
        answer = torch_container.invoke(body, content_type)
        assert answer.status == 200, answer.text
        assert json.loads(answer.body) == [[0.5], [2.5]]

    def test_answers_in_csv_and_npy(self, torch_container: Container) -> None:
        assert torch_container.invoke("[[1, 2], [3, 4]]", JSON, CSV).text == "0.5\n2.5\n"
        body = torch_container.invoke("[[1, 2], [3, 4]]", JSON, NPY).body
        assert np.load(io.BytesIO(body)).tolist() == [[0.5], [2.5]]

    def test_errors(self, torch_container: Container) -> None:
        assert torch_container.invoke("[[1, 2, 3]]").status == 500
        assert torch_container.invoke("oops").status == 400
        assert torch_container.invoke("1", "application/xml").status == 415
        assert torch_container.invoke("[[1, 2]]", JSON, "image/png").status == 406

    def test_no_model_file_is_said_at_the_start(self, serve: Serve) -> None:
        log = serve("", "pytorch").ended()
        assert "Exactly one .pth or .pt file is required for PyTorch models: []" in log

    def test_a_file_that_is_no_torchscript(self, serve: Serve) -> None:
        log = serve("", "pytorch", files={"model.pt": b"not a model"}).ended()
        assert "Please ensure model is saved using torchscript." in log

    def test_torch_is_not_imported_for_other_frameworks(self, serve: Serve) -> None:
        code = "import sys\ndef model_fn(d): return None\ndef transform_fn(m, d, c, a): return str('torch' in sys.modules)\n"
        assert serve(code).wait().invoke("1").text == "False"


class TestUserCode:
    def test_four_functions(self, serve: Serve) -> None:
        code = """
import json
def model_fn(model_dir): return 3
def input_fn(body, content_type): return (json.loads(body), content_type, type(body).__name__)
def predict_fn(data, model): return [data[0] * model, data[1], data[2]]
def output_fn(prediction, accept): return json.dumps(prediction), "application/x-mine"
"""
        container = serve(code).wait()
        answer = container.invoke("14")
        assert json.loads(answer.body) == [42, JSON, "str"]
        assert answer.headers["content-type"] == "application/x-mine"
        assert json.loads(container.invoke("14", "application/x-other").body) == [
            42,
            "application/x-other",
            "bytes",
        ]

    def test_transform_fn_alone(self, serve: Serve) -> None:
        code = """
def model_fn(model_dir): return "m"
def transform_fn(model, data, content_type, accept): return f"{model}|{data}|{content_type}|{accept}"
"""
        container = serve(code).wait()
        answer = container.invoke("d", CSV, "text/x-answer")
        assert answer.text == "m|d|text/csv|text/x-answer"
        assert answer.headers["content-type"] == "text/x-answer"
        assert container.invoke("d", CSV, "*/*").text == "m|d|text/csv|application/json"

    def test_transform_fn_excludes_the_others(self, serve: Serve) -> None:
        log = serve(
            "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return d\ndef predict_fn(d, m): return d\n"
        ).ended()
        assert "Cannot use transform_fn implementation in conjunction with" in log

    def test_functions_may_take_the_context(self, serve: Serve) -> None:
        code = """
def model_fn(model_dir, context): return context.system_properties["model_dir"]
def input_fn(body, content_type, context): return context.get_request_header(0, "X-Mine")
def predict_fn(data, model, context): return [model, data]
def output_fn(prediction, accept, context):
    context.set_response_content_type(0, "text/x-context")
    context.set_response_header(0, "X-Told", prediction[1])
    return prediction[0]
"""
        container = serve(code).wait()
        answer = container.request("POST", "/invocations", b"1", {"X-Mine": "yours"})
        assert answer.text == str(container.base / "model")
        assert (answer.headers["content-type"], answer.headers["x-told"]) == ("text/x-context", "yours")

    def test_wrong_number_of_arguments(self, serve: Serve) -> None:
        assert (
            "predict_fn takes 4 arguments but 2 were given."
            in serve("def model_fn(d): return 1\ndef predict_fn(a, b, c, d): return 1\n").ended()
        )

    def test_objects_become_json(self, serve: Serve) -> None:
        code = """
import numpy
def model_fn(d): return 1
def transform_fn(m, d, c, a): return {"a": numpy.arange(3), "n": None}
"""
        assert json.loads(serve(code).wait().invoke("1").body) == {"a": [0, 1, 2], "n": None}

    def test_a_generator_is_sent_part_by_part(self, serve: Serve) -> None:
        code = """
def model_fn(d): return 1
def input_fn(body, kind): return int(body)
def predict_fn(count, model): return count
def output_fn(count, accept):
    def parts():
        if count < 0: raise ValueError("before the first part")
        for number in range(count):
            yield f"{number},"
            yield b""
            yield {"n": number} if number == 2 else b";"
    return parts(), "text/x-parts"
"""
        container = serve(code).wait()
        answer = container.invoke("3", "text/plain", attributes="a=1")
        assert answer.text == '0,;1,;2,{"n": 2}'
        assert answer.headers["transfer-encoding"] == "chunked" and "content-length" not in answer.headers
        assert answer.headers["content-type"] == "text/x-parts"
        assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "a=1"
        assert (container.invoke("0", "text/plain").status, container.invoke("0", "text/plain").body) == (
            200,
            b"",
        )
        failed = container.invoke("-1", "text/plain")
        assert failed.status == 500 and failed.text.startswith("before the first part")
        connection = _Unix(container.socket)
        for _ in range(2):  # the connection is kept
            connection.request("POST", "/invocations", b"1", {"Content-Type": "text/plain"})
            assert connection.getresponse().read() == b"0,;"
        connection.close()

    def test_a_reader_that_leaves_ends_a_generator(self, serve: Serve) -> None:
        code = """
def model_fn(d): return 1
def transform_fn(m, data, c, a):
    def parts():
        for _ in range(10_000 if data == b"many" else 1): yield bytes(65536)
    return parts()
"""
        container = serve(code).wait()
        connection = _Unix(container.socket)
        connection.request("POST", "/invocations", b"many", {"Content-Type": "a/b"})
        assert len(connection.getresponse().read(65536)) == 65536
        connection.close()
        assert len(container.invoke(b"one", "a/b").body) == 65536

    def test_an_exception_may_carry_its_status(self, serve: Serve) -> None:
        code = """
class Bad(Exception):
    status_code = 422
def model_fn(d): return 1
def transform_fn(m, d, c, a): raise Bad("line one\\nline two")
"""
        answer = serve(code).wait().invoke("1")
        assert answer.status == 422
        assert answer.text.startswith("line one\nline two\nTraceback")
        assert "serving_model.py" not in answer.text

    def test_broken_module_is_in_the_log(self, serve: Serve) -> None:
        assert "SyntaxError" in serve("def model_fn(:\n").ended()
        assert "no_such_module" in serve("import no_such_module\n").ended()
        assert "ZeroDivisionError" in serve("def model_fn(d): return 1 / 0\n").ended()

    def test_program_and_helper_modules(self, serve: Serve) -> None:
        container = serve(
            "",
            files={
                "code/mine.py": b"from helper import K\ndef model_fn(d): return K\ndef transform_fn(m, d, c, a): return str(m)\n",
                "code/helper.py": b"K = 5\n",
            },
            SAGEMAKER_PROGRAM="mine.py",
            SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code",
        )
        assert container.wait().invoke("1").text == "5"

    def test_a_missing_program_is_named(self, serve: Serve) -> None:
        log = serve("def model_fn(d): return 1\n", SAGEMAKER_PROGRAM="absent.py").ended()
        assert "SAGEMAKER_PROGRAM names 'absent.py', which is not in" in log

    def test_code_from_an_archive(self, serve: Serve, tmp_path: Path) -> None:
        archive = tmp_path / "sourcedir.tar.gz"
        with tarfile.open(archive, "w:gz") as out:
            data = b"def model_fn(d): return 'from the archive'\ndef transform_fn(m, d, c, a): return m\n"
            info = tarfile.TarInfo("entry.py")
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
        container = serve("", SAGEMAKER_PROGRAM="entry.py", SAGEMAKER_SUBMIT_DIRECTORY=str(archive))
        assert container.wait().invoke("1").text == "from the archive"

    def test_an_archive_in_s3_that_nobody_fetched(self, serve: Serve) -> None:
        log = serve("", SAGEMAKER_PROGRAM="a.py", SAGEMAKER_SUBMIT_DIRECTORY="s3://b/k.tar.gz").ended()
        assert "s3://b/k.tar.gz" in log

    def test_requirements_are_installed_beside_what_is_there(self, serve: Serve) -> None:
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as out:
            out.writestr("mlc_probe.py", "WORD = 'installed'\n")
            out.writestr(
                "mlc_probe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mlc-probe\nVersion: 1.0\n"
            )
            out.writestr(
                "mlc_probe-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            out.writestr("mlc_probe-1.0.dist-info/RECORD", "")
        code = "import mlc_probe, numpy\ndef model_fn(d): return 1\ndef transform_fn(m, d, c, a): return mlc_probe.WORD\n"
        container = serve(
            code,
            files={
                "code/mlc_probe-1.0-py3-none-any.whl": wheel.getvalue(),
                "code/requirements.txt": b"./mlc_probe-1.0-py3-none-any.whl\nnumpy\n",
            },
            PIP_NO_INDEX="1",
        )
        assert container.wait().invoke("1").text == "installed"
        log = container.log.read_text()
        assert "Requirement already satisfied: numpy" in log
        assert not (container.base / "packages" / "lib" / "python3.11" / "site-packages" / "numpy").exists()

    def test_requirements_that_cannot_be_installed(self, serve: Serve) -> None:
        container = serve(
            "def model_fn(d): return 1\n",
            files={"code/requirements.txt": b"no-such-package-anywhere==1.0\n"},
            PIP_NO_INDEX="1",
        )
        assert "pip could not install requirements.txt" in container.ended()


class TestServing:
    WAITING = """
import os, time
def model_fn(d): return os.path.join(d, "go")
def transform_fn(model, data, content_type, accept):
    open(model + "-" + data, "w").close()
    deadline = time.time() + 60
    while not os.path.exists(model) and time.time() < deadline: time.sleep(0.01)
    return "done"
"""

    @pytest.mark.parametrize("workers", [1, 2])
    def test_ping_answers_while_predictions_run(self, serve: Serve, workers: int) -> None:
        container = serve(self.WAITING, SAGEMAKER_MODEL_SERVER_WORKERS=str(workers)).wait()
        model = container.base / "model"
        answers: list[Answer] = []
        threads = [
            threading.Thread(target=lambda name=name: answers.append(container.invoke(name, CSV)))
            for name in ("a", "b")
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while len(list(model.glob("go-*"))) < workers and time.monotonic() < deadline:
            time.sleep(0.01)
        assert container.get("/ping").status == 200
        assert len(list(model.glob("go-*"))) == workers
        (model / "go").touch()
        for thread in threads:
            thread.join(30)
        assert [answer.text for answer in answers] == ["done", "done"]

    def test_sigterm_lets_a_running_prediction_end(self, serve: Serve) -> None:
        container = serve(self.WAITING).wait()
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(container.invoke("a", CSV)))
        thread.start()
        deadline = time.monotonic() + 60
        while not (container.base / "model" / "go-a").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        container.process.terminate()
        (container.base / "model" / "go").touch()
        thread.join(30)
        assert [answer.text for answer in answers] == ["done"]
        assert container.process.wait(20) == 0
        assert not Path(container.socket).exists()

    def test_tcp(self, tmp_path: Path) -> None:
        write_model(tmp_path, "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return 'tcp'\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        container = Container(
            tmp_path, "scikit-learn", {"SAGEMAKER_BIND_TO_SOCKET": "", "SAGEMAKER_BIND_TO_PORT": str(port)}
        )
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                    connection.request("POST", "/invocations", body=b"1")
                    assert connection.getresponse().read() == b"tcp"
                    break
                except ConnectionRefusedError:
                    assert container.process.poll() is None, container.log.read_text()
                    time.sleep(0.02)
            else:
                raise AssertionError(container.log.read_text())
        finally:
            container.close()

    def test_a_variable_that_is_no_number(self, serve: Serve) -> None:
        log = serve("def model_fn(d): return 1\n", SAGEMAKER_MODEL_SERVER_WORKERS="two").ended()
        assert "SAGEMAKER_MODEL_SERVER_WORKERS must be a whole number, not 'two'." in log


finite = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(allow_nan=False, allow_infinity=False, width=64),
)


class TestCodecs:
    @given(finite, st.sampled_from(["pytorch", "scikit-learn"]))
    def test_what_is_written_can_be_read(self, array: Any, style: Any) -> None:
        for name in (JSON, NPY):
            assert np.array_equal(codecs.decode(codecs.encode(array, name, style), name, style), array)
        text = codecs.encode(array, CSV, style)
        read = np.asarray(codecs.decode(text, CSV, style), dtype=np.float64).reshape(array.shape)
        assert np.array_equal(read, array)

    @given(
        st.binary(max_size=60),
        st.sampled_from([JSON, CSV, NPY, NPZ]),
        st.sampled_from(["pytorch", "scikit-learn"]),
    )
    def test_any_body_is_an_array_or_unparsable(self, body: bytes, content_type: str, style: Any) -> None:
        try:
            assert hasattr(codecs.decode(body, content_type, style), "shape")
        except codecs.Unparsable as error:
            assert content_type in str(error)

    @given(st.text(max_size=60))
    def test_any_accept_header_can_be_read(self, header: str) -> None:
        for name in codecs.parse_accept(header):
            assert name and name == name.strip().lower()

    def test_weights_order_the_accepted_types(self) -> None:
        assert codecs.parse_accept("a/b;q=0.2, c/d, e/f;q=0, g/h;q=0.5;x=1") == ["c/d", "g/h", "a/b"]
        with pytest.raises(codecs.UnsupportedFormat):
            codecs.choose("image/png", JSON)


class TestPieces:
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_no_header_splits_a_response(self, name: str, value: str) -> None:
        head = render(Reply(200, b"", "text/plain", {f"x-{name}": value}), True).partition(b"\r\n\r\n")[0]
        lines = head.split(b"\r\n")
        assert len(lines) == 4
        assert not any(b"\n" in line or b"\r" in line for line in lines)

    def test_a_variadic_function_is_called_without_context(self) -> None:
        function = Function(lambda *arguments: arguments, 2)
        assert function(Context("", {}), 1, 2) == (1, 2)

    def test_answer_never_raises(self) -> None:
        class Broken:
            style = "scikit-learn"

            def model_fn(self, model_dir: str) -> Any:
                return None

            def input_fn(self, input_data: str | bytes, content_type: str) -> Any:
                raise RuntimeError("no")

            def predict_fn(self, data: Any, model: Any) -> Any:
                return None

            def output_fn(self, prediction: Any, accept: str) -> tuple[bytes, str]:
                return b"", ""

        reply = Model(Broken(), None, "", JSON).answer(b"", {})  # type: ignore[arg-type]
        assert reply.status == 500
        assert reply.body.startswith(b"no\n")
