"""Tuning jobs: list, describe, their trials and default runs, stop, delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Unpack

from workflows import costs
from workflows.observe import jobs
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import PAGE, Listing, not_found, pages, pages_of
from workflows.observe.rows import JobDetail
from workflows.observe.tuning_documents import detail, listed, trial
from workflows.observe.tuning_rows import DefaultRow, TrialRow, TuningDetail, TuningRow, TuningView
from workflows.problem import Problem

DEFAULT_MARK = "-default-"
"""Between a tuning job's name and the number in the name of a default run."""
SEEDS = ("seed", "random_seed", "random_state")
"""Hyperparameters that seed a training, by the algorithms and scripts that know one."""


def list_pages(gateway: Gateway, **listing: Unpack[Listing]) -> Iterator[tuple[TuningRow, ...]]:
    """Tuning jobs page by page, the newest first unless another order is asked for.

    Raises:
        Problem: The list cannot be had.
    """
    for page in pages_of(gateway, "list_hyper_parameter_tuning_jobs", **listing):
        yield tuple(listed(item) for item in page.get("HyperParameterTuningJobSummaries") or ())


def describe(gateway: Gateway, name: str) -> TuningDetail:
    """One tuning job.

    Raises:
        Problem: There is no such job, or it cannot be had.
    """
    return detail(_asked(gateway, "describe_hyper_parameter_tuning_job", name))


def trial_pages(
    gateway: Gateway,
    tuning: TuningDetail,
    *,
    status: str = "",
    sort_by: str = "CreationTime",
    descending: bool = True,
) -> Iterator[tuple[TrialRow, ...]]:
    """The trials of a tuning job page by page, the newest first unless another order is asked for.

    Args:
        sort_by: ``CreationTime``, ``Name``, ``Status`` or ``FinalObjectiveMetricValue``.

    Raises:
        Problem: There is no such job, or the list cannot be had.
    """
    asked: dict[str, Any] = {"SortBy": sort_by, "SortOrder": "Descending" if descending else "Ascending"}
    if status:
        asked["StatusEquals"] = status
    walk = pages(
        gateway,
        "sagemaker",
        "list_training_jobs_for_hyper_parameter_tuning_job",
        HyperParameterTuningJobName=tuning.name,
        MaxResults=PAGE,
        **asked,
    )
    try:
        for page in walk:
            yield tuple(trial(item) for item in page.get("TrainingJobSummaries") or ())
    except Problem as problem:
        raise _missing(problem, tuning.name) from problem


def trials(gateway: Gateway, tuning: TuningDetail, now: float) -> tuple[TrialRow, ...]:
    """All trials of a tuning job, oldest first, with their costs and whether they were ended early.

    Raises:
        Problem: There is no such job, or the list cannot be had.
    """
    return finished(tuning, (row for page in trial_pages(gateway, tuning) for row in page), now)


def finished(tuning: TuningDetail, rows: Iterable[TrialRow], now: float) -> tuple[TrialRow, ...]:
    """The trials oldest first, completed by what only all of them together and the tuning job tell.

    A stopped trial was ended early by the tuning job if that does such things and made another trial afterwards: whoever
    stops a tuning job gets no further trial.
    """
    found = sorted(rows, key=lambda row: (row.created, row.name))
    stops = tuning.early_stopping == "Auto" or tuning.row.strategy == "Hyperband"
    by_person = tuning.row.status in ("Stopping", "Stopped")
    newest = max((row.created for row in found), default=0.0)
    complete = []
    for row in found:
        early = (
            stops
            and row.status == "Stopped"
            and (not by_person or (row.ended is not None and newest > row.ended))
        )
        definition = tuning.definition(row.definition)
        cost = None
        if definition is not None and row.ended is not None:
            cost = costs.total(definition.instances, row.seconds(now) if row.started is not None else 0.0)
        complete.append(
            row
            if (early, cost) == (row.early_stopped, row.cost)
            else replace(row, early_stopped=early, cost=cost)
        )
    return tuple(complete)


def default_names(gateway: Gateway, tuning: str) -> tuple[str, ...]:
    """The names of the default runs that were made for a tuning job, oldest first.

    Raises:
        Problem: The list cannot be had.
    """
    start = f"{tuning}{DEFAULT_MARK}"
    found = [
        row
        for page in jobs.list_pages(gateway, name_contains=start)
        for row in page
        if row.name.startswith(start)
    ]
    return tuple(row.name for row in sorted(found, key=lambda row: (row.created, row.name)))


def default_run(gateway: Gateway, tuning: TuningDetail, name: str) -> DefaultRow:
    """One default run with its final value of the tuning job's objective.

    Raises:
        Problem: There is no such training job, or it cannot be had.
    """
    return as_default(tuning, jobs.describe(gateway, name))


def as_default(tuning: TuningDetail, job: JobDetail) -> DefaultRow:
    """A training job as a default run."""
    metric = tuning.objective.name if tuning.objective else ""
    value = next((item.value for item in job.final_metrics if item.name == metric), None)
    seed = next((job.hyperparameters[name] for name in SEEDS if name in job.hyperparameters), "")
    return DefaultRow(
        name=job.name,
        status=job.row.status,
        value=value,
        seed=seed.strip('"'),
        created=job.row.created,
        started=job.started,
        ended=job.row.ended,
        failure_reason=job.failure_reason,
        cost=costs.total(((job.row.instance_type, job.row.instance_count),), job.row.ended - job.started)
        if job.row.ended and job.started
        else None,
    )


def view(gateway: Gateway, name: str, now: float) -> TuningView:
    """A tuning job with its trials and default runs, all asked for now.

    Raises:
        Problem: There is no such job, or something of it cannot be had.
    """
    found = describe(gateway, name)
    rows = trials(gateway, found, now)
    runs = tuple(default_run(gateway, found, run) for run in default_names(gateway, name))
    return TuningView(detail=found, trials=rows, defaults=runs)


def stop(gateway: Gateway, name: str) -> None:
    """Ask a tuning job to stop; its running trials are stopped too.

    Raises:
        Problem: There is no such job, or it has ended already.
    """
    _asked(gateway, "stop_hyper_parameter_tuning_job", name)


def delete(gateway: Gateway, name: str) -> None:
    """Delete a tuning job that has ended. Its training jobs, their artefacts and their logs stay.

    Raises:
        Problem: There is no such job, or it still runs.
    """
    _asked(gateway, "delete_hyper_parameter_tuning_job", name)


def _asked(gateway: Gateway, method: str, name: str) -> dict[str, Any]:
    try:
        return answered(gateway, "sagemaker", method, HyperParameterTuningJobName=name)
    except Problem as problem:
        raise _missing(problem, name) from problem


def _missing(problem: Problem, name: str) -> Problem:
    if not_found(problem):
        return Problem(f"There is no tuning job {name}.", "`mlconsole tuning ls` lists them.", "not-found")
    return problem
