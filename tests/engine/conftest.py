"""Real engines over real HTTP: one shared by a whole test session, and one of its own for a test that changes the engine itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from engine import connection
from engine.connection import Connection
from engine.jobs import processes
from tests.engine.deploying import Deployer

# A busy machine must not fail a property: no deadline per example, and slow generation is no error.
settings.register_profile("engine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("engine")


@dataclass
class RunningEngine:
    """An engine process and what its connection file says."""

    process: subprocess.Popen[str]
    connection: Connection
    data_dir: Path
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def url(self) -> str:
        return self.connection.url

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of this engine; options overwrite its arguments (keys, region, config).

        One without options is made once: SageMaker's has 380 methods, 60 ms of a core.
        """
        if options:
            return self._made(service, options)
        if service not in self._clients:
            self._clients[service] = self._made(service, {})
        return self._clients[service]

    def _made(self, service: str, options: dict[str, Any]) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=60)
        if "config" in options:
            config = config.merge(options.pop("config"))
        return boto3.client(
            service,
            **{
                "endpoint_url": self.url,
                "region_name": self.connection.region,
                "aws_access_key_id": self.connection.access_key,
                "aws_secret_access_key": self.connection.secret_key,
                "config": config,
                **options,
            },
        )

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def launch(data_dir: Path, *options: str) -> RunningEngine:
    """Start ``python -m engine serve`` on ``data_dir`` in test mode and wait until it answers."""
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "test-output.log"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLCONSOLE_")) or name == "MLCONSOLE_NO_NAMESPACES"
    }
    with log.open("a") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "engine",
                "serve",
                "--data-dir",
                str(data_dir),
                "--port",
                "0",
                "--test-mode",
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            env=environment,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = connection.read(data_dir / "connection.json")
        if found is not None and found.pid == process.pid:
            return RunningEngine(process, found, data_dir)
        if process.poll() is not None:
            raise RuntimeError(f"the engine ended with {process.returncode}:\n{log.read_text()}")
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"the engine did not start in 60 s:\n{log.read_text()}")


@contextmanager
def engine_process(data_dir: Path, *options: str) -> Iterator[RunningEngine]:
    """An engine for the duration of a ``with`` block."""
    running = launch(data_dir, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            try:
                running.process.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
        end_jobs(data_dir)


def end_jobs(data_dir: Path) -> None:
    """Kill what still trains: a job outlives its engine, and would outlive its test."""
    for root in (data_dir / "jobs").glob("*"):
        if (root / "shim.json").exists():
            processes.destroy(root)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """One engine for all tests of a session (of a worker, under xdist): use names of your own in it."""
    with engine_process(tmp_path_factory.mktemp("engine") / "data") as running:
        yield running


@pytest.fixture
def deploy(engine: RunningEngine) -> Iterator[Deployer]:
    """Makes models and endpoints; what a test has left is deleted after it. Modules that keep them longer have one of their own."""
    deployer = Deployer(engine)
    yield deployer
    deployer.clean()


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[RunningEngine]:
    """An engine that only this test uses."""
    with engine_process(tmp_path / "data") as running:
        yield running


@pytest.fixture
def start_engine(tmp_path: Path) -> Iterator[Callable[..., RunningEngine]]:
    """A function that starts engines on the test's own data directory; whatever still runs afterwards is ended."""
    started: list[RunningEngine] = []

    def start(*options: str) -> RunningEngine:
        running = launch(tmp_path / "data", *options)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.stop()
    end_jobs(tmp_path / "data")
