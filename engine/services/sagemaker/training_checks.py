"""What CreateTrainingJob refuses, beyond what the service model states."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import builtin
from engine.errors import validation
from engine.images import Runtime, UnknownImage, resolve
from engine.jobs import channels
from engine.jobs.channels import ChannelError
from engine.jobs.launcher import BASE
from engine.jobs.metrics import Extractor, InvalidRegex
from engine.services.sagemaker import tags
from engine.services.sagemaker.common import check_role
from engine.tuning.children import OBJECTIVE_METRIC

if TYPE_CHECKING:
    from engine.context import Engine

# Directories of the contract that checkpoints must not lie in.
_TAKEN = tuple(f"{BASE}/{name}" for name in ("input", "output", "model", "code", "failure", "errors"))


def check(engine: Engine, params: dict[str, Any]) -> None:
    """Refuse a training job that cannot run here; may read the object store's index.

    Raises:
        ServiceError: ``ValidationException`` that names what is wrong.
    """
    check_role(engine, params["RoleArn"])
    _check_algorithm(params)
    _check_resources(params)
    _check_stopping(params)
    tags.check(params.get("Tags", []))
    try:
        _check_input(engine, params)
        _check_bucket(engine, params["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        _check_checkpoints(engine, params)
    except ChannelError as error:
        raise validation(str(error)) from error


def _check_algorithm(params: dict[str, Any]) -> None:
    algorithm = params.get("AlgorithmSpecification")
    if params.get("ServerlessJobConfig") or algorithm is None:
        raise validation(
            "AlgorithmSpecification is required: serverless training jobs cannot run on this machine."
        )
    image = algorithm.get("TrainingImage")
    if algorithm.get("AlgorithmName") and image:
        raise validation("You must specify either TrainingImage or AlgorithmName, but not both.")
    if not image:
        raise validation(
            "TrainingImage is required: algorithm resources (AlgorithmName) cannot run on this machine."
        )
    try:
        runtime = resolve(image)
    except UnknownImage as error:
        raise validation(str(error)) from error
    if runtime.train is None and not algorithm.get("ContainerEntrypoint"):
        raise validation(f"The image '{image}' is for inference and cannot train.")
    _check_metrics(runtime, params)
    try:
        Extractor(algorithm.get("MetricDefinitions", []))
    except InvalidRegex as error:
        raise validation(f"Invalid MetricDefinitions: {error}.") from error


def _check_metrics(runtime: Runtime, params: Mapping[str, Any]) -> None:
    """Built-in algorithms have metric definitions of their own; those of a job that is created again are the same ones.

    A tuning job's training jobs have the objective's a second time; a script may print anything.
    """
    algorithm = params["AlgorithmSpecification"]
    given = algorithm.get("MetricDefinitions") or []
    known = builtin.metric_definitions(runtime.repository)
    names = {item["Name"] for item in given if item not in known} - {OBJECTIVE_METRIC}
    command = runtime.training(params.get("HyperParameters") or {}, params.get("Environment") or {})
    if runtime.builtin and command == runtime.train and names:
        raise validation(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request without "
            "specifying metric definitions."
        )


def _check_resources(params: dict[str, Any]) -> None:
    resources = params.get("ResourceConfig")
    if resources is None:
        raise validation("ResourceConfig is required.")
    if resources.get("InstanceGroups"):
        raise validation(
            "ResourceConfig.InstanceGroups is not supported on this machine. Use InstanceType and InstanceCount."
        )
    if not resources.get("InstanceType"):
        raise validation("ResourceConfig.InstanceType is required.")
    count = resources.get("InstanceCount", 1)
    if count != 1:
        raise validation(
            f"ResourceConfig.InstanceCount {count} is not supported: training jobs run on one instance on this machine. "
            "Set it to 1."
        )


def _check_stopping(params: dict[str, Any]) -> None:
    condition = params.get("StoppingCondition", {})
    runtime, wait = condition.get("MaxRuntimeInSeconds", 86400), condition.get("MaxWaitTimeInSeconds")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise validation(
            "Invalid MaxWaitTimeInSeconds. It must be set only when EnableManagedSpotTraining is true"
        )


def _check_input(engine: Engine, params: dict[str, Any]) -> None:
    seen: set[str] = set()
    for channel in params.get("InputDataConfig", []):
        name = channel["ChannelName"]
        if name in seen:
            raise validation(f"Duplicate channel name '{name}' in InputDataConfig.")
        seen.add(name)
        if name in (".", ".."):
            raise validation(f"'{name}' cannot be the name of a channel.")
        mode = channel.get("InputMode") or params["AlgorithmSpecification"]["TrainingInputMode"]
        if channel.get("RecordWrapperType") == "RecordIO" and mode != "Pipe":
            raise validation(f"Channel '{name}': RecordWrapperType RecordIO goes with InputMode Pipe only.")
        # The first object is enough: more are looked at when the job downloads them.
        next(channels.items(engine.objects, channel, region=engine.settings.region, role=params["RoleArn"]))


def _check_bucket(engine: Engine, uri: str, member: str) -> None:
    bucket, _ = channels.split_uri(uri)
    if not engine.objects.bucket_exists(bucket):
        raise validation(
            f'The bucket "{bucket}" given in {member} does not exist in the selected region '
            f"({engine.settings.region}). Create it first."
        )


def _check_checkpoints(engine: Engine, params: dict[str, Any]) -> None:
    config = params.get("CheckpointConfig")
    if config is None:
        return
    _check_bucket(engine, config["S3Uri"], "CheckpointConfig.S3Uri")
    local = posixpath.normpath(config.get("LocalPath") or f"{BASE}/checkpoints")
    if not local.startswith(f"{BASE}/") or any(
        local == item or local.startswith(f"{item}/") for item in _TAKEN
    ):
        raise validation(
            f"CheckpointConfig.LocalPath '{config['LocalPath']}' must be a directory below {BASE} that SageMaker does not "
            f"use itself, for example {BASE}/checkpoints."
        )
