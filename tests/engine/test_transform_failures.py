"""Jobs that fail, stop or are hindered: what is said, where, and what stays."""

from __future__ import annotations

import gzip
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import SKLEARN, archive, refused, unique, wait_for
from tests.engine.transforming import ECHO, Transformer

SEE = "See job logs for more information"

# Refuses, breaks or dies at the lines that say so; counts its requests in a file.
MOODY = """
import os, signal, time

class Bad(Exception):
    status_code = 422

def model_fn(folder):
    return None

def transform_fn(model, data, content_type, accept):
    text = data.decode() if isinstance(data, bytes) else data
    with open(os.environ["COUNT"], "a") as count:
        count.write("x")
    if "refuse" in text:
        raise Bad("this record is no good\\nsee its second column")
    if "break" in text:
        raise ValueError("the model is out of order")
    if "die" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "die once" in os.environ.get("MOOD", "") and not os.path.exists(os.environ["COUNT"] + ".died"):
        open(os.environ["COUNT"] + ".died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    while "wait" in text and not os.path.exists(os.environ["COUNT"] + ".go"):
        time.sleep(0.02)
    return text
"""


@pytest.fixture(scope="module")
def job(engine: RunningEngine) -> Iterator[Transformer]:
    yield Transformer(engine)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    path = tmp_path / "count"
    path.touch()
    return path


def test_a_refused_record_is_named_and_the_other_objects_are_done(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"a.csv": "1\n", "bad.csv": "1\n2\nrefuse\n4\n", "c.csv": "3\n"})
    found, log = job.fail(model, source, BatchStrategy="SingleRecord")
    assert found["FailureReason"] == f"ClientError: {SEE}"
    name = source.removeprefix("s3://") + "bad.csv"
    lines = [line.removeprefix(f"{name}: ") for line in log if line.startswith(name)]
    assert lines[0] == "ClientError: 422"
    assert len(count.read_text()) <= 6  # what is refused is not sent again
    assert lines[1:3] == ["", "Message:"]
    assert any("this record is no good" in line for line in lines)
    assert "see its second column" in "\n".join(lines)
    assert lines[-1] == "The request carried record 3 of the object (bytes 4 to 11)"
    assert job.outputs(found["TransformJobName"]) == {"a.csv.out": b"1\n", "c.csv.out": b"3\n"}
    assert "TransformEndTime" in found


def test_a_failing_model_is_asked_again(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"rows.csv": "1\nbreak\n3\n"})
    found, log = job.fail(model, source, ModelClientConfig={"InvocationsMaxRetries": 2})
    assert found["FailureReason"] == f"AlgorithmError: {SEE}"
    assert len(count.read_text()) == 3
    assert log[1].endswith("rows.csv: Bad HTTP status received from algorithm: 500")
    assert any("the model is out of order" in line for line in log)
    assert log[-1].endswith("The request carried records 1 to 3 of the object (bytes 0 to 10)")


def test_a_model_that_dies_once_is_started_again(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count), MOOD="die once")
    source = job.put({"rows.csv": "1\n2\n"})
    assert job.run(model, source) == {"rows.csv.out": b"1\n2\n"}
    assert len(count.read_text()) == 2


def test_a_record_that_kills_the_model_fails_its_object_only(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"a.csv": "1\n", "b.csv": "die\n", "c.csv": "2\n"})
    found, log = job.fail(model, source, ModelClientConfig={"InvocationsMaxRetries": 1})
    assert found["FailureReason"] == f"AlgorithmError: {SEE}"
    name = source.removeprefix("s3://") + "b.csv"
    assert f"{name}: Unable to get response from algorithm" in log
    assert sorted(job.outputs(found["TransformJobName"])) == ["a.csv.out", "c.csv.out"]


def test_a_slow_answer_times_out(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    config = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    found, log = job.fail(model, job.put({"rows.csv": "wait\n"}), ModelClientConfig=config)
    assert found["FailureReason"] == f"AlgorithmError: {SEE}"
    assert log[1].endswith("Model server did not respond to /invocations request within 1 seconds")


def test_records_and_objects_beyond_the_limit(job: Transformer) -> None:
    model = job.model(ECHO)
    source = job.put({"rows.csv": "short\n" * 10 + "x" * 2**20 + "y\n" + "short\n"})
    for strategy in ("SingleRecord", "MultiRecord"):
        found, log = job.fail(model, source, MaxPayloadInMB=1, BatchStrategy=strategy)
        assert found["FailureReason"] == f"ClientError: {SEE}"
        assert (
            "Too much data for max payload size. Record 11 (at byte 60) is longer than MaxPayloadInMB=1"
            in log[1]
        )
        assert job.outputs(found["TransformJobName"]) == {}
    found, log = job.fail(model, source, MaxPayloadInMB=1, input={"SplitType": "None"})
    assert "set SplitType" in log[1]


def test_input_that_is_not_what_the_request_says(job: Transformer) -> None:
    model = job.model(ECHO)
    source = job.put({"rows.csv": "1,2\n3\n"})
    found, log = job.fail(model, source, input={"CompressionType": "Gzip"})
    assert "not gzip-compressed" in log[1]
    rows = job.put({"rows.csv": "1,2\n" * 10})
    found, log = job.fail(model, rows, input={"SplitType": "RecordIO"})
    assert "Record 1 (at byte 0) is not in RecordIO format" in log[1]
    found, log = job.fail(model, source, DataProcessing={"InputFilter": "$[1]"})
    assert "outside the record: there is no index 1 among 1 elements" in log[1]
    assert log[2].endswith("Record 2 of the object")
    cut = job.put({"rows.csv.gz": gzip.compress(b"1,2\n" * 5000)[:-8]})
    found, log = job.fail(model, cut, input={"CompressionType": "Gzip"})
    assert "cut off" in log[1]
    assert job.outputs(found["TransformJobName"]) == {}


def test_a_container_that_does_not_come_up(job: Transformer) -> None:
    model = job.model("raise RuntimeError('no such weights')")
    found, _ = job.fail(model, job.put({"rows.csv": "1\n"}))
    reason = found["FailureReason"]
    assert reason.startswith(
        "AlgorithmError: Model container failed to respond to ping; please ensure /ping endpoint"
    )
    assert "no such weights" in reason


def test_model_data_that_is_gone(job: Transformer) -> None:
    key = unique("gone")
    uri = job.upload(archive({"code/inference.py": ECHO}), f"{key}/model.tar.gz")
    job.sm.create_model(
        ModelName=key, ExecutionRoleArn=job.role, PrimaryContainer={"Image": SKLEARN, "ModelDataUrl": uri}
    )
    job.s3.delete_object(Bucket=job.bucket, Key=f"{key}/model.tar.gz")
    found, _ = job.fail(key, job.put({"rows.csv": "1\n"}))
    assert found["FailureReason"].startswith("ClientError: Failed to download model data")


def test_stopping_keeps_what_is_done_and_leaves_nothing_else(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"a.csv": "1\n", "b.csv": "wait\n", "c.csv": "2\n"})
    name = job.begin(model, source)
    wait_for(lambda: len(count.read_text()) == 2 and job.outputs(name))
    root = job.engine.data_dir / "transforms" / name
    pids = [int(path.read_text().split()[0]) for path in root.glob("workers/*/pid")]
    assert pids
    job.sm.stop_transform_job(TransformJobName=name)
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in found
    assert job.outputs(name) == {"a.csv.out": b"1\n"}
    assert not root.exists()
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    message = refused("ValidationException", job.sm.stop_transform_job, TransformJobName=name)
    assert message == "The request was rejected because the transform job is in status Stopped."


def test_jobs_wait_for_room_and_can_be_stopped_there(own_engine: RunningEngine, count: Path) -> None:
    job = Transformer(own_engine)
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"rows.csv": "wait\n"})
    large = {"InstanceType": "ml.m5.24xlarge"}  # half of the machine each
    running = [job.begin(model, source, resources=large) for _ in range(min(2, os.cpu_count() or 1))]
    wait_for(lambda: len(count.read_text()) == len(running))
    waiting = [job.begin(model, source, resources=large) for _ in range(2)]
    for name in waiting:
        found = job.describe(name)
        assert found["TransformJobStatus"] == "InProgress"
        assert "TransformStartTime" not in found
    job.sm.stop_transform_job(TransformJobName=waiting[0])
    assert job.ended(waiting[0])["TransformJobStatus"] == "Stopped"
    Path(f"{count}.go").touch()
    for name in [*running, waiting[1]]:
        assert job.ended(name)["TransformJobStatus"] == "Completed"


def test_the_feeders_end_is_said(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    name = job.begin(model, job.put({"rows.csv": "wait\n"}))
    wait_for(lambda: count.read_text())
    root = job.engine.data_dir / "transforms" / name
    [feeder] = [
        process
        for process in psutil.Process(job.engine.process.pid).children()
        if str(root / "plan.json") in process.cmdline()
    ]
    os.kill(feeder.pid, signal.SIGKILL)
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("InternalServerError: We encountered an internal error.")


def test_what_is_replaced_meanwhile_does_not_matter(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"a.csv": "wait\n", "b.csv": "1\n", "c.csv": "2\n"})
    folder = source.removeprefix(f"s3://{job.bucket}/")
    name = job.begin(model, source)
    wait_for(lambda: count.read_text())
    job.s3.put_object(Bucket=job.bucket, Key=f"{folder}d.csv", Body=b"late\n")
    threading.Timer(0.1, Path(f"{count}.go").touch).start()
    assert job.ended(name)["TransformJobStatus"] == "Completed"
    assert sorted(job.outputs(name)) == ["a.csv.out", "b.csv.out", "c.csv.out"]


def test_a_container_that_still_loads_can_be_stopped(job: Transformer, count: Path) -> None:
    loading = 'import os, time\nopen(os.environ["COUNT"], "a").write("x")\ntime.sleep(300)\n'
    name = job.begin(job.model(loading, COUNT=str(count)), job.put({"rows.csv": "1\n"}))
    wait_for(lambda: count.read_text())
    root = job.engine.data_dir / "transforms" / name
    [pid] = [int(path.read_text().split()[0]) for path in root.glob("workers/*/pid")]
    job.sm.stop_transform_job(TransformJobName=name)
    assert job.ended(name)["TransformJobStatus"] == "Stopped"
    assert not psutil.pid_exists(pid)
    assert not root.exists()


def test_results_that_have_no_bucket_any_more(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    bucket = unique("short-lived")
    job.s3.create_bucket(Bucket=bucket)
    name = job.begin(model, job.put({"rows.csv": "wait\n"}), output={"S3OutputPath": f"s3://{bucket}"})
    wait_for(lambda: count.read_text())
    job.s3.delete_bucket(Bucket=bucket)
    Path(f"{count}.go").touch()
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"] == (
        "ClientError: The result could not be stored: The specified bucket does not exist"
    )


def test_an_object_that_is_deleted_meanwhile_fails_alone(job: Transformer, count: Path) -> None:
    model = job.model(MOODY, COUNT=str(count))
    source = job.put({"a.csv": "wait\n", "b.csv": "wait\n", "c.csv": "wait\n", "d.csv": "1\n"})
    name = job.begin(model, source, MaxConcurrentTransforms=1)
    wait_for(lambda: count.read_text())
    key = source.removeprefix(f"s3://{job.bucket}/") + "d.csv"
    job.s3.delete_object(Bucket=job.bucket, Key=key)
    Path(f"{count}.go").touch()
    found = job.ended(name)
    assert found["FailureReason"] == f"ClientError: {SEE}"
    assert f"{job.bucket}/{key}: The object was deleted while the job ran." in job.data_log(name)
    assert sorted(job.outputs(name)) == ["a.csv.out", "b.csv.out", "c.csv.out"]
