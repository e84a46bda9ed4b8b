"""Both interfaces against a real engine, method by method: what succeeds, what fails, and what is not there."""

from __future__ import annotations

import json
import secrets
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workflows import interfaces
from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.interfaces import images
from workflows.interfaces.archives import pack_source, unpack
from workflows.interfaces.base import EndpointRequest, Interface, MetricDefinition, TrainingRequest
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.platform import Platform, open_platform

FAILING = "import os\nfrom pathlib import Path\nfolder = Path(os.environ['SM_OUTPUT_DATA_DIR']).parent\n(folder / 'failure').write_text('the moon is eclipsed')\nprint('score=0.25')\nraise SystemExit(3)\n"
SLOW = "import time\nprint('started', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def platform(on_engine: Path) -> Iterator[Platform]:
    opened = open_platform(Configuration())
    with opened.applied():
        yield opened


@pytest.fixture(params=["low", "high"])
def interface(request: pytest.FixtureRequest, platform: Platform) -> Interface:
    return interfaces.make(request.param, platform)


@pytest.fixture
def name() -> str:
    return f"part-{secrets.token_hex(4)}"


def wait(poll: Callable[[], tuple[bool, object]]) -> None:
    Waiter(EMBEDDED, threading.Event()).until(poll, "it", 60)


def request(platform: Platform, folder: Path, name: str, program: str, uri: str) -> TrainingRequest:
    source = folder / "source"
    source.mkdir()
    (source / "train.py").write_text(program)
    return TrainingRequest(
        name=name,
        image=images.pytorch("training", platform.region),
        source=source,
        entry_point="train.py",
        inputs={"train": uri},
        hyperparameters={"depth": "3"},
        metrics=(MetricDefinition("score", "score=([0-9.]+)"),),
        instance_type="ml.m5.large",
        max_seconds=300,
        prefix=f"s3://{platform.bucket}/mlconsole/{name}",
        tags={"mlconsole:run": name},
    )


def test_objects_are_uploaded_found_fetched_and_deleted(
    interface: Interface, platform: Platform, tmp_path: Path, name: str
) -> None:
    prefix = f"s3://{platform.bucket}/mlconsole/{name}"
    path = tmp_path / "rows.csv"
    path.write_text("1,2\n")
    uri = interface.upload(path, f"{prefix}/data")
    assert uri == f"{prefix}/data/rows.csv"
    assert interface.object_exists(uri)
    assert not interface.object_exists(f"{uri}x")
    interface.download(uri, tmp_path / "new" / "rows.csv")
    assert (tmp_path / "new" / "rows.csv").read_text() == "1,2\n"
    assert interface.remaining(name, prefix) == [f"object {uri}"]
    assert interface.delete_objects(prefix) == 1
    assert interface.delete_objects(prefix) == 0
    assert interface.remaining(name, prefix) == []


def test_what_is_not_there_is_none_and_deleting_it_says_so(interface: Interface, name: str) -> None:
    assert interface.describe_training(name) is None
    assert interface.describe_endpoint(name) is None
    assert interface.find_training(name) == []
    interface.stop_training(name)
    assert not interface.delete_endpoint(name)
    assert not interface.delete_endpoint_config(name)
    assert not interface.delete_model(name)
    assert interface.training_log(name).read() == []
    assert interface.endpoint_log(name).read() == []


def test_a_failing_job_tells_its_reason_its_log_and_its_metrics(
    interface: Interface, platform: Platform, tmp_path: Path, name: str
) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n")
    uri = interface.upload(tmp_path / "rows.csv", f"s3://{platform.bucket}/mlconsole/{name}/data")
    job = interface.train(request(platform, tmp_path, name, FAILING, uri))
    assert job.startswith(name)
    log = interface.training_log(job)
    lines: list[str] = []

    def poll() -> tuple[bool, object]:
        state = interface.describe_training(job)
        assert state is not None
        lines.extend(line.text for line in log.read())
        return state.ended, (state.secondary, len(lines))

    wait(poll)
    state = interface.describe_training(job)
    assert state is not None
    assert state.status == "Failed"
    assert "the moon is eclipsed" in state.failure
    assert lines.count("score=0.25") == 1
    assert state.metrics == {"score": 0.25}
    assert state.transitions[0].status == "Starting"
    assert interface.find_training(name) == [job]
    interface.stop_training(job)
    interface.delete_objects(f"s3://{platform.bucket}/mlconsole/{name}")


def test_a_running_job_is_listed_as_remaining_until_it_is_stopped(
    interface: Interface, platform: Platform, tmp_path: Path, name: str
) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n")
    prefix = f"s3://{platform.bucket}/mlconsole/{name}"
    uri = interface.upload(tmp_path / "rows.csv", f"{prefix}/data")
    job = interface.train(request(platform, tmp_path, name, SLOW, uri))
    log = interface.training_log(job)
    wait(lambda: (any(line.text == "started" for line in log.read()), ""))
    assert f"running training job {job}" in interface.remaining(name, prefix)
    interface.stop_training(job)

    def stopped() -> tuple[bool, object]:
        state = interface.describe_training(job)
        return state is not None and state.ended, state

    wait(stopped)
    state = interface.describe_training(job)
    assert state is not None
    assert state.status == "Stopped"
    interface.delete_objects(prefix)
    assert interface.remaining(name, prefix) == []


def test_an_endpoint_that_cannot_load_its_model_fails_with_the_reason_and_can_be_deleted(
    interface: Interface, platform: Platform, tmp_path: Path, name: str
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "inference.py").write_text(
        "def model_fn(model_dir):\n    raise RuntimeError('no moon in this archive')\n"
    )
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(code, "code")
    prefix = f"s3://{platform.bucket}/mlconsole/{name}"
    interface.deploy(
        EndpointRequest(
            name=name,
            image=images.pytorch("inference", platform.region),
            model_uri=interface.upload(tmp_path / "model.tar.gz", prefix),
            environment={
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
            instance_type="ml.t2.medium",
            tags={"mlconsole:run": name},
        )
    )
    assert set(interface.remaining(name, prefix)) >= {
        f"endpoint {name}",
        f"endpoint configuration {name}",
        f"model {name}",
    }

    def settled() -> tuple[bool, object]:
        state = interface.describe_endpoint(name)
        assert state is not None
        return state.status != "Creating", state.status

    wait(settled)
    state = interface.describe_endpoint(name)
    assert state is not None
    assert state.status == "Failed"
    assert "no moon in this archive" in state.failure
    assert any("no moon in this archive" in line.text for line in interface.endpoint_log(name).read())
    assert interface.delete_endpoint(name)
    wait(lambda: (interface.describe_endpoint(name) is None, ""))
    assert interface.delete_endpoint_config(name)
    assert interface.delete_model(name)
    assert interface.delete_objects(prefix) == 1
    assert interface.remaining(name, prefix) == []


def test_an_unknown_interface_is_named(platform: Platform) -> None:
    with pytest.raises(WorkflowError, match="no interface 'middle'"):
        interfaces.make("middle", platform)


def test_source_archives_are_reproducible_and_unpack_safely(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "x.pyc").write_text("x")
    (source / "train.py").write_text("print()")
    first = pack_source(source, tmp_path / "a.tar.gz").read_bytes()
    (source / "train.py").touch()
    assert pack_source(source, tmp_path / "b.tar.gz").read_bytes() == first
    folder = unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert [path.name for path in folder.rglob("*")] == ["train.py"]
    (tmp_path / "evil").write_text(json.dumps({}))
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil", "../escaped")
    with pytest.raises(tarfile.TarError):
        unpack(tmp_path / "evil.tar.gz", tmp_path / "inside")
    assert not (tmp_path / "escaped").exists()
