"""Scores rows by batch transform inside a step: no endpoint is needed for an answer to every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflows.failures import Cancelled, WorkflowError
from workflows.interfaces.base import ModelRequest
from workflows.interfaces.transforms.base import ENDED
from workflows.studies.context import Context
from workflows.transforms.request import TransformRequest

TIMES = "transform_times"
"""What a step notes: by output URI the job's name, its start and its end (epoch seconds)."""
TOLERANCE = 5.0
"""Seconds by which the clocks of S3, which counts whole seconds, and of SageMaker may differ."""
LONGEST = 4 * 3600.0
"""Seconds that all transform jobs of a step may take."""


def need_model(
    context: Context,
    name: str,
    image: str,
    model_uri: str,
    tags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Makes a model, where an interrupted run has not made it already; ``tags`` are further ones, ``environment`` is its container's."""
    if context.interface.model_exists(name):
        return
    context.ledger.made("model", name)
    context.interface.make_model(
        ModelRequest(
            name=name,
            image=image,
            model_uri=model_uri,
            environment=dict(environment or {}),
            tags={**context.tags, **(tags or {})},
        )
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
    times: dict[str, list[Any]] = context.ledger.notes(context.step).get(TIMES, {})

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
            times[found.output.rstrip("/")] = [name, found.started or found.row.created, found.row.ended]
            context.log(f"{name}: {found.row.status}", source="transform job")
            context.progress(len(names) - len(running), len(requests), "transform jobs")
            if found.row.status == "Stopped" and context.cancelled.is_set():
                raise Cancelled
            if found.row.status != "Completed":
                reason = found.failure_reason or "it was stopped from outside"
                raise WorkflowError(f"Transform job {name} did not complete: {reason} Start a new run.")
        return not running and not waiting, tuple(news)

    context.waiter.until(poll, "Batch transform", LONGEST)
    context.ledger.note(context.step, **{TIMES: times})
    return names


def answers(context: Context, output: str, file: str, rows: int) -> list[str]:
    """The answers to ``file`` below a job's output (an S3 URI), one line a row, in the rows' order.

    Raises:
        WorkflowError: The answers are not those of this step's job: somebody else's, or left from another job (stale). Or there
            are more or fewer than rows: they are not aligned.
    """
    _are_of_the_job(context, output.rstrip("/"), f"{file}.out")
    path = context.work / f"{output.rstrip('/').rpartition('/')[2]}.out"
    context.interface.download(f"{output.rstrip('/')}/{file}.out", path)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) != rows:
        raise WorkflowError(
            f"Batch transform gave {len(lines)} answers to {rows} rows of {file}. Start a new run."
        )
    return lines


def _are_of_the_job(context: Context, output: str, file: str) -> None:
    """Compares when the object was written with when the job ran: a number of stale answers looks like any other."""
    found = context.ledger.notes(context.step).get(TIMES, {}).get(output)
    if found is None:
        raise WorkflowError(f"No transform job of this step wrote to {output}/. Start a new run.")
    name, began, ended = found
    if not context.interface.object_exists(f"{output}/{file}"):
        raise WorkflowError(f"Transform job {name} left no {file} in {output}/. Start a new run.")
    bucket, _, key = f"{output}/{file}".removeprefix("s3://").partition("/")
    written = context.platform.client("s3").head_object(Bucket=bucket, Key=key)["LastModified"].timestamp()
    if began - TOLERANCE <= written <= (ended or written) + TOLERANCE:
        return
    when = "before the job began" if written < began else "after the job had ended"
    raise WorkflowError(
        f"Stale predictions: {output}/{file} was written {abs(written - (began if written < began else ended)):,.0f} s {when}, so "
        f"it does not hold the answers of transform job {name}. Delete it and resume the run, or start a new one."
    )


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
