"""Segments of a finished run, asked for afterwards: no endpoint is needed, its files answer."""

from __future__ import annotations

from workflows import runs
from workflows.failures import WorkflowError
from workflows.ledger import Ledger
from workflows.problem import Problem
from workflows.runs import Run
from workflows.studies.population import county, explained
from workflows.studies.population.explained import Answer, Kept

STUDY = "population"
LAST = "last"


def find(name: str = "") -> Run:
    """The population run of an id or a part of one, ``last`` the newest; else the newest on real data, where there is none the newest.

    Only runs that have segments count. `passed_over` tells of a newer one on synthetic data.

    Raises:
        Problem: There is none, or the run has no segments.
        RunError: There is no such run.
    """
    if name and name != LAST:
        run = runs.find(name)
        if run.study != STUDY:
            raise Problem(
                f"{run.id} is a run of the study {run.study}: it has no segments.",
                "`mlconsole runs ls` lists the runs.",
                "no-segments",
            )
    else:
        found = _segmented()
        if not found:
            raise Problem("No run has segments yet.", "`mlconsole run population` makes them.", "no-segments")
        real = (one for one in found if not synthetic(one))
        run = found[0] if name == LAST else next(real, found[0])
    if not _has_segments(run):
        raise Problem(
            f"{run.id} has no segments: it is {run.status} and did not get to its evaluation.",
            f"`mlconsole runs show {run.id}` tells why.",
            "no-segments",
        )
    return run


def passed_over(run: Run, name: str = "") -> Run | None:
    """The run on synthetic data that is newer than the one that `find` took for ``name``; None where it did not choose."""
    newest = None if name or synthetic(run) else _segmented()[0]
    return newest if newest is not None and newest.id != run.id else None


def read(run: Run) -> Kept:
    """What the run kept.

    Raises:
        StaleResult: A file is not what the run recorded.
    """
    ledger = Ledger(run.folder)
    ledger.verify("prepare", "reduce", "train", "evaluate")
    return explained.read(run.work, int(ledger.outputs("reduce")["components"]))


def look_up(run: Run, name: str) -> Answer:
    """The segment of a county, and why; the name need not be exact.

    Raises:
        StaleResult: A file is not what the run recorded.
        WorkflowError: There is no such county; the text has the likeliest ones.
    """
    kept = read(run)
    try:
        index = county.find(kept.counties.names, name)
    except WorkflowError as error:
        if not synthetic(run):
            raise
        raise WorkflowError(
            f"{error} The counties of {run.id} are made up (SYNTHETIC): --run names a run on real ones."
        ) from None
    return kept.explain(index)


def members(kept: Kept, number: int) -> list[str]:
    """Counties of a segment, the most typical first.

    Raises:
        Problem: There is no such segment.
    """
    known = [one.number for one in kept.segments.segments]
    if number not in known:
        raise Problem(
            f"There is no segment {number}.",
            f"Segments: {', '.join(map(str, known))}.",
            "no-such-segment",
        )
    found = kept.segments
    order = found.distance.argsort(kind="stable")
    return [kept.counties.names[index] for index in order if found.nearest[index] == number]


def synthetic(run: Run) -> bool:
    """Whether the counties of the run are made up."""
    return bool(Ledger(run.folder).outputs("prepare").get("synthetic"))


def _segmented() -> list[Run]:
    """The runs that have segments, the newest first."""
    return [one for one in runs.list_runs() if one.study == STUDY and _has_segments(one)]


def _has_segments(run: Run) -> bool:
    return Ledger(run.folder).finished("evaluate") is not None
