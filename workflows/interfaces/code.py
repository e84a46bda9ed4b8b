"""A run as a plain Python script: what `mlconsole runs code` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.runs import Run


def script(run: Run) -> str:
    """The script of a run, in the run's interface; it imports nothing of mlconsole.

    Raises:
        WorkflowError: The run's study is unknown.
    """
    from workflows.studies.catalog import find

    return find(run.study).load().script(run)
