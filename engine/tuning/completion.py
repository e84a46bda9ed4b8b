"""When a tuning job has seen enough: targets, improvement, convergence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

SIGNIFICANT = 0.01
"""By which share of the best value a job must be better to count as an improvement, as AWS documents it."""
_PATIENCE = 10
_PATIENCE_PER_PARAMETER = 3


class Progress(NamedTuple):
    """How many jobs in a row did not improve on the best, and whether the search has converged."""

    not_improving: int
    converged: bool


def progress(values: Sequence[float], *, minimize: bool, parameters: int) -> Progress:
    """Progress of a search whose jobs ended with these values, in the order of their ends.

    Improvements of less than 1 % add up: they are measured from the last value that counted. A search has converged when so many
    jobs in a row did not improve that more of them are not expected to: ten, or three for each searched parameter.
    """
    reference: float | None = None
    since = 0
    for value in values:
        if reference is None or _gain(reference, value, minimize) > SIGNIFICANT * abs(reference):
            reference, since = value, 0
        else:
            since += 1
    return Progress(since, since >= max(_PATIENCE, _PATIENCE_PER_PARAMETER * parameters))


def _gain(reference: float, value: float, minimize: bool) -> float:
    return reference - value if minimize else value - reference


def reached(criteria: Mapping[str, Any], best: float | None, found: Progress, *, minimize: bool) -> bool:
    """Whether a TuningJobCompletionCriteria structure asks for the end of the tuning job."""
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and best is not None and (best <= target if minimize else best >= target):
        return True
    limit = (criteria.get("BestObjectiveNotImproving") or {}).get("MaxNumberOfTrainingJobsNotImproving")
    if limit is not None and found.not_improving >= limit:
        return True
    wanted = (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence") == "Enabled"
    return wanted and found.converged
