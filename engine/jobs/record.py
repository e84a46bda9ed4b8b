"""A training job's document: what Describe answers, and how its statuses follow each other.

Keys that begin with an underscore are the engine's own and are never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import builtin
from engine.images import resolve

KIND = "training-job"

MESSAGES = {
    "Starting": "Starting the training job",
    "Pending": "Training job waiting for capacity",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "Restarting": "Restarting the training job after an internal error",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}

FAILURE_LIMIT = 1024


_KEPT = (
    "TrainingJobName", "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig",
    "ResourceConfig", "VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "TensorBoardOutputConfig",
    "ExperimentConfig", "ProfilerConfig", "ProfilerRuleConfigurations", "Environment", "RetryStrategy", "RemoteDebugConfig",
    "InfraCheckConfig", "MlflowConfig", "ModelPackageConfig",
)  # fmt: skip


def new(params: Mapping[str, Any], arn: str, now: float) -> dict[str, Any]:
    """The document of a job that is about to start, from the parameters of CreateTrainingJob.

    Structures that get a default are copied, so that ``params`` may serve for several jobs.
    """
    document = {key: params[key] for key in _KEPT if params.get(key) is not None}
    document |= {
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        "CreationTime": round(now, 3),
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400} | params.get("StoppingCondition", {}),
        "ResourceConfig": {"InstanceCount": 1} | params["ResourceConfig"],
        "AlgorithmSpecification": _algorithm(params["AlgorithmSpecification"]),
        "OutputDataConfig": {"CompressionType": "GZIP", "KmsKeyId": ""} | params["OutputDataConfig"],
        "ProfilingStatus": "Disabled",
    }
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        document.setdefault(flag, False)
    return document


def _algorithm(given: Mapping[str, Any]) -> dict[str, Any]:
    """An AlgorithmSpecification with its defaults: a built-in algorithm's metric definitions are in it without being given."""
    known = builtin.metric_definitions(resolve(given["TrainingImage"]).repository)
    defaults = {"EnableSageMakerMetricsTimeSeries": False} | ({"MetricDefinitions": known} if known else {})
    return defaults | {key: value for key, value in given.items() if value != []}


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The members that AWS answers."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def move(document: dict[str, Any], secondary: str, now: float, message: str | None = None) -> None:
    """Enter a secondary status: the one before ends now. Entering the status that already holds changes its message."""
    now = round(now, 3)
    transitions = document.setdefault("SecondaryStatusTransitions", [])
    message = message or MESSAGES[secondary]
    if transitions and transitions[-1]["Status"] == secondary:
        transitions[-1]["StatusMessage"] = message
    else:
        if transitions:
            transitions[-1]["EndTime"] = now
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message})
    document["SecondaryStatus"] = secondary
    document["LastModifiedTime"] = now


def end(document: dict[str, Any], status: str, secondary: str, now: float, reason: str = "") -> None:
    """Enter a final status; the time on the instance is what is billed, in whole seconds."""
    message = None
    if reason:
        document["FailureReason"] = reason[:FAILURE_LIMIT]
        message = reason[:FAILURE_LIMIT]
    move(document, secondary, now, message)
    document["SecondaryStatusTransitions"][-1]["EndTime"] = round(now, 3)
    document["TrainingJobStatus"] = status
    document["TrainingEndTime"] = round(now, 3)
    started = document.get("TrainingStartTime")
    if started is not None:
        seconds = max(1, round(now - started))
        document["TrainingTimeInSeconds"] = seconds
        document["BillableTimeInSeconds"] = seconds
