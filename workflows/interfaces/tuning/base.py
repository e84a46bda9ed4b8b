"""What a workflow asks of SageMaker's hyperparameter tuning, whichever interface carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from workflows.observe.tuning_rows import TrialRow, TuningDetail

if TYPE_CHECKING:
    from workflows.tuning.request import Template, TuningRequest

ENDED = frozenset({"Completed", "Failed", "Stopped", "DeleteFailed"})
"""Statuses in which a tuning job stays."""


class Tuning(Protocol):
    """Tuning jobs, and single training jobs as their trials would be."""

    def create(self, request: TuningRequest) -> str:
        """Creates a tuning job and returns its name at once."""

    def find(self, name: str) -> list[str]:
        """Names of the tuning jobs whose name begins with ``name``, newest first."""

    def describe(self, name: str) -> TuningDetail | None:
        """The tuning job, or None when there is no such job."""

    def trials(self, name: str) -> tuple[TrialRow, ...]:
        """All trials, oldest first."""

    def stop(self, name: str) -> None:
        """Asks a tuning job to stop; one that has ended, or is not there, is left alone."""

    def delete(self, name: str) -> bool:
        """Deletes a tuning job that has ended; its training jobs stay. Says whether there was one."""

    def run(
        self, name: str, template: Template, hyperparameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        """Starts one training job as a trial of the template would be, with these hyperparameters alone; returns its name."""
