"""Asynchronous, serverless, streamed and captured inference with the SageMaker SDK v3: resources and configuration classes."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path

import boto3
from sagemaker.core.inference_config import AsyncInferenceConfig, ServerlessInferenceConfig
from sagemaker.core.model_monitor.data_capture_config import DataCaptureConfig
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import AsyncInferenceConfig as AsyncShape
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.shapes import DataCaptureConfig as CaptureShape
from sagemaker.core.utils.code_injection.codec import pascal_to_snake

ROLE, BUCKET = sys.argv[1:3]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = b"""
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    return (letter for letter in (data if isinstance(data, str) else data.decode())), "text/plain"
"""


def snake(document: object) -> object:
    """A request's members by the names that the resource classes give them."""
    if isinstance(document, dict):
        return {pascal_to_snake(key): snake(value) for key, value in document.items() if value is not None}
    return [snake(item) for item in document] if isinstance(document, list) else document


def main() -> None:
    s3 = boto3.client("s3")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as out:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(CODE)
        out.addfile(info, io.BytesIO(CODE))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.getvalue())
    s3.put_object(Bucket=BUCKET, Key="in.txt", Body=b"asynchronous", ContentType="text/plain")
    uri = f"s3://{BUCKET}/model.tar.gz"
    Model.create(
        "m", primary_container=ContainerDefinition(image=IMAGE, model_data_url=uri), execution_role_arn=ROLE
    )
    instances = ProductionVariant(
        variant_name="A", model_name="m", instance_type="ml.m5.large", initial_instance_count=1
    )
    asked = AsyncInferenceConfig(
        output_path=f"s3://{BUCKET}/out",
        failure_path=f"s3://{BUCKET}/bad",
        max_concurrent_invocations_per_instance=2,
    )
    serverless = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=3)
    captured = DataCaptureConfig(True, 100, f"s3://{BUCKET}/captured", csv_content_types=["text/csv"])
    configs = {
        "asynchronous": ([instances], {"async_inference_config": AsyncShape(**snake(asked._to_request_dict()))}),
        "captured": ([instances], {"data_capture_config": CaptureShape(**snake(captured._to_request_dict()))}),
    }  # fmt: skip
    endpoints = {}
    for name, (variants, more) in configs.items():
        EndpointConfig.create(endpoint_config_name=name, production_variants=variants, **more)
        endpoints[name] = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    # The resource class writes MemorySizeInMb, which boto3 refuses; ModelBuilder passes the dictionary to boto3, too.
    boto3.client("sagemaker").create_endpoint_config(
        EndpointConfigName="serverless",
        ProductionVariants=[
            {"VariantName": "A", "ModelName": "m", "ServerlessConfig": serverless._to_request_dict()}
        ],
    )
    endpoints["serverless"] = Endpoint.create(endpoint_name="serverless", endpoint_config_name="serverless")
    for endpoint in endpoints.values():
        endpoint.wait_for_status("InService", poll=1, timeout=120)
    found: dict[str, object] = {}
    answer = endpoints["asynchronous"].invoke_async(input_location=f"s3://{BUCKET}/in.txt")
    key = answer.output_location.removeprefix(f"s3://{BUCKET}/")
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    found["asynchronous"] = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    found["serverless"] = (
        endpoints["serverless"].invoke(body=b"hi", content_type="text/plain").body.read().decode()
    )
    (variant,) = endpoints["serverless"].refresh().production_variants
    found["concurrency"] = variant.current_serverless_config.max_concurrency
    # invoke_with_response_stream of the resource class fails on boto3's event stream before it has read anything.
    streamed = boto3.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="captured", Body=b"1,2", ContentType="text/csv"
    )
    found["streamed"] = "".join(event["PayloadPart"]["Bytes"].decode() for event in streamed["Body"])
    found["status"] = endpoints["captured"].refresh().data_capture_config.capture_status
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "captured" not in found:
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/").get("Contents", []):
            line = json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
            found["captured"] = line["captureData"]
        time.sleep(0.2)
    for endpoint in endpoints.values():
        endpoint.delete()
    Path(os.environ["RESULT"]).write_text(json.dumps(found))


main()
