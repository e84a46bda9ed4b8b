"""``kill -9`` of the engine at the three worst moments: in training, in an endpoint's creation, between two parts of an upload."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

IMAGE = "246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
# Counts until told to end, so that the test decides what happens while it trains.
TRAIN = """
import os, time
go = os.environ["GO"]
n = 0
while not os.path.exists(go):
    n += 1
    print(f"tick={n};", flush=True)
    time.sleep(0.05)
print("score=0.5;", flush=True)
open(os.path.join(os.environ["SM_MODEL_DIR"], "ticks"), "w").write(str(n))
"""
SERVE = """
import os, time


def model_fn(model_dir):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.05)
    return 2.0


def predict_fn(data, model):
    return data * model
"""


class Server:
    """An engine on its own data directory that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: dict[str, Any] = {}

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "engine", *arguments, "--data-dir", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        done = self._run("start")
        assert done.returncode == 0, done.stderr
        self.found = json.loads((self.folder / "connection.json").read_text())

    def kill(self) -> None:
        process = psutil.Process(self.found["pid"])
        os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs([process], timeout=10)

    def stop(self) -> None:
        self._run("stop")

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service, endpoint_url=self.found["url"], region_name=self.found["region"],
            aws_access_key_id=self.found["access_key"], aws_secret_access_key=self.found["secret_key"],
        )  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "engine")
    server.start()
    server.client("s3").create_bucket(Bucket="survival")
    yield server
    server.stop()
    for process in psutil.process_iter(["pid", "environ"]):
        assert (process.info["environ"] or {}).get("GO") != str(tmp_path / "go"), "a process was left behind"


def _pack(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


def _messages(logs: Any, group: str, stream: str) -> list[str]:
    messages, token = [], {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        messages += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return messages
        token = {"nextToken": page["nextForwardToken"]}


def test_a_training_job_goes_on_while_the_engine_is_dead(server: Server, tmp_path: Path) -> None:
    s3, sagemaker, logs = (server.client(name) for name in ("s3", "sagemaker", "logs"))
    s3.put_object(Bucket="survival", Key="source.tar.gz", Body=_pack({"train.py": TRAIN}))
    sagemaker.create_training_job(
        TrainingJobName="survivor",
        RoleArn=server.found["role_arn"],
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
        },
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://survival/source.tar.gz",
        },
        Environment={"GO": str(tmp_path / "go")},
        OutputDataConfig={"S3OutputPath": "s3://survival/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def stream() -> str:
        found = logs.describe_log_streams(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="survivor/"
        )["logStreams"]
        return found[0]["logStreamName"] if found and "lastEventTimestamp" in found[0] else ""

    def started() -> str:
        try:
            return stream()
        except logs.exceptions.ResourceNotFoundException:
            return ""

    name = _until(started)
    server.kill()
    time.sleep(0.5)  # ticks that nobody reads
    server.start()
    logs, sagemaker, s3 = (server.client(name) for name in ("logs", "sagemaker", "s3"))
    assert sagemaker.describe_training_job(TrainingJobName="survivor")["TrainingJobStatus"] == "InProgress"
    (tmp_path / "go").touch()

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName="survivor")
        return job if job["TrainingJobStatus"] != "InProgress" else None

    job = _until(ended)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [metric["Value"] for metric in job["FinalMetricDataList"]] == [0.5]
    messages = _messages(logs, "/aws/sagemaker/TrainingJobs", name)
    ticks = [int(message[5:-1]) for message in messages if message.startswith("tick=")]
    assert ticks == list(range(1, len(ticks) + 1)), "a line was lost or came twice"
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://survival/")
    with tarfile.open(
        fileobj=io.BytesIO(s3.get_object(Bucket="survival", Key=key)["Body"].read())
    ) as archive:
        saved = archive.extractfile("ticks")
        assert saved is not None
        assert int(saved.read()) == len(ticks)


def test_an_endpoint_that_was_being_created_comes_into_service(server: Server, tmp_path: Path) -> None:
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.put_object(Bucket="survival", Key="model.tar.gz", Body=_pack({"code/inference.py": SERVE}))
    sagemaker.create_model(
        ModelName="survivor",
        ExecutionRoleArn=server.found["role_arn"],
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": "s3://survival/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "GO": str(tmp_path / "go")},
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="survivor",
        ProductionVariants=[
            {
                "VariantName": "A",
                "ModelName": "survivor",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="survivor", EndpointConfigName="survivor")
    assert sagemaker.describe_endpoint(EndpointName="survivor")["EndpointStatus"] == "Creating"
    server.kill()
    server.start()
    sagemaker = server.client("sagemaker")
    (tmp_path / "go").touch()

    def status() -> str:
        found = sagemaker.describe_endpoint(EndpointName="survivor")["EndpointStatus"]
        return "" if found == "Creating" else str(found)

    assert _until(status) == "InService"

    def answer() -> float:
        body = server.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="survivor", ContentType="application/json", Accept="application/json", Body="[21]"
        )["Body"]
        [[value]] = json.loads(body.read())  # the container makes one row of a flat list
        return float(value)

    assert answer() == 42
    server.kill()
    server.start()
    sagemaker = server.client("sagemaker")
    assert _until(status) == "InService"
    assert answer() == 42
    sagemaker.delete_endpoint(EndpointName="survivor")


def test_a_multipart_upload_goes_on_and_no_object_is_half_there(server: Server) -> None:
    part = os.urandom(5 * 2**20)
    s3 = server.client("s3")
    s3.put_object(Bucket="survival", Key="kept", Body=b"kept")
    upload = s3.create_multipart_upload(Bucket="survival", Key="large")["UploadId"]
    target = {"Bucket": "survival", "Key": "large", "UploadId": upload}
    first = s3.upload_part(**target, PartNumber=1, Body=part)["ETag"]
    server.kill()
    server.start()
    s3 = server.client("s3")
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="survival")["Contents"]] == ["kept"]
    assert [found["PartNumber"] for found in s3.list_parts(**target)["Parts"]] == [1]
    second = s3.upload_part(**target, PartNumber=2, Body=b"end")["ETag"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    server.kill()
    server.start()
    s3 = server.client("s3")
    assert s3.get_object(Bucket="survival", Key="large")["Body"].read() == part + b"end"
    assert s3.get_object(Bucket="survival", Key="kept")["Body"].read() == b"kept"
