"""What matters, worked out in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workflows.apart import worked_out
from workflows.observe.tuning_rows import TrialRow, TuningDetail
from workflows.tuning.importance import Importance


def importance(detail: TuningDetail, trials: Sequence[TrialRow], *, definition: str = "") -> Importance:
    """The same as `workflows.tuning.importance.importance`.

    Raises:
        Problem: The process failed.
    """
    found: Importance = worked_out(
        "What matters",
        "workflows.tuning.importance:importance",
        replace(detail, raw={}),
        tuple(trials),
        definition=definition,
    )
    return found
