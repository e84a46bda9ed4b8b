"""All counties scored by batch transform; clusters get names and numbers; what each segment is, and who is in it."""

from __future__ import annotations

from typing import Any

from workflows.failures import WorkflowError
from workflows.studies.context import Context
from workflows.studies.population import (
    choosing,
    chosen,
    data,
    free,
    jobs,
    labelling,
    naming,
    reduced,
    segments,
    told,
    trained,
)
from workflows.studies.population.segments import Segments
from workflows.studies.study import Result

ASKED = "projected.csv"
AGREEMENT = 1e-4
"""Largest difference between a distance by SageMaker and one with the artefact on this machine: single precision."""


def evaluate_inputs(context: Context) -> dict[str, Any]:
    """What segments depend on."""
    return trained.model_inputs(context) | {"counties": context.of("prepare")["counties_sha256"]}


def evaluate(context: Context) -> Result:
    """segments.json and segments.csv: every county's segment, by the K-Means job's own answers.

    Raises:
        WorkflowError: The answers are not those of the model's artefact.
    """
    context.ledger.verify("prepare", "reduce", "choose", "train")
    counties, _ = free.scaled(context)
    rows, middles = reduced.projected(context), trained.centres(context)
    order, distances = trained.nearest(rows, middles)
    file = context.work / ASKED
    file.write_text(data.csv_lines(rows), encoding="utf-8")
    clusters, answered = jobs.scored(
        context, jobs.KMEANS, context.of("train")["model_uri"], file, len(rows), jobs.clusters
    )
    check(clusters, answered, order, distances)
    count = len(middles)
    found = naming.deviations(counties.values, order[:, 0], count)
    names = naming.names(found, counties.columns, naming.traits(counties.values))
    sizes = [int((order[:, 0] == cluster).sum()) for cluster in range(count)]
    before = segments.earlier(context.run, context.of("prepare")["counties_sha256"], count)
    matches = (
        labelling.matched(order[:, 0], before[1], sizes, names) if before else labelling.ordered(sizes, names)
    )
    made = segments.assembled(counties.columns, counties.values, names, found, matches, order, distances)
    files = segments.save(context.work, counties.names, made)
    for path in files:
        context.artifact("segments", path.name, str(path))
    told.segments(context, made, counties, rows, middles, found_again(context, order[:, 0]))
    carried = _carried(context, made, before)
    told.notebook(context, made)
    smallest = min(made.segments, key=lambda one: one.size)
    return Result(
        outputs={
            "segments": [[one.number, one.name, one.size] for one in made.segments],
            "earlier": before[0] if before else "",
            "carried": carried,
            "smallest": smallest.size / len(counties),
            "agreement_with_earlier": _same(before[1], made.nearest) if before else None,
        },
        files=[*files, file],
        summary="; ".join(f"{one.number} {one.name} ({one.size})" for one in made.segments)
        + (f". {carried} of {count} carry on the numbers of {before[0]}." if before else "."),
    )


def found_again(context: Context, labels: Any) -> list[float]:
    """How far bootstrap draws find each cluster of ``labels`` again: what is known of the likest cluster of the step choose."""
    import numpy as np

    with np.load(context.work / chosen.BEST, allow_pickle=False) as file:
        best = file["labels"]
    known = context.of("choose")["found_again"]
    likest = choosing.overlaps(labels, best, len(known)).argmax(axis=1)
    return [float(known[cluster]) for cluster in likest]


def check(clusters: Any, answered: Any, order: Any, distances: Any) -> None:
    """The job's clusters (n,) and distances (n,) are those of the artefact; a county on a border may go either way.

    Raises:
        WorkflowError: They are not.
    """
    import numpy as np

    rows = np.arange(len(order))
    place = (order == clusters[:, None]).argmax(axis=1)
    there = (order == clusters[:, None]).any(axis=1)
    off = np.abs(np.where(there, distances[rows, place], np.inf) - answered)
    # On a border the job's cluster may be the second one here, as near as the first to single precision.
    detour = distances[rows, place] - distances[:, 0]
    wrong = int(((off > AGREEMENT) | (detour > AGREEMENT)).sum())
    if wrong:
        raise WorkflowError(
            f"{wrong} of {len(order)} answers are not those of the K-Means model's artefact: rows and model do not belong together "
            "(stale or misaligned). Start a new run."
        )


def _carried(context: Context, made: Segments, before: tuple[str, Any] | None) -> int:
    """Tells how segments carry on those of an earlier run; how many do."""
    if before is None:
        context.log("No earlier run has segments of these counties: segment 1 is the largest one.")
        return 0
    run, labels = before
    table = []
    for one in made.segments:
        if one.earlier:
            table.append(
                [one.number, one.name, int((labels == one.earlier).sum()), one.size, f"{one.overlap:.2f}"]
            )
        else:
            table.append([one.number, one.name, "new", one.size, ""])
    gone = sorted(set(labels.tolist()) - {one.earlier for one in made.segments})
    table += [[number, "gone", int((labels == number).sum()), 0, ""] for number in gone]
    context.table(
        context.titled(f"Numbers carried on from {run}"),
        ["segment", "name", "counties before", "counties now", "in common (Jaccard)"],
        table,
    )
    return sum(bool(one.earlier) for one in made.segments)


def _same(before: Any, now: Any) -> float:
    """The share of counties that keep their segment's number."""
    return float((before == now).mean())
