"""What the batch transform tests share: inputs, models that answer them, jobs and what they leave behind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique

GROUP = "/aws/sagemaker/TransformJobs"
ENDED = ("Completed", "Failed", "Stopped")

# Answers every line with its first number doubled; a line that begins with "bad" is refused, "broken" is an error of the model.
DOUBLE = """
import os

def model_fn(folder):
    return 2

def transform_fn(model, data, content_type, accept):
    text = data.decode() if isinstance(data, bytes) else data
    return "\\n".join(str(int(line.split(",")[0]) * model) for line in text.splitlines())
"""

# Answers what it was sent, so that the test sees what that was.
ECHO = """
def model_fn(folder):
    return None

def transform_fn(model, data, content_type, accept):
    return data
"""

# Answers each request with one line: number of bytes, content type and the first line.
TELL = """
import json, os

def model_fn(folder):
    return None

def transform_fn(model, data, content_type, accept):
    text = data.decode() if isinstance(data, bytes) else data
    return json.dumps({"bytes": len(text), "type": content_type, "accept": accept, "lines": text.splitlines(),
                       "env": {k: v for k, v in os.environ.items() if k.startswith("SAGEMAKER_") or k == "WORD"}})
"""


class Transformer(Deployer):
    """Makes transform jobs on an engine."""

    def __init__(self, engine: RunningEngine) -> None:
        super().__init__(engine)
        self.cloudwatch = engine.client("cloudwatch")

    def put(self, files: Mapping[str, bytes | str], folder: str = "") -> str:
        """Objects below a folder of their own; the folder's URI, with a slash."""
        folder = folder or unique("in")
        for key, data in files.items():
            self.s3.put_object(
                Bucket=self.bucket,
                Key=f"{folder}/{key}",
                Body=data.encode() if isinstance(data, str) else data,
            )
        return f"s3://{self.bucket}/{folder}/"

    def request(self, model: str, source: str, **changes: Any) -> dict[str, Any]:
        """A CreateTransformJob request; ``input``, ``output`` and ``resources`` are merged into its structures, other members replaced."""
        name = changes.pop("name", "") or unique("transform")
        kind = changes.pop("kind", "S3Prefix")
        return {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": source}},
                "ContentType": "text/csv",
                "SplitType": "Line",
                **changes.pop("input", {}),
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://{self.bucket}/out/{name}",
                "AssembleWith": "Line",
                **changes.pop("output", {}),
            },
            "TransformResources": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                **changes.pop("resources", {}),
            },
            **changes,
        }

    def begin(self, model: str, source: str, **changes: Any) -> str:
        """Start a job; its name."""
        request = self.request(model, source, **changes)
        self.sm.create_transform_job(**request)
        return str(request["TransformJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeTransformJob."""
        found: dict[str, Any] = self.sm.describe_transform_job(TransformJobName=name)
        return found

    def ended(self, name: str, seconds: float = 90) -> dict[str, Any]:
        """The job at its end."""
        deadline = time.monotonic() + seconds
        while (found := self.describe(name))["TransformJobStatus"] not in ENDED:
            assert time.monotonic() < deadline, f"{name} is still {found['TransformJobStatus']}"
            time.sleep(0.03)
        return found

    def outputs(self, name: str) -> dict[str, bytes]:
        """The stored results by their key below the output path."""
        prefix = f"out/{name}/"
        found = {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                body = self.s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()
                found[item["Key"].removeprefix(prefix)] = body
        return found

    def run(self, model: str, source: str, **changes: Any) -> dict[str, bytes]:
        """A job that must complete; its results."""
        name = self.begin(model, source, **changes)
        found = self.ended(name)
        assert found["TransformJobStatus"] == "Completed", (
            found.get("FailureReason"),
            self.data_log(name),
            self.log(name),
        )
        return self.outputs(name)

    def fail(self, model: str, source: str, **changes: Any) -> tuple[dict[str, Any], list[str]]:
        """A job that must fail: what Describe says, and its data log without the times."""
        name = self.begin(model, source, **changes)
        found = self.ended(name)
        assert found["TransformJobStatus"] == "Failed", found
        return found, self.data_log(name)

    def streams(self, name: str) -> list[str]:
        """A job's log streams."""
        try:
            found = self.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
        except ClientError:
            return []
        return [item["logStreamName"] for item in found["logStreams"]]

    def lines(self, stream: str) -> list[str]:
        """A log stream's messages."""
        messages: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self.logs.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token
            )
            messages += [event["message"] for event in page["events"]]
            if token.get("nextToken") == page["nextForwardToken"]:
                return messages
            token = {"nextToken": page["nextForwardToken"]}

    def log(self, name: str) -> list[str]:
        """What the containers printed."""
        return [line for item in self.streams(name) if item.count("/") == 1 for line in self.lines(item)]

    def data_log(self, name: str) -> list[str]:
        """The data log's lines behind ``[sagemaker logs]: ``."""
        found = []
        for stream in self.streams(name):
            if stream.endswith("/data-log"):
                for line in self.lines(stream):
                    stamp, _, message = line.partition(":[sagemaker logs]: ")
                    assert len(stamp) == len("2020-04-20T00:32:05.224"), line
                    found.append(message)
        return found
