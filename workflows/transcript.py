"""A run as its events add up: steps with what each told, whatever attempts it took. Reports and comparisons read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workflows import events as e


@dataclass(slots=True)
class StepRecord:
    """One step. ``status``: pending, running, then as `workflows.events.StepFinished` says; ``seconds`` its duration.

    ``results`` are tables, figures, gates and notes in the order in which they came; ``series`` the points (x, value) of each metric.
    """

    id: str
    title: str
    status: str = "pending"
    started: float | None = None
    seconds: float | None = None
    summary: str = ""
    progress: e.Progress | None = None
    results: list[e.Table | e.Figure | e.Gate | e.Note] = field(default_factory=list)
    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    artifacts: list[e.Artifact] = field(default_factory=list)
    earlier: StepRecord | None = None

    @property
    def gates(self) -> list[e.Gate]:
        """The step's verdicts."""
        return [result for result in self.results if isinstance(result, e.Gate)]


@dataclass(slots=True)
class Transcript:
    """Everything that a run has told. A step that was done again counts as its last attempt; a reused one as the attempt it reuses."""

    started: e.RunStarted | None = None
    finished: e.RunFinished | None = None
    question: e.Question | None = None
    steps: dict[str, StepRecord] = field(default_factory=dict)
    logs: list[e.Log] = field(default_factory=list)
    calls: list[e.ApiCall] = field(default_factory=list)
    answers: list[tuple[e.Question | None, e.Answered]] = field(default_factory=list)
    attempts: int = 0
    """How often the run was started: more than 1 when it was resumed."""

    @classmethod
    def of(cls, events: Iterable[e.Event]) -> Transcript:
        """What these events add up to."""
        made = cls()
        for event in events:
            made.take(event)
        return made

    @property
    def gates(self) -> list[e.Gate]:
        """All verdicts, in the order of the steps."""
        return [gate for step in self.steps.values() for gate in step.gates]

    @property
    def artifacts(self) -> list[e.Artifact]:
        """Everything that was made, in the order of the steps."""
        return [artifact for step in self.steps.values() for artifact in step.artifacts]

    def take(self, event: e.Event) -> None:
        """Takes one more event in."""
        match event:
            case e.RunStarted():
                self.started, self.finished, self.question = event, None, None
                self.attempts += 1
                for item in event.steps:
                    self.steps.setdefault(item["id"], StepRecord(item["id"], item.get("title") or item["id"]))
            case e.StepStarted():
                before = self.steps.get(event.step)
                self.steps[event.step] = StepRecord(
                    event.step, event.title or event.step, "running", event.time, earlier=before
                )
            case e.StepFinished():
                self._finished(event)
            case e.Progress():
                self._step(event).progress = event
            case e.Metric():
                points = self._step(event).series.setdefault(event.name, [])
                points.append((event.x if event.x is not None else float(len(points)), event.value))
            case e.Figure():
                results = self._step(event).results
                place = next((n for n, old in enumerate(results) if event.replaces(old)), None)
                if place is None:
                    results.append(event)
                else:
                    results[place] = event
            case e.Table() | e.Gate() | e.Note():
                self._step(event).results.append(event)
            case e.Artifact():
                self._step(event).artifacts.append(event)
            case e.Log():
                self.logs.append(event)
            case e.ApiCall():
                self.calls.append(event)
            case e.Question():
                self.question = event
            case e.Answered():
                self.answers.append((self.question, event))
                self.question = None
            case e.RunFinished():
                self.finished, self.question = event, None
                for step in self.steps.values():
                    if step.status == "running":
                        step.status = "stopped" if event.status == "stopped" else "failed"

    def _step(self, event: e.Event) -> StepRecord:
        return self.steps.setdefault(event.step, StepRecord(event.step, event.step or "The run"))

    def _finished(self, event: e.StepFinished) -> None:
        step = self._step(event)
        if event.status == "reused" and step.earlier is not None:
            # What the attempt told that is reused is not told again.
            step.results, step.series = step.earlier.results, step.earlier.series
            step.artifacts = step.earlier.artifacts
        step.earlier = None
        step.status, step.seconds, step.summary = event.status, event.seconds, event.summary
        step.progress = None


def together(names: Iterable[str]) -> list[list[str]]:
    """Metrics that belong into one chart: a validation metric beside its training metric."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        base = name.replace("validation", "train").replace("valid", "train").replace("val", "train")
        groups.setdefault(base, []).append(name)
    return list(groups.values())
