"""Training jobs: list, describe, stop, delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import Listing, not_found, pages_of, plain, seconds
from workflows.observe.rows import Channel, FinalMetric, JobDetail, JobRow, Transition
from workflows.problem import Problem

"""The largest page. The default of 10 makes ten times the calls."""


def list_pages(gateway: Gateway, **listing: Unpack[Listing]) -> Iterator[tuple[JobRow, ...]]:
    """Training jobs page by page, the newest first unless another order is asked for.

    Raises:
        Problem: The list cannot be had.
    """
    for page in pages_of(gateway, "list_training_jobs", **listing):
        yield tuple(_row(item) for item in _items(page, "TrainingJobSummaries"))


def describe(gateway: Gateway, name: str) -> JobDetail:
    """One training job.

    Raises:
        Problem: There is no such job, or it cannot be had.
    """
    try:
        raw = answered(gateway, "sagemaker", "describe_training_job", TrainingJobName=name)
    except Problem as problem:
        raise _missing(problem, name) from problem
    return detail(raw)


def stop(gateway: Gateway, name: str) -> None:
    """Ask a job to stop. It gets two minutes to save what it has.

    Raises:
        Problem: There is no such job, or it has ended already.
    """
    try:
        answered(gateway, "sagemaker", "stop_training_job", TrainingJobName=name)
    except Problem as problem:
        raise _missing(problem, name) from problem


def delete(gateway: Gateway, name: str) -> None:
    """Delete a job that has ended. Its artefacts and its log stay.

    Raises:
        Problem: There is no such job, or it still runs.
    """
    try:
        answered(gateway, "sagemaker", "delete_training_job", TrainingJobName=name)
    except Problem as problem:
        raise _missing(problem, name) from problem


def detail(raw: dict[str, Any]) -> JobDetail:
    """The detail in an answer of DescribeTrainingJob."""
    algorithm = raw.get("AlgorithmSpecification") or {}
    resources = raw.get("ResourceConfig") or {}
    output = raw.get("OutputDataConfig") or {}
    groups = resources.get("InstanceGroups") or [{}]
    row = JobRow(
        name=str(raw["TrainingJobName"]),
        status=str(raw.get("TrainingJobStatus") or ""),
        secondary_status=str(raw.get("SecondaryStatus") or ""),
        created=seconds(raw.get("CreationTime")) or 0.0,
        modified=seconds(raw.get("LastModifiedTime")) or seconds(raw.get("CreationTime")) or 0.0,
        ended=seconds(raw.get("TrainingEndTime")),
        instance_type=str(resources.get("InstanceType") or groups[0].get("InstanceType") or ""),
        instance_count=int(
            resources.get("InstanceCount") or sum(group.get("InstanceCount", 0) for group in groups)
        ),
    )
    return JobDetail(
        row=row,
        arn=str(raw.get("TrainingJobArn") or ""),
        failure_reason=str(raw.get("FailureReason") or ""),
        image=str(algorithm.get("TrainingImage") or algorithm.get("AlgorithmName") or ""),
        role=str(raw.get("RoleArn") or ""),
        input_mode=str(algorithm.get("TrainingInputMode") or "File"),
        hyperparameters=dict(sorted((raw.get("HyperParameters") or {}).items())),
        environment=dict(sorted((raw.get("Environment") or {}).items())),
        channels=tuple(_channel(item, algorithm) for item in raw.get("InputDataConfig") or ()),
        transitions=tuple(
            Transition(
                status=str(item.get("Status") or ""),
                started=seconds(item.get("StartTime")) or 0.0,
                ended=seconds(item.get("EndTime")),
                message=str(item.get("StatusMessage") or ""),
            )
            for item in raw.get("SecondaryStatusTransitions") or ()
        ),
        final_metrics=tuple(
            FinalMetric(
                name=str(item.get("MetricName") or ""),
                value=float(item.get("Value", 0.0)),
                time=seconds(item.get("Timestamp")) or 0.0,
            )
            for item in raw.get("FinalMetricDataList") or ()
        ),
        metric_definitions={
            str(item.get("Name")): str(item.get("Regex")) for item in algorithm.get("MetricDefinitions") or ()
        },
        model_artifact=str((raw.get("ModelArtifacts") or {}).get("S3ModelArtifacts") or ""),
        output_path=str(output.get("S3OutputPath") or ""),
        volume_gb=int(resources.get("VolumeSizeInGB") or 0),
        max_runtime=int((raw.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds") or 0),
        started=seconds(raw.get("TrainingStartTime")),
        training_seconds=raw.get("TrainingTimeInSeconds"),
        billable_seconds=raw.get("BillableTimeInSeconds"),
        raw=plain(raw),
    )


def _row(item: dict[str, Any]) -> JobRow:
    created = seconds(item.get("CreationTime")) or 0.0
    return JobRow(
        name=str(item["TrainingJobName"]),
        status=str(item.get("TrainingJobStatus") or ""),
        secondary_status=str(item.get("SecondaryStatus") or ""),
        created=created,
        modified=seconds(item.get("LastModifiedTime")) or created,
        ended=seconds(item.get("TrainingEndTime")),
    )


def _channel(item: dict[str, Any], algorithm: dict[str, Any]) -> Channel:
    source = item.get("DataSource") or {}
    s3, files = source.get("S3DataSource") or {}, source.get("FileSystemDataSource") or {}
    return Channel(
        name=str(item.get("ChannelName") or ""),
        location=str(s3.get("S3Uri") or files.get("DirectoryPath") or ""),
        content_type=str(item.get("ContentType") or ""),
        mode=str(item.get("InputMode") or algorithm.get("TrainingInputMode") or "File"),
        distribution=str(s3.get("S3DataDistributionType") or ""),
    )


def _items(page: dict[str, Any], member: str) -> list[dict[str, Any]]:
    found = page.get(member)
    return found if isinstance(found, list) else []


def _missing(problem: Problem, name: str) -> Problem:
    if not_found(problem):
        return Problem(f"There is no training job {name}.", "`mlconsole jobs ls` lists them.", "not-found")
    return problem
