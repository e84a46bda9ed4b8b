"""Parts of an endpoint's screen that are lists: what it has captured, the alarms that watch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console.formatting import clock, number, span, status
from console.screens.endpoint_facts import alarm_facts, capture_facts, capture_text
from console.widgets.columns import Cell, Column
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows.observe.captures import Capture, CapturePage
from workflows.observe.rows import EndpointDetail
from workflows.observe.watch_rows import AlarmHistory, AlarmRow

HOW_TO = (
    "This endpoint does not capture its requests.",
    "An endpoint configuration with a DataCaptureConfig does (DestinationS3Uri, a sampling percentage,",
    "input and output): UpdateEndpoint to one switches it on without an interruption.",
)


class CapturesPane(Vertical):
    """Captured requests, newest first; below, the one under the cursor with its answer."""

    def __init__(self, *, id: str = "captures") -> None:
        super().__init__(id=id)
        self.found: tuple[Capture, ...] = ()
        self.more = False
        self._detail: EndpointDetail | None = None
        self._variant = ""
        self._said = ""

    def compose(self) -> Iterable[Widget]:
        yield Line(id="capture-state")
        yield Rows[Capture](
            [
                Column("Time", 19),
                Column("Variant", 12, drop=2),
                Column("Request", 20, grow=2),
                Column("Answer", 14, grow=1),
                Column("Inference id", 16, drop=3),
            ],
            key=lambda capture: (capture.uri, capture.line),
            cells=_captured,
            id="capture-list",
        )
        yield Page(id="capture", sideways=True)

    def on_mount(self) -> None:
        self.rows.show_when_empty("Reading …")

    @property
    def rows(self) -> Rows[Capture]:
        return self.query_one("#capture-list", Rows)

    def on_resize(self) -> None:
        _fit(self, self.rows)

    def tell(self, detail: EndpointDetail | None, variant: str, said: str = "") -> None:
        """What is captured at all, of which variant is shown, and what is being done."""
        self._detail, self._variant, self._said = detail, variant, said
        self._draw()

    def show_page(self, page: CapturePage, *, added: bool) -> None:
        """Show captures; ``added``: below those that are there."""
        self.found = (*self.found, *page.captures) if added else page.captures
        self.more = page.more
        self._said = ""
        if page.place is None:
            self.rows.show_when_empty(*HOW_TO)
        elif not page.place.enabled:
            self.rows.show_when_empty(
                "Capturing is switched off, and nothing is left of earlier.", *HOW_TO[1:]
            )
        else:
            self.rows.show_when_empty(
                "Nothing is captured yet.", "Files come some minutes after their requests; e looks again."
            )
        self.rows.show(self.found)
        _fit(self, self.rows)
        self._describe()
        self._draw()

    def clear(self) -> None:
        """Others are wanted from now on."""
        self.found, self.more = (), False
        self.rows.show_when_empty("Reading …")
        self.rows.show(())

    def fail(self, sentence: str) -> None:
        """They could not be read."""
        self._said = f"✗ {sentence}"
        self.rows.show_when_empty(sentence)
        self._draw()

    def _draw(self) -> None:
        about = capture_text(self._detail) if self._detail else ""
        of = f" of {self._variant}" if self._variant else ""
        shown = f"{len(self.found)}{'+' if self.more else ''}" if self.found else ""
        self.query_one("#capture-state", Line).show(
            [(f"Captured{of}", "head"), (f"  {self._said or shown}", "dim")], [(about, "dim")]
        )

    @on(Rows.Highlighted, "#capture-list")
    def _describe(self) -> None:
        capture = self.rows.current
        self.query_one("#capture", Page).show(lambda width: capture_facts(capture, width))


def _fit(pane: Vertical, rows: Rows[Any]) -> None:
    """A list as high as its rows, up to two fifths of the pane: the rest is for what is told of one of them."""
    most = pane.size.height * 2 // 5
    rows.styles.height = max(4, min(len(rows.items) + 2, most) if rows.items else rows.lines_needed + 1)


def _captured(capture: Capture) -> tuple[Cell, ...]:
    def short(side: object) -> Cell:
        text = " ".join(getattr(side, "text", "")[:400].split())
        return Cell(text or "–", "" if text else "dim")

    return (
        Cell(f"{clock(capture.time, day=True)}:{int(capture.time) % 60:02d}", "dim"),
        Cell(capture.variant, "strong"),
        short(capture.request),
        short(capture.answer),
        Cell(capture.inference_id or "–", "dim"),
    )


class AlarmsPane(Vertical):
    """The alarms, those in ALARM first; below, the one under the cursor with its history.

    Args:
        ask: Called with an alarm whose history is wanted.
    """

    def __init__(self, ask: Callable[[str], None], *, id: str = "alarms") -> None:
        super().__init__(id=id)
        self._ask = ask
        self._histories: dict[tuple[str, float], AlarmHistory | None] = {}
        """What became of an alarm, by its name and the time of its state; None: asked for."""
        self._now = 0.0

    def compose(self) -> Iterable[Widget]:
        yield Rows[AlarmRow](
            [
                Column("Alarm", 24, grow=3, middle=True),
                Column("State", 19, watch=True),
                Column("For", 8, drop=2),
                Column("Variant", 14, drop=3),
                Column("Rule", 24, grow=2, drop=1),
                Column("Value", 9, right=True, watch=True),
            ],
            key=lambda row: row.name,
            cells=self._cells,
            id="alarm-list",
        )
        yield Page(id="alarm")

    def on_mount(self) -> None:
        self.rows.show_when_empty("Loading the alarms …")

    @property
    def rows(self) -> Rows[AlarmRow]:
        return self.query_one("#alarm-list", Rows)

    def _cells(self, row: AlarmRow) -> tuple[Cell, ...]:
        shown = status(row.state)
        return (
            Cell(row.name),
            Cell(str(shown), shown.role),
            Cell(span(self._now - row.updated) if row.updated else "–", "dim"),
            Cell(row.variant or "–", "" if row.variant else "dim"),
            Cell(f"{row.metric} {row.condition}", "dim"),
            Cell(number(row.value), "bad" if row.state == "ALARM" else ""),
        )

    def show_alarms(self, found: Sequence[AlarmRow], endpoint: str, now: float) -> None:
        """Show the alarms as they are now."""
        self._now = now
        self.rows.show_when_empty(
            f"No CloudWatch alarm has EndpointName {endpoint} in its dimensions.",
            "PutMetricAlarm makes one; a rollout with guardrails makes those it needs.",
        )
        self.rows.show(found)
        _fit(self, self.rows)
        self._describe()

    def show_history(self, alarm: str, found: AlarmHistory) -> None:
        """What became of an alarm has been read."""
        for key in self._histories:
            if key[0] == alarm and self._histories[key] is None:
                self._histories[key] = found
        self._describe()

    def forget(self, alarm: str) -> None:
        """It could not be read: it is asked for again when the cursor comes back."""
        for key in [key for key, found in self._histories.items() if key[0] == alarm and found is None]:
            del self._histories[key]

    def on_resize(self) -> None:
        _fit(self, self.rows)

    def tick(self, now: float) -> None:
        """Ages grow."""
        self._now = now
        self.rows.repaint()

    @on(Rows.Highlighted, "#alarm-list")
    def _describe(self) -> None:
        row, now = self.rows.current, self._now
        if row is not None and self.display:
            key = (row.name, row.updated)
            if key not in self._histories:
                self._histories[key] = None
                self._ask(row.name)
        history = self._histories.get((row.name, row.updated)) if row else None
        self.query_one("#alarm", Page).show(lambda width: alarm_facts(row, history, now, width))
