"""What the lists of jobs and of endpoints share: filter, sort, the row under the cursor, the preview beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console.filtering import matcher
from console.formatting import ago, clock, count
from console.screens.base import ConsoleScreen
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.topics import Snapshot, Topic

Row = TypeVar("Row")


@dataclass(frozen=True)
class Order(Generic[Row]):
    """A way to sort a list: by what, marked in which column, and whether largest comes first."""

    column: int
    key: Callable[[Row], Any]
    descending: bool = False


class ListScreen(ConsoleScreen, Generic[Row]):
    """A live list with a filter. Subclasses say what is listed and how a row looks."""

    noun = "row"
    topic: Topic[Any]
    orders: Sequence[Order[Any]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""
        self._order = 0
        self._listed: object = None
        self._descending = self.orders[0].descending

    def rows(self) -> Rows[Row]:
        """The list widget."""
        return self.query_one("#list", Rows)

    def make_rows(self) -> Rows[Row]:
        """The list widget, new."""
        raise NotImplementedError

    def fields(self, row: Row) -> Mapping[str, str]:
        """What the filter looks at."""
        raise NotImplementedError

    def detail_topic(self, name: str) -> Topic[Any]:
        """What is observed for the preview of the row under the cursor."""
        raise NotImplementedError

    def write_preview(self, name: str) -> None:
        """Draw the preview of a row."""

    def empty_lines(self) -> Sequence[str]:
        """What stands in a list without rows that was fetched."""
        return ()

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="split"):
            yield self.make_rows()
            yield Page(id="preview")
        yield Prompt()

    def opened(self) -> None:
        self.query_one("#preview").can_focus = False
        self._mark_order()
        self.rows().focus()
        self.show_rows()

    def topics(self) -> Sequence[Topic[Any]]:
        current = self.rows().cursor_key if self.is_mounted and self.query("#list") else None
        return [self.topic, self.detail_topic(str(current))] if self.wide and current else [self.topic]

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        news = snapshot.value is None or snapshot.value is not self._listed
        if snapshot.topic == self.topic and news:
            self._listed = snapshot.value
            self.show_rows()
        current = self.rows().cursor_key
        if current is not None and snapshot.topic.name in ("", str(current)):
            self.write_preview(str(current))

    def tick(self) -> None:
        self.rows().repaint()

    def everything(self) -> Sequence[Row]:
        """All rows known."""
        return self.value(self.topic) or ()

    def show_rows(self) -> None:
        """Filter, sort and show."""
        everything = self.everything()
        shown: Sequence[Row] = everything
        if self.filter:
            matches = matcher(self.filter)
            shown = [row for row in everything if matches(self.fields(row))]
        order = self.orders[self._order]
        shown = sorted(shown, key=order.key, reverse=self._descending)
        rows = self.rows()
        rows.show_when_empty(*self._when_empty(len(everything)))
        rows.show(shown)

    def _when_empty(self, total: int) -> Sequence[str]:
        snapshot = self.snapshots.get(self.topic)
        if snapshot is None or (snapshot.value is None and snapshot.error is None):
            return (f"Loading {self.noun}s …",)
        if snapshot.value is None:
            return (f"No {self.noun}s could be loaded yet. r tries again.",)
        if total and self.filter:
            return (
                f"None of {count(total, self.noun)} matches {self.filter!r}.",
                "Press / to change the filter, Esc to drop it.",
            )
        return self.empty_lines()

    def summary(self) -> str:
        total, shown = len(self.everything()), len(self.rows().items) if self.query("#list") else 0
        text = (
            count(total, self.noun)
            if not self.filter
            else f"{shown} of {count(total, self.noun)} · /{self.filter}"
        )
        snapshot = self.snapshots.get(self.topic)
        if snapshot is None or snapshot.complete:
            return text + (", the newest" if snapshot is not None and snapshot.more else "")
        return text + " …"

    # Actions

    def set_filter(self, text: str) -> None:
        """Narrow the list."""
        self.filter = text.strip()
        self.show_rows()
        self.draw_frame()

    def action_filter(self) -> None:
        self.query_one(Prompt).ask(
            "filter",
            "/",
            self.filter,
            f"words · !word · status:failed — {count(len(self.everything()), self.noun)}",
        )

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        self.set_filter(event.value)

    @on(Prompt.Submitted)
    def _filtered(self, event: Prompt.Submitted) -> None:
        self.set_filter(event.value)

    def leave(self) -> bool:
        """Esc drops the filter first; False when there is nothing to drop."""
        if self.filter:
            self.set_filter("")
            return True
        return False

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(self.orders)
        self._descending = self.orders[self._order].descending
        self._mark_order()
        self.show_rows()

    def action_reverse(self) -> None:
        self._descending = not self._descending
        self._mark_order()
        self.show_rows()

    def _mark_order(self) -> None:
        self.rows().mark_sorted(self.orders[self._order].column, self._descending)

    def action_copy(self) -> None:
        current = self.rows().cursor_key
        if current is not None:
            self.console.copy(str(current), f"the name of the {self.noun}")

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._watching = getattr(self, "_watching", 0) + 1
        number = self._watching
        self.set_timer(0.2, lambda: self._rested(number))
        current = self.rows().cursor_key
        if current is not None:
            self.write_preview(str(current))
        self.draw_keys()

    def _rested(self, number: int) -> None:
        """The cursor rests on a row: only now is it worth a call."""
        if number == self._watching and self.is_current:
            self.observe()

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_current:
            self.observe()


def when(time: float, now: float) -> str:
    """A time in a list: today as a clock, yesterday and before as an age."""
    return clock(time) if 0 <= now - time < 43_200 else ago(time, now)
