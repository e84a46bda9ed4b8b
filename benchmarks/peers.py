"""What is measured, and against what: the engine of this checkout, and moto's server in a virtual environment of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.venvs import environment

MOTO = "moto[server]==5.2.5"
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Peer:
    """A running server: where it is, whose keys it takes, and the process to weigh."""

    name: str
    url: str
    access_key: str
    secret_key: str
    region: str
    role_arn: str
    pid: int

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client of this peer."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.url, region_name=self.region, aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key, config=Config(retries={"total_max_attempts": 1}, **config),
        )  # fmt: skip

    def rss_mb(self) -> float:
        """Resident memory of the server and what it started, in MB."""
        import psutil

        root = psutil.Process(self.pid)
        return float(root.memory_info().rss / 1e6)

    def signed(self, service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """The bytes of one signed HTTP/1.1 request."""
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        host = self.url.removeprefix("http://")
        request = AWSRequest(method, self.url + path, data=body, headers=headers)
        sign = S3SigV4Auth if service == "s3" else SigV4Auth
        sign(Credentials(self.access_key, self.secret_key), service, self.region).add_auth(request)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
        lines += [
            f"{k}: {v}" for k, v in request.headers.items() if k.lower() not in ("host", "content-length")
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


def adopt() -> None:
    """From now on whatever this process starts stays among its descendants, also what detaches itself, as the shims of jobs do (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def cpu_seconds() -> float:
    """CPU seconds of all descendants, of those that run and those that have ended. While it is called none may be waited for elsewhere."""
    import psutil

    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


@contextmanager
def engine() -> Iterator[Peer]:
    """The embedded SageMaker on a data directory of its own."""
    folder = tempfile.mkdtemp(prefix="mlconsole-bench-")
    command = [sys.executable, "-m", "engine"]
    try:
        done = subprocess.run(
            [*command, "start", "--json", "--data-dir", folder, "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the engine did not start: {done.stderr.strip()}")
        found = json.loads((Path(folder) / "connection.json").read_text())
        yield Peer(
            "engine", found["url"], found["access_key"], found["secret_key"], found["region"],
            found["role_arn"], found["pid"],
        )  # fmt: skip
    finally:
        subprocess.run([*command, "stop", "--data-dir", folder], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def moto() -> Iterator[Peer]:
    """moto_server, installed once into the cache folder."""
    folder = environment("moto-5.2.5", MOTO)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(folder / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _answers(url + "/moto-api/data.json", process)
        yield Peer(
            "moto", url, "testing", "testing", "us-east-1", "arn:aws:iam::123456789012:role/any", process.pid
        )
    finally:
        process.kill()
        process.wait()


def _answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")
