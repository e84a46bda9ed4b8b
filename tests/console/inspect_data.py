"""Documents as AWS describes resources, and a bucket."""

from __future__ import annotations

from typing import Any

from workflows.inspecting.bucket import Folder
from workflows.inspecting.relations import Related
from workflows.observe.objects import Listed

BUCKET = "s3://sagemaker-us-east-1-123456789012"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecution"


def job(name: str) -> dict[str, Any]:
    """A training job."""
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "TuningJobArn": "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/boston-xgb-0115",
        "ModelArtifacts": {"S3ModelArtifacts": f"{BUCKET}/moons/{name}/output/model.tar.gz"},
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "HyperParameters": {"epochs": "80", "hidden": "12", "lr": "0.05", **{f"option-{n}": str(n) for n in range(12)}},
        "AlgorithmSpecification": {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.0.1-cpu-py310", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{BUCKET}/moons/train/"}}}],
        "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/moons"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "CreationTime": "2027-01-15T07:44:00.000Z",
    }  # fmt: skip


def document(kind: str, name: str) -> dict[str, Any]:
    """A resource of a kind."""
    if kind == "endpoint":
        return {"EndpointName": name, "EndpointConfigName": f"{name}-config", "EndpointStatus": "InService"}
    if kind == "endpoint-config":
        variant = {
            "VariantName": "champion",
            "ModelName": "moons-model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        return {"EndpointConfigName": name, "ProductionVariants": [variant]}
    if kind == "model":
        return {
            "ModelName": name,
            "PrimaryContainer": {"ModelDataUrl": f"{BUCKET}/moons/moons-train/output/model.tar.gz"},
            "ExecutionRoleArn": ROLE,
        }
    return job(name)


def users(kind: str) -> tuple[Related, ...]:
    """Who uses a resource of a kind."""
    return (Related("model", "moons-model", "made of its artefact"),) if kind == "job" else ()


def folder(uri: str) -> Folder:
    """What lies in the bucket."""
    if uri == "s3://":
        return Folder(uri, (BUCKET + "/",))
    if uri == BUCKET + "/":
        return Folder(uri, (f"{BUCKET}/moons/",))
    return Folder(
        uri,
        (f"{uri}train/",),
        (Listed(f"{uri}moons.csv", 4096, 1_799_999_000.0), Listed(f"{uri}notes.txt", 64, 1_799_990_000.0)),
    )
