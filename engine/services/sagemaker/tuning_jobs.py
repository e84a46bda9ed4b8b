"""Hyperparameter tuning jobs: create, describe, list, stop, delete, and the list of their training jobs."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError, in_use, not_found, validation
from engine.registry import operation
from engine.services.sagemaker import tags
from engine.services.sagemaker.common import arn_of
from engine.services.sagemaker.listing import DEFAULT_PAGE, Listing
from engine.services.sagemaker.patience import Told, held, patient
from engine.services.sagemaker.tuning_checks import completed
from engine.statuses import ENDED
from engine.store import Exists, Resource
from engine.tuning import children, record
from engine.tuning.record import KIND

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_KEPT = (
    "HyperParameterTuningJobName", "HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions",
    "WarmStartConfig", "Autotune",
)  # fmt: skip
_LIST = Listing("ListHyperParameterTuningJobs", KIND, sort_by="Name", descending=False)
_CHILDREN = "ListTrainingJobsForHyperParameterTuningJob"
# Both SDKs ask every 5 s until the end.
_HOLD_SECONDS = 4.0
_told = Told(500)


def no_such_job(name: str) -> ServiceError:
    """``ResourceNotFound`` in AWS's words."""
    return not_found(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")


def job(engine: Engine, name: str) -> Resource:
    """The stored tuning job.

    Raises:
        ServiceError: There is none.
    """
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_such_job(name)
    return found


@operation("sagemaker", "CreateHyperParameterTuningJob")
async def create_tuning_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Check the request, record the tuning job and launch its first training jobs."""
    name = params["HyperParameterTuningJobName"]
    arn = arn_of(engine, KIND, name)
    taken = in_use(
        "Hyperparameter tuning job names must be unique within an AWS account and region, and a hyperparameter tuning job with "
        f"this name already exists ({arn})"
    )
    if engine.store.find(KIND, name) is not None:
        raise taken
    given = await asyncio.to_thread(completed, engine, params)
    # Another request may have been faster; from here on nothing comes in between.
    if engine.store.find(KIND, name) is not None:
        raise taken
    now = engine.clock.time()
    seed = given["HyperParameterTuningJobConfig"].get("RandomSeed")
    document = {key: given[key] for key in _KEPT if given.get(key) is not None}
    document |= {
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
        "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": 0},
        **record.counters([]),
        "_seed": secrets.randbelow(2**31) if seed is None else seed,
    }
    # The training jobs get the tuning job's tags, and the first of them starts at once.
    tags.drop(engine, arn)
    tags.add(engine, arn, given.get("Tags", []))
    try:
        engine.tuning.submit(document)
    except Exists as error:
        raise taken from error
    return {"HyperParameterTuningJobArn": arn}


@operation("sagemaker", "DescribeHyperParameterTuningJob")
async def describe_tuning_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The tuning job as it is; for the SDKs' polling loops, at its end when that comes within seconds."""
    found = job(engine, params["HyperParameterTuningJobName"])
    if found.status not in ENDED and patient(request.headers):
        found = await _when_ended(engine, request, found)
    return _shown(engine, found.document)


async def _when_ended(engine: Engine, request: Request, found: Resource) -> Resource:
    """The tuning job at its end, for a client that knows that it has not come; at once when its state is news."""
    key = (request.access_key, str(engine.layout.root), found.name)
    if _told.get(key) == found.status:
        found = await held(
            lambda: job(engine, found.name),
            engine.tuning.changes.wait,
            lambda now: now.status in ENDED,
            _HOLD_SECONDS,
        )
    _told.remember(key, found.status)
    return found


def _shown(engine: Engine, document: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in document.items() if not key.startswith("_")}
    if "ConsumedResources" not in shown:
        seconds = round(engine.clock.time() - document["CreationTime"])
        shown["ConsumedResources"] = {"RuntimeInSeconds": max(0, seconds)}
    return shown


@operation("sagemaker", "ListHyperParameterTuningJobs")
async def list_tuning_jobs(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Summaries by name unless asked otherwise."""
    page = _LIST.page(engine, params)
    return {
        "HyperParameterTuningJobSummaries": [_summary(row.document) for row in page.resources],
        "NextToken": page.next_token,
    }


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus", "CreationTime",
        "HyperParameterTuningEndTime", "LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters",
    )  # fmt: skip
    config = document["HyperParameterTuningJobConfig"]
    return {
        **{key: document.get(key) for key in kept},
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
    }


@operation("sagemaker", _CHILDREN)
async def list_training_jobs_of_tuning_job(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """A tuning job's training jobs by name unless asked otherwise; by objective only those that have a value."""
    found = job(engine, params["HyperParameterTuningJobName"])
    rows = await asyncio.to_thread(_children, engine, found, params.get("StatusEquals"))
    sort_by = params.get("SortBy", "Name")
    if sort_by == "FinalObjectiveMetricValue":
        rows = [row for row in rows if row[1].succeeded]

    def key(row: tuple[dict[str, Any], record.Trial]) -> tuple[Any, str]:
        summary, trial = row
        value: Any = {
            "Name": "",
            "CreationTime": trial.created,
            "Status": trial.status,
            "FinalObjectiveMetricValue": trial.value,
        }[sort_by]
        return value, summary["TrainingJobName"]

    descending = params.get("SortOrder", "Ascending") == "Descending"
    rows.sort(key=key, reverse=descending)
    if params.get("NextToken"):
        # The page goes on behind the last row of the one before, whatever came or changed its place meanwhile.
        value, name = engine.tokens.decode(_CHILDREN, params, params["NextToken"])
        rows = [row for row in rows if (key(row) < (value, name) if descending else key(row) > (value, name))]
    size = int(params.get("MaxResults") or DEFAULT_PAGE)
    answer: dict[str, Any] = {"TrainingJobSummaries": [summary for summary, _ in rows[:size]]}
    if len(rows) > size:
        answer["NextToken"] = engine.tokens.encode(_CHILDREN, params, list(key(rows[size - 1])))
    return answer


def _children(
    engine: Engine, found: Resource, status: str | None
) -> list[tuple[dict[str, Any], record.Trial]]:
    rows = []
    for trial in record.trials(engine.store, found.name):
        if trial.open and trial.launched:
            children.observe(engine, found.document, trial)
        if status is None or trial.status == status:
            summary = record.summary(found.document, trial, children.arn(engine, trial.name))
            rows.append((summary, trial))
    return rows


@operation("sagemaker", "StopHyperParameterTuningJob")
async def stop_tuning_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Stop the training jobs that run and launch no more; what was found stays."""
    found = job(engine, params["HyperParameterTuningJobName"])
    if found.status in ENDED:
        raise validation(
            f"The request was rejected because the hyperparameter tuning job is in status {found.status}."
        )
    if found.status == "InProgress":
        engine.tuning.halt(found.name)
    return {}


@operation("sagemaker", "DeleteHyperParameterTuningJob")
async def delete_tuning_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Forget a tuning job that is at its end; its training jobs and what they made stay."""
    found = job(engine, params["HyperParameterTuningJobName"])
    if found.status not in ENDED:
        raise in_use(
            f"The hyperparameter tuning job {found.name} is in status {found.status} and cannot be deleted. "
            "Stop it and wait until it has ended."
        )
    record.drop(engine.store, found.name)
    tags.drop(engine, found.document["HyperParameterTuningJobArn"])
    return {}
