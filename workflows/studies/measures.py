"""What a study says about its metrics, so that reports and comparisons can show the important ones and judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of `workflows.events.RunFinished`.

    Args:
        metric: Its name there.
        title: What a person calls it.
        better: Which way is better; empty: neither.
        unit: ``share`` (shown in per cent), or a unit such as ``s`` and ``ms``.
        baseline: The metric that a free baseline reached on the same data.
        count: The metric that tells how many answers a share is of: its binomial error is known then.
        spread: The metric that holds its standard deviation over seeds.
        spread_of: What that is over, for people: ``60 split seeds``; ``{}`` is the value of the metric `seeds`.
        seeds: The metric that tells over how many.
    """

    metric: str
    title: str
    better: Better = "higher"
    unit: str = ""
    baseline: str = ""
    count: str = ""
    spread: str = ""
    spread_of: str = "{} seeds"
    seeds: str = "seeds"
