"""What a study tells while it runs. The console, the command line and reports are renderers of these events."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events: ``time`` in epoch seconds, ``step`` the id of the step it belongs to (empty: the whole run)."""

    kind: ClassVar[str] = "event"
    time: float
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    kind: ClassVar[str] = "run-started"
    run: str
    study: str
    interface: str
    target: str
    steps: list[dict[str, str]]
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    kind: ClassVar[str] = "step-started"
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """``status``: done, reused (its inputs are unchanged since an interrupted run), skipped, failed or stopped."""

    kind: ClassVar[str] = "step-finished"
    status: str
    seconds: float
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """``done`` of ``total`` in ``unit``; total 0 when it is not known."""

    kind: ClassVar[str] = "progress"
    done: float
    total: float
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Event):
    """One line, by ``source``: the study itself or a log stream's name."""

    kind: ClassVar[str] = "log"
    message: str
    source: str = ""
    level: Level = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Event):
    """One point of the series ``name`` at ``x``, counted in ``unit``: epoch, round, trial, call."""

    kind: ClassVar[str] = "metric"
    name: str
    value: float
    x: float | None = None
    unit: str = "epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Event):
    kind: ClassVar[str] = "table"
    title: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Event):
    """A figure as data. ``form`` is line, scatter, bar, field, heatmap or fan; ``series`` are its entries, by form.

    * line, scatter, bar: ``{"name", "x", "y"}``. ``x`` are numbers, or texts: ISO dates make a time axis, other texts are
      categories. An entry of a scatter may have ``labels``, a text per point (a county's name).
    * field: the same as points over one entry ``{"name", "x", "y", "z"}``; z are the rows of the grid, one per y.
    * heatmap: one ``{"name", "x", "y", "z"}``; x names the columns, y the rows, z are the rows' values (null: none).
    * fan: lines ``{"name", "x", "y"}`` and bands ``{"name", "x", "low", "high"}``, the widest band first.

    A newer figure takes the place of an older one of the same step with the same ``key`` (the title, where it is empty), as
    `replaces` says: a decision boundary that is told anew while a net is trained is one figure.
    """

    kind: ClassVar[str] = "figure"
    title: str
    form: str
    series: list[dict[str, Any]]
    x_label: str = ""
    y_label: str = ""
    key: str = ""

    def replaces(self, other: object) -> bool:
        """Whether this figure stands where the other one, which came before, has stood."""
        if not isinstance(other, Figure) or self.step != other.step:
            return False
        return (self.key or self.title) == (other.key or other.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """What a step of a lesson teaches: sentences (paragraphs are parted by empty lines), and things to look at.

    ``shown`` entries: ``{"title", "language", "text"}``: a file, a tree of folders, an exchange over HTTP, a command;
    ``language`` is what a highlighter calls it (python, json, http, sh, text).
    """

    kind: ClassVar[str] = "note"
    title: str
    text: str
    shown: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Event):
    """One AWS call as it was made. ``error`` is the code when it failed; ``seconds`` its duration."""

    kind: ClassVar[str] = "api-call"
    service: str
    operation: str
    parameters: dict[str, Any]
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Event):
    """Something that the run made: ``what`` (training job, model, endpoint, object ...), its name, and where it is."""

    kind: ClassVar[str] = "artifact"
    what: str
    name: str
    location: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Event):
    """A check before deployment: ``verdict`` pass, warn or fail, with the reason in a sentence."""

    kind: ClassVar[str] = "gate"
    name: str
    verdict: str
    reason: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Event):
    """The run waits for a person: answer with one of ``choices`` through the run ledger."""

    kind: ClassVar[str] = "question"
    question: str
    text: str
    choices: list[str]
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    kind: ClassVar[str] = "answered"
    question: str
    choice: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The last event. ``status``: completed, failed, stopped or refused (a gate said no); metrics by name."""

    kind: ClassVar[str] = "run-finished"
    run: str
    status: str
    metrics: dict[str, float]
    message: str = ""
    left_behind: list[str] = field(default_factory=list)


_KINDS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        RunStarted, StepStarted, StepFinished, Progress, Log, Metric, Table, Figure, Note, ApiCall, Artifact, Gate, Question,
        Answered, RunFinished,
    )
}  # fmt: skip


def to_json(event: Event) -> str:
    """One line of JSON with the event's kind first; NaN and infinities become null."""
    return json.dumps({"event": event.kind, **_finite(asdict(event))}, separators=(",", ":"), default=str)


def from_json(line: str) -> Event:
    """The event of a line written by `to_json`. Unknown members are dropped, so that older consoles read newer runs.

    Raises:
        ValueError: The line is not an event.
    """
    try:
        data = json.loads(line)
        cls = _KINDS[data.pop("event")]
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"not an event: {line[:80]!r}") from error
    known = cls.__dataclass_fields__
    return cls(**{name: value for name, value in data.items() if name in known})


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
