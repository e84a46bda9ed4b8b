"""Training jobs as tests make them: a script, its code archive in S3, and waiting for the end."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import textwrap
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.engine.conftest import RunningEngine

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
ENDED = ("Completed", "Failed", "Stopped")
_numbers = itertools.count()


def fresh(prefix: str = "job") -> str:
    """A name that no other test of this process uses."""
    return f"{prefix}-{next(_numbers)}-{time.time_ns() % 10**9}"


def pack(files: Mapping[str, str | bytes]) -> bytes:
    """A tar.gz of texts by path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            data = textwrap.dedent(content).encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Regular files of a tar.gz by path."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {
            info.name: found.read()
            for info in archive.getmembers()
            if info.isfile() and (found := archive.extractfile(info)) is not None
        }


def put(engine: RunningEngine, key: str, data: bytes | str) -> str:
    """Store an object in the default bucket; its URI."""
    bucket = engine.connection.default_bucket
    engine.client("s3").put_object(
        Bucket=bucket, Key=key, Body=data.encode() if isinstance(data, str) else data
    )
    return f"s3://{bucket}/{key}"


def fetch(engine: RunningEngine, uri: str) -> bytes:
    """An object's content."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def channel(uri: str, name: str = "training", kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    """An input channel."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}, **more}


def request(engine: RunningEngine, name: str, **changes: Any) -> dict[str, Any]:
    """A CreateTrainingJob request; ``changes`` replace its members, None takes one away."""
    bucket = engine.connection.default_bucket
    found = {
        "TrainingJobName": name,
        "RoleArn": engine.connection.role_arn,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def submit(
    engine: RunningEngine,
    script: str | Mapping[str, str | bytes],
    *,
    program: str = "train.py",
    hyperparameters: Mapping[str, str] | None = None,
    metrics: Mapping[str, str] | None = None,
    name: str | None = None,
    **changes: Any,
) -> str:
    """Start a job of the v2 contract that runs a script; its name."""
    name = name or fresh()
    files = {program: script} if isinstance(script, str) else script
    source = put(engine, f"code/{name}/sourcedir.tar.gz", pack(files))
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    if metrics:
        algorithm["MetricDefinitions"] = [{"Name": key, "Regex": regex} for key, regex in metrics.items()]  # type: ignore[assignment]
    changes.setdefault("AlgorithmSpecification", algorithm)
    given = {"sagemaker_program": json.dumps(program), "sagemaker_submit_directory": json.dumps(source)}
    engine.client("sagemaker").create_training_job(
        **request(engine, name, HyperParameters={**given, **(hyperparameters or {})}, **changes)
    )
    return name


def until(
    engine: RunningEngine, name: str, condition: Callable[[dict[str, Any]], Any], seconds: float = 60
) -> dict[str, Any]:
    """Describe a job until a condition holds."""
    client = engine.client("sagemaker")
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
        if condition(found):
            return found
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{name} is still {found['TrainingJobStatus']}/{found['SecondaryStatus']}: {found}"
            )
        time.sleep(0.02)


def finish(engine: RunningEngine, name: str, seconds: float = 60) -> dict[str, Any]:
    """Wait for a job's end."""
    return until(engine, name, lambda job: job["TrainingJobStatus"] in ENDED, seconds)


def lines(engine: RunningEngine, name: str) -> list[str]:
    """A job's log lines so far."""
    client = engine.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    found: list[str] = []
    for stream in client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")[
        "logStreams"
    ]:
        arguments = {"logGroupName": group, "logStreamName": stream["logStreamName"], "startFromHead": True}
        token = None
        while True:
            page = client.get_log_events(**arguments, **({"nextToken": token} if token else {}))
            found += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token:
                break
            token = page["nextForwardToken"]
    return found


def until_line(engine: RunningEngine, name: str, text: str, seconds: float = 60) -> None:
    """Wait until a job has printed a line that holds ``text``."""
    from botocore.exceptions import ClientError

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if any(text in line for line in lines(engine, name)):
                return
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        time.sleep(0.02)
    raise AssertionError(f"{name} did not print {text!r}")
