"""Scores rows by batch transform inside a step: no endpoint is needed for an answer to every row."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.failures import Cancelled, WorkflowError
from workflows.interfaces.base import ModelRequest
from workflows.interfaces.transforms.base import ENDED
from workflows.studies.context import Context
from workflows.transforms.request import TransformRequest

LONGEST = 4 * 3600.0
"""Seconds that all transform jobs of a step may take."""


def need_model(context: Context, name: str, image: str, model_uri: str) -> None:
    """Makes a model of a built-in algorithm for a transform job, where an interrupted run has not made it already."""
    if context.interface.model_exists(name):
        return
    context.ledger.made("model", name)
    context.interface.make_model(
        ModelRequest(name=name, image=image, model_uri=model_uri, environment={}, tags=context.tags)
    )


def transform_all(context: Context, requests: Sequence[TransformRequest], parallel: int) -> list[str]:
    """The names of the completed jobs, in the order given; at most ``parallel`` run at a time. Their models exist.

    Raises:
        WorkflowError: One failed or was stopped by somebody else; the text has SageMaker's reason.
        Cancelled: The run was asked to stop; running jobs are left to the clean-up.
    """
    transforms = context.interface.transforms
    waiting = list(requests)
    names: list[str] = []
    running: list[str] = []

    def poll() -> tuple[bool, object]:
        while waiting and len(running) < parallel:
            name = _begin(context, waiting.pop(0))
            names.append(name)
            running.append(name)
        news = []
        for name in list(running):
            found = transforms.describe(name)
            if found is None:
                raise WorkflowError(f"Transform job {name} is not there any more. Start a new run.")
            news.append((name, found.row.status))
            if found.row.status not in ENDED:
                continue
            running.remove(name)
            context.log(f"{name}: {found.row.status}", source="transform job")
            context.progress(len(names) - len(running), len(requests), "transform jobs")
            if found.row.status == "Stopped" and context.cancelled.is_set():
                raise Cancelled
            if found.row.status != "Completed":
                reason = found.failure_reason or "it was stopped from outside"
                raise WorkflowError(f"Transform job {name} did not complete: {reason} Start a new run.")
        return not running and not waiting, tuple(news)

    context.waiter.until(poll, "Batch transform", LONGEST)
    return names


def answers(context: Context, output: str, file: str, rows: int) -> list[str]:
    """The answers to ``file`` below a job's output (an S3 URI), one line a row, in the rows' order.

    Raises:
        WorkflowError: There are more or fewer answers than rows: they are not aligned.
    """
    path = context.work / f"{output.rstrip('/').rpartition('/')[2]}.out"
    context.interface.download(f"{output.rstrip('/')}/{file}.out", path)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) != rows:
        raise WorkflowError(
            f"Batch transform gave {len(lines)} answers to {rows} rows of {file}. Start a new run."
        )
    return lines


def _begin(context: Context, request: TransformRequest) -> str:
    transforms = context.interface.transforms
    earlier = transforms.find(request.name)
    for name in earlier:
        found = transforms.describe(name)
        if found is not None and found.row.status in ("InProgress", "Completed"):
            context.log(f"Found transform job {name} of before the interruption: {found.row.status}.")
            return name
    from dataclasses import replace

    # Names of jobs are never free again: an attempt after others gets a number.
    name = f"{request.name}-{len(earlier) + 1}" if earlier else request.name
    context.ledger.made("transform job", name)
    name = transforms.create(replace(request, name=name))
    context.artifact("transform job", name)
    return name
