"""Why one county is in its segment, from the files of a run: for the run itself, and for whoever asks afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.data.audit import TOGETHER
from workflows.studies.population import components, county, data, local, naming, segments, told, trained
from workflows.studies.population.county import Reason
from workflows.studies.population.segments import Segment

REASONS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A county's segment, the second nearest one, Euclidean distances to their centres, and what speaks for the one or the other."""

    county: str
    segment: Segment
    second: Segment
    distance: float
    second_distance: float
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run's work folder holds: counties, scaler, kept components, centres, segments."""

    counties: data.Counties
    scaler: data.Scaler
    components: components.Components
    centres: Any
    segments: segments.Segments

    def explain(self, index: int) -> Answer:
        """The answer for the county of an index."""
        values = self.counties.values[index]
        scaled = self.scaler.scaled(values[None, :])
        order, distances = trained.nearest(self.components.project(scaled), self.centres)
        by_cluster = {one.cluster: one for one in self.segments.segments}
        first, second = by_cluster[int(order[0, 0])], by_cluster[int(order[0, 1])]
        means = tuple([one.means[name] for name in self.counties.columns] for one in (first, second))
        found = county.reasons(
            scaled[0],
            values,
            self.counties.columns,
            self.components,
            self.centres[first.cluster],
            self.centres[second.cluster],
            (means[0], means[1]),
            naming.groups(self.counties.values, TOGETHER),
        )
        return Answer(
            self.counties.names[index], first, second, float(distances[0, 0]), float(distances[0, 1]), found
        )


def read(work: Path, kept: int) -> Kept:
    """A run's files; ``kept`` is the number of components that it kept."""
    counties = data.load(work / local.COUNTIES)
    scaler = data.Scaler.load(work / local.SCALER)
    total = components.total_of(scaler.scaled(counties.values))
    found = components.load(work / "model-pca" / components.FILE, total).first(kept)
    return Kept(
        counties,
        scaler,
        found,
        components.centroids(work / "model-kmeans" / components.FILE),
        segments.load(work)[1],
    )


def rows(answer: Answer, most: int = REASONS) -> list[list[Any]]:
    """A line for each of the weightiest reasons: column, the county's value, both segments' means, and for whom it speaks how much."""
    return [
        [
            reason.named,
            told.rounded(reason.value),
            told.rounded(reason.segment),
            told.rounded(reason.second),
            f"{reason.share:+.0%}",
            f"for {answer.segment.number if reason.share > 0 else answer.second.number}",
        ]
        for reason in answer.reasons[:most]
    ]


def columns(answer: Answer) -> list[str]:
    """The heads of `rows`."""
    return [
        "column",
        "here",
        f"mean of segment {answer.segment.number}",
        f"mean of segment {answer.second.number}",
        "share of the difference",
        "speaks",
    ]


def sentence(answer: Answer) -> str:
    """The answer in words."""
    for_it = [reason.named for reason in answer.reasons if reason.share > 0][:3]
    return (
        f"{answer.county} is in segment {answer.segment.number}, {answer.segment.name} (distance {answer.distance:.3f}; "
        f"segment {answer.second.number}, {answer.second.name}, is the second nearest at {answer.second_distance:.3f})"
        f"{', because of ' + ', '.join(for_it) if for_it else ''}."
    )
