"""A run on a terminal without the full-screen application: steps, a progress bar, the last log lines, updated in place."""

from __future__ import annotations

import sys
import time
from collections import deque

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from console.cli.drawn import Drawn
from console.cli.lines import cell, note_lines
from console.cli.painting import painted
from console.formatting import GLYPHS, duration, number, printable, status
from workflows import events
from workflows.events import Event

LOG_LINES = 5
STYLES = {"ok": "green", "bad": "red", "live": "cyan", "wait": "yellow", "idle": "dim"}
VERDICTS = {"pass": "green", "warn": "yellow", "fail": "red"}


class Screen:
    """Renders events in place; what should stay (tables, gates, artefacts) is printed above the moving part.

    Args:
        calls: Also print each AWS call.
        logs: Print all lines of training and serving logs instead of showing the last ones.
    """

    def __init__(self, *, calls: bool = False, logs: bool = False) -> None:
        self.console = Console(file=sys.stdout, highlight=False)
        self._calls = calls
        self._logs = logs
        self._title = ""
        self._began = time.time()
        self._steps: dict[str, dict[str, str]] = {}
        self._step_began: float | None = None
        self._current = ""
        self._progress: events.Progress | None = None
        self._metrics: dict[str, float] = {}
        self._recent: deque[str] = deque(maxlen=LOG_LINES)
        self._drawn = Drawn()
        self._api_calls = 0
        self._live: Live | None = None
        self.resume()

    def show(self, event: Event) -> None:
        """Take an event in; the screen follows within a quarter of a second."""
        match event:
            case events.RunStarted():
                self._began = event.time
                self._title = f"{event.study} · {event.interface} · {event.target} · {event.run}"
                self._steps = {
                    step["id"]: {"title": step["title"], "status": "pending", "note": ""}
                    for step in event.steps
                }
            case events.StepStarted():
                step = self._steps.setdefault(event.step, {"title": event.title, "status": "", "note": ""})
                step["status"], step["note"] = "running", ""
                self._current, self._step_began = event.step, event.time
                self._progress, self._metrics = None, {}
                self._recent.clear()
            case events.StepFinished():
                self._draw_rest()
                step = self._steps.setdefault(event.step, {"title": event.step, "status": "", "note": ""})
                step["status"], step["note"] = (
                    event.status,
                    f"{duration(event.seconds)}  {event.summary}".strip(),
                )
                self._step_began, self._progress, self._metrics = None, None, {}
                self._recent.clear()
            case events.Progress():
                self._progress = event
            case events.Metric():
                self._metrics[event.name] = event.value
            case events.Log():
                self._log(event)
            case events.Table():
                self.console.print(_table(event))
            case events.Note():
                self.console.print()
                title = str(self._steps.get(event.step, {}).get("title", ""))
                for line in note_lines(event, max(40, min(100, self.console.width - 4)), title):
                    self.console.print(Text(f"  {line}"), soft_wrap=True)
            case events.Figure():
                if (now := self._drawn.take(event)) is not None:
                    self.console.print(painted(now, self.console.width))
            case events.Gate():
                colour = VERDICTS.get(event.verdict, "yellow")
                self.console.print(
                    f"[{colour}]gate {escape(event.name)}: {escape(event.verdict)}[/]  {escape(event.reason)}"
                )
            case events.Artifact():
                self.console.print(Text(f"made {event.what} {event.name}  {event.location}", style="dim"))
            case events.ApiCall():
                self._api_calls += 1
                if self._calls:
                    failed = f"  {event.error}" if event.error else ""
                    call = f"{event.service}.{event.operation}  {event.seconds * 1000:.0f} ms{failed}"
                    self.console.print(Text(call, style="dim"))
            case events.Answered():
                self.console.print(Text(f"answered {event.question}: {event.choice} ({event.by})"))
            case events.RunFinished():
                self._draw_rest()

    def pause(self) -> None:
        """Leave the terminal to a prompt."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def resume(self) -> None:
        """Take the terminal again."""
        if self._live is None:
            self._live = Live(
                get_renderable=self._frame, console=self.console, refresh_per_second=4, transient=True
            )
            self._live.start()

    def close(self) -> None:
        """Leave the list of steps on the screen as it is at the end."""
        self.pause()
        self._draw_rest()
        self._recent.clear()
        self.console.print(self._step_list())

    def _draw_rest(self) -> None:
        for figure in self._drawn.rest():
            self.console.print(painted(figure, self.console.width))

    def _log(self, event: events.Log) -> None:
        text = printable(event.message)
        if event.level in ("warning", "error"):
            self.console.print(Text(text, style="yellow" if event.level == "warning" else "red"))
        elif self._logs and event.source:
            self.console.print(Text(f"{event.source}  {text}", style="dim"))
        elif text.strip():
            self._recent.append(text)

    def _frame(self) -> RenderableType:
        parts: list[RenderableType] = [self._step_list()]
        if self._progress is not None:
            parts.append(self._progress_line())
        parts += [
            Text(f"    {line}", style="dim", no_wrap=True, overflow="ellipsis") for line in self._recent
        ]
        if (newest := self._drawn.newest) is not None:
            drawing = painted(newest, self.console.width)
            taken = (
                len(self._steps) + len(self._recent) + 4
            )  # the title, progress, the hint, the row of the cursor
            if drawing.plain.count("\n") + taken <= self.console.height:
                parts.append(drawing)
        hint = f"{duration(time.time() - self._began)}, {self._api_calls} AWS calls. Ctrl-C: detach or stop."
        parts.append(Text(hint, style="dim"))
        return Group(*parts)

    def _step_list(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=True)
        widest = max((cell_len(step["title"]) for step in self._steps.values()), default=0)
        grid.add_column(width=1)
        grid.add_column(
            width=min(widest, max(12, self.console.width // 2)), no_wrap=True, overflow="ellipsis"
        )
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in self._steps.values():
            shown = status(step["status"])
            style = STYLES.get(shown.role, "")
            note = step["note"]
            glyph = shown.glyph
            if step["status"] == "running" and self._step_began is not None:
                note = duration(time.time() - self._step_began)
            if step["status"] == "pending":
                glyph, style = GLYPHS["wait"], "dim"
            grid.add_row(Text(glyph, style=style), Text(step["title"], style=style), Text(note, style="dim"))
        return Group(Text(self._title, style="bold", no_wrap=True, overflow="ellipsis"), grid)

    def _progress_line(self) -> RenderableType:
        progress = self._progress
        assert progress is not None
        grid = Table.grid(padding=(0, 1))
        words = f"{number(progress.done)}"
        if progress.total:
            words += f" of {number(progress.total)}"
        words = f"{words} {progress.unit}".strip()
        extra = [progress.note] if progress.note else []
        extra += [f"{name} {number(value)}" for name, value in self._metrics.items()]
        bar = ProgressBar(
            total=progress.total or None,
            completed=progress.done,
            width=24,
            pulse=False,
        )
        first: RenderableType = bar if progress.total else Text("")
        grid.add_row(
            Text("   "),
            first,
            Text(words),
            Text("  ".join(extra), style="cyan", no_wrap=True, overflow="ellipsis"),
        )
        return grid


def _table(event: events.Table) -> Table:
    table = Table(title=event.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    numeric = [
        all(isinstance(row[index], int | float) for row in event.rows) and bool(event.rows)
        for index in range(len(event.columns))
    ]
    for name, right in zip(event.columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left")
    for row in event.rows:
        table.add_row(*(escape(cell(value)) for value in row))
    return table
