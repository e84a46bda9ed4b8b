"""The segments of a run as they are kept: numbers, names, members, distances; and those of earlier runs on the same counties."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workflows import runs
from workflows.ledger import Ledger, StaleResult
from workflows.studies.population.labelling import Match

FILE, MEMBERS = "segments.json", "segments.csv"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its number (from 1), name, members, K-Means' own number of the cluster, and what sets it apart.

    ``deviations`` are those of the columns in standard deviations, ``means`` in the columns' own units; ``earlier`` is the segment
    of an earlier run that it carries on (0: none), ``overlap`` the Jaccard index of their members.
    """

    number: int
    name: str
    size: int
    cluster: int
    deviations: dict[str, float]
    means: dict[str, float]
    earlier: int = 0
    overlap: float = 0.0


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments in the order of their numbers, and for each county its segment (n,) and the second nearest (n,)."""

    segments: list[Segment]
    nearest: Any
    second: Any
    distance: Any
    second_distance: Any

    def of(self, number: int) -> Segment:
        """The segment of a number."""
        return next(one for one in self.segments if one.number == number)


def assembled(
    columns: Sequence[str],
    values: Any,
    names: Sequence[str],
    found: Any,
    matches: Sequence[Match],
    order: Any,
    distances: Any,
) -> Segments:
    """From clusters to segments.

    Args:
        columns: Names of the d columns.
        values: The counties in the columns' own units, shape (n, d).
        names: The clusters' names.
        found: The clusters' deviations, shape (k, d).
        matches: The clusters' numbers.
        order: For each county its clusters from the nearest on, shape (n, k).
        distances: Distances to them, shape (n, k).
    """
    import numpy as np

    labels = order[:, 0]
    made = [
        Segment(
            number=match.segment,
            name=names[cluster],
            size=int((labels == cluster).sum()),
            cluster=cluster,
            deviations={
                name: round(float(value), 4) for name, value in zip(columns, found[cluster], strict=True)
            },
            means={
                name: float(value)
                for name, value in zip(
                    columns,
                    values[labels == cluster].mean(axis=0)
                    if (labels == cluster).any()
                    else values.mean(axis=0),
                    strict=True,
                )
            },
            earlier=match.earlier,
            overlap=round(match.overlap, 4),
        )
        for cluster, match in enumerate(matches)
    ]
    numbers = np.array([match.segment for match in matches])
    return Segments(
        sorted(made, key=lambda one: one.number),
        numbers[order[:, 0]],
        numbers[order[:, 1]],
        distances[:, 0],
        distances[:, 1],
    )


def save(folder: Path, counties: Sequence[str], found: Segments) -> list[Path]:
    """Writes segments.json, and segments.csv with a county a row."""
    import csv

    table = folder / MEMBERS
    names = {one.number: one.name for one in found.segments}
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["county", "segment", "name", "distance", "second", "second_distance"])
        for county, number, distance, second, further in zip(
            counties, found.nearest.tolist(), found.distance.tolist(), found.second.tolist(), found.second_distance.tolist(),
            strict=True,
        ):  # fmt: skip
            writer.writerow([county, number, names[number], repr(distance), second, repr(further)])
    document = folder / FILE
    document.write_text(json.dumps([asdict(one) for one in found.segments], indent=1), encoding="utf-8")
    return [document, table]


def load(folder: Path) -> tuple[list[str], Segments]:
    """Names of the counties, and the segments that `save` wrote."""
    import csv

    import numpy as np

    made = [Segment(**entry) for entry in json.loads((folder / FILE).read_text(encoding="utf-8"))]
    with (folder / MEMBERS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["county"] for row in rows], Segments(
        made,
        np.array([int(row["segment"]) for row in rows]),
        np.array([int(row["second"]) for row in rows]),
        np.array([float(row["distance"]) for row in rows]),
        np.array([float(row["second_distance"]) for row in rows]),
    )


def earlier(run: runs.Run, counties_sha256: str, k: int) -> tuple[str, Any] | None:
    """The newest other completed run on the same counties, with as many segments if there is one: its id, and the segment number of
    each county. Runs whose files changed are passed over."""
    fallback: tuple[str, Any] | None = None
    for other in runs.list_runs():
        if (
            other.study != run.study
            or other.id == run.id
            or other.status != "completed"
            or other.created > run.created
        ):
            continue
        ledger = Ledger(other.folder)
        if ledger.outputs("prepare").get("counties_sha256") != counties_sha256:
            continue
        try:
            ledger.verify("evaluate")
            _, found = load(other.work)
        except (StaleResult, OSError, ValueError, KeyError, TypeError):
            continue
        if len(found.segments) == k:
            return other.id, found.nearest
        fallback = fallback or (other.id, found.nearest)
    return fallback
