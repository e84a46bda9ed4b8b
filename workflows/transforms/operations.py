"""What can be done with transform jobs, through either interface: make the model, create, wait."""

from __future__ import annotations

from collections.abc import Callable

from workflows.failures import WorkflowError
from workflows.interfaces.base import ModelRequest
from workflows.interfaces.transforms.base import ENDED, Transforms
from workflows.interfaces.waiting import Waiter
from workflows.observe.rows import JobDetail
from workflows.observe.transform_rows import TransformDetail
from workflows.problem import Problem
from workflows.serving import container

TAG = "mlconsole:training-job"


def model_of(job: JobDetail, name: str) -> ModelRequest:
    """The model of a training job's artefact.

    Raises:
        Problem: The training job has no artefact.
    """
    if not job.model_artifact:
        raise Problem(
            f"Training job {job.name} has no model artefact.", "Only a completed job has one.", "model"
        )
    image, environment = container(job)
    return ModelRequest(
        name=name,
        image=image,
        model_uri=job.model_artifact,
        environment=environment,
        tags={TAG: job.name},
        role=job.role,
    )


def wait(
    transforms: Transforms,
    name: str,
    waiter: Waiter,
    told: Callable[[TransformDetail], None] | None = None,
    timeout: float = 5 * 86_400,
) -> TransformDetail:
    """Wait until a transform job has ended; ``told`` hears of each change of its status, and at every poll while it runs.

    Raises:
        Cancelled: Waiting was called off; the job goes on.
        WorkflowError: There is no such job, or the time is over.
    """
    last: list[TransformDetail] = []

    def poll() -> tuple[bool, object]:
        found = transforms.describe(name)
        if found is None:
            raise WorkflowError(
                Problem(
                    f"There is no transform job {name}.", "`mlconsole transform ls` lists them.", "not-found"
                )
            )
        last[:] = [found]
        if told is not None:
            told(found)
        return found.row.status in ENDED, found.row.status

    waiter.until(poll, f"Transform job {name}", timeout)
    return last[0]
