"""A real engine for the tests of workflows, and runs that are stopped when a test leaves them behind."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws.validity import run_violations
from tests.stopping import stop_engine
from workflows import runs
from workflows.configuration import Configuration
from workflows.events import Event
from workflows.failures import WorkflowError
from workflows.platform import Platform, open_platform


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of an engine that lives as long as the test session; workflows start it themselves."""
    folder = tmp_path_factory.mktemp("engine")
    yield folder
    stop_engine(folder)


@pytest.fixture
def on_engine(engine_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded SageMaker of this test is the session's engine; its home is its own."""
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(engine_folder))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    return engine_folder


@pytest.fixture
def platform(on_engine: Path) -> Platform:
    """The session's engine, opened, with its default bucket."""
    opened = open_platform(Configuration())
    storage = opened.client("s3")
    if opened.bucket not in {bucket["Name"] for bucket in storage.list_buckets()["Buckets"]}:
        storage.create_bucket(Bucket=opened.bucket)
    return opened


@pytest.fixture(autouse=True)
def _no_run_left() -> Iterator[None]:
    yield
    left = [run for run in runs.list_runs() if run.active and run.pid != os.getpid()]
    for run in left:
        with contextlib.suppress(WorkflowError):
            runs.stop(run)
    deadline = time.monotonic() + 60
    while any(runs.read(run.folder).active for run in left) and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def _calls_that_aws_would_take(_own_home: None) -> Iterator[None]:
    """Every call that a run of the test has made is valid on AWS: its parameters are checked against the service's model."""
    yield
    for run in runs.list_runs():
        if not run.log.exists():
            continue  # made up by the test, not carried out
        wrong = run_violations(run)
        assert not wrong, f"{run.id}: {wrong}"


def everything(run: runs.Run, seconds: float = 120) -> list[Event]:
    """All events of a run up to its end."""
    return list(runs.follow(run, timeout=seconds))
