"""Transform jobs: create, describe, list, stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError, in_use, validation
from engine.registry import operation
from engine.services.sagemaker import models, tags
from engine.services.sagemaker.common import arn_of
from engine.services.sagemaker.listing import Listing
from engine.services.sagemaker.patience import HOLD_SECONDS, held, patient
from engine.services.sagemaker.transform_checks import check
from engine.statuses import ENDED
from engine.store import Exists, Resource
from engine.transforms.record import KIND, new, shown

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_LIST = Listing("ListTransformJobs", KIND)
# SDK v3 asks every 5 s and prints new log lines between two questions.
_SHORT_HOLD_SECONDS = 10.0


def no_such_job(name: str) -> ServiceError:
    """AWS answers ``ValidationException`` here, whatever its model says."""
    return validation(f"Could not find requested job with name: {name}")


def job(engine: Engine, name: str) -> Resource:
    """The stored job.

    Raises:
        ServiceError: There is none.
    """
    found = engine.store.find(KIND, name)
    if found is None:
        raise no_such_job(name)
    return found


@operation("sagemaker", "CreateTransformJob")
async def create_transform_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Check the request, record the job and start it or put it in the queue."""
    name = params["TransformJobName"]
    arn = arn_of(engine, KIND, name)
    taken = in_use(
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    )
    if engine.store.find(KIND, name) is not None:
        raise taken
    model = engine.store.find(models.KIND, params["ModelName"])
    if model is None:
        raise models.no_model(engine, params["ModelName"])
    document = new(params, arn, model.document, engine.clock.time())
    await asyncio.to_thread(check, engine, document, params.get("Tags", []))
    # Another request may have been faster; from here on nothing comes in between.
    if engine.store.find(KIND, name) is not None:
        raise taken
    tags.add(engine, arn, params.get("Tags", []))
    try:
        engine.transforms.submit(document)
    except Exists as error:
        raise taken from error
    return {"TransformJobArn": arn}


@operation("sagemaker", "DescribeTransformJob")
async def describe_transform_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The job as it is; for the SDKs' polling loops and botocore's waiter, as it is once it ended."""
    found = job(engine, params["TransformJobName"])
    if found.status not in ENDED and patient(request.headers):
        short = "lib/aws-sagemakercore" in request.headers.get("user-agent", "").lower()
        found = await held(
            lambda: job(engine, found.name),
            engine.transforms.changes.wait,
            lambda now: now.status in ENDED,
            _SHORT_HOLD_SECONDS if short else HOLD_SECONDS,
        )
    return shown(found.document)


@operation("sagemaker", "ListTransformJobs")
async def list_transform_jobs(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Summaries by creation, newest first unless asked otherwise."""
    page = _LIST.page(engine, params)
    summaries = [
        {
            "TransformJobName": row.name,
            "TransformJobArn": row.document["TransformJobArn"],
            "CreationTime": row.document["CreationTime"],
            "TransformEndTime": row.document.get("TransformEndTime"),
            "LastModifiedTime": row.modified,
            "TransformJobStatus": row.document["TransformJobStatus"],
            "FailureReason": row.document.get("FailureReason"),
        }
        for row in page.resources
    ]
    return {"TransformJobSummaries": summaries, "NextToken": page.next_token}


@operation("sagemaker", "StopTransformJob")
async def stop_transform_job(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """End the containers; results of objects that are wholly done stay in S3."""
    found = job(engine, params["TransformJobName"])
    if found.status in ENDED:
        raise validation(f"The request was rejected because the transform job is in status {found.status}.")
    engine.transforms.halt(found.name)
    return {}
