"""What a workflow asks of SageMaker's batch transform, whichever interface carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workflows.interfaces.base import JobLog
from workflows.observe.transform_rows import TransformDetail

if TYPE_CHECKING:
    from workflows.transforms.request import TransformRequest

ENDED = frozenset({"Completed", "Failed", "Stopped"})
"""Statuses in which a transform job stays."""


class Transforms(Protocol):
    """Transform jobs."""

    def create(self, request: TransformRequest) -> str:
        """Creates a transform job of a model that exists, and returns the job's name at once."""

    def find(self, name: str) -> list[str]:
        """Names of the transform jobs whose name begins with ``name``, newest first."""

    def describe(self, name: str) -> TransformDetail | None:
        """The transform job, or None when there is no such job."""

    def stop(self, name: str) -> None:
        """Asks a transform job to stop; one that has ended, or is not there, is left alone."""

    def log(self, name: str) -> JobLog:
        """The job's log from its beginning."""
