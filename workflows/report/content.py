"""What stands in a report: a run's manifest, ledger and events as rows and sentences, without any markup."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflows import costs, lineage, runs
from workflows.comparison.sentence import shown as measured
from workflows.costs.runs import RunBill, bill
from workflows.events import ApiCall, Artifact, Figure, Gate, Log, Note, Table
from workflows.ledger import Ledger
from workflows.lineage import Lineage
from workflows.report.settings import Setting, command, info_of, settings
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo
from workflows.transcript import StepRecord, Transcript, together
from workflows.wording import clock, duration, number

TAIL = 200
"""Log lines that are shown, the last ones."""
LOUD = 100
"""Warnings and errors that are shown besides."""
CALLS = 300
"""AWS calls that are listed one by one."""
LONGEST = 2000
"""Characters of a call's parameters that are shown."""
SAYS = {
    "completed": "Completed",
    "failed": "Failed",
    "refused": "Refused by a gate",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
    "starting": "Starting",
    "running": "Still running",
    "waiting": "Waiting for an answer",
    "stopping": "Stopping",
}
ROLES = {
    "completed": "good", "done": "good", "reused": "good", "pass": "good", "warn": "fair", "waiting": "fair", "failed": "bad",
    "refused": "bad", "interrupted": "bad", "fail": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """An important metric with the baseline beside it."""

    title: str
    value: str
    beside: str
    role: str
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A result of a step: exactly one of the four."""

    table: Table | None = None
    figure: Figure | None = None
    gate: Gate | None = None
    note: Note | None = None

    @classmethod
    def of(cls, result: Table | Figure | Gate | Note) -> Part:
        """The part that a result is."""
        match result:
            case Table():
                return cls(table=result)
            case Figure():
                return cls(figure=result)
            case Note():
                return cls(note=result)
        return cls(gate=result)


@dataclass(frozen=True, slots=True)
class StepPart:
    """A step with what may be shown of it; ``charts`` are its metrics as they came."""

    record: StepRecord
    role: str
    took: str
    share: float
    parts: tuple[Part, ...]
    charts: tuple[Figure, ...]
    withheld: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often an operation was called."""

    service: str
    operation: str
    calls: int
    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Content:
    """A report, ready to be set."""

    run: Run
    title: str
    about: str
    written: str
    says: str
    role: str
    sentence: str
    advice: str
    withheld: str
    synthetic: str
    keys: tuple[Key, ...]
    metrics: tuple[tuple[str, float], ...]
    kept_back: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    steps: tuple[StepPart, ...]
    gates: tuple[Gate, ...]
    settings: tuple[Setting, ...]
    data: tuple[tuple[str, str], ...]
    lineage: Lineage
    versions: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    made: tuple[Artifact, ...]
    left: tuple[str, ...]
    bill: RunBill
    costs: str
    counts: tuple[Count, ...]
    calls: tuple[ApiCall, ...]
    called: int
    loud: tuple[Log, ...]
    tail: tuple[Log, ...]
    logged: int
    answers: tuple[tuple[str, str, str], ...]
    command: str
    attempts: int
    began: float

    @property
    def figures(self) -> int:
        """Figures and charts that are drawn."""
        return sum(
            len(step.charts) + sum(part.figure is not None for part in step.parts) for step in self.steps
        )

    @property
    def tables(self) -> int:
        """Tables that the study told."""
        return sum(part.table is not None for step in self.steps for part in step.parts)


def content(run: Run) -> Content:
    """Reads a run's folder, checks its files against its ledger, and sorts out what may be shown. Blocks."""
    checked = lineage.check(run)
    told = Transcript.of(runs.follow(run, timeout=0))
    now = time.time()
    info = info_of(run)
    metrics = {name: value for name, value in run.metrics.items() if not checked.withheld(name, value)}
    kept_back = tuple(name for name in run.metrics if name not in metrics)
    prepared = _outputs(run, "prepare")
    steps = tuple(_steps(told, checked, now))
    billed = bill(run, told, now)
    loud = [line for line in told.logs if line.level in ("warning", "error")]
    return Content(
        run=run,
        title=info.title if info else run.study,
        about=info.summary if info else "",
        written=clock(now, day=True),
        says=SAYS.get(run.status, run.status),
        role=ROLES.get(run.status, "plain"),
        sentence=checked.sentence if checked.stale else run.message,
        advice=_advice(run),
        withheld=checked.reason_for(run.metrics),
        synthetic=_synthetic(run, prepared),
        keys=tuple(_keys(run, info, checked)),
        metrics=tuple(metrics.items()),
        kept_back=kept_back,
        facts=tuple(_facts(run, told, now)),
        steps=steps,
        gates=tuple(part.gate for step in steps for part in step.parts if part.gate is not None),
        settings=tuple(settings(run)),
        data=tuple(_data(prepared)),
        lineage=checked,
        versions=tuple(run.versions.items()),
        sources=tuple(run.sources.items()),
        made=tuple(told.artifacts),
        left=tuple(runs.left(run)),
        bill=billed,
        costs=_costs(run, billed),
        counts=tuple(_counts(told.calls)),
        calls=tuple(told.calls[:CALLS]),
        called=len(told.calls),
        loud=tuple(loud[-LOUD:]),
        tail=tuple(told.logs[-TAIL:]),
        logged=len(told.logs),
        answers=tuple(
            (question.text if question else answer.question, answer.choice, answer.by)
            for question, answer in told.answers
        ),
        command=command(run),
        attempts=told.attempts,
        began=told.started.time if told.started else run.created,
    )


def parameters(call: ApiCall) -> str:
    """A call's parameters as JSON, cut where they are very long."""
    text = json.dumps(call.parameters, indent=1, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _steps(told: Transcript, checked: Lineage, now: float) -> Iterable[StepPart]:
    longest = max((step.seconds or 0.0 for step in told.steps.values()), default=0.0) or 1.0
    for step in told.steps.values():
        stale = checked.stale.get(step.id)
        results = [result for result in step.results if checked.shown(result) is not None]
        drawn = {name: points for name, points in step.series.items() if len(points) > 1} if not stale else {}
        seconds = step.seconds
        if seconds is None and step.started is not None and step.status == "running":
            seconds = now - step.started
        if stale is not None:
            step = replace(step, summary="")
        yield StepPart(
            record=step,
            role=ROLES.get(step.status, "plain"),
            took=duration(seconds) if seconds is not None else "–",
            share=(seconds or 0.0) / longest if seconds is not None else 0.0,
            parts=tuple(Part.of(item) for item in results),
            charts=tuple(_chart(step, group, drawn) for group in together(drawn)),
            withheld=str(stale) if stale else "",
        )  # fmt: skip


def _chart(step: StepRecord, group: Sequence[str], drawn: dict[str, list[tuple[float, float]]]) -> Figure:
    """The metrics of one chart as a figure."""
    series = [
        {"name": name, "x": [x for x, _ in drawn[name]], "y": [y for _, y in drawn[name]]} for name in group
    ]
    unit = step.progress.unit if step.progress else "epoch" if "train" in step.id else "number"
    return Figure(
        time=step.started or 0.0,
        step=step.id,
        title=", ".join(group),
        form="line",
        series=series,
        x_label=unit,
    )


def _keys(run: Run, info: StudyInfo | None, checked: Lineage) -> Iterable[Key]:
    """The metrics that the study declares, as far as the run has them."""
    for measure in info.measures if info else ():
        value = run.metrics.get(measure.metric)
        if value is None:
            continue
        if checked.withheld(measure.metric, value):
            yield Key(measure.title, "withheld", "", "bad", "see above")
            continue
        beside, role = "", "plain"
        baseline = run.metrics.get(measure.baseline)
        if baseline is not None and not checked.withheld(measure.baseline, baseline):
            lift = value - baseline
            better = lift >= 0 if measure.better != "lower" else lift <= 0
            role = "good" if better else "fair"
            moved = f"{100 * lift:+.1f} points" if measure.unit == "share" else f"{lift:+.4g}"
            beside = f"free baseline {measured(baseline, measure.unit)}, {moved}"
        elif measure.spread in run.metrics:
            beside = (
                f"± {measured(run.metrics[measure.spread], measure.unit)} over "
                + measure.spread_of.format(f"{run.metrics.get(measure.seeds, 0):.0f}")
            )
        elif measure.count in run.metrics:
            beside = f"of {number(run.metrics[measure.count])}"
        yield Key(measure.title, measured(value, measure.unit), beside, role)


def _facts(run: Run, told: Transcript, now: float) -> Iterable[tuple[str, str]]:
    yield "Run", run.id
    yield "Study", run.study
    where = ", ".join(
        text for text in (run.platform.get("region", ""), run.platform.get("account", "")) if text
    )
    yield (
        "Target",
        ("AWS" if run.target == "aws" else "embedded SageMaker on this machine")
        + (f" ({where})" if where else ""),
    )
    yield "Interface", "low-level (boto3)" if run.interface == "low" else "high-level (SageMaker SDK v3)"
    yield "Started", clock(run.created, day=True)
    end = run.ended or (now if run.active else run.heartbeat)
    if end:
        yield (
            "Took" if run.ended else "Takes until now" if run.active else "Last sign of life after",
            duration(end - run.created),
        )
    if run.preset:
        yield "Preset", run.preset
    if told.attempts > 1:
        yield "Resumed", f"{told.attempts - 1} times" if told.attempts > 2 else "once"


def _advice(run: Run) -> str:
    """What a report of a run that did not complete tells besides."""
    if run.status in runs.ACTIVE:
        waits = (
            f" It waits for an answer: {(run.question or {}).get('text', '')}"
            if run.status == "waiting"
            else ""
        )
        return (
            f"The run was at work when this was written; what follows is what it had told by then.{waits} "
            f"`mlconsole report {run.id}` writes the report anew."
        )
    return {
        "failed": f"What follows is what it told before it failed. `mlconsole runs resume {run.id}` tries the failed step again.",
        "refused": "A gate failed and nobody overruled it: no endpoint was made. Its scores are those from before hosting.",
        "stopped": "It was stopped on request. What follows is what it told before that.",
        "interrupted": f"Its process ended without finishing. `mlconsole runs resume {run.id}` goes on, `mlconsole runs stop {run.id}` "
        "deletes what it made.",
    }.get(run.status, "")


def _synthetic(run: Run, prepared: dict[str, Any]) -> str:
    source = prepared.get("source")
    made_up = prepared.get("synthetic") or run.metrics.get("synthetic")
    if not made_up:
        return ""
    note = source.get("note", "") if isinstance(source, dict) else ""
    return (
        str(note)
        or "SYNTHETIC: made up, with the schema of the real data. Scores on it say nothing about that."
    )


def _data(prepared: dict[str, Any]) -> Iterable[tuple[str, str]]:
    from workflows.data.catalog import find
    from workflows.problem import Problem

    source = prepared.get("source")
    if not isinstance(source, dict):
        return
    yield "Source", str(source.get("note") or source.get("source", ""))
    try:
        dataset = find(str(source.get("dataset", "")))
    except Problem:
        dataset = None
    if dataset is not None:
        yield "Data set", f"{dataset.title}: {dataset.about}"
        yield "Licence", dataset.licence
        if dataset.origin.page:
            yield "Origin", dataset.origin.page
    if source.get("sample"):
        yield "Rows", "a sample of the original's rows"
    yield "SHA-256", str(source.get("sha256", ""))


def _costs(run: Run, billed: RunBill) -> str:
    basis = f"{billed.region} on-demand prices of {billed.as_of}"
    if not billed.lines:
        return "Nothing that bills was made."
    if billed.dollars is None:
        return f"No price is known here for these instance types; see {costs.SOURCE}."
    total = f"${billed.dollars:.4f}" if billed.dollars < 0.1 else f"${billed.dollars:,.2f}"
    if billed.real:
        goes_on = " The endpoint that is kept bills on." if billed.open else ""
        return f"About {total} (estimate by {basis}; the bill itself is AWS's).{goes_on}"
    return (
        f"On the embedded SageMaker: nothing. The same seconds on AWS would cost about {total} (estimate by {basis}). "
        "AWS takes minutes to start an instance, and an endpoint bills while it stands."
    )


def _counts(calls: Sequence[ApiCall]) -> Iterable[Count]:
    found: dict[tuple[str, str], Count] = {}
    for call in calls:
        known = found.get((call.service, call.operation)) or Count(call.service, call.operation, 0, 0, 0.0)
        found[call.service, call.operation] = replace(
            known,
            calls=known.calls + 1,
            failed=known.failed + bool(call.error),
            seconds=known.seconds + call.seconds,
        )
    return sorted(found.values(), key=lambda count: (count.service, -count.calls, count.operation))


def _outputs(run: Run, step: str) -> dict[str, Any]:
    try:
        return Ledger(run.folder).outputs(step)
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
