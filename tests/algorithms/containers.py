"""Built-in algorithms as their container runs them: a job's directory, the ``train`` process, the ``serve`` process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Channels = Mapping[str, tuple[str, Mapping[str, bytes]]]
"""A channel's name to its content type and its files."""


@dataclass(frozen=True)
class Trained:
    """What a ``train`` process left."""

    status: int
    output: str
    errors: str
    base: Path

    @property
    def model_dir(self) -> Path:
        return self.base / "model"

    @property
    def failure(self) -> str:
        path = self.base / "output" / "failure"
        return path.read_text() if path.exists() else ""


def prepare(base: Path, hyperparameters: Mapping[str, object], channels: Channels) -> None:
    """Write a job's directory as the engine does."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    texts = {name: str(value) for name, value in hyperparameters.items()}
    (config / "hyperparameters.json").write_text(json.dumps(texts))
    inputs = {name: {"ContentType": kind} if kind else {} for name, (kind, _) in channels.items()}
    (config / "inputdataconfig.json").write_text(json.dumps(inputs))
    (base / "model").mkdir()
    for name, (_, files) in channels.items():
        for file, data in files.items():
            path = base / "input" / "data" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def train(
    base: Path, repository: str, hyperparameters: Mapping[str, object], channels: Channels, tag: str = "1"
) -> Trained:
    """Run ``python -m algorithms.builtin.train`` to its end."""
    prepare(base, hyperparameters, channels)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "algorithms.builtin.train", repository, tag],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(base), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Trained(done.returncode, done.stdout, done.stderr, base)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Server:
    """A running ``serve`` process."""

    def __init__(self, process: subprocess.Popen[bytes], path: str, log: Path) -> None:
        self.process = process
        self.log = log
        self._path = path

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Status, body and content type."""
        connection = _Unix(self._path)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("content-type", "")

    def invoke(self, body: bytes, content_type: str, accept: str = "") -> tuple[int, bytes, str]:
        """``POST /invocations``."""
        headers = {"content-type": content_type} if content_type else {}
        return self.request("POST", "/invocations", body, headers | ({"accept": accept} if accept else {}))


@contextlib.contextmanager
def serving(base: Path, repository: str, tag: str = "1") -> Iterator[Server]:
    """``python -m algorithms.builtin.serve`` on the model below ``base``, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="srv") as folder:
        path = str(Path(folder) / "s")
        log = base / "serve.log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SAGEMAKER_")},
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_SOCKET": path,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "algorithms.builtin.serve", repository, tag],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        server = Server(process, path, log)
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    if server.request("GET", "/ping")[0] == 200:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server did not start: {log.read_text()}")
                time.sleep(0.02)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
