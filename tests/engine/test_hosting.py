"""Workers: replaced when they die, brought back after a restart, gone after a deletion, never orphaned."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from engine.hosting import artifacts, processes
from engine.hosting.blueprint import instance_ids
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import DOUBLE, PYTORCH, WHO, Deployer, refused, wait_for
from tests.engine.test_endpoints import SLOW

Start = Callable[..., RunningEngine]


@pytest.fixture
def deploy(own_engine: RunningEngine) -> Iterator[Deployer]:
    deployer = Deployer(own_engine)
    yield deployer
    deployer.clean()


def pids(engine: RunningEngine, name: str = "*") -> set[int]:
    """The process ids of an endpoint's workers."""
    found = set()
    for path in (engine.data_dir / "endpoints").glob(f"{name}/workers/*/*/pid"):
        try:
            text = path.read_text().split()
        except FileNotFoundError:  # a worker that is being replaced
            continue
        if len(text) == 2 and processes.start_time(int(text[0])) == text[1]:
            found.add(int(text[0]))
    return found


def alive(pid: int) -> bool:
    return processes.start_time(pid) is not None


def test_killed_workers_are_replaced_under_load(deploy: Deployer) -> None:
    """With two instances, only what a killed worker had read fails, once; everything else is answered by the other."""
    name = deploy.endpoint(deploy.model(WHO), count=2)
    errors: list[str] = []
    answers: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        runtime = deploy.engine.client("sagemaker-runtime")
        while not stop.is_set():
            try:
                answers.append(runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read().decode())
            except ClientError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = len(answers)
        wait_for(lambda before=before: len(answers) > before + 20)
        workers = pids(deploy.engine, name)
        victim = min(workers)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda victim=victim: len(found := pids(deploy.engine, name)) == 2 and victim not in found)
    stop.set()
    for thread in threads:
        thread.join(30)
    # A model may have been asked already: such a request is not repeated. Four clients, three kills.
    assert len(errors) <= 12
    assert all("Received server error (0) from primary" in error for error in errors), errors
    assert deploy.status(name)["EndpointStatus"] == "InService"


def test_the_only_worker_is_waited_for(deploy: Deployer) -> None:
    name = deploy.endpoint(deploy.model())
    (worker,) = pids(deploy.engine, name)
    os.kill(worker, signal.SIGKILL)
    assert deploy.invoke(name, 4) == 8
    assert worker not in pids(deploy.engine, name)


def test_deleting_leaves_nothing(deploy: Deployer) -> None:
    name = deploy.endpoint(deploy.model(), count=2)
    workers = pids(deploy.engine, name)
    assert len(workers) == 2
    assert deploy.invoke(name, 1) == 2
    deploy.delete(name)
    assert not any(alive(worker) for worker in workers)
    root = deploy.engine.data_dir / "endpoints"
    assert not (root / name).exists()
    assert [path for path in root.rglob("*") if not path.is_dir()] == []
    refused("ValidationError", deploy.runtime.invoke_endpoint, EndpointName=name, Body=b"1")


def test_a_request_that_hangs_dies_with_its_endpoint(deploy: Deployer, tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"""
import time
def model_fn(d): return 1
def transform_fn(m, data, c, a):
    open({str(started)!r}, "w").close()
    time.sleep(600)
"""
    name = deploy.endpoint(deploy.model(code))
    runtime = deploy.engine.client("sagemaker-runtime", config=Config(read_timeout=60))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            runtime.invoke_endpoint(EndpointName=name, Body=b"1")
        except ClientError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(started.exists)
    workers = pids(deploy.engine, name)
    deploy.delete(name)
    thread.join(30)
    assert len(errors) == 1
    assert not any(alive(worker) for worker in workers)


def test_endpoints_come_back_after_a_stop(start_engine: Start) -> None:
    first = start_engine()
    deployer = Deployer(first)
    model = deployer.model()
    name = deployer.endpoint(model, deployer.model(WHO), weights=(1.0, 0.0))
    deployer.sm.delete_model(ModelName=model)
    workers = pids(first)
    assert len(workers) == 2
    assert first.stop() == 0
    assert not any(alive(worker) for worker in workers)
    assert not (first.data_dir / "endpoints" / ".sockets").exists()
    again = Deployer(start_engine())
    assert again.status(name)["EndpointStatus"] == "InService"
    assert again.invoke(name, 8) == 16
    assert [variant["CurrentWeight"] for variant in again.status(name)["ProductionVariants"]] == [1.0, 0.0]
    again.delete(name)


def test_endpoints_come_back_after_kill_9(start_engine: Start) -> None:
    first = start_engine()
    deployer = Deployer(first)
    name = deployer.endpoint(deployer.model())
    workers = pids(first)
    first.kill()
    wait_for(lambda: not any(alive(worker) for worker in workers))
    second = start_engine()
    again = Deployer(second)
    assert again.invoke(name, 8) == 16
    assert len(pids(second)) == 1
    again.delete(name)


def test_a_creation_is_resumed_after_kill_9(start_engine: Start, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = start_engine()
    deployer = Deployer(first)
    name = deployer.create(deployer.config(deployer.model(SLOW, GO=str(go))))
    (worker,) = wait_for(lambda: pids(first, name))
    first.kill()
    wait_for(lambda: not alive(worker))
    again = Deployer(start_engine())
    assert again.status(name)["EndpointStatus"] == "Creating"
    go.touch()
    again.in_service(name)
    assert again.runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read() == b"1"
    again.delete(name)


def test_an_update_is_resumed_after_kill_9(start_engine: Start, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = start_engine()
    deployer = Deployer(first)
    name = deployer.endpoint(deployer.model())
    config = deployer.config(deployer.model(SLOW, GO=str(go)))
    deployer.sm.update_endpoint(EndpointName=name, EndpointConfigName=config)
    wait_for(lambda: len(pids(first, name)) == 2)
    pending = deployer.status(name)
    assert pending["EndpointStatus"] == "Updating"
    assert pending["PendingDeploymentSummary"]["EndpointConfigName"] == config
    first.kill()
    again = Deployer(start_engine())
    assert again.invoke(name, 4) == 8
    go.touch()
    assert again.in_service(name)["EndpointConfigName"] == config
    again.delete(name)


def test_a_deletion_is_finished_after_kill_9(start_engine: Start) -> None:
    first = start_engine()
    deployer = Deployer(first)
    name = deployer.endpoint(deployer.model())
    deployer.sm.delete_endpoint(EndpointName=name)
    first.kill()
    again = Deployer(start_engine())
    again.gone(name)
    assert not (first.data_dir / "endpoints" / name).exists()


def test_reset_ends_every_endpoint(deploy: Deployer) -> None:
    import urllib.request

    name = deploy.endpoint(deploy.model())
    deploy.create(deploy.config(deploy.model("import time\ntime.sleep(60)\n")))
    workers = wait_for(lambda: len(found := pids(deploy.engine)) == 2 and found)
    request = urllib.request.Request(f"{deploy.engine.url}/_engine/reset", method="POST")
    assert urllib.request.urlopen(request, timeout=30).status == 200
    assert not any(alive(worker) for worker in workers)
    assert deploy.sm.list_endpoints()["Endpoints"] == []
    refused("ValidationError", deploy.runtime.invoke_endpoint, EndpointName=name, Body=b"1")
    deploy.made.clear()
    deploy.delete(deploy.endpoint(deploy.model()))


def test_without_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that spell /opt/ml out find their files where the kernel allows no namespaces."""
    from tests.engine import conftest

    code = """
import os
def model_fn(model_dir):
    assert os.path.samefile(model_dir, "/opt/ml/model")
    return open("/opt/ml/model/word").read()
def transform_fn(m, d, c, a): return m
"""
    original = conftest.subprocess.Popen

    def popen(*arguments, **options):  # type: ignore[no-untyped-def]
        options["env"] = {**options.get("env", {}), "MLCONSOLE_NO_NAMESPACES": "1"}
        return original(*arguments, **options)

    monkeypatch.setattr(conftest.subprocess, "Popen", popen)
    with conftest.engine_process(tmp_path / "data") as running:
        deployer = Deployer(running)
        for _ in range(2):
            name = deployer.endpoint(deployer.model(code, files={"word": "found"}))
            assert deployer.runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read() == b"found"


def test_a_long_data_directory_has_short_sockets(tmp_path: Path) -> None:
    from tests.engine import conftest

    deep = tmp_path / ("d" * 60) / ("e" * 60) / "data"
    with conftest.engine_process(deep) as running:
        deployer = Deployer(running)
        name = deployer.endpoint(deployer.model())
        assert deployer.invoke(name, 2) == 4
        assert not (deep / "endpoints" / ".sockets").exists()


def test_workers_see_the_engine_as_aws(deploy: Deployer) -> None:
    code = """
import os
def model_fn(d): return 1
def transform_fn(m, d, c, a):
    import boto3
    return boto3.client("sts").get_caller_identity()["Account"] + " " + boto3.client("s3").list_buckets()["Buckets"][0]["Name"]
"""
    name = deploy.endpoint(deploy.model(code))
    answer = deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read().decode()
    assert answer == f"{deploy.account} {deploy.bucket}"


def test_an_instance_is_a_process_up_to_twice_the_cores() -> None:
    assert len(instance_ids(1, 2)) == 1
    assert len(instance_ids(3, 2)) == 3
    assert len(instance_ids(500, 2)) == 4
    assert len({*instance_ids(4, 2)}) == 4


def test_only_the_remembered_process_is_killed(tmp_path: Path) -> None:
    import subprocess

    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        note = tmp_path / "pid"
        note.write_text(f"{process.pid} 1\n")
        assert processes.kill_remembered(note) is False
        assert process.poll() is None
        processes.remember(note, process.pid)
        assert processes.kill_remembered(note) is True
        deadline = time.monotonic() + 60
        while alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not alive(process.pid)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/k/x.tar.gz", ("b", "k/x.tar.gz")),
        ("https://s3.us-east-1.amazonaws.com/b/k%20x", ("b", "k x")),
        ("https://s3-eu-west-1.amazonaws.com/b/k", ("b", "k")),
        ("https://b.s3.us-east-1.amazonaws.com/k/l", ("b", "k/l")),
        ("https://example.com/b/k", ("", "")),
        ("file:///etc/passwd", ("", "")),
    ],
)
def test_locations(uri: str, expected: tuple[str, str]) -> None:
    assert artifacts.split_uri(uri) == expected


def test_a_linked_tree_is_the_same_and_apart(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "code").mkdir(parents=True)
    (source / "code" / "a.py").write_text(DOUBLE)
    (source / "link").symlink_to("code/a.py")
    artifacts.link_tree(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "link").read_text() == DOUBLE
    (tmp_path / "copy" / "code" / "new").write_text("x")
    assert not (source / "code" / "new").exists()


INFERENCE_SPEC = """
import io, sys, time
import boto3
import numpy as np
from sagemaker.core.helper.session_helper import Session
from sagemaker.serve.builder.schema_builder import SchemaBuilder
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.serve.spec.inference_spec import InferenceSpec
from sagemaker.serve.utils.types import ModelServer

class Triple(InferenceSpec):
    def load(self, model_dir): return 3
    def invoke(self, x, model): return np.asarray(x) * model

image, role, folder, name = sys.argv[1:]
points = np.array([[1.0, 2.0]])
builder = ModelBuilder(
    inference_spec=Triple(), schema_builder=SchemaBuilder(points, points * 3), model_server=ModelServer.TORCHSERVE,
    image_uri=image, model_path=folder, dependencies={"auto": False}, role_arn=role, sagemaker_session=Session(),
    instance_type="ml.m5.large",
)
builder.build(model_name=name)
endpoint = builder.deploy(endpoint_name=name, instance_type="ml.m5.large", initial_instance_count=1, wait=False)
client = boto3.client("sagemaker")
while (found := client.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
    time.sleep(0.2)
assert found["EndpointStatus"] == "InService", found["FailureReason"]
body = io.BytesIO()
np.save(body, points)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=name, ContentType="application/x-npy", Accept="application/x-npy", Body=body.getvalue()
)
print("ANSWER", np.load(io.BytesIO(answer["Body"].read())).tolist())
"""


@pytest.mark.slow
def test_an_inference_spec_of_the_sdk_is_served_unmodified(deploy: Deployer, tmp_path: Path) -> None:
    """SDK v3's ModelBuilder pickles a class and sends its own inference.py, which spells /opt/ml out."""
    import subprocess
    import sys

    told = deploy.engine.connection
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": told.url,
        "AWS_ACCESS_KEY_ID": told.access_key,
        "AWS_SECRET_ACCESS_KEY": told.secret_key,
        "AWS_REGION": told.region,
        "AWS_DEFAULT_REGION": told.region,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(tmp_path / "defaults.yaml"),
    }
    (tmp_path / "defaults.yaml").write_text(
        "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
        f"      Session:\n        DefaultS3Bucket: {told.default_bucket}\n"
    )
    (tmp_path / "program.py").write_text(INFERENCE_SPEC)
    name = "inference-spec"
    command = [sys.executable, "program.py", PYTORCH, told.role_arn, str(tmp_path / "model"), name]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert "ANSWER [[3.0, 6.0]]" in done.stdout, done.stdout + done.stderr
    deploy.delete(name)
