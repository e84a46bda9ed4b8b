"""The first draft of a transform job: from a model, or from a training job whose model is made when it is needed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace

from workflows.observe import jobs
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.observe.rows import JobDetail
from workflows.problem import Problem
from workflows.transforms.request import TransformRequest
from workflows.tuning import known

NAME_LENGTH = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformDraft:
    """A transform job that lacks only its input; where ``training_job`` is set, the model is made from it first."""

    request: TransformRequest
    training_job: str = ""
    notes: tuple[str, ...] = ()


def draft(gateway: Gateway, source: str, *, now: float | None = None) -> TransformDraft:
    """The draft from the name of a model, or of a training job that has completed.

    The output lies beside the training job's other output, or in the account's default bucket.

    Raises:
        Problem: There is neither a model nor a training job of that name, or the job has no model artefact.
    """
    name = named(source, now)
    try:
        answered(gateway, "sagemaker", "describe_model", ModelName=source)
    except Problem as problem:
        if not not_found(problem):
            raise
    else:
        bucket = f"s3://sagemaker-{gateway.region}-{gateway.account}"
        request = TransformRequest(name=name, model=source, input="", output=f"{bucket}/{name}/output")
        return TransformDraft(request=request)
    try:
        job = jobs.describe(gateway, source)
    except Problem as problem:
        if not not_found(problem) and not problem.sentence.startswith("There is no training job"):
            raise
        raise Problem(
            f"There is neither a model nor a training job {source}.",
            "`mlconsole jobs ls` lists training jobs.",
            problem.code,
        ) from problem
    return from_job(job, name)


def from_job(job: JobDetail, name: str) -> TransformDraft:
    """The draft from a described training job; its model gets the job's name.

    Raises:
        Problem: The job has no model artefact.
    """
    if not job.model_artifact:
        raise Problem(
            f"Training job {job.name} has no model artefact: it is {job.row.status}.",
            "Only a completed job has one.",
            "model",
        )
    request = TransformRequest(
        name=name,
        model=job.name,
        input="",
        output=f"{job.output_path.rstrip('/')}/{name}",
        instance_type=job.row.instance_type or "ml.m5.large",
        tags={"mlconsole:training-job": job.name},
    )
    notes: tuple[str, ...] = ()
    if known.repository(job.image) == "forecasting-deepar":
        request = replace(request, content_type="application/jsonlines", strategy="SingleRecord")
        notes = ("DeepAR takes one series at a time: the batch strategy is SingleRecord.",)
    return TransformDraft(request=request, training_job=job.name, notes=notes)


def named(base: str, now: float | None = None) -> str:
    """A name for a transform job: the base cut where needed, then the time to the second."""
    stamp = time.strftime("%m%d-%H%M%S", time.localtime(now))
    clean = re.sub(r"-+", "-", re.sub(r"[^A-Za-z0-9-]", "-", base)).strip("-") or "transform"
    return f"{clean[: NAME_LENGTH - len(stamp) - 11].rstrip('-')}-transform-{stamp}"
