"""Reads boto3's documents of tuning jobs into rows and details."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from workflows.observe.reading import plain, seconds
from workflows.observe.tuning_rows import (
    Definition,
    Direction,
    Objective,
    Range,
    RangeKind,
    Scaling,
    TrialCounts,
    TrialRow,
    TuningDetail,
    TuningRow,
)


def detail(raw: Mapping[str, Any]) -> TuningDetail:
    """The detail in an answer of DescribeHyperParameterTuningJob."""
    config = raw.get("HyperParameterTuningJobConfig") or {}
    criteria = config.get("TuningJobCompletionCriteria") or {}
    completion = raw.get("TuningJobCompletionDetails") or {}
    warm = raw.get("WarmStartConfig") or {}
    hyperband = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
    objective = _objective(config.get("HyperParameterTuningJobObjective"))
    shared = _ranges(config.get("ParameterRanges") or {})
    documents = raw.get("TrainingJobDefinitions") or [raw.get("TrainingJobDefinition") or {}]
    definitions = tuple(_definition(document, objective, shared) for document in documents)
    objective = objective or next((item.objective for item in definitions if item.objective), None)
    best = raw.get("BestTrainingJob")
    overall = raw.get("OverallBestTrainingJob")
    shown = listed(raw, config)
    best_row = trial(best, shown.name) if best and best.get("TrainingJobName") else None
    if shown.strategy == "Grid" and not shown.most_jobs:
        shown = replace(shown, most_jobs=_grid(definitions))
    if objective is not None:
        shown = replace(shown, objective=objective.name, direction=objective.direction)
    if best_row is not None:
        shown = replace(shown, best_value=best_row.value, best_job=best_row.name)
    return TuningDetail(
        row=shown,
        arn=str(raw.get("HyperParameterTuningJobArn") or ""),
        objective=objective,
        definitions=definitions,
        early_stopping=str(config.get("TrainingJobEarlyStoppingType") or "Off"),
        max_runtime=int((config.get("ResourceLimits") or {}).get("MaxRuntimeInSeconds") or 0),
        target_value=criteria.get("TargetObjectiveMetricValue"),
        most_not_improving=int(
            (criteria.get("BestObjectiveNotImproving") or {}).get("MaxNumberOfTrainingJobsNotImproving") or 0
        ),
        complete_on_convergence=(criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence")
        == "Enabled",
        not_improving=completion.get("NumberOfTrainingJobsObjectiveNotImproving"),
        converged_at=seconds(completion.get("ConvergenceDetectedTime")),
        consumed_seconds=(raw.get("ConsumedResources") or {}).get("RuntimeInSeconds"),
        random_seed=config.get("RandomSeed"),
        resource=(int(hyperband.get("MinResource") or 0), int(hyperband.get("MaxResource") or 0))
        if hyperband
        else None,
        autotune=(raw.get("Autotune") or {}).get("Mode") == "Enabled",
        warm_start=str(warm.get("WarmStartType") or ""),
        parents=tuple(
            str(item.get("HyperParameterTuningJobName") or "")
            for item in warm.get("ParentHyperParameterTuningJobs") or ()
        ),
        best=best_row,
        overall_best=trial(overall, shown.name) if overall and overall.get("TrainingJobName") else None,
        failure_reason=str(raw.get("FailureReason") or ""),
        raw=plain(raw),
    )


def trial(item: Mapping[str, Any], tuning: str = "") -> TrialRow:
    """The trial in a summary of a tuning job's training jobs."""
    final = item.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    value = final.get("Value")
    return TrialRow(
        name=str(item.get("TrainingJobName") or ""),
        status=str(item.get("TrainingJobStatus") or ""),
        objective_status=str(item.get("ObjectiveStatus") or ""),
        value=None if value is None else float(value),
        metric=str(final.get("MetricName") or ""),
        tuned=dict(item.get("TunedHyperParameters") or {}),
        created=seconds(item.get("CreationTime")) or 0.0,
        started=seconds(item.get("TrainingStartTime")),
        ended=seconds(item.get("TrainingEndTime")),
        definition=str(item.get("TrainingJobDefinitionName") or ""),
        tuning_job=str(item.get("TuningJobName") or tuning),
        failure_reason=str(item.get("FailureReason") or ""),
        arn=str(item.get("TrainingJobArn") or ""),
    )


def listed(item: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> TuningRow:
    """The row in a summary of a tuning job, or in its description with the configuration in there."""
    created = seconds(item.get("CreationTime")) or 0.0
    limits = (config or item).get("ResourceLimits") or {}
    states, values = item.get("TrainingJobStatusCounters") or {}, item.get("ObjectiveStatusCounters") or {}
    return TuningRow(
        name=str(item.get("HyperParameterTuningJobName") or ""),
        status=str(item.get("HyperParameterTuningJobStatus") or ""),
        strategy=str((config or item).get("Strategy") or ""),
        created=created,
        modified=seconds(item.get("LastModifiedTime")) or created,
        ended=seconds(item.get("HyperParameterTuningEndTime")),
        counts=TrialCounts(
            completed=int(states.get("Completed") or 0),
            running=int(states.get("InProgress") or 0),
            retryable=int(states.get("RetryableError") or 0),
            failed=int(states.get("NonRetryableError") or 0),
            stopped=int(states.get("Stopped") or 0),
            succeeded=int(values.get("Succeeded") or 0),
            pending=int(values.get("Pending") or 0),
            missing=int(values.get("Failed") or 0),
        ),
        most_jobs=int(limits.get("MaxNumberOfTrainingJobs") or 0),
        parallel=int(limits.get("MaxParallelTrainingJobs") or 0),
    )


def _grid(definitions: tuple[Definition, ...]) -> int:
    """How many trials a grid has: every combination of the values of each definition."""
    return sum(math.prod(len(item.values) for item in found.ranges) for found in definitions if found.ranges)


def _objective(document: Mapping[str, Any] | None) -> Objective | None:
    if not document:
        return None
    return Objective(
        name=str(document.get("MetricName") or ""),
        direction=cast(Direction, document.get("Type") or "Minimize"),
    )


def _ranges(document: Mapping[str, Any]) -> tuple[Range, ...]:
    numeric: tuple[tuple[RangeKind, str], ...] = (
        ("continuous", "ContinuousParameterRanges"),
        ("integer", "IntegerParameterRanges"),
    )
    found = [
        Range(
            name=str(item.get("Name") or ""),
            kind=kind,
            low=_number(item.get("MinValue")),
            high=_number(item.get("MaxValue")),
            scaling=cast(Scaling, item.get("ScalingType") or "Auto"),
            low_text=str(item.get("MinValue") or ""),
            high_text=str(item.get("MaxValue") or ""),
        )
        for kind, member in numeric
        for item in document.get(member) or ()
    ]
    found += [
        Range(name=str(item.get("Name") or ""), kind="categorical", values=tuple(item.get("Values") or ()))
        for item in document.get("CategoricalParameterRanges") or ()
    ]
    found += [
        Range(name=str(item.get("Name") or ""), kind="auto", hint=str(item.get("ValueHint") or ""))
        for item in document.get("AutoParameters") or ()
    ]
    return tuple(found)


def _definition(
    document: Mapping[str, Any], objective: Objective | None, shared: tuple[Range, ...]
) -> Definition:
    algorithm = document.get("AlgorithmSpecification") or {}
    channels = []
    for item in document.get("InputDataConfig") or ():
        source = item.get("DataSource") or {}
        s3, files = source.get("S3DataSource") or {}, source.get("FileSystemDataSource") or {}
        channels.append(
            (str(item.get("ChannelName") or ""), str(s3.get("S3Uri") or files.get("DirectoryPath") or ""))
        )
    return Definition(
        name=str(document.get("DefinitionName") or ""),
        objective=_objective(document.get("TuningObjective")) or objective,
        ranges=_ranges(document.get("HyperParameterRanges") or {}) or shared,
        static=dict(sorted((document.get("StaticHyperParameters") or {}).items())),
        image=str(algorithm.get("TrainingImage") or algorithm.get("AlgorithmName") or ""),
        role=str(document.get("RoleArn") or ""),
        metric_definitions={
            str(item.get("Name")): str(item.get("Regex")) for item in algorithm.get("MetricDefinitions") or ()
        },
        channels=tuple(channels),
        output_path=str((document.get("OutputDataConfig") or {}).get("S3OutputPath") or ""),
        instances=_instances(document),
        max_runtime=int((document.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds") or 0),
        retries=int((document.get("RetryStrategy") or {}).get("MaximumRetryAttempts") or 0),
        spot=bool(document.get("EnableManagedSpotTraining")),
    )


def _instances(document: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Type and count; of a prioritised list the first, of groups all."""
    resources = document.get("ResourceConfig") or document.get("HyperParameterTuningResourceConfig") or {}
    if groups := resources.get("InstanceGroups"):
        return tuple(
            (str(item.get("InstanceType") or ""), int(item.get("InstanceCount") or 0)) for item in groups
        )
    first = (resources.get("InstanceConfigs") or [resources])[0]
    kind = str(first.get("InstanceType") or "")
    return ((kind, int(first.get("InstanceCount") or 1)),) if kind else ()


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0
