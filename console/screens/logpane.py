"""A log with its search prompt and a status line: used wherever a log is shown."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console import exporting, filtering
from console.formatting import count
from console.keymap import key
from console.widgets.line import Line
from console.widgets.log import KEPT, LogView
from console.widgets.logline import Shown, clean, gap, role_of, stamped
from console.widgets.prompt import Prompt
from workflows import locations
from workflows.observe.rows import LogLine, LogTail

if TYPE_CHECKING:
    from console.app import Console

SHOW_SECONDS, SLOW_SHOW_SECONDS = 1.5, 5.0
"""Between two additions to a followed log; the second on a slow line. Each moves every line of the pane, which is about 1 kB."""
LEAST_WAIT = 0.1
PORTION = 2_000
"""Lines that are filtered between two keys: of 20,000 that a second may bring that takes up to 100 ms."""

COMING = "No line yet: the log begins when the container starts."
NONE = "No line: the job has ended, and its log is empty or was deleted."

_INSTANCE = re.compile(r"\bi-[0-9a-f]{13}([0-9a-f]{4})\b")


@lru_cache(maxsize=256)  # each line of a flood asks for it
def stream_label(stream: str) -> str:
    """The name of a stream before its lines: of an instance's long id its end, so that there is room for what was said."""
    return _INSTANCE.sub(r"i-…\1", stream)


class LogPane(Vertical):
    """The lines, what is searched, whether it follows."""

    def __init__(self, *, id: str = "log", empty: str = "No line yet.") -> None:
        super().__init__(id=id)
        self._empty = empty
        self._end = 0
        self._tail = LogTail()
        self._only = ""
        self._all: deque[Shown] = deque(maxlen=KEPT)
        self._filter = filtering.Filter()
        self._narrowed = ""
        self._since = ""
        self._after = 0.0
        self._shown_at = 0.0
        self._due = False
        self._coming: deque[Shown] = deque(maxlen=KEPT)
        """Lines that were read and are not shown yet: they would not wait in the tail."""
        self._fitting: list[Shown] = []
        """Those of the lines being filtered that are to be shown."""

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
        self._read(tail)
        pace = SLOW_SHOW_SECONDS if getattr(self.app, "low_bandwidth", False) else SHOW_SECONDS
        wait = pace - (monotonic() - self._shown_at)
        if self._due or not self._coming:
            return
        if wait <= 0:
            self._catch_up()
        else:
            self._due = True
            self.set_timer(max(wait, LEAST_WAIT), self._catch_up)

    def _read(self, tail: LogTail) -> None:
        """Take what is new in a tail, which keeps its lines for as long only as nothing pushes them out."""
        fresh, begin = tail.since(self._end), max(self._end, tail.first)
        if self._end and tail.first > self._end:
            self._coming.append(gap(tail.first - self._end, fresh[0].time if fresh else None))
        newest = [line.stream for line in tail.lines[-50:] if self._wanted(line)]
        several = len(set(newest)) > 1
        skipped = tail.skipped
        if skipped is not None and begin <= skipped < tail.end and (self._end or begin < skipped):
            unseen, fresh = fresh[: skipped - begin], fresh[skipped - begin :]
            self._coming += self._named(unseen, several)
            self._coming.append(gap(None, fresh[0].time))
        self._coming += self._named(fresh, several)
        self._tail, self._end = tail, tail.end

    def _named(self, lines: Sequence[LogLine], several: bool) -> Sequence[Shown]:
        """The lines of the streams that are wanted, with their streams before them where there are several."""
        if self._only:
            lines = list(filter(self._wanted, lines))
        if not several:
            return lines
        return [LogLine(time, stream, f"[{stream_label(stream)}] {text}") for time, stream, text in lines]

    def _catch_up(self) -> None:
        """Show what has come; what has to be filtered goes in portions, with keys between them."""
        self._due = False
        if not self._coming and not self._fitting:
            return
        self._shown_at = monotonic()
        if not self._narrowing:
            self._show(list(self._coming), [*self._fitting, *self._coming])
            return
        portion = [self._coming.popleft() for _ in range(min(PORTION, len(self._coming)))]
        self._all.extend(portion)
        self._fitting += self._fit(portion)
        if self._coming:
            self._due = True
            self.call_later(self._catch_up)
        else:
            self._show([], self._fitting)

    def _show(self, new: list[Shown], fitting: list[Shown]) -> None:
        self._all.extend(new)
        self._coming.clear()
        self._fitting = []
        self.view.extend(fitting)
        self._draw()

    def show_only(self, stream: str) -> None:
        """Show the lines of streams below this name only; empty: of all."""
        if stream == self._only:
            return
        self._only, self._end = stream, 0
        self.view.clear()
        self._all.clear()
        self._coming.clear()
        self._fitting = []
        self._read(self._tail)
        self._catch_up()
        self._draw()

    def _wanted(self, line: LogLine) -> bool:
        return not self._only or line.stream == self._only or line.stream.startswith(f"{self._only}/")

    def extend(self, entries: Iterable[Shown]) -> None:
        """Add lines; those that the filter leaves out are kept for when it changes."""
        self._coming.extend(entries)
        new = list(self._coming)
        self._show(new, [*self._fitting, *self._fit(new)])

    # Narrowing

    @property
    def _narrowing(self) -> bool:
        return bool(self._since or self._filter)

    def _fit(self, entries: Iterable[Shown]) -> list[Shown]:
        """Those that are to be seen."""
        if self._narrowing:
            return [entry for entry in entries if self._passes(entry)]
        return list(entries)

    def _passes(self, entry: Shown) -> bool:
        if self._since and (entry.time is None or entry.time < self._after):
            return False
        if not self._filter:
            return True
        level = {"bad": "error", "wait": "warning", "dim": "debug"}.get(role_of(entry), "info")
        return self._filter.matches({"text": clean(entry), "stream": entry.stream, "level": level})

    def narrow(self, text: str) -> None:
        """Show only lines that match a filter; empty: all."""
        self._filter = filtering.parse(text.strip(), ("text", "stream", "level"))
        self._narrowed = text.strip()
        if self._filter.problem:
            self._host.flash(self._filter.problem, "wait")
        self._show_again()

    def show_since(self, text: str) -> None:
        """Show only lines of this time until now, and what comes; empty: all."""
        text = text.strip()
        try:
            seconds = filtering.age(text) if text else 0.0
        except ValueError as error:
            self._host.flash(f"✗ {error}", "bad")
            return
        self._since = text
        self._after = self._host.services.now() - seconds
        self._show_again()

    def _show_again(self) -> None:
        following = self.view.following
        self.view.clear()
        self._all.extend(self._coming)
        self._coming.clear()
        self._fitting = []
        self.view.extend(self._fit(self._all))
        self.view.following = following
        self.view.search(self.view.term) if self.view.term else None
        self._draw()

    def widen(self) -> bool:
        """Esc: the filter and the time go first, then the search; False where there is none."""
        if self._narrowed or self._since:
            self._filter, self._narrowed, self._since = filtering.Filter(), "", ""
            self._show_again()
            return True
        if self.view.term:
            self.view.search("")
            return True
        return False

    def save(self, path: str) -> None:
        """Write the lines that are shown, with their times, into a new file."""
        lines = [
            f"{stamped(entry.time, 'full')}  {clean(entry)}" if entry.time is not None else clean(entry)
            for entry in self.view.entries
        ]
        console = self._host
        console.in_background(
            lambda: exporting.write(Path(path), "\n".join(lines) + "\n"),
            lambda done: console.flash(f"✓ {count(len(lines), 'line')} written: {done}"),
        )

    @property
    def _host(self) -> Console:
        return self.app  # type: ignore[return-value]

    @on(LogView.Changed)
    def _changed(self) -> None:
        self._draw()

    @on(LogView.SearchRequested)
    def _asked(self, event: LogView.SearchRequested) -> None:
        prompt, following = (
            self.query_one(Prompt),
            f"{key('log.next_match')} next, {key('log.previous_match')} previous",
        )
        match event.purpose:
            case "filter":
                prompt.ask(
                    "filter", "only ", self._narrowed, "words, regex.*, !not, stream:NAME, level:error"
                )
            case "since":
                prompt.ask("since", "since ", self._since, "90s, 15m, 2h; empty: all")
            case "save":
                name = exporting.file_name(f"{getattr(self.screen, 'place', 'run')}-log", "log")
                prompt.ask("save", "save to ", str(locations.state_dir() / "exports" / name), "a new file")
            case _:
                prompt.ask("search", "/", self.view.term, f"search in the log; {following}")

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        event.stop()
        if event.purpose == "filter":
            self.narrow(event.value)
        elif event.purpose == "since":
            self.show_since(event.value)
        elif event.purpose == "save":
            if event.value.strip():
                self.save(event.value.strip())
        else:
            self.view.search(event.value)

    @on(Prompt.Changed)
    def _typing(self, event: Prompt.Changed) -> None:
        event.stop()

    def _draw(self) -> None:
        narrowed = " · ".join(
            [
                *([f"only {self._narrowed}"] if self._narrowed else []),
                *([f"since {self._since}"] if self._since else []),
            ]
        )
        none = (
            f"none of {count(len(self._all), 'line')}; {key('app.back')} shows all"
            if self._all
            else self._empty
        )
        text = self.view.summary if len(self.view) else none
        text = f"{text} · {narrowed}" if narrowed else text
        only = f" of {self._only}" if self._only else ""
        self.query_one(".log-state", Line).show([(f"Log{only}", "head"), (f"  {text}", "dim")])
