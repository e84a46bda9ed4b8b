"""What a study says about its metrics, so that reports and comparisons can show the important ones and judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workflows.studies.catalog import StudyInfo

Better = Literal["higher", "lower", ""]
SYNTHETIC = "synthetic"
"""The metric that is 1 where the data of a run were made up."""


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
        notebook: What the lesson's notebook printed of it, on the real data; None: nothing like it.
        sums_up: Whether it is one of the figures that sum a run up beside those of other studies.
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
    notebook: float | None = None
    sums_up: bool = False


def ordered(study: StudyInfo | None, metrics: Mapping[str, float]) -> dict[str, float]:
    """A run's metrics, those first that its study names, in its order; the mark of made-up data, which is no score, last."""
    named = [measure.metric for measure in study.measures] if study is not None else []
    names = dict.fromkeys([*named, *(name for name in metrics if name != SYNTHETIC), *metrics])
    return {name: metrics[name] for name in names if name in metrics}


def leading(study: StudyInfo | None, metrics: Mapping[str, float]) -> tuple[str, float | None]:
    """The metric that its study names first among those that a run has, else its first; ("", None): it has none."""
    wanted = [measure.metric for measure in study.measures] if study is not None else []
    name = next((name for name in (*wanted, "accuracy", *ordered(None, metrics)) if name in metrics), "")
    return name, metrics.get(name)
