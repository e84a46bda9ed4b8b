"""What the hosting tests share: model archives, models, configurations and endpoints on a running engine."""

from __future__ import annotations

import datetime
import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.engine.conftest import RunningEngine

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = (
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker"
)

DOUBLE = """
import json
def model_fn(model_dir): return 2
def input_fn(body, content_type): return json.loads(body)
def predict_fn(data, model): return data * model
def output_fn(prediction, accept): return json.dumps(prediction)
"""

WHO = """
import os
def model_fn(model_dir): return os.environ.get("WORD", "")
def transform_fn(model, data, content_type, accept): return f"{model} {os.getpid()}"
"""


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """A model.tar.gz."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as out:
        for name, data in files.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


class Deployer:
    """Makes models and endpoints on an engine, and removes every endpoint it made."""

    def __init__(self, engine: RunningEngine) -> None:
        self.engine = engine
        self.sm = engine.client("sagemaker")
        self.runtime = engine.client("sagemaker-runtime")
        self.s3 = engine.client("s3")
        self.logs = engine.client("logs")
        self.bucket = engine.connection.default_bucket
        self.role = engine.connection.role_arn
        self.account = engine.connection.account_id
        self.made: list[str] = []

    def upload(self, data: bytes, key: str | None = None) -> str:
        """An object; its S3 URI."""
        key = key or f"models/{unique('m')}/model.tar.gz"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def model(self, code: str = DOUBLE, *, name: str = "", image: str = SKLEARN, files: Mapping[str, bytes | str] | None = None, **environment: str) -> str:  # fmt: skip
        """A model with an inference script."""
        name = name or unique("model")
        uri = self.upload(archive({**({"code/inference.py": code} if code else {}), **(files or {})}))
        self.sm.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={"Image": image, "ModelDataUrl": uri, "Environment": environment},
        )
        return name

    def config(
        self, *models: str, weights: tuple[float, ...] = (), count: int = 1, name: str = "", **more: Any
    ) -> str:
        """A configuration with variants A, B ... of these models."""
        name = name or unique("config")
        variants = [
            {
                "VariantName": chr(ord("A") + index),
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": count,
                **({"InitialVariantWeight": weights[index]} if weights else {}),
            }
            for index, model in enumerate(models)
        ]
        self.sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **more)
        return name

    def create(self, config: str, name: str = "") -> str:
        """An endpoint that is being created."""
        name = name or unique("endpoint")
        self.sm.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.made.append(name)
        return name

    def endpoint(self, *models: str, **options: Any) -> str:
        """An endpoint in service."""
        name = self.create(self.config(*models, **options))
        self.in_service(name)
        return name

    def status(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint."""
        found: dict[str, Any] = self.sm.describe_endpoint(EndpointName=name)
        return found

    def settled(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint once nothing is under way."""
        found = wait_for(
            lambda: (
                (d := self.status(name))["EndpointStatus"]
                not in ("Creating", "Updating", "RollingBack", "Deleting")
                and d
            )
        )
        assert isinstance(found, dict)
        return found

    def in_service(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint once it is InService."""
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found.get("FailureReason")
        return found

    def invoke(self, name: str, body: Any, **options: Any) -> Any:
        """The JSON answer to a JSON body."""
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, ContentType="application/json", Body=json.dumps(body).encode(), **options
        )
        return json.loads(answer["Body"].read())

    def metric(
        self,
        endpoint: str,
        metric: str,
        variant: str = "A",
        statistic: str = "Sum",
        namespace: str = "AWS/SageMaker",
    ) -> float:
        """A statistic over everything measured in the last hour; 0 when there is nothing. Variant "" asks for the endpoint's own."""
        now = datetime.datetime.now(datetime.UTC)
        dimensions = [{"Name": "EndpointName", "Value": endpoint}]
        if variant:
            dimensions.append({"Name": "VariantName", "Value": variant})
        found = self.engine.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=now - datetime.timedelta(hours=1),
            EndTime=now + datetime.timedelta(minutes=5),
            Period=7200,
            Statistics=[statistic],
        )["Datapoints"]
        values = [float(point[statistic]) for point in found]
        return max(values, default=0.0) if statistic == "Maximum" else sum(values)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The objects below a prefix of the default bucket by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def delete(self, name: str) -> None:
        """Delete an endpoint and wait until it is gone."""
        self.sm.delete_endpoint(EndpointName=name)
        self.gone(name)

    def gone(self, name: str) -> None:
        """Wait until an endpoint is gone."""

        def missing() -> bool:
            try:
                self.status(name)
            except ClientError as error:
                return "Could not find endpoint" in str(error)
            return False

        wait_for(missing)

    def clean(self) -> None:
        """Delete every endpoint that was made and is still there."""
        for name in self.made:
            try:
                self.settled(name)
                self.delete(name)
            except ClientError as error:
                assert "Could not find endpoint" in str(error)


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Poll until a condition is true; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"not so within {seconds} s")


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> str:
    """The message of the error with which a call must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return str(caught.value.response["Error"]["Message"])
