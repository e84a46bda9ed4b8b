"""Training jobs: create, describe, list, stop, update, delete."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError, in_use, validation
from engine.jobs.record import ENDED, KIND, shown
from engine.registry import operation
from engine.services.sagemaker import tags
from engine.services.sagemaker.common import arn_of
from engine.services.sagemaker.listing import Listing
from engine.services.sagemaker.training_checks import check
from engine.store import Exists, Resource

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_KEPT = (
    "TrainingJobName", "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig",
    "ResourceConfig", "VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "TensorBoardOutputConfig",
    "ExperimentConfig", "ProfilerConfig", "ProfilerRuleConfigurations", "Environment", "RetryStrategy", "RemoteDebugConfig",
    "InfraCheckConfig", "MlflowConfig", "ModelPackageConfig",
)  # fmt: skip

# AWS applies StatusEquals to the page that the other parameters select.
_LIST = Listing("ListTrainingJobs", KIND, without=frozenset({"StatusEquals"}))

# Both SDKs describe a job every 5 s (v3) or 30 s (v2): their Describe of a job whose status they know is answered when the
# status changes, so that they see the end of a job at once. v3 prints new log lines between two of them and waits less.
_HELD = (("lib/aws-sagemaker-python-sdk", 20.0), ("lib/aws-sagemakercore", 10.0))
IMPATIENT = "app/mlconsole"
"""In the user agent of a client that polls at its own pace, whichever SDK carries it: it is answered at once."""
_REMEMBERED = 2000
_seen: OrderedDict[tuple[str, str, str, str], tuple[str, float]] = OrderedDict()


def no_such_job() -> ServiceError:
    """AWS answers ``ValidationException`` here, whatever its model says."""
    return validation("Requested resource not found.")


def job(engine: Engine, name: str) -> Resource:
    """The stored job.

    Raises:
        ServiceError: There is none.
    """
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_such_job()
    return found


@operation("sagemaker", "CreateTrainingJob")
async def create_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Check the request, record the job and start it or put it in the queue."""
    name = params["TrainingJobName"]
    arn = arn_of(engine, KIND, name)
    taken = in_use(
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        f"exists ({arn})"
    )
    if engine.store.find(KIND, name) is not None:
        raise taken
    await asyncio.to_thread(check, engine, params)
    document = {key: params[key] for key in _KEPT if params.get(key) is not None}
    document |= {
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        "CreationTime": round(engine.clock.time(), 3),
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400} | params.get("StoppingCondition", {}),
        "ProfilingStatus": "Disabled",
    }
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        document.setdefault(flag, False)
    document["ResourceConfig"].setdefault("InstanceCount", 1)
    document["AlgorithmSpecification"].setdefault("EnableSageMakerMetricsTimeSeries", False)
    document["OutputDataConfig"].setdefault("CompressionType", "GZIP")
    document["OutputDataConfig"].setdefault("KmsKeyId", "")
    try:
        engine.jobs.submit(document)
    except Exists as error:
        raise taken from error
    tags.add(engine, arn, params.get("Tags", []))
    return {"TrainingJobArn": arn}


@operation("sagemaker", "DescribeTrainingJob")
async def describe_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The job as it is; for the SDKs' polling loops, as it is once its status changed."""
    name = params["TrainingJobName"]
    found = job(engine, name)
    agent = request.headers.get("user-agent", "")
    patience = next((seconds for mark, seconds in _HELD if mark in agent.lower()), 0.0)
    if IMPATIENT in agent:
        patience = 0.0
    if patience and found.status not in ENDED:
        key = (request.access_key, agent, str(engine.layout.root), name)
        state = found.document["SecondaryStatus"]
        before, when = _seen.get(key, ("", 0.0))
        if before == state and time.monotonic() - when < 120:
            await engine.jobs.change(name, patience)
            found = job(engine, name)
        _seen[key] = (found.document["SecondaryStatus"], time.monotonic())
        _seen.move_to_end(key)
        while len(_seen) > _REMEMBERED:
            _seen.popitem(last=False)
    return shown(found.document)


@operation("sagemaker", "ListTrainingJobs")
async def list_training_jobs(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Summaries by creation, newest first unless asked otherwise."""
    if params.get("WarmPoolStatusEquals") or params.get("TrainingPlanArnEquals"):
        # No job here has a warm pool or a training plan.
        return {"TrainingJobSummaries": []}
    page = _LIST.page(engine, params)
    status = params.get("StatusEquals")
    rows = [row for row in page.resources if status is None or row.status == status]
    return {"TrainingJobSummaries": [_summary(row) for row in rows], "NextToken": page.next_token}


def _summary(row: Resource) -> dict[str, Any]:
    document = row.document
    return {
        "TrainingJobName": row.name,
        "TrainingJobArn": document["TrainingJobArn"],
        "CreationTime": document["CreationTime"],
        "TrainingEndTime": document.get("TrainingEndTime"),
        "LastModifiedTime": document["LastModifiedTime"],
        "TrainingJobStatus": document["TrainingJobStatus"],
        "SecondaryStatus": document["SecondaryStatus"],
    }


@operation("sagemaker", "StopTrainingJob")
async def stop_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """SIGTERM now, SIGKILL after 120 s; what the model directory holds is still uploaded."""
    found = job(engine, params["TrainingJobName"])
    if found.status in ENDED:
        raise validation(f"The request was rejected because the training job is in status {found.status}.")
    engine.jobs.halt(found.name)
    return {}


@operation("sagemaker", "UpdateTrainingJob")
async def update_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Change a running job's profiler and remote-debug configuration, and its keep-alive period."""
    found = job(engine, params["TrainingJobName"])
    if found.status != "InProgress":
        raise validation(f"The request was rejected because the training job is in status {found.status}.")

    def change(document: dict[str, Any]) -> None:
        for key in ("ProfilerConfig", "RemoteDebugConfig", "ResourceConfig"):
            if params.get(key) is not None:
                document[key] = {**document.get(key, {}), **params[key]}
        if params.get("ProfilerRuleConfigurations") is not None:
            document["ProfilerRuleConfigurations"] = params["ProfilerRuleConfigurations"]
        document["LastModifiedTime"] = round(engine.clock.time(), 3)

    engine.store.update(KIND, found.name, change, now=engine.clock.time())
    return {"TrainingJobArn": found.document["TrainingJobArn"]}


@operation("sagemaker", "DeleteTrainingJob")
async def delete_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Forget a job that is at its end; its artefacts, logs and metrics stay."""
    found = job(engine, params["TrainingJobName"])
    if found.status not in ENDED:
        raise in_use(
            f"The training job {found.name} is in status {found.status} and cannot be deleted. "
            "Stop it and wait until it has ended."
        )
    await engine.jobs.settle(found.name)
    engine.store.delete(KIND, found.name)
    tags.drop(engine, found.document["TrainingJobArn"])
    return {}
