"""Compares two runs."""

from __future__ import annotations

import time

from workflows import lineage, runs
from workflows.comparison import inputs
from workflows.comparison.rows import Comparison, GateChange, Side, StepTimes
from workflows.comparison.scores import Repeats, scores
from workflows.comparison.sentence import sentence
from workflows.costs.runs import bill
from workflows.lineage import Lineage
from workflows.problem import Problem
from workflows.runs import Run
from workflows.studies.catalog import find
from workflows.studies.measures import Measure
from workflows.transcript import Transcript

MOST = 200
"""Runs that are looked at, the newest first, for others with the same inputs."""


def compare(a: Run, b: Run) -> Comparison:
    """What differs between two runs, and what it did. Blocks: it reads their folders and hashes what it does not know yet.

    Raises:
        Problem: They are runs of different studies, or the same run.
    """
    if a.study != b.study:
        raise Problem(
            f"{a.id} is a run of {a.study} and {b.id} one of {b.study}: their scores measure different things.",
            f"Compare runs of one study: `mlconsole runs ls --study {a.study}` lists those of {a.study}.",
            "different-studies",
        )
    if a.id == b.id:
        raise Problem(f"{a.id} is one run: it does not differ from itself.", "Name two runs.", "same-run")
    info = find(a.study)
    told_a, told_b = (Transcript.of(runs.follow(run, timeout=0)) for run in (a, b))
    checked_a, checked_b = lineage.check(a), lineage.check(b)
    side_a, side_b = _side(a, told_a, checked_a), _side(b, told_b, checked_b)
    of_a, of_b = inputs.of(a), inputs.of(b)
    differing = inputs.differences(of_a, of_b)
    # A study that declares nothing shows its first metric on top.
    measures = info.measures or tuple(Measure(name, name.replace("_", " "), "") for name in [*a.metrics][:1])
    found = scores(_kept(a, checked_a), _kept(b, checked_b), measures, _repeats(a, b, of_a, of_b))
    notes = [
        f"{run.id} did not record {name}: it is of an older version."
        for run, known in ((a, of_a), (b, of_b))
        for name in known.unknown
    ]
    return Comparison(
        study=a.study,
        a=side_a,
        b=side_b,
        sentence=sentence(side_a, side_b, differing, found, known=not notes),
        differences=differing,
        scores=found,
        gates=_gates(told_a, told_b, checked_a, checked_b),
        steps=_steps(told_a, told_b),
        notes=tuple(notes),
    )


def _side(run: Run, told: Transcript, checked: Lineage) -> Side:
    return Side(
        run=run.id,
        status=run.status,
        interface=run.interface,
        target=run.target,
        created=run.created,
        seconds=run.ended - run.created if run.ended else None,
        dollars=bill(run, told, time.time()).dollars,
        message=run.message,
        withheld=tuple(item.reason for item in checked.reasons),
    )


def _kept(run: Run, checked: Lineage) -> dict[str, float]:
    return {name: value for name, value in run.metrics.items() if not checked.withheld(name, value)}


def _repeats(a: Run, b: Run, of_a: inputs.Inputs, of_b: inputs.Inputs) -> Repeats:
    """Completed runs that had the inputs of either; machines do not matter."""
    groups: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    equal = not any(item.cause for item in inputs.differences(of_a, of_b))
    for run in [run for run in runs.list_runs() if run.study == a.study][:MOST]:
        if run.status not in ("completed", "refused") or not run.metrics:
            continue
        try:
            known = inputs.of(run)
        except (OSError, ValueError, KeyError):
            continue
        for group, reference in zip(groups, (of_a, of_b), strict=True):
            same = not any(item.cause for item in inputs.differences(reference, known))
            if same and known.unknown == reference.unknown:
                metrics = _kept(run, lineage.check(run, quick=True))
                group.append(metrics)
    return Repeats(groups[0]) if equal else Repeats(*groups)


def _gates(a: Transcript, b: Transcript, of_a: Lineage, of_b: Lineage) -> tuple[GateChange, ...]:
    last = [
        {gate.name: gate for gate in told.gates if checked.shown(gate) is not None}
        for told, checked in ((a, of_a), (b, of_b))
    ]
    found = []
    for name in dict.fromkeys((*last[0], *last[1])):
        before, after = (side.get(name) for side in last)
        verdicts = [gate.verdict if gate else "" for gate in (before, after)]
        if verdicts[0] != verdicts[1]:
            reasons = [gate.reason if gate else "" for gate in (before, after)]
            found.append(GateChange(name, *verdicts, *reasons))
    return tuple(found)


def _steps(a: Transcript, b: Transcript) -> tuple[StepTimes, ...]:
    found = []
    for name in dict.fromkeys((*a.steps, *b.steps)):
        sides = [told.steps.get(name) for told in (a, b)]
        title = next(step.title for step in sides if step is not None)
        times = [step.seconds if step is not None else None for step in sides]
        found.append(StepTimes(name, title, *times))
    return tuple(found)
