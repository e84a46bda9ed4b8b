"""A tuning request as the parameters of CreateHyperParameterTuningJob, and back from what SageMaker describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from workflows.interfaces.base import MetricDefinition
from workflows.observe.tuning_rows import Objective, Range, TuningDetail
from workflows.tuning import known
from workflows.tuning.request import NAME_LENGTH, Input, Strategy, Template, TuningRequest, WarmStartKind

OBJECTIVE_KEY = "_tuning_objective_metric"
"""SageMaker adds this static hyperparameter for its built-in algorithms; it is not sent back."""

_TYPED = frozenset(
    {"DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters", "AlgorithmSpecification",
     "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "HyperParameterTuningResourceConfig",
     "StoppingCondition", "RetryStrategy", "Environment"}
)  # fmt: skip
"""Members of a training job definition that `Template` has; the others are its ``more``."""


def creation(request: TuningRequest) -> dict[str, Any]:
    """The parameters of the call that creates a tuning job; nothing is sent that was not asked for."""
    single = request.templates[0] if len(request.templates) == 1 else None
    limits: dict[str, Any] = {"MaxParallelTrainingJobs": request.parallel}
    if request.most_jobs is not None:
        limits["MaxNumberOfTrainingJobs"] = request.most_jobs
    if request.max_seconds:
        limits["MaxRuntimeInSeconds"] = request.max_seconds
    config: dict[str, Any] = {
        "Strategy": request.strategy,
        "ResourceLimits": limits,
        "TrainingJobEarlyStoppingType": "Auto" if request.early_stopping else "Off",
    }
    if single is not None:
        config["HyperParameterTuningJobObjective"] = objective(single.objective)
        config["ParameterRanges"] = ranges(single.ranges)
    if request.resource is not None and request.strategy == "Hyperband":
        low, high = request.resource
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": low, "MaxResource": high}}
    if criteria := _criteria(request):
        config["TuningJobCompletionCriteria"] = criteria
    if request.random_seed is not None:
        config["RandomSeed"] = request.random_seed
    asked: dict[str, Any] = {
        "HyperParameterTuningJobName": request.name,
        "HyperParameterTuningJobConfig": config,
    }
    if single is not None:
        asked["TrainingJobDefinition"] = definition(single, alone=True)
    else:
        asked["TrainingJobDefinitions"] = [definition(item, alone=False) for item in request.templates]
    if request.warm_start:
        asked["WarmStartConfig"] = {
            "WarmStartType": request.warm_start,
            "ParentHyperParameterTuningJobs": [
                {"HyperParameterTuningJobName": parent} for parent in request.parents
            ],
        }
    if request.autotune:
        asked["Autotune"] = {"Mode": "Enabled"}
    if request.tags:
        asked["Tags"] = [{"Key": key, "Value": value} for key, value in request.tags.items()]
    return asked


def definition(template: Template, *, alone: bool) -> dict[str, Any]:
    """One training job definition; ``alone``: its objective and ranges stand in the tuning job's configuration."""
    algorithm: dict[str, Any] = {
        "TrainingImage": template.image,
        "TrainingInputMode": template.input_mode,
    }
    if template.metrics:
        algorithm["MetricDefinitions"] = [
            {"Name": metric.name, "Regex": metric.regex} for metric in template.metrics
        ]
    document: dict[str, Any] = {
        "AlgorithmSpecification": algorithm,
        "RoleArn": template.role,
        "InputDataConfig": [channel(item) for item in template.inputs],
        "OutputDataConfig": {"S3OutputPath": template.output},
        "ResourceConfig": {
            "InstanceType": template.instance_type,
            "InstanceCount": template.instance_count,
            "VolumeSizeInGB": template.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": template.max_seconds},
        "StaticHyperParameters": dict(template.static),
    }
    if not document["InputDataConfig"]:
        del document["InputDataConfig"]
    if template.environment:
        document["Environment"] = dict(template.environment)
    if template.retries:
        document["RetryStrategy"] = {"MaximumRetryAttempts": template.retries}
    for name, value in template.more.items():
        both = isinstance(value, Mapping) and isinstance(document.get(name), dict)
        document[name] = {**document[name], **value} if both else value
    if not alone:
        document["DefinitionName"] = template.name
        document["TuningObjective"] = objective(template.objective)
        document["HyperParameterRanges"] = ranges(template.ranges)
    elif template.name:
        document["DefinitionName"] = template.name
    return document


def objective(found: Objective) -> dict[str, str]:
    """An objective as the API writes it."""
    return {"Type": found.direction, "MetricName": found.name}


def ranges(found: tuple[Range, ...]) -> dict[str, list[dict[str, Any]]]:
    """Ranges as the API writes them: by kind, bounds as texts."""
    members = {"integer": "IntegerParameterRanges", "continuous": "ContinuousParameterRanges"}
    document: dict[str, list[dict[str, Any]]] = {}
    for item in found:
        if item.kind in members:
            document.setdefault(members[item.kind], []).append(
                {
                    "Name": item.name,
                    "MinValue": item.low_text or _text(item, item.low),
                    "MaxValue": item.high_text or _text(item, item.high),
                    "ScalingType": item.scaling,
                }
            )
        elif item.kind == "categorical":
            document.setdefault("CategoricalParameterRanges", []).append(
                {"Name": item.name, "Values": list(item.values)}
            )
        else:
            document.setdefault("AutoParameters", []).append({"Name": item.name, "ValueHint": item.hint})
    return document


def channel(item: Input) -> dict[str, Any]:
    """An input channel as the API writes it."""
    document: dict[str, Any] = {
        "ChannelName": item.name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": item.uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
    if item.content_type:
        document["ContentType"] = item.content_type
    return {**document, **item.more}


def inputs_of(documents: Any) -> tuple[Input, ...]:
    """The input channels of an API document, with nothing lost."""
    found = []
    for document in documents or ():
        source = (document.get("DataSource") or {}).get("S3DataSource") or {}
        more = {name: value for name, value in document.items() if name not in ("ChannelName", "ContentType")}
        found.append(
            Input(
                name=str(document.get("ChannelName") or ""),
                uri=str(source.get("S3Uri") or ""),
                content_type=str(document.get("ContentType") or ""),
                more=more,
            )
        )
    return tuple(found)


def templates_of(detail: TuningDetail) -> tuple[Template, ...]:
    """The templates of a tuning job that exists, to make another one from."""
    documents = detail.raw.get("TrainingJobDefinitions") or [detail.raw.get("TrainingJobDefinition") or {}]
    made = []
    for document, read in zip(documents, detail.definitions, strict=True):
        algorithm = document.get("AlgorithmSpecification") or {}
        resources = document.get("ResourceConfig") or document.get("HyperParameterTuningResourceConfig") or {}
        kind, count = read.instances[0] if read.instances else ("ml.m5.large", 1)
        more = {name: value for name, value in document.items() if name not in _TYPED}
        for name in ("ResourceConfig", "HyperParameterTuningResourceConfig"):
            # Lists of instances have no place in a template; a plain one is what its three members are.
            if any(member in document.get(name, {}) for member in ("InstanceConfigs", "InstanceGroups")):
                more[name] = document[name]
        for name in ("OutputDataConfig", "StoppingCondition"):
            if len(document.get(name) or {}) > 1:
                more[name] = document[name]
        # SageMaker describes the metrics of its own algorithms, but refuses to be given them.
        own = known.algorithm(read.image, read.static) is not None
        metrics = [] if own else algorithm.get("MetricDefinitions") or ()
        made.append(
            Template(
                image=read.image,
                role=read.role,
                inputs=inputs_of(document.get("InputDataConfig")),
                output=read.output_path,
                objective=read.objective or detail.objective or Objective(name="", direction="Minimize"),
                ranges=read.ranges,
                static={name: value for name, value in read.static.items() if name != OBJECTIVE_KEY},
                metrics=tuple(MetricDefinition(str(item["Name"]), str(item["Regex"])) for item in metrics),
                instance_type=kind,
                instance_count=count,
                volume_gb=int(resources.get("VolumeSizeInGB") or 5),
                max_seconds=read.max_runtime or 86_400,
                input_mode=str(algorithm.get("TrainingInputMode") or "File"),
                environment=dict(document.get("Environment") or {}),
                retries=read.retries,
                name=read.name,
                more=more,
            )
        )
    return tuple(made)


def request_of(detail: TuningDetail, name: str) -> TuningRequest:
    """A tuning job like one that exists, under another name, without its warm start."""
    limits = (detail.raw.get("HyperParameterTuningJobConfig") or {}).get("ResourceLimits") or {}
    return TuningRequest(
        name=name[:NAME_LENGTH],
        templates=templates_of(detail),
        strategy=cast(Strategy, detail.row.strategy or "Bayesian"),
        most_jobs=(limits.get("MaxNumberOfTrainingJobs") or None),
        parallel=detail.row.parallel or 1,
        max_seconds=detail.max_runtime,
        early_stopping=detail.early_stopping == "Auto",
        target=detail.target_value,
        most_not_improving=detail.most_not_improving,
        complete_on_convergence=detail.complete_on_convergence,
        random_seed=detail.random_seed,
        resource=detail.resource,
        autotune=detail.autotune,
    )


def warm_started(detail: TuningDetail, name: str, kind: WarmStartKind) -> TuningRequest:
    """A tuning job that learns from a finished one: as the parent, with a new name and no seed of its own, so that it does
    not suggest the same trials again."""
    request = request_of(detail, name)
    return replace(request, warm_start=kind, parents=(detail.name,), random_seed=None)


def _criteria(request: TuningRequest) -> dict[str, Any]:
    criteria: dict[str, Any] = {}
    if request.target is not None:
        criteria["TargetObjectiveMetricValue"] = request.target
    if request.most_not_improving:
        criteria["BestObjectiveNotImproving"] = {
            "MaxNumberOfTrainingJobsNotImproving": request.most_not_improving
        }
    if request.complete_on_convergence:
        criteria["ConvergenceDetected"] = {"CompleteOnConvergence": "Enabled"}
    return criteria


def _text(item: Range, value: float) -> str:
    return str(int(value)) if item.kind == "integer" else repr(float(value))
