"""A run as plain lines: for pipes, files, CI and dumb terminals. One line per event that is worth telling."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

from console.cli.drawn import Drawn
from console.cli.painting import plain
from console.formatting import duration, number, printable
from workflows import events
from workflows.events import Event

EVERY = 5.0
"""Seconds between two lines of progress within a step."""


class Lines:
    """Prints events as they come.

    Args:
        calls: Also print each AWS call.
        logs: Also print the lines of training and serving logs.
    """

    def __init__(self, *, calls: bool = False, logs: bool = False) -> None:
        self._calls = calls
        self._logs = logs
        self._told_at = 0.0
        self._step = ""
        self._progress: events.Progress | None = None
        self._metrics: dict[str, float] = {}
        self._drawn = Drawn()

    def show(self, event: Event) -> None:
        """Print an event, or keep it for the next line of progress."""
        match event:
            case events.RunStarted():
                self._line(
                    f"Run {event.run}: study {event.study}, interface {event.interface}, target {event.target}, "
                    f"{len(event.steps)} steps"
                )
            case events.StepStarted():
                self._progress, self._metrics, self._told_at = None, {}, event.time
                self._step = event.title
                self._line(f"- {event.title}")
            case events.StepFinished():
                self._tell_progress()
                self._draw_rest()
                said = f": {event.summary}" if event.summary else ""
                self._line(f"  {event.status} in {duration(event.seconds)}{said}")
            case events.Progress():
                self._progress = event
                if event.time - self._told_at >= EVERY:
                    self._tell_progress()
                    self._told_at = event.time
            case events.Metric():
                self._metrics[event.name] = event.value
            case events.Log():
                if not event.source or event.level in ("warning", "error") or self._logs:
                    mark = f"{event.level}: " if event.level in ("warning", "error") else ""
                    source = f"[{event.source}] " if event.source else ""
                    self._line(f"  {mark}{source}{event.message}")
            case events.Table():
                self._line(f"  {event.title}")
                for line in aligned([event.columns, *event.rows]):
                    self._line(f"    {line}")
            case events.Note():
                for line in note_lines(event, 100, self._step):
                    self._line(f"  {line}".rstrip())
            case events.Figure():
                if (now := self._drawn.take(event)) is not None:
                    self._draw(now)
            case events.Gate():
                self._line(f"  gate {event.name}: {event.verdict}. {event.reason}")
            case events.Artifact():
                place = f" at {event.location}" if event.location else ""
                self._line(f"  made {event.what} {event.name}{place}")
            case events.ApiCall() if self._calls:
                failed = f" failed: {event.error}" if event.error else ""
                self._line(f"  {event.service}.{event.operation} {event.seconds * 1000:.0f} ms{failed}")
            case events.Question():
                self._line(f"  question {event.question}: {event.text} ({' or '.join(event.choices)})")
            case events.Answered():
                self._line(f"  answer {event.question}: {event.choice} ({event.by})")
            case events.RunFinished():
                self._draw_rest()

    def pause(self) -> None:
        """Nothing is on the screen that a prompt could disturb."""

    def resume(self) -> None:
        """Go on."""

    def close(self) -> None:
        """Print what waits for the end of its step."""
        self._draw_rest()

    def _draw(self, figure: events.Figure) -> None:
        for line in plain(figure):
            self._line(f"    {line}".rstrip())

    def _draw_rest(self) -> None:
        for figure in self._drawn.rest():
            self._draw(figure)

    def _tell_progress(self) -> None:
        if self._progress is not None:
            self._line("  " + progress_text(self._progress, self._metrics))
            self._progress = None

    def _line(self, text: str) -> None:
        click.echo("\n".join(printable(line) for line in text.splitlines()))


def note_lines(note: events.Note, width: int, step: str = "") -> list[str]:
    """What a lesson says, wrapped; what it shows is indented and never wrapped. A title that is not the ``step``'s stands above."""
    lines: list[str] = [note.title] if note.title != step else []
    for paragraph in note.text.split("\n\n"):
        lines += [*textwrap.wrap(paragraph, width), ""]
    for shown in note.shown:
        lines += [
            f"{shown.get('title', '')}:",
            *(f"    {line}" for line in shown.get("text", "").splitlines()),
            "",
        ]
    return lines[:-1]


def progress_text(progress: events.Progress, metrics: dict[str, float]) -> str:
    """``120 of 300 epochs, loss 0.31``."""
    of = f" of {number(progress.total)}" if progress.total else ""
    parts = [f"{number(progress.done)}{of} {progress.unit}".strip()]
    if progress.note:
        parts.append(progress.note)
    # Of several jobs side by side the note names the one whose progress it is.
    own = {
        name.removeprefix(f"{progress.note} "): value
        for name, value in metrics.items()
        if name.startswith(f"{progress.note} ")
    }
    parts += [f"{name} {number(value)}" for name, value in (own or metrics).items()]
    return ", ".join(parts)


def aligned(rows: Sequence[Sequence[object]]) -> list[str]:
    """The rows with their columns below each other."""
    texts = [[cell(item) for item in row] for row in rows]
    widths = [max(len(row[index]) for row in texts) for index in range(len(texts[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]


def cell(value: object) -> str:
    """A table's cell as text."""
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)
