"""Training jobs: create, describe, list, stop, update, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError, in_use, validation
from engine.jobs.record import KIND, new, shown
from engine.registry import operation
from engine.services.sagemaker import tags
from engine.services.sagemaker.common import arn_of
from engine.services.sagemaker.listing import Listing
from engine.services.sagemaker.patience import HOLD_SECONDS, Told, held, patient
from engine.services.sagemaker.training_checks import check
from engine.statuses import ENDED
from engine.store import Exists, Resource

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_LIST = Listing("ListTrainingJobs", KIND)
# With MaxResults AWS applies StatusEquals to the page that the other parameters select.
_PAGED_LIST = Listing("ListTrainingJobs", KIND, without=frozenset({"StatusEquals"}))

# SDK v3 asks every 5 s and prints new log lines between two questions: its answers are not held for long.
_HOLDS = {"lib/aws-sagemakercore": 10.0, "lib/aws-sagemaker-python-sdk": HOLD_SECONDS}
# States that pass by themselves in a moment: a client that asks every half minute is better told of the one behind them.
_PASSING = frozenset({"Starting", "Downloading", "Uploading"})
_CREATED = "created by this client"
_told = Told(2000)


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
    document = new(params, arn, engine.clock.time())
    try:
        engine.jobs.submit(document)
    except Exists as error:
        raise taken from error
    tags.add(engine, arn, params.get("Tags", []))
    if _client(request) == "lib/aws-sagemaker-python-sdk":
        # SDK v2 asks at once and then every 30 s: held, the first question sees the end of a short job.
        _told.remember((request.access_key, _client(request), str(engine.layout.root), name), _CREATED)
    return {"TrainingJobArn": arn}


@operation("sagemaker", "DescribeTrainingJob")
async def describe_training_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The job as it is; for the SDKs' polling loops, as it is once its status changed."""
    found = job(engine, params["TrainingJobName"])
    if found.status not in ENDED and patient(request.headers):
        found = await _when_changed(engine, request, found)
    return shown(found.document)


async def _when_changed(engine: Engine, request: Request, found: Resource) -> Resource:
    """The job when it has changed, for clients that ask in long intervals; at once when its state is news to them."""
    client = _client(request)
    key = (request.access_key, client, str(engine.layout.root), found.name)
    state = found.document["SecondaryStatus"]
    known = _told.get(key)
    # A waiter wants to know of the end only; who created the job knows that it is in progress.
    if client == "" or known in (state, _CREATED):
        steps = client != "" and known != _CREATED

        def news(now: Resource) -> bool:
            secondary = now.document["SecondaryStatus"]
            return now.status in ENDED or (steps and secondary != state and secondary not in _PASSING)

        seconds = _HOLDS.get(client, HOLD_SECONDS)
        found = await held(lambda: job(engine, found.name), engine.jobs.changes.wait, news, seconds)
    _told.remember(key, found.document["SecondaryStatus"])
    return found


def _client(request: Request) -> str:
    """Which SageMaker SDK sent a request, "" for none."""
    agent = request.headers.get("user-agent", "").lower()
    return next((mark for mark in _HOLDS if mark in agent), "")


@operation("sagemaker", "ListTrainingJobs")
async def list_training_jobs(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Summaries by creation, newest first unless asked otherwise."""
    if params.get("WarmPoolStatusEquals") or params.get("TrainingPlanArnEquals"):
        # No job here has a warm pool or a training plan.
        return {"TrainingJobSummaries": []}
    page = (_PAGED_LIST if params.get("MaxResults") else _LIST).page(engine, params)
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
