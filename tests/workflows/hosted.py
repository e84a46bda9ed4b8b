"""Endpoints on a real engine, for the tests of workflows and of the command line."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows.platform import Platform

SERVING_IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
ECHO = """
def model_fn(folder): return None
def input_fn(body, content_type): return body if isinstance(body, str) else body.decode()
def predict_fn(data, model):
    if data.startswith("bad"): raise ValueError("cannot answer that")
    return data
def output_fn(value, accept): return value, "text/plain"
"""


def archive(**files: str) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt"))
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return memory.getvalue()


def start_endpoint(
    platform: Platform,
    name: str,
    codes: Mapping[str, str],
    files: Mapping[str, str] | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    count: int = 1,
    **config: Any,
) -> None:
    """Make models, configuration and endpoint with a variant per code, and return while it is being created.

    Args:
        files: What else is in each model archive, by name with ``_`` for ``.`` (see `archive`).
    """
    sagemaker, storage = platform.client("sagemaker"), platform.client("s3")
    if platform.bucket not in {bucket["Name"] for bucket in storage.list_buckets()["Buckets"]}:
        storage.create_bucket(Bucket=platform.bucket)
    variants = []
    for variant, code in codes.items():
        model = name if len(codes) == 1 else f"{name}-{variant}"
        body = archive(code__inference_py=code, **(files or {}))
        storage.put_object(Bucket=platform.bucket, Key=f"{model}/model.tar.gz", Body=body)
        sagemaker.create_model(
            ModelName=model,
            ExecutionRoleArn=platform.role_arn,
            PrimaryContainer={
                "Image": SERVING_IMAGE,
                "ModelDataUrl": f"s3://{platform.bucket}/{model}/model.tar.gz",
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                },
            },
        )
        variants.append(
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": count,
                "InitialVariantWeight": (weights or {}).get(variant, 1.0),
            }
        )
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def in_service(platform: Platform, name: str, seconds: float = 120) -> None:
    """Wait until an endpoint serves."""
    deadline = time.monotonic() + seconds
    while True:
        found = platform.client("sagemaker").describe_endpoint(EndpointName=name)
        if found["EndpointStatus"] == "InService":
            return
        assert found["EndpointStatus"] in ("Creating", "Updating"), found
        assert time.monotonic() < deadline, "it did not come into service in time"
        time.sleep(0.05)
