"""The first draft of a tuning job: from a training job that went well, with ranges that are recommended for its algorithm."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.observe.tuning_rows import Objective, Range
from workflows.tuning.request import TuningRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningDraft:
    """A tuning job that could be created as it is, and what could be chosen instead.

    Args:
        request: With the recommended ranges of the algorithm (none where the algorithm is not known: a person chooses).
        objectives: What could be optimised, the likeliest first.
        ranges: Every hyperparameter that could be searched, with a range; those in the request first.
        notes: What a person should know, as sentences.
    """

    request: TuningRequest
    objectives: tuple[Objective, ...]
    ranges: tuple[Range, ...]
    notes: tuple[str, ...] = ()
