"""How segments are shown: sizes and traits, heat maps, the map in two components, the counties at the centre and on the border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflows.studies.context import Context
from workflows.studies.population import naming
from workflows.studies.population import notebook as printed
from workflows.studies.population.data import Counties
from workflows.studies.population.segments import Segment, Segments

TRAITS = 5
TYPICAL, BORDERLINE = 4, 12
HEAT = 24
"""Columns in the heat map: those in which segments differ most."""


def segments(
    context: Context,
    made: Segments,
    counties: Counties,
    projected: Any,
    centres: Any,
    found_again: Sequence[float],
) -> None:
    """All tables and figures of segments.

    Args:
        context: The run.
        made: Its segments.
        counties: The counties in their own units.
        projected: The same in components, shape (n, m).
        centres: K-Means' centres in its own order, shape (k, m).
        found_again: For each of them the Jaccard index to which bootstrap draws find its cluster again.
    """
    context.table(
        context.titled("Segments by what is unusual in them, in standard deviations"),
        [
            "segment",
            "name",
            "counties",
            "share",
            "found again",
            *(f"trait {number}" for number in range(1, TRAITS + 1)),
        ],
        [
            [
                one.number,
                one.name,
                one.size,
                f"{one.size / len(counties):.1%}",
                f"{found_again[one.cluster]:.2f}",
                *_traits(one, counties),
            ]
            for one in made.segments
        ],
    )
    context.figure(
        context.titled("Counties in each segment"),
        "bar",
        [
            {
                "name": "counties",
                "x": [titled(one) for one in made.segments],
                "y": [one.size for one in made.segments],
            }
        ],
        "segment",
        "counties",
    )
    _heat(context, made, counties, centres)
    _map(context, made, counties, projected)
    _members(context, made, counties)


def rounded(value: float) -> float:
    """A mean as a table shows it: whole from 100 on, two digits below."""
    return round(value) if abs(value) >= 100 else round(value, 2)


def titled(one: Segment) -> str:
    """A segment's number and name."""
    return f"{one.number} {one.name}"


def notebook(context: Context, made: Segments) -> None:
    """What the notebook printed beside what this run found."""
    reduced, choice, gate = context.of("reduce"), context.of("choose"), context.of("gate")
    sizes = sorted((one.size for one in made.segments), reverse=True)
    context.table(
        context.titled("As the notebook printed it, and as it is here"),
        ["what", "notebook", "here"],
        [
            ["components kept (goal 80 %)", printed.COMPONENTS, reduced["components"]],
            ["variance they explain", f"{printed.EXPLAINED[printed.COMPONENTS]:.4f}", f"{reduced['explained']:.4f}"],
            ["largest singular values", _list(printed.SINGULAR), _list(reduced["singular"][: len(printed.SINGULAR)])],
            ["k", f"{printed.K}, read off a picture", f"{choice['k']}"],
            ["counties by cluster", _list(printed.SIZES[0], 0), _list(sizes, 0)],
            ["… in a rerun with the same settings", _list(printed.SIZES[1], 0), "numbers and names are kept from run to run"],
            ["silhouette", "not computed", f"{gate['silhouette']:.3f} (by chance {choice['null']:.3f})"],
            ["stability (bootstrap ARI)", "not computed", f"{choice['stability']:.3f} ± {choice['spread']:.3f}"],
            ["weakest segment found again to", "not computed", f"{choice['weakest']:.2f} (Jaccard)"],
        ],
    )  # fmt: skip


def _traits(one: Segment, counties: Counties) -> list[str]:
    kept = {counties.columns[index] for index in naming.traits(counties.values)}
    order = sorted(
        (name for name in one.deviations if name in kept), key=lambda name: -abs(one.deviations[name])
    )
    shown = [f"{name} {rounded(one.means[name]):,} ({one.deviations[name]:+.1f})" for name in order[:TRAITS]]
    return shown + [""] * (TRAITS - len(shown))


def _heat(context: Context, made: Segments, counties: Counties, centres: Any) -> None:
    import numpy as np

    across = [titled(one) for one in made.segments]
    order = [one.cluster for one in made.segments]
    context.figure(
        context.titled("Centroids in the components"),
        "heatmap",
        [
            {
                "name": "component",
                "x": [f"c_{number + 1}" for number in range(centres.shape[1])],
                "y": across,
                "z": np.round(np.asarray(centres, dtype=float)[order], 4).tolist(),
            }
        ],
        "component",
        "segment",
    )
    kept = [counties.columns[index] for index in naming.traits(counties.values)]
    kept.sort(key=lambda name: -max(abs(one.deviations[name]) for one in made.segments))
    context.figure(
        context.titled("Segments by column: standard deviations from the mean"),
        "heatmap",
        [
            {
                "name": "standard deviations",
                "x": across,
                "y": kept[:HEAT],
                "z": [[round(one.deviations[name], 3) for one in made.segments] for name in kept[:HEAT]],
            }
        ],
        "segment",
        "column",
    )
    context.table(
        context.titled("Means of every column, by segment"),
        ["column", "all counties", *across],
        [
            [
                name,
                rounded(float(counties.values[:, index].mean())),
                *(rounded(one.means[name]) for one in made.segments),
            ]
            for index, name in enumerate(counties.columns)
        ],
    )


def _map(context: Context, made: Segments, counties: Counties, projected: Any) -> None:
    import numpy as np

    second = 1 if projected.shape[1] > 1 else 0
    entries = []
    for one in made.segments:
        members = np.flatnonzero(made.nearest == one.number)
        entries.append(
            {
                "name": titled(one),
                "x": np.round(projected[members, 0].astype(float), 3).tolist(),
                "y": np.round(projected[members, second].astype(float), 3).tolist(),
                "labels": [counties.names[index] for index in members],
            }
        )
    context.figure(
        context.titled("Counties by segment, in the first two components"),
        "scatter",
        entries,
        "c_1",
        f"c_{second + 1}",
    )


def _members(context: Context, made: Segments, counties: Counties) -> None:
    import numpy as np

    rows = []
    for one in made.segments:
        members = np.flatnonzero(made.nearest == one.number)
        near = members[np.argsort(made.distance[members], kind="stable")]
        far = near[::-1][:1]
        cells = [counties.names[index] for index in near[:TYPICAL]]
        rows.append(
            [titled(one), *cells, *[""] * (TYPICAL - len(cells)), counties.names[far[0]] if len(far) else ""]
        )
    context.table(
        context.titled("Typical counties of each segment, and the least typical one"),
        ["segment", *(f"typical {number}" for number in range(1, TYPICAL + 1)), "least typical"],
        rows,
    )
    names = {one.number: titled(one) for one in made.segments}
    lead = made.second_distance - made.distance
    context.table(
        context.titled("Counties on a border between two segments"),
        ["county", "segment", "distance", "second", "its distance"],
        [
            [counties.names[index], names[int(made.nearest[index])], round(float(made.distance[index]), 4),
             names[int(made.second[index])], round(float(made.second_distance[index]), 4)]
            for index in np.argsort(lead, kind="stable")[:BORDERLINE]
        ],
    )  # fmt: skip


def _list(values: Any, digits: int = 3) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)
