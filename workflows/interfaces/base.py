"""What a study asks of SageMaker, whichever interface carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workflows.builtin.request import AlgorithmRequest
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.interfaces.transforms.base import Transforms
    from workflows.interfaces.tuning.base import Tuning
    from workflows.observe.rows import LogLine

ENDED = frozenset({"Completed", "Failed", "Stopped"})
"""Statuses in which a training job stays."""


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric's name and the regular expression that finds its value (group 1) in the job's log."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """A script-mode training job.

    ``name`` is the job's name where the interface lets one choose it, else what the name begins with. Everything the
    interface uploads goes below ``prefix`` (an S3 URI that ends without a slash). ``inputs`` are S3 URIs by channel, all of
    ``content_type``.
    """

    name: str
    image: str
    source: Path
    entry_point: str
    inputs: dict[str, str]
    hyperparameters: dict[str, str]
    metrics: tuple[MetricDefinition, ...]
    instance_type: str
    max_seconds: int
    prefix: str
    tags: dict[str, str]
    content_type: str = "text/csv"


@dataclass(frozen=True, slots=True)
class Transition:
    """One entry of a training job's secondary status history; times in epoch seconds, ``end`` 0 while it lasts."""

    status: str
    message: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """A training job as SageMaker describes it. ``train_seconds`` and ``billable_seconds`` are 0 until known."""

    name: str
    arn: str
    status: str
    secondary: str
    failure: str = ""
    model_uri: str = ""
    transitions: tuple[Transition, ...] = ()
    train_seconds: float = 0.0
    billable_seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """A model: an artefact and the container that serves it. ``role`` is the execution role; empty: the platform's."""

    name: str
    image: str
    model_uri: str
    environment: dict[str, str]
    tags: dict[str, str]
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequest(ModelRequest):
    """A real-time endpoint with one variant. Model, endpoint configuration and endpoint all get the name ``name``."""

    instance_type: str


@dataclass(frozen=True, slots=True)
class EndpointState:
    """An endpoint as SageMaker describes it."""

    name: str
    arn: str
    status: str
    failure: str = ""


class JobLog(Protocol):
    """A job's or an endpoint's log, read where the last reading left off."""

    def read(self) -> list[LogLine]:
        """The lines that came since the last call, in order."""


class Interface(Protocol):
    """Training and hosting, in the terms of one of the two interfaces. Deletions say whether there was anything."""

    name: str
    tuning: Tuning
    transforms: Transforms
    rollouts: Rollouts

    def upload(self, path: Path, prefix: str) -> str:
        """Uploads a file to ``<prefix>/<its name>`` (an S3 URI) and returns the new object's S3 URI."""

    def download(self, uri: str, path: Path) -> None:
        """Fetches one S3 object into a file."""

    def object_exists(self, uri: str) -> bool:
        """Whether there is an S3 object of that URI."""

    def train(self, request: TrainingRequest) -> str:
        """Starts a training job and returns its name at once."""

    def train_algorithm(self, request: AlgorithmRequest) -> str:
        """Starts a training job of a built-in algorithm and returns its name at once."""

    def find_training(self, name: str) -> list[str]:
        """Names of the training jobs whose name begins with ``name``, newest first."""

    def describe_training(self, name: str) -> TrainingState | None:
        """The job's state, or None when there is no such job."""

    def stop_training(self, name: str) -> None:
        """Asks a job to stop; a job that has ended is left alone."""

    def training_log(self, name: str) -> JobLog:
        """The job's log from its beginning."""

    def make_model(self, request: ModelRequest) -> None:
        """Makes a model."""

    def model_exists(self, name: str) -> bool:
        """Whether there is a model of that name."""

    def deploy(self, request: EndpointRequest) -> None:
        """Makes model, endpoint configuration and endpoint; returns while the endpoint is being created."""

    def describe_endpoint(self, name: str) -> EndpointState | None:
        """The endpoint's state, or None when there is no such endpoint."""

    def endpoint_log(self, name: str) -> JobLog:
        """The endpoint's log from its beginning, all variants."""

    def invoke(self, name: str, body: bytes, content_type: str, accept: str) -> bytes:
        """Sends one request to an endpoint and returns the answer's body."""

    def delete_endpoint(self, name: str) -> bool:
        """Asks for an endpoint's deletion."""

    def delete_endpoint_config(self, name: str) -> bool:
        """Deletes an endpoint configuration."""

    def delete_model(self, name: str) -> bool:
        """Deletes a model (not its artefacts in S3)."""

    def delete_objects(self, prefix: str) -> int:
        """Deletes the S3 objects below an S3 URI and returns how many there were."""

    def remaining(self, name: str, prefix: str) -> list[str]:
        """What still exists and could cost: endpoints, configurations and models whose names begin with ``name``,
        training jobs among them that still run, and objects below ``prefix``; each as ``what name``."""
