"""A log with its search prompt and a status line: used wherever a log is shown."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console.widgets.line import Line
from console.widgets.log import Entry, LogView
from console.widgets.prompt import Prompt
from workflows.observe.rows import LogLine, LogTail

SHOW_SECONDS, SLOW_SHOW_SECONDS = 1.5, 5.0
"""Between two additions to a followed log; the second on a slow line. Each moves every line of the pane, which is about 1 kB."""
LEAST_WAIT = 0.1


COMING = "No line yet: the log begins when the container starts."
NONE = "No line: the job has ended, and its log is empty or was deleted."


class LogPane(Vertical):
    """The lines, what is searched, whether it follows."""

    def __init__(self, *, id: str = "log", empty: str = "No line yet.") -> None:
        super().__init__(id=id)
        self._empty = empty
        self._end = 0
        self._tail = LogTail()
        self._only = ""
        self._shown_at = 0.0
        self._due = False

    def compose(self) -> Iterable[Widget]:
        yield Line(classes="log-state")
        yield LogView()
        yield Prompt()

    def on_mount(self) -> None:
        self._draw()

    def say_when_empty(self, text: str) -> None:
        """What stands there as long as no line does."""
        if text != self._empty:
            self._empty = text
            self._draw()

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def show_tail(self, tail: LogTail) -> None:
        """Add what is new in a followed log: at once after a silence, else with what comes within the next seconds."""
        self._tail = tail
        pace = SLOW_SHOW_SECONDS if getattr(self.app, "low_bandwidth", False) else SHOW_SECONDS
        wait = pace - (monotonic() - self._shown_at)
        if wait <= 0:
            self._catch_up()
        elif not self._due and tail.end > self._end:
            self._due = True
            self.set_timer(max(wait, LEAST_WAIT), self._catch_up)

    def _catch_up(self) -> None:
        tail, self._due = self._tail, False
        if tail.end > self._end:
            self._shown_at = monotonic()
        new = [line for line in tail.since(self._end) if self._wanted(line)]
        several = len({line.stream for line in tail.lines[-50:] if self._wanted(line)}) > 1
        self._end = tail.end
        if new:
            self.extend(
                Entry(f"[{line.stream}] {line.text}" if several else line.text, line.time, line.stream)
                for line in new
            )

    def show_only(self, stream: str) -> None:
        """Show the lines of streams below this name only; empty: of all."""
        if stream == self._only:
            return
        self._only, self._end = stream, 0
        self.view.clear()
        self._catch_up()
        self._draw()

    def _wanted(self, line: LogLine) -> bool:
        return not self._only or line.stream == self._only or line.stream.startswith(f"{self._only}/")

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add lines."""
        self.view.extend(entries)
        self._draw()

    @on(LogView.Changed)
    def _changed(self) -> None:
        self._draw()

    @on(LogView.SearchRequested)
    def _search(self) -> None:
        self.query_one(Prompt).ask("search", "/", self.view.term, "search in the log; n next, N previous")

    @on(Prompt.Submitted)
    def _searched(self, event: Prompt.Submitted) -> None:
        event.stop()
        self.view.search(event.value)

    @on(Prompt.Changed)
    def _searching(self, event: Prompt.Changed) -> None:
        event.stop()

    def _draw(self) -> None:
        text = self.view.summary if len(self.view) else self._empty
        only = f" of {self._only}" if self._only else ""
        self.query_one(".log-state", Line).show([(f"Log{only}", "head"), (f"  {text}", "dim")])
