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
    from dataclasses import replace

    from workflows.studies.catalog import find
    from workflows.studies.parameters import filled

    info = find(run.study)
    return info.load().script(replace(run, parameters=filled(info.parameters, run.parameters)))
