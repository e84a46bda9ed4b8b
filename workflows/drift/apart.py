"""The comparison, worked out in a process of its own: scipy would stay in a console's memory for ever."""

from __future__ import annotations

from typing import Any

from workflows.apart import worked_out
from workflows.drift.report import DriftReport


def compare(*arguments: Any, **named: Any) -> DriftReport:
    """The same as `workflows.drift.comparison.compare`.

    Raises:
        Problem: The process failed.
    """
    found: DriftReport = worked_out("Drift", "workflows.drift.comparison:compare", *arguments, **named)
    return found
