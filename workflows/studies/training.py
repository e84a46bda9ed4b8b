"""Runs a training job inside a step: starts or finds it, and tells its log, its metrics and its statuses as they come."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workflows import costs
from workflows.failures import Cancelled, WorkflowError
from workflows.files import sha256
from workflows.interfaces.base import MetricDefinition, TrainingRequest, TrainingState
from workflows.observe.rows import LogLine
from workflows.studies.context import Context

if TYPE_CHECKING:
    from workflows.builtin.request import AlgorithmRequest, ChannelInput

QUEUE_SECONDS = 3600.0
"""Seconds beyond its own limit that a job may wait for a machine."""
LATE_LOG = 60.0
"""Seconds after the job's end in which its last lines may still arrive: the log is complete after two quiet looks."""


class Listener(Protocol):
    """Hears a job's log lines as they come; after an interruption all of them again."""

    def line(self, text: str) -> bool:
        """Takes a line; whether it is taken away from the log that people read."""

    def looked(self) -> None:
        """The lines that had come by now were all taken."""


@dataclass(frozen=True, slots=True)
class Job:
    """A training job to be run.

    ``epochs`` are expected (0: it has none); ``label`` stands before the names of its metrics when it is not alone;
    ``listener`` hears its log; ``unit`` is what its metrics come once for.
    """

    request: TrainingRequest | AlgorithmRequest
    epochs: int
    metrics: tuple[MetricDefinition, ...]
    label: str = ""
    listener: Listener | None = None
    unit: str = "epoch"


def built_in(
    context: Context, name: str, image: str, channels: Sequence[ChannelInput], hyperparameters: dict[str, str]
) -> AlgorithmRequest:
    """A job of a built-in algorithm on the run's training instance, below the run's prefix and with its tags."""
    from workflows.builtin.request import AlgorithmRequest

    return AlgorithmRequest(
        name=name,
        image=image,
        channels=tuple(channels),
        hyperparameters=hyperparameters,
        output=f"{context.prefix}/output",
        instance_type=str(context.value("instance-type")),
        max_seconds=int(context.value("max-minutes")) * 60,
        tags=context.tags,
    )


def model_exists(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the archive of a step's job is still in S3."""
    return context.interface.object_exists(outputs["model_uri"])


def models_exist(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the archives of a step's jobs (``models``, by name) are still in S3."""
    return all(context.interface.object_exists(item["model_uri"]) for item in outputs["models"].values())


def train(
    context: Context, request: TrainingRequest, total_epochs: int
) -> tuple[TrainingState, dict[str, list[float]]]:
    """The ended job and the series of its metrics. A job that an interrupted run began is found again.

    Raises:
        WorkflowError: The job failed, or was stopped by somebody else.
        Cancelled: The run was asked to stop; the job is left to the clean-up.
    """
    return train_all(context, [Job(request, total_epochs, request.metrics)], 1)[0]


def train_all(
    context: Context, jobs: Sequence[Job], parallel: int
) -> list[tuple[TrainingState, dict[str, list[float]]]]:
    """The ended jobs, in the order given, at most ``parallel`` of them at a time; as `train` for each."""
    waiting = list(jobs)
    begun: list[_Watch] = []
    running: list[_Watch] = []

    def poll() -> tuple[bool, object]:
        while waiting and len(running) < parallel:
            job = waiting.pop(0)
            name = _begun(context, job.request) or _begin(context, job.request)
            context.artifact("training job", name)
            watch = _Watch(context, name, job)
            begun.append(watch)
            running.append(watch)
        news = []
        for watch in list(running):
            ended, changed = watch.poll()
            news.append((watch.name, changed))
            if ended:
                running.remove(watch)
        return not running and not waiting, tuple(news)

    limit = sum(job.request.max_seconds + QUEUE_SECONDS for job in jobs)
    names = ", ".join(job.request.name for job in jobs)
    context.waiter.until(poll, f"Training job {names}", limit)
    return [(_ended(context, watch), watch.series) for watch in begun]


def fetch_model(
    context: Context, state: TrainingState, instance: str, file: str = "model.tar.gz"
) -> tuple[Path, dict[str, Any]]:
    """Downloads the archive of an ended job and tells its cost: the file, and what a step's outputs say of the job."""
    archive = context.work / file
    context.interface.download(state.model_uri, archive)
    model_sha256 = sha256(archive)
    context.artifact("model", archive.name, state.model_uri, model_sha256)
    billable = state.billable_seconds or state.train_seconds
    _tell_cost(context, instance, billable)
    return archive, {
        "job": state.name,
        "model_uri": state.model_uri,
        "model_sha256": model_sha256,
        "train_seconds": state.train_seconds,
        "billable_seconds": billable,
    }


def fetch_models(
    context: Context, ended: Mapping[str, tuple[TrainingState, dict[str, list[float]]]], instance: str
) -> tuple[dict[str, dict[str, Any]], list[Path]]:
    """Downloads the archives of jobs that `train_all` ended, by name, and tells their cost: what a step's outputs say of them, and the files."""
    models: dict[str, dict[str, Any]] = {}
    files = []
    for name, (state, series) in ended.items():
        archive = context.work / f"model-{name}.tar.gz"
        context.interface.download(state.model_uri, archive)
        files.append(archive)
        digest = sha256(archive)
        context.artifact("model", archive.name, state.model_uri, digest)
        models[name] = {
            "job": state.name,
            "model_uri": state.model_uri,
            "sha256": digest,
            "train_seconds": state.train_seconds,
            "billable_seconds": state.billable_seconds or state.train_seconds,
            "log": series,
        }
    billable = sum(item["billable_seconds"] for item in models.values())
    _tell_cost(context, instance, billable)
    return models, files


def _tell_cost(context: Context, instance: str, billable: float) -> None:
    verb = "cost" if context.platform.target == "aws" else "would cost"
    context.log(f"{billable:.0f} billable seconds on {instance} {verb} {costs.estimate(instance, billable)}.")


def _ended(context: Context, watch: _Watch) -> TrainingState:
    state = watch.finish()
    name = watch.name
    if state.status == "Failed":
        reason = state.failure or "it gave no reason; its log tells more"
        raise WorkflowError(f"Training job {name} failed: {reason} Correct the cause and start a new run.")
    if state.status == "Stopped":
        if context.cancelled.is_set():
            raise Cancelled
        raise WorkflowError(f"Training job {name} was stopped from outside. Start a new run.")
    return state


def _begun(context: Context, request: TrainingRequest | AlgorithmRequest) -> str:
    """The job that this step started before an interruption, if it can still be used."""
    if request.name not in context.ledger.notes(context.step).get("attempts", {}):
        return ""
    for name in context.interface.find_training(request.name):
        state = context.interface.describe_training(name)
        if state is not None and state.status in ("InProgress", "Completed"):
            context.log(f"Found training job {name} of before the interruption: {state.status}.")
            return name
    return ""


def _begin(context: Context, request: TrainingRequest | AlgorithmRequest) -> str:
    # Names of jobs are never free again: an attempt after others gets a number.
    attempt = len(context.interface.find_training(request.name)) + 1
    name = request.name if attempt == 1 else f"{request.name}-{attempt}"
    attempts = context.ledger.notes(context.step).get("attempts", {})
    context.ledger.note(context.step, attempts=attempts | {request.name: attempt})
    context.ledger.made("training job", request.name)
    context.ledger.made("objects", context.prefix)
    if isinstance(request, TrainingRequest):
        return context.interface.train(replace(request, name=name))
    return context.interface.train_algorithm(replace(request, name=name))


def _late(job: str, lines: int) -> str:
    """What it means that the log of an ended job did not come to its end."""
    came = f"came with {lines} lines, and none with its metrics" if lines else "did not come at all"
    return f"The log of {job} {came} within {LATE_LOG:.0f} s of its end. The run goes on with what there is."


class _Watch:
    """Tells what is new about a job at each poll."""

    def __init__(self, context: Context, name: str, job: Job) -> None:
        self.series: dict[str, list[float]] = {metric.name: [] for metric in job.metrics}
        self.name = name
        self._context = context
        self._patterns = [(metric.name, re.compile(metric.regex)) for metric in job.metrics]
        self._label = f"{job.label} " if job.label else ""
        self._total, self._unit = job.epochs, job.unit
        self._listener = job.listener
        self._log = context.interface.training_log(name)
        self._told: list[str] = []
        self._lines = 0
        self._state: TrainingState | None = None

    def poll(self) -> tuple[bool, object]:
        """Whether the job has ended, and what changes when there is news."""
        state = self._context.interface.describe_training(self.name)
        if state is None:
            raise WorkflowError(f"Training job {self.name} is not there any more. Start a new run.")
        self._state = state
        self._tell_statuses(state)
        if state.secondary not in ("Starting", "Pending"):
            self._tell(self._log.read())
        return state.ended, (state.secondary, self._lines)

    def finish(self) -> TrainingState:
        """The ended job, after its last log lines arrived (AWS delivers them a little late)."""
        state = self._state
        if state is None:
            raise WorkflowError(f"Training job {self.name} was never described.")
        quiet = 0

        def complete() -> tuple[bool, object]:
            nonlocal quiet
            lines = self._log.read()
            self._tell(lines)
            quiet = 0 if lines else quiet + 1
            return quiet >= 2 and (any(self.series.values()) or not state.metrics), self._lines

        try:
            self._context.waiter.until(complete, "The end of the training log", LATE_LOG)
        except WorkflowError:
            self._context.log(_late(self.name, self._lines), level="warning")
        return state

    def _tell_statuses(self, state: TrainingState) -> None:
        for number, item in enumerate(state.transitions):
            line = f"{item.status}: {item.message}" if item.message else item.status
            if number >= len(self._told):
                self._told.append(line)
            elif self._told[number] == line:
                continue
            else:
                self._told[number] = line
            self._context.log(f"{self._label}{line}", source="training job", at=item.start)

    def _tell(self, lines: list[LogLine]) -> None:
        self._lines += len(lines)
        for line in lines:
            if self._listener is not None and self._listener.line(line.text):
                continue
            self._context.log(line.text, source=line.stream, at=line.time)
            found = {}
            for name, pattern in self._patterns:
                if match := pattern.search(line.text):
                    found[name] = float(match.group(1))
            epoch = re.search(r"\bepoch=(\d+)", line.text)
            if not found:
                continue
            number = int(epoch.group(1)) if epoch else max(len(self.series[name]) for name in found) + 1
            for name, value in found.items():
                self.series[name].append(value)
                self._context.metric(f"{self._label}{name}", value, number, self._unit)
            if self._total:
                self._context.progress(number, self._total, f"{self._unit}s", self._label.strip())
        if lines and self._listener is not None:
            self._listener.looked()
