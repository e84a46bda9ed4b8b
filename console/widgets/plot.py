"""Widgets that show charts and figures: they draw at most every five seconds and repaint only lines that changed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from time import monotonic

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from console.theme import Painted
from console.widgets import drawing
from console.widgets.axis import short
from console.widgets.drawing import Lines, Series

PAINT_SECONDS, SLOW_PAINT_SECONDS = 3.0, 10.0
"""Between two drawings of what comes in; the second on a slow line."""
LEAST_WAIT = 0.1
Draw = Callable[[int, int], Lines]


class Plot(Painted):
    """Lines drawn by a function of (width, height). A new drawing that equals what is on the screen costs nothing.

    ``waiting`` stands there until anything is shown.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None, waiting: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._waiting: Lines = [[], [(f"  {waiting}", "dim")]] if waiting else []
        self._draw: Draw | None = None
        self._data: object = None
        self._lines: Lines = []
        self._drawn_at = 0.0
        self._due = False
        self._hidden = False

    def show(self, data: object, draw: Draw, *, at_once: bool = False) -> None:
        """Show a drawing of ``data``: nothing happens while the data equals what was shown last.

        ``at_once`` is for what a person asked for with a key; what only comes in is drawn at most every five seconds.
        """
        if self._draw is not None and data == self._data:
            return
        first = self._draw is None
        self._data, self._draw = data, draw
        pace = SLOW_PAINT_SECONDS if getattr(self.app, "low_bandwidth", False) else PAINT_SECONDS
        wait = pace - (monotonic() - self._drawn_at)
        if first or at_once or wait <= 0:
            self._paint()
        elif not self._due:
            self._due = True
            # A timer whose time is over before its first wait never calls, and nothing would be painted any more.
            self.set_timer(max(wait, LEAST_WAIT), self._paint)

    def show_series(
        self, series: tuple[Series, ...], *, title: str = "", x_label: str = "",
        x_format: Callable[[float], str] | None = None,
    ) -> None:  # fmt: skip
        """Show a line chart."""

        def draw(width: int, height: int) -> Lines:
            return drawing.chart(
                series,
                width,
                height,
                title=title,
                x_label=x_label,
                x_format=x_format or short,
            )

        self.show((series, title, x_label), draw)

    def _paint(self) -> None:
        self._due = False
        if self._draw is None or not self.size or self._hidden:
            return
        self._drawn_at = monotonic()
        new = self._draw(self.size.width, self.size.height)
        old, self._lines = self._lines, new
        for y, (before, after) in enumerate(
            zip_longest(old, new)
        ):  # of a drawing with fewer lines nothing may stay below
            if before != after:
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        self._paint()

    def on_hide(self) -> None:
        self._hidden = True

    def on_show(self) -> None:
        """In sight again: what came meanwhile is drawn now."""
        if self._hidden:
            self._hidden = False
            self._paint()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.size.width
        lines = self._waiting if self._draw is None else self._lines
        if y >= len(lines):
            return Strip.blank(width, base)
        segments = [Segment(text, base + self.paint(role)) for text, role in lines[y]]
        return Strip(segments).adjust_cell_length(width, base)
