"""The training jobs that a tuning job launches, made as CreateTrainingJob makes them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.jobs import record as jobs
from engine.services.sagemaker import tags
from engine.store import Exists
from engine.tuning import record
from engine.tuning.record import Trial

if TYPE_CHECKING:
    from engine.context import Engine

OBJECTIVE_PARAMETER = "_tuning_objective_metric"
OBJECTIVE_METRIC = "ObjectiveMetric"

_SHARED = (
    "RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "StoppingCondition", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "Environment",
)  # fmt: skip


def resource_config(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The ResourceConfig of a definition's training jobs, {} when it names no instances.

    HyperParameterTuningResourceConfig becomes one, too: of several InstanceConfigs the first, which is the preferred one.
    """
    own = definition.get("HyperParameterTuningResourceConfig")
    if not own:
        return dict(definition.get("ResourceConfig") or {})
    chosen = own["InstanceConfigs"][0] if own.get("InstanceConfigs") else own
    found = {key: chosen.get(key) for key in ("InstanceType", "InstanceCount", "VolumeSizeInGB")}
    found["VolumeKmsKeyId"] = own.get("VolumeKmsKeyId")
    return {key: value for key, value in found.items() if value is not None}


def parameters(
    definition: Mapping[str, Any], name: str, hyperparameters: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters of CreateTrainingJob for one of a definition's training jobs."""
    algorithm = definition["AlgorithmSpecification"]
    found = {key: definition[key] for key in _SHARED if definition.get(key) is not None}
    return found | {
        "TrainingJobName": name,
        "HyperParameters": {**definition.get("StaticHyperParameters", {}), **hyperparameters},
        "AlgorithmSpecification": {key: value for key, value in algorithm.items() if value is not None},
        "ResourceConfig": resource_config(definition),
    }


def arn(engine: Engine, name: str) -> str:
    """A training job's ARN."""
    return engine.settings.arn("sagemaker", f"{jobs.KIND}/{name.lower()}")


def launch(engine: Engine, document: Mapping[str, Any], trial: Trial, *, curve: bool) -> None:
    """Create a trial's training job; one that is there already stays as it is.

    Args:
        document: The tuning job's.
        curve: Whether the values of its objective are wanted while it runs.
    """
    definition = record.definitions(document)[trial.definition]
    params = parameters(definition, trial.name, trial.parameters)
    made = jobs.new(params, arn(engine, trial.name), engine.clock.time())
    made["TuningJobArn"] = document["HyperParameterTuningJobArn"]
    if curve:
        made["_objective"] = record.objective(document, trial.definition)["MetricName"]
    with contextlib.suppress(Exists):
        engine.jobs.submit(made)
    tags.add(engine, made["TrainingJobArn"], tags.of(engine, document["HyperParameterTuningJobArn"]))


def observe(engine: Engine, document: Mapping[str, Any], trial: Trial) -> bool:
    """Take over what became of a trial's training job; whether it has come to its end."""
    found = engine.store.find(jobs.KIND, trial.name)
    if found is None:
        trial.status, trial.reason = "Failed", "ClientError: The training job was deleted."
        trial.ended = engine.clock.time()
        return True
    job = found.document
    trial.status = job["TrainingJobStatus"]
    trial.started, trial.ended = job.get("TrainingStartTime"), job.get("TrainingEndTime")
    trial.reason = job.get("FailureReason", "")
    if trial.open:
        trial.curve = engine.jobs.curve(trial.name)
        return False
    trial.curve = job.get("_curve", [])
    metric = record.objective(document, trial.definition)["MetricName"]
    values = [item["Value"] for item in job.get("FinalMetricDataList", []) if item["MetricName"] == metric]
    trial.value = values[-1] if values else None
    return True
