"""SageMaker through boto3 alone: each step is one call with all its parameters, as in the low-level lessons."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workflows.interfaces import hosting, objects
from workflows.interfaces.absence import absent
from workflows.interfaces.archives import pack_source
from workflows.interfaces.base import (
    EndpointRequest,
    EndpointState,
    JobLog,
    ModelRequest,
    TrainingRequest,
    TrainingState,
)
from workflows.interfaces.rollouts.low import LowRollouts
from workflows.interfaces.states import endpoint_state, training_state
from workflows.interfaces.streams import AccountLog
from workflows.interfaces.transforms.low import LowTransforms
from workflows.interfaces.tuning.low import LowTuning
from workflows.observe.logs import LogReader

if TYPE_CHECKING:
    from workflows.builtin.request import AlgorithmRequest
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.interfaces.transforms.base import Transforms
    from workflows.interfaces.tuning.base import Tuning
    from workflows.platform import Platform

R = TypeVar("R", bound=ModelRequest)

VOLUME_GB = 5


class Low:
    """The low-level interface; see `workflows.interfaces.base.Interface` for what each method does."""

    name = "low"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sagemaker: Any = platform.client("sagemaker")
        self._s3: Any = platform.client("s3")
        self.tuning: Tuning = LowTuning(platform)
        self.transforms: Transforms = LowTransforms(platform)
        self.rollouts: Rollouts = LowRollouts(platform)

    def upload(self, path: Path, prefix: str) -> str:
        bucket, start = objects.parts(prefix)
        objects.ensure_bucket(self._s3, bucket, self._platform.region)
        key = f"{start}/{path.name}"
        self._s3.upload_file(str(path), bucket, key)
        return f"s3://{bucket}/{key}"

    def download(self, uri: str, path: Path) -> None:
        objects.download(self._s3, uri, path)

    def object_exists(self, uri: str) -> bool:
        return objects.exists(self._s3, uri)

    def train(self, request: TrainingRequest) -> str:
        with tempfile.TemporaryDirectory() as folder:
            archive = pack_source(request.source, Path(folder) / "sourcedir.tar.gz")
            submitted = self.upload(archive, f"{request.prefix}/code")
        hyperparameters = request.hyperparameters | {
            "sagemaker_program": request.entry_point,
            "sagemaker_submit_directory": submitted,
            "sagemaker_region": self._platform.region,
        }
        self._sagemaker.create_training_job(
            TrainingJobName=request.name,
            RoleArn=self._platform.role_arn,
            AlgorithmSpecification={
                "TrainingImage": request.image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    {"Name": metric.name, "Regex": metric.regex} for metric in request.metrics
                ],
            },
            HyperParameters=hyperparameters,
            InputDataConfig=[
                _channel(name, uri, request.content_type) for name, uri in request.inputs.items()
            ],
            OutputDataConfig={"S3OutputPath": f"{request.prefix}/output"},
            ResourceConfig=_resources(request.instance_type),
            StoppingCondition={"MaxRuntimeInSeconds": request.max_seconds},
            Tags=hosting.tags(request.tags),
        )
        return request.name

    def train_algorithm(self, request: AlgorithmRequest) -> str:
        self._sagemaker.create_training_job(
            TrainingJobName=request.name,
            RoleArn=self._platform.role_arn,
            AlgorithmSpecification={"TrainingImage": request.image, "TrainingInputMode": "File"},
            HyperParameters=dict(request.hyperparameters),
            InputDataConfig=[
                _channel(item.name, item.uri, item.content_type, item.data_type) for item in request.channels
            ],
            OutputDataConfig={"S3OutputPath": request.output},
            ResourceConfig=_resources(request.instance_type),
            StoppingCondition={"MaxRuntimeInSeconds": request.max_seconds},
            Tags=hosting.tags(dict(request.tags)),
        )
        return request.name

    def find_training(self, name: str) -> list[str]:
        pages = self._sagemaker.get_paginator("list_training_jobs").paginate(NameContains=name)
        found = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
        return [job for job in found if job.startswith(name)]

    def describe_training(self, name: str) -> TrainingState | None:
        described = self._described(self._sagemaker.describe_training_job, TrainingJobName=name)
        return training_state(described) if described else None

    def stop_training(self, name: str) -> None:
        state = self.describe_training(name)
        if state is not None and state.status == "InProgress":
            self._sagemaker.stop_training_job(TrainingJobName=name)

    def training_log(self, name: str) -> JobLog:
        return AccountLog(self._platform, LogReader.of_job(name))

    def make_model(self, request: ModelRequest) -> None:
        hosting.make_model(self._sagemaker, self._with_role(request))

    def model_exists(self, name: str) -> bool:
        return self._described(self._sagemaker.describe_model, ModelName=name) is not None

    def deploy(self, request: EndpointRequest) -> None:
        hosting.deploy(self._sagemaker, self._with_role(request))

    def describe_endpoint(self, name: str) -> EndpointState | None:
        described = self._described(self._sagemaker.describe_endpoint, EndpointName=name)
        return endpoint_state(described) if described else None

    def endpoint_log(self, name: str) -> JobLog:
        # Why it fails may stand in any variant's stream, which begins when it likes.
        return AccountLog(self._platform, LogReader.of_endpoint(name, relist=1))

    def invoke(self, name: str, body: bytes, content_type: str, accept: str) -> bytes:
        answer = self._platform.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=body, ContentType=content_type, Accept=accept
        )
        return bytes(answer["Body"].read())

    def delete_endpoint(self, name: str) -> bool:
        return self._deleted(self._sagemaker.delete_endpoint, EndpointName=name)

    def delete_endpoint_config(self, name: str) -> bool:
        return self._deleted(self._sagemaker.delete_endpoint_config, EndpointConfigName=name)

    def delete_model(self, name: str) -> bool:
        return self._deleted(self._sagemaker.delete_model, ModelName=name)

    def delete_objects(self, prefix: str) -> int:
        return objects.delete(self._s3, prefix)

    def remaining(self, name: str, prefix: str) -> list[str]:
        left = [
            f"{what} {item[key]}"
            for what, operation, member, key in (
                ("endpoint", "list_endpoints", "Endpoints", "EndpointName"),
                ("endpoint configuration", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
                ("model", "list_models", "Models", "ModelName"),
            )
            for page in self._sagemaker.get_paginator(operation).paginate(NameContains=name)
            for item in page[member]
            if item[key].startswith(name)
        ]
        states = (self.describe_training(job) for job in self.find_training(name))
        left += [f"running training job {state.name}" for state in states if state and not state.ended]
        return left + [
            f"object s3://{objects.parts(prefix)[0]}/{key}" for key in objects.keys(self._s3, prefix)
        ]

    def _with_role(self, request: R) -> R:
        return request if request.role else replace(request, role=self._platform.role_arn)

    def _described(self, operation: Any, **arguments: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            answer: dict[str, Any] = operation(**arguments)
        except ClientError as error:
            if absent(error):
                return None
            raise
        return answer

    def _deleted(self, operation: Any, **arguments: str) -> bool:
        return self._described(operation, **arguments) is not None


def _channel(name: str, uri: str, content_type: str, data_type: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": data_type, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    channel: dict[str, Any] = {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "CompressionType": "None",
    }
    if content_type:
        channel["ContentType"] = content_type
    return channel


def _resources(instance_type: str) -> dict[str, Any]:
    return {"InstanceCount": 1, "InstanceType": instance_type, "VolumeSizeInGB": VOLUME_GB}
