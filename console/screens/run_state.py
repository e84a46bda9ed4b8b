"""The state of a run, reduced from its events: what the run screen draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from console.exhibit import Exhibit, exhibits
from console.widgets.drawing import Series
from console.widgets.logline import Entry
from workflows import events as e
from workflows.lineage import Lineage
from workflows.transcript import together

Result = e.Table | e.Figure | e.Gate | e.Note
Viewed = e.Table | e.Figure | Exhibit


@dataclass(slots=True)
class Step:
    """A step: waiting, running, or ended with a status."""

    id: str
    title: str
    status: str = "pending"
    started: float | None = None
    seconds: float | None = None
    summary: str = ""
    progress: e.Progress | None = None


@dataclass(slots=True)
class RunState:
    """Everything that the events of a run have told so far."""

    run: str = ""
    study: str = ""
    interface: str = ""
    target: str = ""
    parameters: dict[str, object] = field(default_factory=dict)
    started: float | None = None
    steps: list[Step] = field(default_factory=list)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    """What a point of each series comes once for."""
    results: list[Result] = field(default_factory=list)
    artifacts: list[e.Artifact] = field(default_factory=list)
    calls: list[e.ApiCall] = field(default_factory=list)
    question: e.Question | None = None
    finished: e.RunFinished | None = None
    lineage: Lineage | None = None
    """What became of what the run recorded; None while nobody has looked."""
    kept: Sequence[str] = ()
    """What it made and has not deleted once it has ended, such as ``endpoint NAME``."""
    earlier: dict[str, list[Result]] = field(default_factory=dict)
    """Results of a step's attempt before the present one, by step."""

    @property
    def shown(self) -> list[Result]:
        """The results without those whose inputs are not any more what the run recorded."""
        kept = self.results
        if self.lineage is not None and self.lineage.stale:
            kept = [result for result in kept if self.lineage.shown(result) is not None]
        return kept

    @property
    def viewed(self) -> list[Viewed]:
        """What can be looked at over the whole screen."""
        found: list[Viewed] = []
        for result in self.shown:
            if isinstance(result, e.Note):
                found += exhibits(result)
            elif not isinstance(result, e.Gate):
                found.append(result)
        return found

    @property
    def notes(self) -> list[e.Note]:
        """What a lesson has said at the step that runs: why it is done first, then what there is to see."""
        step = self.current
        return [
            one
            for one in self.results
            if isinstance(one, e.Note) and step is not None and one.step == step.id
        ]

    @property
    def synthetic(self) -> bool:
        """Whether what it shows is of made-up data: results say so in their titles."""
        return any("SYNTHETIC" in result.title for result in self.viewed)

    @property
    def real(self) -> bool:
        """Whether it has told that its data are not made up: the metric ``synthetic`` of studies that have both kinds."""
        return self.finished is not None and self.finished.metrics.get("synthetic") == 0

    @property
    def withheld(self) -> str:
        """Why results are not shown, and what to do; empty when all are."""
        return self.lineage.sentence if self.lineage is not None else ""

    @property
    def ended(self) -> e.RunFinished | None:
        """How it ended, with the metrics that may be shown."""
        if self.finished is None or self.lineage is None:
            return self.finished
        shown = self.lineage.shown(self.finished)
        return shown if isinstance(shown, e.RunFinished) else self.finished

    def summary(self, step: Step) -> str:
        """What a step told of its result, or why that is withheld."""
        why = self.lineage.stale.get(step.id) if self.lineage is not None else None
        return f"Withheld: {why.reason}" if why is not None and step.summary else step.summary

    def take(self, events: Iterable[e.Event]) -> list[Entry]:
        """Take new events in; returns the lines that they add to the log."""
        lines: list[Entry] = []
        for event in events:
            line = self._take(event)
            if line is not None:
                lines.append(line)
        return lines

    @property
    def status(self) -> str:
        """The status in a word."""
        if self.finished is not None:
            return self.finished.status
        if self.question is not None:
            return "waiting"
        return "running" if self.started is not None else "starting"

    @property
    def gates(self) -> list[e.Gate]:
        return [result for result in self.shown if isinstance(result, e.Gate)]

    @property
    def current(self) -> Step | None:
        """The step that runs."""
        return next((step for step in self.steps if step.status == "running"), None)

    def seconds(self, now: float) -> float:
        """How long the run takes or took."""
        if self.started is None:
            return 0.0
        return max(0.0, (self.finished.time if self.finished else now) - self.started)

    @property
    def counted(self) -> str:
        """What the charts go over: training tells a point an epoch or a round, the questions to an endpoint one a call."""
        units = dict.fromkeys(self.units[name] for name, points in self.points.items() if len(points) > 1)
        return " or ".join(units) or "epoch"

    def charts(self) -> list[tuple[str, tuple[Series, ...]]]:
        """One chart per metric; the validation line in the chart of the training line."""
        drawn = [name for name, points in self.points.items() if len(points) > 1]
        return [
            (
                group[0] if len(group) == 1 else "",
                tuple(Series(name, tuple(self.points[name])) for name in group),
            )
            for group in together(drawn)
        ]

    def _step(self, identifier: str) -> Step | None:
        return next((step for step in self.steps if step.id == identifier), None)

    def _set_aside(self, step: str) -> None:
        """A step is done again: what its attempt before told does not count, unless it is reused."""
        if told := [result for result in self.results if result.step == step]:
            self.earlier[step] = told
            self.results = [result for result in self.results if result.step != step]

    def _take(self, event: e.Event) -> Entry | None:
        step = self._step(event.step)
        match event:
            case e.RunStarted():
                resumed = self.finished is not None
                self.run, self.study = event.run, event.study
                self.interface, self.target, self.parameters = (
                    event.interface,
                    event.target,
                    dict(event.parameters),
                )
                self.started = event.time
                self.finished = self.question = None
                if not self.steps or resumed:
                    self.steps = [Step(item["id"], item.get("title", item["id"])) for item in event.steps]
                return Entry(
                    f"── {event.study} with interface {event.interface} on {event.target}",
                    event.time,
                    role="head",
                )
            case e.StepStarted():
                if step is None:
                    step = Step(event.step, event.title)
                    self.steps.append(step)
                step.status, step.started, step.title = "running", event.time, event.title or step.title
                self._set_aside(event.step)
                return Entry(f"── {step.title}", event.time, role="head")
            case e.StepFinished():
                if event.status == "reused":  # what its first attempt told is not told again
                    self.results += self.earlier.pop(event.step, [])
                if step is not None:
                    step.status, step.seconds, step.summary, step.progress = (
                        event.status,
                        event.seconds,
                        event.summary,
                        None,
                    )
                return Entry(event.summary, event.time) if event.summary else None
            case e.Progress():
                if step is not None:
                    step.progress = event
            case e.Log():
                role = {"error": "bad", "warning": "wait", "debug": "dim"}.get(event.level, "")
                return Entry(event.message, event.time, event.source, role)
            case e.Metric():
                self.units[event.name] = event.unit
                series = self.points.setdefault(event.name, [])
                series.append((event.x if event.x is not None else float(len(series)), event.value))
            case e.Figure():
                place = next((n for n, old in enumerate(self.results) if event.replaces(old)), None)
                if place is None:
                    self.results.append(event)
                else:
                    self.results[place] = event
            case e.Note():
                told = [(one.step, one.title) for one in self.results if isinstance(one, e.Note)]
                if (event.step, event.title) not in told:  # a resumed run says it again
                    self.results.append(event)
            case e.Table():
                self.results.append(event)
            case e.Gate():
                self.results.append(event)
                role = {"pass": "ok", "warn": "wait"}.get(event.verdict, "bad")
                return Entry(f"gate {event.name}: {event.verdict}. {event.reason}", event.time, role=role)
            case e.ApiCall():
                self.calls.append(event)
            case e.Artifact():
                self.artifacts.append(event)
                where = f" {event.location}" if event.location else ""
                return Entry(f"{event.what} {event.name}{where}", event.time, role="dim")
            case e.Question():
                self.question = event
                return Entry(f"? {event.text}", event.time, role="wait")
            case e.Answered():
                self.question = None
                return Entry(f"answered {event.choice} ({event.by})", event.time, role="wait")
            case e.RunFinished():
                self.finished, self.question = event, None
                if (current := self.current) is not None:
                    current.status = "stopped" if event.status == "stopped" else "failed"
                role = "ok" if event.status == "completed" else "bad"
                return Entry(f"── {event.status}. {event.message}".rstrip(), event.time, role=role)
        return None
