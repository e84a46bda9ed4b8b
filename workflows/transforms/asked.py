"""What a person asks for of transform jobs, carried out on a gateway through boto3: the console's actions."""

from __future__ import annotations

from workflows.interfaces.hosting import make_model
from workflows.interfaces.transforms.low import LowTransforms
from workflows.observe import jobs
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.problem import Problem
from workflows.transforms.draft import TransformDraft
from workflows.transforms.operations import model_of


def create(gateway: Gateway, draft: TransformDraft) -> str:
    """Create a transform job, and the model of its training job where there is none yet; returns the job's name.

    Raises:
        Problem: The input is not given, or SageMaker refuses the model or the job.
    """
    request = draft.request
    if not request.input.startswith("s3://"):
        raise Problem(
            f"The input {request.input!r} is no S3 URI." if request.input else "No input is given.",
            "Give the place of the records: s3://bucket/prefix.",
            "input",
        )
    if draft.training_job and not model_exists(gateway, request.model):
        job = jobs.describe(gateway, draft.training_job)
        make_model(gateway.client("sagemaker"), model_of(job, request.model))
    return LowTransforms(gateway).create(request)


def model_exists(gateway: Gateway, name: str) -> bool:
    """Whether there is a model of that name.

    Raises:
        Problem: It cannot be found out.
    """
    try:
        answered(gateway, "sagemaker", "describe_model", ModelName=name)
    except Problem as problem:
        if not_found(problem):
            return False
        raise
    return True
